"""The teller of `fanout`: counts are exact or they are not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from controller.model.modes import KERNEL
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.fanout import figure
from experiments.fanout.cells import (
    COUNTS,
    KNOWN,
    OTHER,
    UNKNOWN,
    Cell,
    cells,
    counts_of,
    difference,
    labs,
    matching,
    networks,
)
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption

FACTS = {
    "guests_without_barrier": "Guests that never heard the last frame",
    "capture_dropped": "Packets dropped by the capture",
    "capture_unlike_counters": "Packets apart between capture and counters",
    "frames_unsent": "Frames not seen at their own sender",
}


def build_report(run: Run) -> Report:
    """The story of one run."""
    found = cells(run)
    measured = tuple(cell for cell in found if cell.rows)
    costs = (*_headline(measured), *_multicast(measured), *_responder(measured))
    findings = (*_agreement(measured, run), *costs)
    report = Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcomes(run, measured)),
        tables=(_overview(measured), _full(measured), _interfaces(run)),
        pictures=(),
        conditions=_conditions(run),
        is_refuted=any(not cell.is_exact for cell in measured),
        data=tuple(map(_data, measured)),
    )
    return _with_picture(report, run, measured)


def _agreement(measured: Sequence[Cell], run: Run) -> Iterator[str]:
    """How many cells are exact; if not all: by how much, where, and what else is known."""
    frames = sum(len(cell.rows) for cell in measured)
    exact = sum(cell.is_exact for cell in measured)
    many = counted(len(measured), "cell")
    yield f"{exact} of {many} equal their prediction to the packet ({counted(frames, 'frame')})"
    mismatches = [cell for cell in measured if not cell.is_exact]
    if mismatches:
        more = f" (and {len(mismatches) - 1} more)" if len(mismatches) > 1 else ""
        yield f"{mismatches[0].name}: {difference(mismatches[0])}{more}"
    yield from _reasons(run)


def _reasons(run: Run) -> Iterator[str]:
    """What the instruments say against themselves, in one line each."""
    for fact, words in FACTS.items():
        places = [
            f"{each['mode']}, {each['hosts']} hosts: {_told(each[fact])}"
            for each in run.about.get("measured", ())
            if each.get(fact)
        ]
        if places:
            more = f" (and {len(places) - 1} more labs)" if len(places) > 1 else ""
            yield f"{words}: {places[0]}{more}"


def _told(fact: object) -> str:
    if isinstance(fact, Mapping):
        return ", ".join(f"{place} {many}" for place, many in fact.items())
    return ", ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _headline(measured: Sequence[Cell]) -> Iterator[str]:
    """Mesh beside l2pop, where most copies are in vain."""
    plain = [cell for cell in measured if cell.kind == OTHER and len(cell.found("unneeded")) == 1]
    mesh = [cell for cell in plain if cell.mode.endswith("mesh")]
    worst = max(mesh, key=lambda cell: cell.found("unneeded"), default=None)
    if worst is None or not worst.found("unneeded")[0]:
        return
    sent, unneeded = worst.found("copies_sent")[0], worst.found("unneeded")[0]
    report = f"{worst.hosts} hosts, {worst.members} with a member: mesh sends {sent} copies, {unneeded} in vain"
    others = [
        cell
        for cell in plain
        if cell.mode.endswith("l2pop") and (cell.hosts, cell.share) == (worst.hosts, worst.share)
    ]
    yield report + (f"; l2pop sends {others[0].found('copies_sent')[0]}" if others else "")


def _multicast(measured: Sequence[Cell]) -> Iterator[str]:
    """What a group costs the sender, at the most hosts."""
    of_group = [cell for cell in measured if cell.mode.endswith("multicast") and cell.is_exact]
    most = max(of_group, key=lambda cell: (cell.hosts, -cell.share), default=None)
    if most:
        sent, unneeded = most.found("copies_sent")[0], most.found("unneeded")[0]
        yield f"{most.hosts} hosts, by multicast: {sent} packet leaves the sender, {unneeded} in vain"


def _responder(measured: Sequence[Cell]) -> Iterator[str]:
    """What an ARP request costs where hosts answer for those they know."""
    by_kind = {
        kind: max(
            (cell for cell in measured if cell.mode.endswith("l2pop-arp") and cell.kind == kind),
            key=lambda cell: (cell.hosts, -cell.share),
            default=None,
        )
        for kind in (KNOWN, UNKNOWN)
    }
    known, unknown = by_kind[KNOWN], by_kind[UNKNOWN]
    if known and unknown and known.is_exact and unknown.is_exact:
        of_known, of_unknown = known.found("copies_sent")[0], unknown.found("copies_sent")[0]
        yield f"ARP responder: a known address costs {of_known} copies, an unknown one {of_unknown}"


def _outcomes(run: Run, measured: Sequence[Cell]) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        about = [cell for cell in measured if _is_about(prediction, cell.mode)]
        if about:
            mismatches = [cell for cell in about if not cell.is_exact]
            outcome = REFUTED if mismatches else CONFIRMED
            where = f"; {mismatches[0].name}: {difference(mismatches[0])}" if mismatches else ""
            yield Outcome(
                claim=prediction.claim,
                reason=prediction.reason,
                name=prediction.about,
                outcome=outcome if is_trusted(run) else NOT_JUDGED,
                found=f"{len(about) - len(mismatches)} of {counted(len(about), 'cell')} exact{where}",
            )


def _is_about(prediction: Prediction, mode: str) -> bool:
    """A prediction is of a way of flooding, or of a mode that has none, or one of its own."""
    if mode.startswith(KERNEL):
        return mode == prediction.about
    return mode == prediction.about or mode.partition("-")[2] == prediction.about


def _overview(measured: Sequence[Cell]) -> Table:
    """Copies sent, and in vain, by mode over hosts."""
    hosts = sorted({cell.hosts for cell in measured})
    return Table(
        title="Copies of one frame that leave the sender's host; in brackets: in vain",
        heads=("members on", "mode", "frame", *(f"{many} hosts" for many in hosts)),
        rows=tuple(
            (f"{share}%", mode, kinds, *(_brief(same.get(many)) for many in hosts))
            for (share, mode), group in networks(measured).items()
            for kinds, same in matching(group, counts_of)
        ),
        words=("members on", "mode", "frame"),
        note=(
            "In vain: arrived at a host without a guest on the network. Untunnelled one frame "
            "leaves, and the underlay's own switch makes the copies."
        ),
    )


def _brief(cell: Cell | None) -> str:
    """As `15 (8)`, or `14 (8) not 15 (8)`."""
    if cell is None:
        return NONE
    sent, unneeded = cell.found("copies_sent"), cell.found("unneeded")
    report = f"{'-'.join(map(str, sent))} ({'-'.join(map(str, unneeded))})"
    predicted = f"{cell.predicted['copies_sent']} ({cell.predicted['unneeded']})"
    return report if report == predicted else f"{report} not {predicted}"


def _full(measured: Sequence[Cell]) -> Table:
    return Table(
        title="Every cell",
        heads=("mode", "hosts", "with a member", "frame", *COUNTS.values(), "as foretold"),
        rows=tuple(
            (
                mode,
                str(many),
                str(same[many].members),
                kinds,
                *(same[many].shown(name) for name in COUNTS),
                _exact(group, same[many]),
            )
            for (mode, many, _), group in labs(measured).items()
            for kinds, same in matching(group, counts_of)
        ),
        words=("mode", "frame"),
        note="Packets per frame. Heard: deliveries to other guests. As foretold: of all frames.",
        summary=_gist(measured),
    )


def _gist(measured: Sequence[Cell]) -> str:
    mismatches = sum(not cell.is_exact for cell in measured)
    said = f"{mismatches} not as foretold" if mismatches else "all as foretold"
    return f"of {counted(len(measured), 'cell')} {said}"


def _exact(group: Sequence[Cell], one: Cell) -> str:
    """Frames as foretold, of all that are told together with `one`."""
    same = [cell for cell in group if counts_of(cell) == counts_of(one)]
    frames = sum(len(cell.rows) for cell in same)
    return f"{frames - sum(len(cell.mismatches) for cell in same)} of {frames}"


def _interfaces(run: Run) -> Table:
    """Captures held against counters, lab by lab."""
    labs: dict[tuple[object, object], list[Mapping[str, object]]] = defaultdict(list)
    for row in run.rows_of("interfaces"):
        labs[row["mode"], row["hosts"]].append(row)
    return Table(
        title="Captures held against the interfaces' own counters",
        heads=("mode", "hosts", "interfaces", "packets counted", "packets captured", "apart"),
        rows=tuple(
            (
                str(mode),
                str(hosts),
                str(len(rows)),
                *(
                    str(sum(int(str(row[name] or 0)) for row in rows))
                    for name in ("counted", "captured")
                ),
                str(
                    sum(row["counted"] != row["captured"] or row["counted"] is None for row in rows)
                ),
            )
            for (mode, hosts), rows in labs.items()
        ),
        words=("mode",),
        note="Between two readings of every counter, guests' own chatter included; "
        "apart: interfaces whose capture and counter differ.",
    )


def _with_picture(report: Report, run: Run, measured: Sequence[Cell]) -> Report:
    if not measured:
        return report
    picture = Picture(
        name=run.question.name,
        title="Copies over hosts, foretold and counted",
        alternative="Lines: copies foretold over the number of compute hosts, by mode; dots: "
        f"frames counted. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(tuple(panels(measured)), Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def panels(measured: Sequence[Cell]) -> Iterator[figure.Panel]:
    """Copies sent on each network, and those in vain where there are any."""
    for share in sorted({cell.share for cell in measured}):
        here = [cell for cell in measured if cell.share == share]
        who = "every host is a member" if share == 100 else f"members on {share}% of the hosts"
        yield _panel(here, "copies_sent", f"Copies that leave the sender's host: {who}")
        if any(cell.predicted["unneeded"] or any(cell.found("unneeded")) for cell in here):
            yield _panel(here, "unneeded", f"Copies that arrive in vain: {who}")


def _panel(here: Sequence[Cell], count: str, heading: str) -> figure.Panel:
    dots: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for cell in here:
        dots[cell.mode] += [(cell.hosts, int(str(row[count]))) for row in cell.rows]
    return figure.Panel(heading=heading, lines=tuple(_lines(here, count)), counted=dots)


def _lines(here: Sequence[Cell], count: str) -> Iterator[figure.Line]:
    """One line for all who are foretold the same."""
    names: dict[tuple[tuple[int, int], ...], list[figure.Name]] = defaultdict(list)
    for (_, mode), group in networks(here).items():
        for kinds, same in matching(group, lambda cell: cell.predicted[count]):
            points = tuple((many, same[many].predicted[count]) for many in sorted(same))
            words = mode if kinds == "any" else f"{mode}: {kinds}"
            names[points].append(figure.Name(mode=mode, words=words))
    for points, who in names.items():
        yield figure.Line(points=dict(points), names=tuple(who))


def _conditions(run: Run) -> str:
    interfaces = run.rows_of("interfaces")
    equal = sum(row["counted"] == row["captured"] is not None for row in interfaces)
    return (
        f"{counted(int(run.about['settings']['frames_each']), 'frame')} of each kind a lab, "
        f"{counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}; "
        f"captures equal the counters on {equal} of {counted(len(interfaces), 'interface')}"
    )


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        "mode": cell.mode,
        "hosts": cell.hosts,
        "share": cell.share,
        "members": cell.members,
        "kind": cell.kind,
        "frames": len(cell.rows),
        "predicted": dict(cell.predicted),
        "counted": {name: list(cell.found(name)) for name in COUNTS},
        "exact": cell.is_exact,
    }
