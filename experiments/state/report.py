"""The report of `state`: packets sent and state kept, side by side for all modes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mode as most_common

import polars as pl

from controller.model.wording import counted, listed
from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import exact_cells, value_text, values_text
from experiments.show.families import merged, protocols
from experiments.show.palette import KERNEL, OVS, family
from experiments.show.report import Picture, Report, Table, range_text
from experiments.state import figure, words

KEY = ("what", "moment", "mode")
COMPARED = ("gre-mesh", "vxlan-mesh")
FIRST_ROW = (words.TUNNEL, words.SET_UP)  # of the chart: what its title is about
NOT_DRAWN = "; rows in which all modes agree are not drawn"
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
    ledger, *mismatches = report.findings
    findings = (
        *_before(run, modes, idle_s),
        *_first(found),
        *_same(found),
        *_kernel(found),
        *mismatches,
    )
    columns = merged({mode: tuple(_of(counts, mode).items()) for mode in modes})
    shown = _shown(counts, columns)
    picture = Picture(
        name=run.question.name,
        title=findings[0] if findings else ledger,
        alternative="A table of the counts of packets and state in which modes differ",
        draw=lambda caption: figure.draw(
            [(name, modes[0]) for name, modes in columns.items()], shown, caption
        ),
        conditions=f"{ledger}{NOT_DRAWN if len(columns) > 1 else ''}. {_note(shown)}{report.conditions}",
    )
    return replace(
        report,
        findings=findings or (ledger,),
        outcomes=tuple(
            judge.exact(run, each, found.filter(topic=each.about)["result"])
            for each in run.question.predictions
        ),
        tables=(
            Table(
                title="Counts by mode",
                heads=("what", "when", *modes),
                rows=cells.text_rows(by_mode),
                words=("what", "when"),
                note=f"{NOTE} `2 not 1`: 1 was predicted.",
            ),
            *report.tables,
        ),
        pictures=(picture,),
        conditions=f"{ledger}; {report.conditions}; idle for {idle_s:g} s",
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


def _before(run: Run, modes: Sequence[str], idle_s: float) -> Iterator[str]:
    """The protocols that send nothing before the first frame, then what other modes send."""
    sent = _ranges(run).filter(moment=words.SET_UP)
    loud = sent.filter(pl.col("high") > 0)
    kinds = {mode.partition("-")[0] for mode in loud["mode"]}
    silent = [mode for mode in modes if mode.partition("-")[0] not in kinds]
    if silent:
        verb = "send" if len({mode.partition("-")[0] for mode in silent}) > 1 else "sends"
        yield f"{protocols(silent)} {verb} nothing before the first frame ({idle_s:g} s idle)"
    for row in loud.iter_rows(named=True):
        queries = ", queries included" if row["what"] == words.IGMP else ""
        yield (
            f"{row['mode']} has {row['range']} {row['what']} on the wire before the first frame"
            f"{queries}"
        )


def _first(found: pl.DataFrame) -> Iterator[str]:
    """The number of tunnel packets of the first frame."""
    rows = found.filter(pl.col("samples") > 0, what=words.TUNNEL, moment=words.FIRST)
    counts = dict(zip(rows["mode"], map(values_text, rows["measured"]), strict=True))
    if counts:
        most = most_common(counts.values())
        others = (
            f", {count} with {listed(mode for mode in counts if counts[mode] == count)}"
            for count in dict.fromkeys(counts.values())
            if count != most
        )
        packets = "tunnel packet" if most == "1" else "tunnel packets"
        yield f"The first broadcast leaves its host as {most} {packets}{''.join(others)}"


def _same(found: pl.DataFrame) -> Iterator[str]:
    """How many counts are the same with GRE and with VXLAN."""
    gre, vxlan = (found.filter(pl.col("samples") > 0, mode=mode) for mode in COMPARED)
    if not gre.is_empty() and not vxlan.is_empty():
        both = gre.join(vxlan, on=("what", "moment"), suffix=" vxlan")
        same = both.filter(pl.col("measured") == pl.col("measured vxlan")).height
        counts = counted(gre.height, "count")
        yield (
            f"{listed(COMPARED)} send and keep the same: {same} of {counts} are equal"
            if same == gre.height
            else f"{listed(COMPARED)} differ in {gre.height - same} of {counts}"
        )


def _kernel(found: pl.DataFrame) -> Iterator[str]:
    """Sockets and conntrack entries after the first frame, with the kernel's VXLAN and with OVS."""
    after = found.filter(pl.col("samples") > 0, moment=words.AFTER)
    kept = {
        kind: [
            range_text(
                (count for each in of_kind.filter(what=what)["measured"] for count in each), "d"
            )
            for what in (words.UDP_SOCKETS, words.CONNTRACK)
        ]
        for kind in (KERNEL, OVS)
        if not (
            of_kind := after.filter([family(mode) == kind for mode in after["mode"]])
        ).is_empty()
    }
    if len(kept) > 1:
        (sockets, entries), of_ovs = kept.values()
        others = "none" if set(of_ovs) == {"0"} else " and ".join(of_ovs)
        yield (
            f"After the first frame {KERNEL} keeps {sockets} UDP socket and {entries} conntrack "
            f"entries, {OVS} keep {others}"
        )


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


def _of(counts: pl.DataFrame, mode: str) -> Mapping[tuple[str, str], tuple[str, bool | None]]:
    """The counts of one mode, and whether each is as predicted."""
    rows = counts.filter(mode=mode).select("what", "moment", "text", "is_match").rows()
    return {(what, moment): (text, is_match) for what, moment, text, is_match in rows}


def _shown(counts: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> tuple[figure.Row, ...]:
    """The rows in which columns differ, or a count from its prediction, and the first finding's.

    A single column has all rows.  State that the first frame does not change has one row.
    """
    by_column = [_of(counts, modes[0]) for modes in columns.values()]
    rows = {
        key: tuple(figure.Cell(*column[key]) if key in column else None for column in by_column)
        for key in dict.fromkeys(key for column in by_column for key in column)
    }
    shown = []
    for (what, moment), row in rows.items():
        is_kept = moment in {words.BEFORE, words.AFTER}
        is_same = is_kept and rows.get((what, words.BEFORE)) == rows.get((what, words.AFTER))
        differs = len(set(row)) > 1 or any(cell and cell.is_match is False for cell in row)
        is_wanted = differs or len(columns) == 1 or (what, moment) == FIRST_ROW
        if is_wanted and not (is_same and moment == words.AFTER):
            when = words.ALWAYS if is_same else words.WHEN[moment]
            shown.append(figure.Row(what=what, when=when, cells=row))
    return tuple(shown)


def _note(shown: Sequence[figure.Row]) -> str:
    """What the marks mean that are drawn."""
    drawn = [cell for row in shown for cell in row.cells if cell]
    has_unpredicted = any(cell.is_match is None for cell in drawn)
    has_mismatch = any(cell.is_match is False for cell in drawn)
    return (f"{NOT_PREDICTED} counted, not predicted. " if has_unpredicted else "") + (
        "Red: not as predicted. " if has_mismatch else ""
    )
