"""The tables of the report of `mtu`."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

import polars as pl

from experiments.core.results import Run
from experiments.mtu.figure import Limit
from experiments.mtu.goodput import Stream
from experiments.mtu.words import ALSO, CONTROL_AFTER, CONTROL_BEFORE, SIZES
from experiments.show.cells import value_text, values_text
from experiments.show.report import NONE, Table

KEY = ("mode", "underlay_mtu")
CONTROLS = (CONTROL_BEFORE, CONTROL_AFTER)


def limits(found: Sequence[Limit]) -> Table:
    """The largest packets by underlay MTU, modes that agree together."""
    underlays = sorted({mtu for each in found for mtu in each.largest})
    return Table(
        title="Largest IP packet that passes with DF, by underlay MTU",
        heads=("tunnel", *map(str, underlays)),
        words=("tunnel",),
        rows=tuple(
            (each.name, *(each.largest.get(mtu, (NONE, True))[0] for mtu in underlays))
            for each in found
        ),
        note="In bytes.",
    )


def largest(cells: pl.DataFrame) -> Table:
    """The largest packet of each point, measured and predicted."""
    heads = ("mode", "underlay MTU", "largest", "theory", "difference")
    return Table(
        title="Largest IP packet, by lab",
        heads=(*heads, "pings answered", "one byte above", "stopped by"),
        words=("mode", "stopped by"),
        rows=tuple(
            (
                cell["mode"],
                str(cell["underlay_mtu"]),
                values_text(cell["measured"]),
                str(cell["predicted"]),
                ", ".join(
                    f"{value - cell['predicted']:+d}" if value != cell["predicted"] else "0"
                    for value in cell["measured"]
                ),
                f"{cell['answered_at']}/{cell['sent_at']}",
                f"{cell['answered_above']}/{cell['sent_above']}" if cell["sent_above"] else NONE,
                cell["stopped_by"],
            )
            for cell in cells.rows(named=True)
        ),
        note="In bytes. Pings: answered of sent, in the last confirmation.",
    )


def by_name(run: Run) -> pl.DataFrame:
    """The outcomes without controls; a row for each name of a size."""
    return (
        run.tables["outcomes"]
        .filter(~pl.col("size").is_in(CONTROLS))
        .with_columns(pl.col("size").str.split(ALSO))
        .explode("size")
    )


def outcomes(run: Run) -> Table:
    """How many labs had each outcome, by size."""
    named = by_name(run)

    def cell(guest: str, size: str, df: int) -> str:
        outcomes = Counter(named.filter(guest=guest, size=size, df=df)["outcome"])
        return ", ".join(f"{many} {outcome}" for outcome, many in outcomes.most_common()) or NONE

    rows = (
        (guest, size, cell(guest, size, 1), cell(guest, size, 0))
        for guest, sizes in SIZES.items()
        for size in sizes
    )
    heads = ("guests' MTU", "size", "with DF", "without DF")
    return Table(
        title="Outcomes by size",
        heads=heads,
        words=heads,
        rows=tuple(row for row in rows if row[2:] != (NONE, NONE)),
        note="Number of labs, over all modes and underlay MTUs. Where the limit is the underlay's "
        "MTU, the size counts as both. Too large: above the underlay's MTU; right: the limit.",
    )


def tcp(run: Run) -> Table:
    """Every transfer with the MTU too large, and with the right one."""
    shown = (*KEY, "guest_mtu", "guest", "outcome", "acked_bytes", "mss", "retransmits")
    transfers = run.predicted.select(KEY).join(
        run.tables["tcp"], on=KEY, maintain_order="left_right"
    )
    return Table(
        title="One TCP transfer",
        heads=(
            "mode",
            "underlay MTU",
            "guests' MTU",
            "MTU is",
            "outcome",
            "acknowledged",
            "MSS",
            "retransmits",
        ),
        words=("mode", "MTU is", "outcome"),
        rows=tuple(tuple(map(value_text, row)) for row in transfers.select(shown).rows()),
        note="Bytes of bulk data that the receiver's kernel acknowledged, MSS in bytes, and "
        "retransmitted segments.",
    )


def goodput(streams: Sequence[Stream]) -> Table:
    """Goodput by mode and guests' MTU."""
    return Table(
        title="TCP goodput over guests' MTU",
        heads=("mode", "guests' MTU", "transfers", "lowest", "median", "highest"),
        words=("mode",),
        rows=tuple(
            (
                each.mode,
                str(mtu),
                str(len(samples)),
                *(f"{figure(samples):.0f}" for figure in (min, median, max)),
            )
            for each in streams
            for mtu, samples in each.samples.items()
        ),
        note="In Mbit/s, for 0.1 s each. Modes are measured one after the other: compare within one.",
    )
