"""Part of the story of latency: warm round trips by payload and by interval.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from experiments.core.question import Row
from experiments.show.report import NONE, Table


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Condition:
    """How pings were sent."""

    payload_bytes: int
    interval_ms: int  # asked of ping; 0: each as soon as the last was answered

    @property
    def pace(self) -> str:
        """The interval in words."""
        return f"{self.interval_ms} ms" if self.interval_ms else "adaptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """The warm pings of one condition."""

    condition: Condition
    by_mode: Mapping[str, tuple[float, ...]]  # block medians
    kept_ms: float | None  # the interval that ping kept


def warms(rows: Iterable[Row], value: str, modes: Sequence[str]) -> tuple[Warm, ...]:
    """Every condition in which guests' pings were warm, by payload, then interval."""
    found: dict[Condition, list[Row]] = {}
    for row in rows:
        if row["phase"] == "warm" and row["path"] == "guest":
            found.setdefault(condition_of(row), []).append(row)
    return tuple(
        Warm(
            condition=condition,
            by_mode={mode: medians for mode in modes if (medians := _medians(mine, mode, value))},
            kept_ms=kept_interval_ms(mine),
        )
        for condition, mine in sorted(found.items())
    )


def condition_of(row: Row) -> Condition:
    """How the ping of a row was sent."""
    return Condition(
        payload_bytes=int(row["payload_bytes"] or 0), interval_ms=int(row["interval_ms"] or 0)
    )


def kept_interval_ms(rows: Iterable[Row]) -> float | None:
    """Median distance of successive replies: ping's timer is coarser than it lets one ask."""
    labs: dict[tuple[object, ...], dict[int, float]] = {}
    for row in rows:
        if row["received_s"] is not None:
            series = labs.setdefault((row["repeat"], row["order"], row["path"]), {})
            series[int(row["seq"] or 0)] = float(row["received_s"])
    gaps = [
        (series[b] - series[a]) * 1000
        for series in labs.values()
        for a, b in pairwise(sorted(series))
        if b == a + 1
    ]
    return float(np.median(gaps)) if gaps else None


def _medians(rows: Iterable[Row], mode: str, value: str) -> tuple[float, ...]:
    repeats: dict[object, list[float]] = {}
    for row in rows:
        found = row[value]
        if row["mode"] == mode and found is not None:
            repeats.setdefault(row["repeat"], []).append(float(found))
    return tuple(float(np.median(each)) for each in repeats.values())


def warm_grid(found: Sequence[Warm], modes: Sequence[str], unit: str) -> Table:
    """The table: median of block medians by condition and mode."""
    return Table(
        title="Warm, by payload and interval",
        heads=("payload", "asked every", "kept", *modes),
        rows=tuple(_row(each, modes) for each in found),
        note=f"Medians of block medians in {unit}; payload in bytes of ICMP. Rows of different "
        "intervals are not to be held against each other: a daemon that sleeps longer wakes later.",
    )


def _row(each: Warm, modes: Sequence[str]) -> tuple[str, ...]:
    return (
        str(each.condition.payload_bytes),
        each.condition.pace,
        kept_text(each.kept_ms),
        *(
            f"{np.median(each.by_mode[mode]):.3f}" if mode in each.by_mode else NONE
            for mode in modes
        ),
    )


def kept_text(kept_ms: float | None) -> str:
    """The interval that was kept, with its unit."""
    if kept_ms is None:
        return NONE
    return f"{kept_ms:.1f} ms" if kept_ms < 10 else f"{kept_ms:.0f} ms"
