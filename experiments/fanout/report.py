"""The report of `fanout`: counts match their prediction exactly, or they do not."""

from collections.abc import Iterator, Mapping

import polars as pl

from controller.model.modes import KERNEL
from controller.model.wording import counted
from experiments.core.results import Run
from experiments.fanout import figure, words
from experiments.fanout.lines import Cell, agreeing, lines
from experiments.fanout.words import COUNTS, KNOWN, MISDELIVERED, OTHER, PREDICTED, UNKNOWN
from experiments.show import judge
from experiments.show.cells import text_rows
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import NONE, Outcome, Picture, Report, Table

PLACE = ("mode", "hosts", "share", "kind")  # which samples are of a cell
KEY = ("mode", "hosts", "share", "members", "kind")
FACTS = {
    words.NO_END_FRAME: "Guests that missed the end-of-test frame",
    words.DROPPED: "Packets dropped by the capture",
    words.UNEQUAL: "Packets by which capture and counter differ",
    words.UNSENT: "Frames not seen at their own sender",
}


def build_report(run: Run) -> Report:
    """The report of one run."""
    frames = frames_of(run)
    cells = cells_of(frames)
    interfaces = run.tables["interfaces"]
    equal = (interfaces["counted"] == interfaces["captured"]).sum()
    matches = tuple(_matches(run, frames, cells))
    plain = (*_copies(cells), *_unneeded(cells), *_responder(cells))
    is_refuted = MISMATCH in cells["result"]
    findings = (
        *((*matches, *_facts(run), *plain) if is_refuted else (*plain, *_facts(run), *matches)),
    )
    picture = Picture(
        name=run.question.name,
        title=findings[0],
        alternative="Copies of a frame over the number of compute hosts, a line for each way of "
        f"flooding. {'. '.join(findings)}",
        draw=lambda caption: figure.draw(panels(cells), caption),
    )
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcomes(run, frames, cells)),
        tables=(_overview(cells), _every_cell(cells), _interfaces(run)),
        pictures=() if cells.is_empty() else (picture,),
        conditions=f"{counted(int(run.about['settings']['frames_each']), 'frame')} of each kind per "
        f"lab, {counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}; "
        f"captures equal the counters on {equal} of {counted(interfaces.height, 'interface')}",
        is_refuted=is_refuted,
        data=tuple(
            cells.select(
                *KEY,
                "frames",
                "result",
                predicted=pl.struct(pl.col(PREDICTED + name).alias(name) for name in COUNTS),
                measured=pl.struct(*COUNTS),
            ).iter_rows(named=True)
        ),
    )


def frames_of(run: Run) -> pl.DataFrame:
    """A row for each frame with its counts and the predicted ones, in the order of predictions."""
    predicted = run.predicted.select(*KEY, pl.col(*COUNTS).name.prefix(PREDICTED))
    matches = (pl.col(name).eq_missing(pl.col(PREDICTED + name)) for name in COUNTS)
    is_match = pl.all_horizontal(*matches, pl.col(MISDELIVERED).eq_missing(0))
    samples = run.samples.drop("members")
    return predicted.join(samples, on=PLACE, maintain_order="left_right").with_columns(
        result=_result(is_match)
    )


def _result(is_match: pl.Expr) -> pl.Expr:
    return pl.when(is_match).then(pl.lit(MATCHES)).otherwise(pl.lit(MISMATCH))


def cells_of(frames: pl.DataFrame) -> pl.DataFrame:
    """A row for all frames of one kind on one network of one lab.

    A count is the list of its different values, in ascending order.
    """
    return frames.group_by(*KEY, maintain_order=True).agg(
        pl.col(*COUNTS).unique().sort(),
        pl.col(*(PREDICTED + name for name in COUNTS)).first(),
        frames=pl.len(),
        matching=(pl.col("result") == MATCHES).sum(),
        result=_result((pl.col("result") == MATCHES).all()),
    )


def _matches(run: Run, frames: pl.DataFrame, cells: pl.DataFrame) -> Iterator[str]:
    """How many cells match, and the first that does not."""
    mismatches = cells.filter(result=MISMATCH).height
    yield (
        f"{cells.height - mismatches} of {counted(cells.height, 'cell')} match their prediction "
        f"exactly ({counted(frames.height, 'frame')})"
    )
    if mismatches:
        more = f" (and {mismatches - 1} more)" if mismatches > 1 else ""
        yield f"{_first_mismatch(run, frames)}{more}"


def _first_mismatch(run: Run, frames: pl.DataFrame) -> str:
    """The first frame that does not match, by how much, and at which hosts."""
    frame = frames.filter(result=MISMATCH).row(0, named=True)
    name = f"{frame['mode']}, {frame['hosts']} hosts, {frame['members']} with a member, {frame['kind']}"
    counts = (
        f"{word} {frame[count]}, predicted {frame[PREDICTED + count]}"
        for count, word in COUNTS.items()
        if frame[count] != frame[PREDICTED + count]
    )
    misdelivered = (f"{frame[MISDELIVERED]} misdelivered",) if frame[MISDELIVERED] else ()
    return f"{name}: {'; '.join((*counts, *misdelivered, *_hosts(run, frame)))}"


def _hosts(run: Run, frame: Cell) -> Iterator[str]:
    """The hosts at which more or fewer copies of a frame arrived than predicted."""
    place = {name: frame[name] for name in (*PLACE, "repeat", "frame")}
    vteps = run.tables["vteps"].filter(**place)
    arrived = frame[PREDICTED + "arrived"]
    for each in vteps[1:].iter_rows(named=True):  # the first host is the sender's
        is_reached = arrived == frame["hosts"] - 1 or (arrived and each["is_member"])
        if each["arrived"] != int(bool(is_reached)):
            yield f"{each['host']} received {each['arrived']} of {int(bool(is_reached))}"


def _facts(run: Run) -> Iterator[str]:
    """What makes counts doubtful, one line for each."""
    for fact, meaning in FACTS.items():
        labs = [each for each in run.about.get("measured", ()) if each.get(fact)]
        if labs:
            found = labs[0][fact]
            if isinstance(found, Mapping):
                found = [f"{place} {number}" for place, number in found.items()]
            text = ", ".join(found) if isinstance(found, list) else found
            first = f"{labs[0]['mode']}, {labs[0]['hosts']} hosts: {text}"
            more = f" (and {len(labs) - 1} more labs)" if len(labs) > 1 else ""
            yield f"{meaning}: {first}{more}"


def _copies(cells: pl.DataFrame) -> Iterator[str]:
    """The copies of a broadcast by way of flooding, with the most hosts."""
    for largest in _largest(cells).iter_rows(named=True):
        here = cells.filter(hosts=largest["hosts"], share=largest["share"], kind=OTHER)
        first, *others = lines(here, "copies_sent") or (None,)
        if first:
            more = (f", {' and '.join(each.names)} {each.end}" for each in others)
            yield (
                f"{counted(largest['hosts'], 'host')}, {largest['members']} with a member: "
                f"{' and '.join(first.names)} {'sends' if len(first.names) == 1 else 'send'} "
                f"{first.end} {'copy' if first.end == '1' else 'copies'}{''.join(more)}"
            )


def _unneeded(cells: pl.DataFrame) -> Iterator[str]:
    """How many copies go to hosts without a member, with the most hosts."""
    mesh = cells.filter(pl.col("mode").str.ends_with("mesh"), kind=OTHER, result=MATCHES)
    for cell in _largest(mesh).iter_rows(named=True):
        sent, unneeded = cell["copies_sent"][0], cell["unneeded"][0]
        if unneeded:
            yield (
                f"{unneeded} of the {counted(sent, 'copy').replace('copys', 'copies')} in a mesh "
                f"of {cell['hosts']} hosts go to hosts without a member"
            )


def _responder(cells: pl.DataFrame) -> Iterator[str]:
    """How often an ARP request is sent with the ARP responder."""
    arp = cells.filter(pl.col("mode").str.ends_with("l2pop-arp"))
    both = pl.concat([_largest(arp.filter(kind=kind)) for kind in (KNOWN, UNKNOWN)])
    if both["result"].to_list() == [MATCHES, MATCHES]:
        known, unknown = (sent[0] for sent in both["copies_sent"])
        copies = f"{unknown} copies" if unknown != 1 else "1 copy"
        yield (
            f"ARP responder: {known or 'no'} copies of a request for a known address, {copies} of "
            "one for an unknown address"
        )


def _largest(cells: pl.DataFrame) -> pl.DataFrame:
    """The cell with the most hosts, and of those the fewest members."""
    return cells.sort("hosts", "share", descending=[True, False], maintain_order=True).head(1)


def _outcomes(run: Run, frames: pl.DataFrame, cells: pl.DataFrame) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        modes = [mode for mode in cells["mode"].unique() if _is_about(prediction.about, mode)]
        about = cells.filter(pl.col("mode").is_in(modes))
        if not about.is_empty():
            matching = about.filter(result=MATCHES).height
            found = f"{matching} of {counted(about.height, 'cell')} match"
            if matching < about.height:
                found += f"; {_first_mismatch(run, frames.filter(pl.col('mode').is_in(modes)))}"
            yield judge.exact(run, prediction, about["result"], found)


def _is_about(about: str, mode: str) -> bool:
    """A prediction is about a mode or, of Open vSwitch, a flooding method."""
    return mode == about or (not mode.startswith(KERNEL) and mode.partition("-")[2] == about)


def _figures(cell: Cell) -> object:
    """Everything in which kinds that share a row of a table agree."""
    return [(cell[name], cell[PREDICTED + name]) for name in COUNTS], cell["result"]


def _overview(cells: pl.DataFrame) -> Table:
    """Copies sent, and unneeded, by mode over hosts."""
    hosts = cells["hosts"].unique().sort().to_list()
    return Table(
        title="Copies of one frame that leave the sender's host (in brackets: unneeded)",
        heads=("members on", "mode", "frame", *(f"{number} hosts" for number in hosts)),
        rows=tuple(
            (f"{share}%", mode, kinds, *(_brief(same.get(number)) for number in hosts))
            for share, mode, groups in agreeing(cells, _figures)
            for kinds, same in groups
        ),
        words=("members on", "mode", "frame"),
        note="Unneeded: arrived at a host without a guest on the network. vlan: one frame leaves, "
        "and the underlay's switch makes the copies.",
    )


def _brief(cell: Cell | None) -> str:
    """As `15 (8)`, or `14 (8) not 15 (8)`."""
    if cell is None:
        return NONE
    sent, unneeded = ("-".join(map(str, cell[name])) for name in ("copies_sent", "unneeded"))
    measured = f"{sent} ({unneeded})"
    predicted = f"{cell[PREDICTED + 'copies_sent']} ({cell[PREDICTED + 'unneeded']})"
    return measured if measured == predicted else f"{measured} not {predicted}"


def _every_cell(cells: pl.DataFrame) -> Table:
    mismatches = cells.filter(result=MISMATCH).height
    return Table(
        title="Every cell",
        heads=("mode", "hosts", "with a member", "frame", *COUNTS.values(), "matching"),
        rows=tuple(
            row
            for _, lab in cells.group_by("mode", "hosts", "share", maintain_order=True)
            for row in _rows(lab)
        ),
        words=("mode", "frame"),
        note="Packets per frame. Delivered: to other guests. Matching: of all frames.",
        summary=f"of {counted(cells.height, 'cell')} "
        + (f"{mismatches} do not match" if mismatches else "all match"),
    )


def _rows(lab: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    """A row for the kinds of frames with the same counts on one network of one lab."""
    every = lab.rows(named=True)
    for _, mode, groups in agreeing(lab, _figures):
        for kinds, same in groups:
            (cell,) = same.values()
            group = [each for each in every if _figures(each) == _figures(cell)]
            matching, frames = (
                sum(each[sum_] for each in group) for sum_ in ("matching", "frames")
            )
            yield (
                mode,
                str(cell["hosts"]),
                str(cell["members"]),
                kinds,
                *(_shown(cell, count) for count in COUNTS),
                f"{matching} of {frames}",
            )


def _shown(cell: Cell, count: str) -> str:
    """The count, or `14-15 (predicted 15)`."""
    measured, predicted = cell[count], cell[PREDICTED + count]
    span = f"{measured[0]}" if len(measured) == 1 else f"{measured[0]}-{measured[-1]}"
    return span if measured == [predicted] else f"{span} (predicted {predicted})"


def _interfaces(run: Run) -> Table:
    """Captures compared with counters, lab by lab."""
    unequal = pl.col("counted").is_null() | pl.col("counted").ne_missing(pl.col("captured"))
    labs = (
        run.tables["interfaces"]
        .group_by("mode", "hosts", maintain_order=True)
        .agg(pl.len(), pl.col("counted", "captured").sum(), differ=unequal.sum())
    )
    return Table(
        title="Captures compared with the counters of the interfaces",
        heads=("mode", "hosts", "interfaces", "packets counted", "packets captured", "differ"),
        rows=text_rows(labs),
        words=("mode",),
        note="Between two readings of every counter, with packets that guests send by themselves. "
        "Differ: interfaces whose capture and counter differ.",
    )


def panels(cells: pl.DataFrame) -> tuple[figure.Panel, ...]:
    """Copies sent on the network with the fewest members, and the unneeded ones if there are any."""
    network = cells.filter(pl.col("share") == pl.col("share").min())
    (share, *_) = network["share"]
    where = "every host has a member" if share == 100 else f"{share}% of the hosts have a member"
    sent = figure.Panel(
        heading="Copies of a frame that the sender's host sends",
        small=f"{where}; wide grey line: predicted",
        label="copies",
        lines=lines(network, "copies_sent"),
    )
    unneeded = figure.Panel(
        heading="Of these, arrived at hosts without a member",
        label="unneeded copies",
        lines=lines(network, "unneeded"),
    )
    has_unneeded = (network["unneeded"].list.max() > 0).any()
    return (sent, unneeded) if has_unneeded else (sent,)
