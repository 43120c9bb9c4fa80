"""The report of `state`: packets sent and state kept, side by side for all modes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from statistics import mode as most_common
from textwrap import wrap

import polars as pl

from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import exact_cells, value_text, values_text
from experiments.show.report import NONE, Picture, Report, Table, counted
from experiments.show.sheet import Caption
from experiments.state import figure, words

KEY = ("what", "moment", "mode")
COMPARED = ("gre-mesh", "vxlan-mesh")
COUNT_WIDTH = 36  # characters: what the two columns before it leave of a terminal's 80
NOT_PREDICTED = "*"  # after a count
NOTE = (
    "Packets: on the first host's wire. State: of the first host; learned: by the second. "
    f"{NOT_PREDICTED}: counted, not predicted."
)


def build_report(run: Run) -> Report:
    """The report of one run."""
    report, found = cells.build_report(run), exact_cells(run).with_columns(topic=_topic())
    idle_s = float(run.about["settings"].get("idle_s", 0))
    modes = tuple(found["mode"].unique(maintain_order=True))
    lines = tuple(_lines(run, found, modes))
    first, *others = report.findings
    findings = (first, *_tunnel_packets(found, idle_s), *_same(found), *_joins(run), *others)
    return replace(
        report,
        findings=findings,
        outcomes=tuple(
            judge.exact(run, each, found.filter(topic=each.about)["result"])
            for each in run.question.predictions
        ),
        tables=(brief(lines, modes), matrix(lines, modes), *report.tables),
        pictures=(
            Picture(
                name=run.question.name,
                title="Packets sent and state kept, by mode",
                alternative=f"A table of counts: {'. '.join(findings)}",
                draw=lambda report: figure.draw(lines, modes, Caption.of(report)),
            ),
        ),
        conditions=f"{report.conditions}; idle for {idle_s:g} s",
    )


def _topic() -> pl.Expr:
    """What a cell is about: tunnel packets, other packets, or state."""
    return (
        pl.when(pl.col("moment").is_in([words.BEFORE, words.AFTER]))
        .then(pl.lit(words.STATE))
        .when(pl.col("what") == words.TUNNEL)
        .then(pl.lit(words.TUNNEL))
        .otherwise(pl.lit(words.OTHERS))
    )


def _tunnel_packets(found: pl.DataFrame, idle_s: float) -> Iterator[str]:
    """The number of tunnel packets before the first frame, and with it."""
    before = f"before the first tenant frame, {idle_s:g} s idle"
    for moment, when in ((words.SET_UP, before), (words.FIRST, "with the first frame")):
        rows = found.filter(pl.col("samples") > 0, what=words.TUNNEL, moment=moment)
        counts = tuple(map(values_text, rows["measured"]))
        if counts:
            modes = tuple(rows["mode"])
            same = "" if len(set(counts)) > 1 else f" in each of {', '.join(modes)}"
            yield f"Tunnel packets {when}: {_together(modes, counts)}{same}"


def _same(found: pl.DataFrame) -> Iterator[str]:
    """How many counts are the same with GRE and with VXLAN."""
    gre, vxlan = (found.filter(pl.col("samples") > 0, mode=mode) for mode in COMPARED)
    if not gre.is_empty() and not vxlan.is_empty():
        both = gre.join(vxlan, on=("what", "moment"), suffix=" vxlan")
        same = both.filter(pl.col("measured") == pl.col("measured vxlan")).height
        yield f"{' and '.join(COMPARED)}: {same} of {counted(gre.height, 'count')} the same"


def _joins(run: Run) -> Iterator[str]:
    """IGMP before the first frame; the number of packets is not predicted."""
    joins = _ranges(run).filter(pl.col("high") > 0, what=words.IGMP, moment=words.SET_UP)
    if not joins.is_empty():
        shown = ", ".join(f"{row['mode']} {row['range']}" for row in joins.iter_rows(named=True))
        yield f"IGMP packets on the first host's wire before the first frame, with queries: {shown}"


def _ranges(run: Run) -> pl.DataFrame:
    """The least and the most that any repeat counted, and both as a text."""
    low, high = pl.col("low"), pl.col("high")
    return (
        run.samples.drop_nulls("count")
        .group_by(KEY, maintain_order=True)
        .agg(low=pl.col("count").min(), high=pl.col("count").max())
        .with_columns(
            range=pl.when(low == high)
            .then(pl.format("{}", low))
            .otherwise(pl.format("{} to {}", low, high))
        )
    )


def _lines(run: Run, found: pl.DataFrame, modes: Sequence[str]) -> Iterator[figure.Line]:
    """A line for each count and moment that is predicted for any mode; packets by moment first."""
    entries = {
        (what, moment, mode): figure.Entry(text=f"{range_}{NOT_PREDICTED}", is_match=None)
        for what, moment, mode, range_ in _ranges(run).select(*KEY, "range").iter_rows()
    }
    for row in found.iter_rows(named=True):
        is_mismatch = row["result"] == judge.MISMATCH
        entries[row["what"], row["moment"], row["mode"]] = figure.Entry(
            text=values_text(row["measured"])
            + (f" not {value_text(row['predicted'])}" if is_mismatch else ""),
            is_match=row["result"] == judge.MATCHES,
        )
    whats = list(found["what"].unique(maintain_order=True))

    def place(key: tuple[str, str]) -> tuple[int, ...]:
        what, moment = whats.index(key[0]), words.MOMENTS.index(key[1])
        return (1, what, moment) if key[1] in {words.BEFORE, words.AFTER} else (0, moment, what)

    for what, moment in sorted(found.select("what", "moment").unique().iter_rows(), key=place):
        shown = tuple(entries.get((what, moment, mode)) for mode in modes)
        yield figure.Line(what=what, moment=moment, entries=shown)


def brief(lines: Sequence[figure.Line], modes: Sequence[str]) -> Table:
    """Every count in one column: that of most modes, then the others; before and after together."""
    by = {(line.what, line.moment): line.entries for line in lines}
    rows = []
    for (what, moment), entries in by.items():
        if moment != words.AFTER or (what, words.BEFORE) not in by:
            is_pair = moment == words.BEFORE
            pairs = zip(entries, by[what, words.AFTER], strict=True) if is_pair else zip(entries)
            counts = [", ".join(each.text for each in pair if each) for pair in pairs]
            shown = wrap(_together(modes, counts), COUNT_WIDTH, break_on_hyphens=False)
            rows.append((what, f"{words.BEFORE}, {words.AFTER}" if is_pair else moment, shown[0]))
            rows += [("", "", line) for line in shown[1:]]
    heads = ("what", "when", "count")
    return Table(title="Counts", heads=heads, rows=tuple(rows), words=heads, note=NOTE)


def _together(modes: Sequence[str], counts: Sequence[str]) -> str:
    """The count of most modes, then those of other modes."""
    shown = {mode: count for mode, count in zip(modes, counts, strict=True) if count}
    most = most_common(shown.values())
    others = "; ".join(
        f"{_names([mode for mode in shown if shown[mode] == count], shown)} {count}"
        for count in dict.fromkeys(shown.values())
        if count != most
    )
    return f"{most}; but {others}" if others else most


def _names(some: Sequence[str], modes: Collection[str]) -> str:
    """The names of some modes; `kvxlan-*` if they are all of that kind."""
    kind = some[0].partition("-")[0]
    if len(some) > 1 and list(some) == [mode for mode in modes if mode.partition("-")[0] == kind]:
        return f"{kind}-*"
    return ", ".join(some)


def matrix(lines: Sequence[figure.Line], modes: Sequence[str]) -> Table:
    """Every count, with a column for each mode."""
    return Table(
        title="Counts by mode",
        heads=("what", "when", *modes),
        rows=tuple(
            (line.what, line.moment, *(each.text if each else NONE for each in line.entries))
            for line in lines
        ),
        words=("what", "when"),
        note=f"{NOTE} `2 not 1`: 1 was predicted.",
    )
