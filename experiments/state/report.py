"""The teller of `state`: what was sent and what is kept, mode beside mode."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mode as mode_of
from textwrap import wrap

from experiments.core.question import Prediction, Value
from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import Cell
from experiments.show.report import NONE, Outcome, Picture, Report, Table, counted
from experiments.show.sheet import Caption
from experiments.state import figure

# What is counted, as the files call it: packets on the first host's wire, ...
TUNNEL, ARP, IGMP, OTHERS = "tunnel packets", "ARP packets", "IGMP packets", "other packets"
ASKED = "VTEPs asked for by ARP"
# ... what its datapath and kernel keep, and what the receiver learns.
PORTS, LISTENERS = "tunnel ports or devices", "listeners in the switch"
UDP = "UDP sockets of a tunnel"
SOCKETS, CONNTRACK = "raw IP sockets", "conntrack entries"
NEIGHBOURS, LEARNED, KEPT_S = "VTEP neighbours", "learned by a receiver", "kept for [s]"
SET_UP, FIRST, COLD = "set up and idle", "first frame", "VTEPs unknown"
BEFORE, AFTER = "before", "after"
BESIDE, KEPT = "other packets beside", "kept"  # what predictions are of, beside TUNNEL
BESIDE_EACH_OTHER = ("gre-mesh", "vxlan-mesh")
TOLD_WIDE = 36  # characters: what two columns of words leave of a terminal's 80
UNFORETOLD = "*"  # behind a count that nobody foretold
MOMENTS = (SET_UP, FIRST, COLD, BEFORE, AFTER)
NOTE = (
    "Packets: on the first host's wire. Kept: by the first host; learned: by the second. "
    f"{UNFORETOLD}: counted, not foretold."
)


def build_report(run: Run) -> Report:
    """The story of one run."""
    report = cells.build_report(run)
    found = cells.cells_of(run)
    idle_s = float(run.about["settings"].get("idle_s", 0))
    report = replace(
        report,
        findings=(
            report.findings[0],
            *_headlines(found, idle_s),
            *_joins(run),
            *report.findings[1:],
        ),
        outcomes=tuple(_outcomes(each, run, found) for each in run.question.predictions),
        tables=(brief(run, found), matrix(run, found), *report.tables),
        pictures=(),
        conditions=f"{report.conditions}; idle for {idle_s:g} s",
    )
    picture = Picture(
        name=run.question.name,
        title="Sent and kept, by mode",
        alternative=f"A table of counts: {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(
            tuple(_lines(run, found)), _modes(found), Caption.of(report)
        ),
    )
    return replace(report, pictures=(picture,))


def _headlines(found: Sequence[Cell], idle_s: float) -> Iterator[str]:
    """What is sent before the first frame, and with it."""
    before = f"before the first tenant frame, {idle_s:g} s idle"
    for moment, words in ((SET_UP, before), (FIRST, "with it")):
        seen = {
            str(cell.key["mode"]): cell.seen
            for cell in found
            if (cell.key["what"], cell.key["moment"]) == (TUNNEL, moment) and cell.measured
        }
        if seen:
            report = _together(tuple(seen), tuple(seen.values()))
            whose = "" if len(set(seen.values())) > 1 else f" in each of {', '.join(seen)}"
            yield f"Tunnel packets {words}: {report}{whose}"
    yield from _alike(found)


def _joins(run: Run) -> Iterator[str]:
    """What a group costs before anybody speaks; how many packets that takes nobody foretells."""
    seen = _counts(run)
    report = [
        f"{mode} {_span(counts)}"
        for (what, moment, mode), counts in seen.items()
        if (what, moment) == (IGMP, SET_UP) and any(counts)
    ]
    if report:
        yield f"IGMP on the first host's wire before it, queries included: {', '.join(report)}"


def _counts(run: Run) -> Mapping[tuple[Value, Value, Value], tuple[int, ...]]:
    """What every block counted, by what, when and mode, in the order of the samples."""
    found: dict[tuple[Value, Value, Value], tuple[int, ...]] = {}
    for row in run.rows_of():
        if row["count"] is not None:
            key = row["what"], row["moment"], row["mode"]
            found[key] = (*found.get(key, ()), int(row["count"]))
    return found


def _span(counts: Collection[int]) -> str:
    """One count, or the least and the most of several."""
    return " to ".join(map(str, sorted({min(counts), max(counts)})))


def _alike(found: Sequence[Cell]) -> Iterator[str]:
    """GRE beside VXLAN, count by count: what the article sets against each other."""
    by_mode = [
        {
            (cell.key["what"], cell.key["moment"]): cell.seen
            for cell in found
            if cell.key["mode"] == mode and cell.measured
        }
        for mode in BESIDE_EACH_OTHER
    ]
    if all(by_mode):
        gre, vxlan = by_mode
        same = sum(gre[key] == vxlan.get(key) for key in gre)
        yield f"{' and '.join(BESIDE_EACH_OTHER)}: {same} of {counted(len(gre), 'count')} the same"


def _outcomes(prediction: Prediction, run: Run, found: Sequence[Cell]) -> Outcome:
    """A prediction is of tunnel packets, of other packets, or of what is kept."""
    return cells.outcome_by(
        prediction, run, [cell for cell in found if prediction.about == _topic(cell)]
    )


def _topic(cell: Cell) -> str:
    if cell.key["moment"] in {BEFORE, AFTER}:
        return KEPT
    return TUNNEL if cell.key["what"] == TUNNEL else BESIDE


def _modes(found: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(cell.key["mode"]) for cell in found))


def _lines(run: Run, found: Sequence[Cell]) -> Iterator[figure.Line]:
    """What and when down, modes across; packets first.  What was foretold of one mode is shown of all."""
    by = {(cell.key["what"], cell.key["moment"], cell.key["mode"]): _entry(cell) for cell in found}
    counts = _counts(run)
    by = {**{key: _unjudged(each) for key, each in counts.items()}, **by}
    keys = sorted(
        dict.fromkeys((cell.key["what"], cell.key["moment"]) for cell in found), key=_place(found)
    )
    for what, moment in keys:
        entries = tuple(by.get((what, moment, mode)) for mode in _modes(found))
        yield figure.Line(what=str(what), moment=str(moment), entries=entries)


def _place(found: Sequence[Cell]) -> "_Order":
    return _Order(tuple(dict.fromkeys(cell.key["what"] for cell in found)))


class _Order:
    """Packets by moment, then things by what they are."""

    def __init__(self, whats: tuple[Value, ...]) -> None:
        self.whats = whats

    def __call__(self, key: tuple[Value, Value]) -> tuple[int, int, int]:
        what, moment = self.whats.index(key[0]), MOMENTS.index(str(key[1]))
        is_kept = key[1] in {BEFORE, AFTER}
        return (1, what, moment) if is_kept else (0, moment, what)


def _entry(cell: Cell) -> figure.Entry:
    report = cell.seen if cell.outcome != judge.MISMATCH else f"{cell.seen} not {cell.predicted}"
    return figure.Entry(text=report, is_as_foretold=cell.outcome == cells.MATCH)


def _unjudged(counts: Collection[int]) -> figure.Entry:
    """A count of which nothing was foretold."""
    return figure.Entry(text=f"{_span(counts)}{UNFORETOLD}", is_as_foretold=None)


def brief(run: Run, found: Sequence[Cell]) -> Table:
    """Every count, modes that agree told together, and before and after side by side."""
    by = {(line.what, line.moment): line.entries for line in _lines(run, found)}
    modes = _modes(found)
    rows = []
    for (what, moment), entries in by.items():
        if moment != AFTER or (what, BEFORE) not in by:
            before = moment == BEFORE
            pairs = (
                zip(entries, by[what, AFTER], strict=True) if before else ((e,) for e in entries)
            )
            report = [", ".join(each.text for each in pair if each) for pair in pairs]
            lines = wrap(_together(modes, report), TOLD_WIDE, break_on_hyphens=False)
            rows.append((what, f"{BEFORE}, {AFTER}" if before else moment, lines[0]))
            rows += [("", "", line) for line in lines[1:]]
    return Table(
        title="Counted",
        heads=("what", "when", "how many"),
        rows=tuple(rows),
        words=("what", "when", "how many"),
        note=NOTE,
    )


def _together(modes: Sequence[str], report: Sequence[str]) -> str:
    """What most modes have, then those that have something else."""
    shown = {mode: text for mode, text in zip(modes, report, strict=True) if text}
    most = mode_of(shown.values())
    others = "; ".join(
        f"{_names([mode for mode in shown if shown[mode] == text], shown)} {text}"
        for text in dict.fromkeys(shown.values())
        if text != most
    )
    return f"{most}; but {others}" if others else most


def _names(some: Sequence[str], modes: Collection[str]) -> str:
    """As `kvxlan-*`, if it is all of these and no other."""
    kind = some[0].partition("-")[0]
    if len(some) > 1 and list(some) == [mode for mode in modes if mode.partition("-")[0] == kind]:
        return f"{kind}-*"
    return ", ".join(some)


def matrix(run: Run, found: Sequence[Cell]) -> Table:
    """Every count, mode beside mode."""
    return Table(
        title="Mode beside mode",
        heads=("what", "when", *_modes(found)),
        rows=tuple(
            (
                line.what,
                line.moment,
                *(NONE if each is None else each.text for each in line.entries),
            )
            for line in _lines(run, found)
        ),
        words=("what", "when"),
        note=f"{NOTE} `2 not 1`: 1 was foretold.",
    )
