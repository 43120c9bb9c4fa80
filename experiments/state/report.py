"""The report of `state`: packets sent and state kept, side by side for all modes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from statistics import mode as most_common
from textwrap import wrap

import polars as pl

from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import exact_cells, value_text, values_text
from experiments.show.report import Picture, Report, Table, counted
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
    counts = _counts(run, found)
    by_mode = counts.pivot("mode", index=("what", "moment"), values="text")
    by_mode = by_mode.select("what", "moment", *modes)
    first, *others = report.findings
    findings = (first, *_tunnel_packets(found, idle_s), *_same(found), *_joins(run), *others)
    return replace(
        report,
        findings=findings,
        outcomes=tuple(
            judge.exact(run, each, found.filter(topic=each.about)["result"])
            for each in run.question.predictions
        ),
        tables=(
            _brief(by_mode, modes),
            Table(
                title="Counts by mode",
                heads=("what", "when", *modes),
                rows=cells.text_rows(by_mode),
                words=("what", "when"),
                note=f"{NOTE} `2 not 1`: 1 was predicted.",
            ),
            *report.tables,
        ),
        pictures=(
            Picture(
                name=run.question.name,
                title=findings[0],
                alternative=f"A table of counts: {'. '.join(findings)}",
                draw=lambda caption: figure.draw(counts, modes, caption),
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


def _counts(run: Run, found: pl.DataFrame) -> pl.DataFrame:
    """What `figure.draw` draws: each count that is predicted for any mode; packets by moment first."""
    predicted = pl.col("predicted").map_elements(value_text, pl.String)
    cells = found.select(
        *KEY,
        text=pl.col("measured").map_elements(values_text, pl.String)
        + pl.when(result=judge.MISMATCH).then(" not " + predicted).otherwise(pl.lit("")),
        is_match=pl.col("result") == judge.MATCHES,
    )
    others = (
        _ranges(run)
        .join(found, on=("what", "moment"), how="semi")
        .join(found, on=KEY, how="anti")
        .select(*KEY, text=pl.col("range") + NOT_PREDICTED, is_match=pl.lit(None, pl.Boolean))
    )
    what = pl.col("what").cast(pl.Enum(found["what"].unique(maintain_order=True))).to_physical()
    moment = pl.col("moment").cast(pl.Enum(words.MOMENTS)).to_physical()
    is_state = pl.col("moment").is_in([words.BEFORE, words.AFTER])
    first = pl.when(is_state).then(what).otherwise(moment)
    return pl.concat((cells, others)).sort(is_state, first, what, moment, maintain_order=True)


def _brief(counts: pl.DataFrame, modes: Sequence[str]) -> Table:
    """Every count in one column: that of most modes, then the others; before and after together."""
    by = {(what, moment): texts for what, moment, *texts in counts.iter_rows()}
    rows = []
    for (what, moment), texts in by.items():
        if moment != words.AFTER or (what, words.BEFORE) not in by:
            is_pair = moment == words.BEFORE
            pairs = zip(texts, by[what, words.AFTER], strict=True) if is_pair else zip(texts)
            shown = wrap(
                _together(modes, [", ".join(filter(None, pair)) for pair in pairs]),
                COUNT_WIDTH,
                break_on_hyphens=False,
            )
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
