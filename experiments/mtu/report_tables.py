"""The tables of a run of `mtu`, gathered for its story: cells, grids, tiles, streams.  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.core.question import Row, Value
from experiments.core.results import Run
from experiments.mtu.figure import Limit, Tile
from experiments.mtu.figure_goodput import Stream
from experiments.mtu.words import (
    ALSO,
    CONTROL_AFTER,
    CONTROL_BEFORE,
    RIGHT,
    SIZES,
    SOME,
    SOON_TOLD,
    TOO_LARGE,
)
from experiments.show.report import NONE, Table

Key = tuple[Value, Value]  # mode, underlay MTU


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The largest packet of one point, of every block, beside what was foretold."""

    mode: str
    underlay_mtu: int
    found: tuple[int, ...]  # a value per block
    predicted: int
    rows: tuple[Row, ...]

    @property
    def key(self) -> Key:
        """What the rows of its labs have."""
        return self.mode, self.underlay_mtu

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.mode} over {self.underlay_mtu}"

    @property
    def is_off(self) -> bool:
        """True if any block found another value than theory's."""
        return any(value != self.predicted for value in self.found)

    @property
    def found_text(self) -> str:
        """The value; all of them if blocks differ."""
        return ", ".join(map(str, sorted(set(self.found))))

    def data(self) -> Mapping[str, object]:
        """For `--format json`."""
        return {
            "mode": self.mode,
            "underlay_mtu": self.underlay_mtu,
            "largest_bytes": list(self.found),
            "predicted": self.predicted,
            "is_equal": not self.is_off,
        }


def whole(value: Value) -> int:
    """A count of samples.csv."""
    return int(value or 0)


def key_of(row: Row) -> Key:
    """The point of a row."""
    return row["mode"], row["underlay_mtu"]


def cells_of(run: Run) -> tuple[Cell, ...]:
    """A cell per point that was measured, in the question's order."""
    found: dict[Key, list[Row]] = {key_of(row): [] for row in run.predicted.rows(named=True)}
    theory = {key_of(row): whole(row["largest_bytes"]) for row in run.predicted.rows(named=True)}
    for row in run.rows_of():
        found[key_of(row)].append(row)
    return tuple(
        Cell(
            mode=str(key[0]),
            underlay_mtu=whole(key[1]),
            predicted=theory[key],
            rows=tuple(rows),
            found=tuple(whole(row["largest_bytes"]) for row in rows),
        )
        for key, rows in found.items()
        if rows
    )


def largest_grid(cells: Sequence[Cell]) -> Table:
    """Found beside foretold."""
    heads = (
        "mode",
        "underlay MTU",
        "largest found",
        "theory",
        "difference",
        "pings at it",
        "one byte above",
        "stopped by",
    )
    return Table(
        title="Largest IP packet that passes with DF",
        heads=heads,
        words=("mode", "stopped by"),
        rows=tuple(_largest_line(cell) for cell in cells),
        first=heads[:5],
        note="In bytes. Pings: answered of sent, in the last confirmation.",
    )


def _largest_line(cell: Cell) -> tuple[str, ...]:
    differences = sorted({value - cell.predicted for value in cell.found})
    last = cell.rows[-1]
    above = f"{last['answered_above']}/{last['sent_above']}" if last["sent_above"] else NONE
    return (
        cell.mode,
        str(cell.underlay_mtu),
        cell.found_text,
        str(cell.predicted),
        ", ".join(f"{each:+d}" if each else "0" for each in differences),
        f"{last['answered_at']}/{last['sent_at']}",
        above,
        str(last["stopped_by"]),
    )


def outcomes_grid(run: Run) -> Table:
    """What became of each size, over all labs."""
    rows = tuple(
        (guest, size, *(_became(run, guest, size, df) for df in (1, 0)))
        for guest, sizes in SIZES.items()
        for size in sizes
    )
    heads = ("guests' MTU", "size", "with DF", "without DF")
    return Table(
        title="What becomes of each size",
        heads=heads,
        words=heads,
        rows=tuple(row for row in rows if any(cell != NONE for cell in row[2:])),
        note="Labs, all modes and underlays; where the limit is the underlay's MTU it counts as "
        "both. Too large: above the underlay's MTU; right: the limit.",
    )


def _became(run: Run, guest: str, size: str, df: int) -> str:
    found = Counter(
        row["outcome"]
        for row in run.rows_of("outcomes")
        if row["guest"] == guest and row["df"] == df and size in names_of(row)
    )
    return ", ".join(f"{many} {outcome}" for outcome, many in found.most_common()) or NONE


def names_of(row: Row) -> tuple[str, ...]:
    """All names of a row's size."""
    return tuple(str(row["size"]).split(ALSO))


def tcp_grid(run: Run) -> Table:
    """Transfers with the guests' MTU too large, and right."""
    heads = (
        "mode",
        "underlay MTU",
        "guests' MTU",
        "is",
        "outcome",
        "acknowledged",
        "MSS",
        "sent again",
    )
    keys = {key_of(row): None for row in run.predicted.rows(named=True)}
    rows = [
        row
        for key in keys
        for guest in (TOO_LARGE, SOON_TOLD, RIGHT)
        for row in run.rows_of("tcp")
        if key_of(row) == key and row["guest"] == guest
    ]
    return Table(
        title="A transfer by TCP",
        heads=heads,
        words=("mode", "is", "outcome"),
        rows=tuple(
            (
                str(row["mode"]),
                str(row["underlay_mtu"]),
                str(row["guest_mtu"]),
                str(row["guest"]),
                str(row["outcome"]),
                str(row["acked_bytes"]),
                _or_none(row["mss"]),
                _or_none(row["retransmits"]),
            )
            for row in rows
        ),
        note="Bytes of the bulk that the far kernel acknowledged, MSS in bytes, segments sent again.",
    )


def goodput_grid(run: Run) -> Table:
    """Goodput by mode and guests' MTU."""
    heads = ("mode", "guests' MTU", "transfers", "least", "median", "most")
    return Table(
        title="TCP goodput over guests' MTU",
        heads=heads,
        words=("mode",),
        rows=tuple(
            (each.mode, str(mtu), str(len(of)), *(f"{f(of):.0f}" for f in (min, np.median, max)))
            for each in streams(run)
            for mtu, of in each.samples.items()
        ),
        note="In Mbit/s, for a tenth of a second each. Modes follow each other: compare within one.",
    )


def _or_none(value: Value) -> str:
    return NONE if value is None else str(value)


def tiles(run: Run) -> tuple[Tile, ...]:
    """What became of each size, a tile for each of its names; blocks that differ are `some pass`."""
    found: dict[tuple[Key, str, str, bool], list[Row]] = {}
    for key in (key_of(row) for row in run.predicted.rows(named=True)):
        for row in run.rows_of("outcomes"):
            if key_of(row) == key and row["size"] not in {CONTROL_BEFORE, CONTROL_AFTER}:
                for name in names_of(row):
                    place = (key, str(row["guest"]), name, bool(row["df"]))
                    found.setdefault(place, []).append(row)
    return tuple(
        Tile(
            mode=str(key[0]),
            underlay_mtu=whole(key[1]),
            guest=guest,
            size=size,
            is_df=is_df,
            ip_bytes=whole(rows[0]["ip_bytes"]),
            outcome=_alike(row["outcome"] for row in rows),
        )
        for (key, guest, size, is_df), rows in found.items()
    )


def _alike(outcomes: Iterable[Value]) -> str:
    found = {str(outcome) for outcome in outcomes}
    return found.pop() if len(found) == 1 else SOME


def limits(cells: Sequence[Cell]) -> tuple[Limit, ...]:
    """The largest packets, for the margin of the map."""
    return tuple(
        Limit(
            mode=cell.mode,
            underlay_mtu=cell.underlay_mtu,
            found=cell.found_text,
            predicted=str(cell.predicted),
        )
        for cell in cells
    )


def streams(run: Run) -> tuple[Stream, ...]:
    """Goodput by mode, over the narrowest underlay that it was measured on."""
    underlay = underlay_of(run)
    rows = [row for row in run.rows_of("goodput") if row["underlay_mtu"] == underlay]
    limit = {cell.key: max(cell.found) for cell in cells_of(run)}
    return tuple(
        _stream(key, limit[key], [row for row in rows if key_of(row) == key])
        for key in limit
        if any(key_of(row) == key for row in rows)
    )


def underlay_of(run: Run) -> int:
    """The narrowest underlay that goodput was measured on; 0 if on none."""
    return min((whole(row["underlay_mtu"]) for row in run.rows_of("goodput")), default=0)


def _stream(key: Key, limit: int, rows: Sequence[Row]) -> Stream:
    samples: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: whole(row["guest_mtu"])):
        samples.setdefault(whole(row["guest_mtu"]), []).append(float(row["mbit_s"] or 0))
    return Stream(
        mode=str(key[0]), limit=limit, samples={mtu: tuple(of) for mtu, of in samples.items()}
    )
