"""Compares two runs of one experiment; refuses runs that differ in more than what they measured.  Pure.

Repeats of two runs are independent, so each run's are resampled separately.  The quantiles are
moved out as in `experiments.show.statistics`, to those of Welch's t.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from controller.model.errors import UsageError
from experiments.core.question import level_name
from experiments.core.results import Run
from experiments.show.cells import cell_name, common_type, exact_cells, keys_of
from experiments.show.report import doubts_about, is_trusted
from experiments.show.statistics import (
    RESAMPLES,
    Difference,
    Picked,
    Repeats,
    Samples,
    bootstrap_of,
    call,
    levels_of,
    once_each,
    pooled_medians,
)

# What must be equal in both runs: parts of run.json, and of its question.
SAME = ("settings", "scenario", "hosts", "release", "lab")
SAME_QUESTION = ("unit", "value", "compared", "report")
# Runs cannot be compared if any of these differ.  Names, memory, load, Python and the drawing
# libraries are recorded too, but they do not affect packets.
COMPARED: Mapping[str, tuple[str, ...]] = {
    "CPU": ("machine", "cpu"),
    "processors": ("machine", "cpus"),
    "architecture": ("machine", "machine"),
    "frequency governor": ("machine", "governor"),
    "virtualisation": ("machine", "virtualisation"),
    "processor limit": ("machine", "limits", "cpus"),
    "kernel": ("machine", "kernel"),
    "Open vSwitch": ("machine", "tools", "ovs"),
    "ping": ("machine", "tools", "ping"),
    "datapath": ("lab", "datapath"),
    "controller framework": ("lab", "app"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One level in both runs: medians, and B minus A."""

    level: str
    medians: tuple[float, float]
    repeats: tuple[int, int]
    samples: tuple[int, int]
    difference: Difference
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How run B differs from run A.

    Attributes:
        cells: what is predicted and measured in both: keys, `figure`, the distinct values of each
            run in `a` and `b`, and `is_equal` if they are the same, in any order.
    """

    a: Run
    b: Run
    shifts: tuple[Shift, ...] = ()
    cells: pl.DataFrame = field(default_factory=pl.DataFrame)
    only_a: tuple[str, ...] = ()  # levels or cells
    only_b: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[tuple[str, Run], ...]:
        """Both runs with their names."""
        return (("A", self.a), ("B", self.b))

    @property
    def is_exact(self) -> bool:
        """True if cells are compared, not medians."""
        return not self.cells.is_empty()

    @property
    def mismatches(self) -> pl.DataFrame:
        """The cells that differ."""
        return self.cells.filter(~pl.col("is_equal")) if self.is_exact else self.cells

    @property
    def is_itself(self) -> bool:
        """True if both are one measurement, in one folder or in a copy of it."""
        one, other = ((run.about.get("start"), run.seed) for run in (self.a, self.b))
        return one[0] is not None and one == other

    @property
    def doubts(self) -> tuple[str, ...]:
        """Which run is unreliable, and why."""
        return tuple(
            f"{name}: {doubts_about(run)}" for name, run in self.runs if not is_trusted(run)
        )


def compare(a: Run, b: Run) -> Comparison:
    """Run B compared with run A.

    Raises:
        UsageError: they cannot be compared; the message names the first difference.
    """
    for what, one, other in _sides(a, b):
        if one != other:
            raise _not_comparable(what, one, other)
    exact = a.about.get("predicted") and b.about.get("predicted")
    found = _cells(a, b) if exact else _shifts(a, b)
    if not found.shifts and not found.is_exact:
        raise _not_comparable(
            "what both measured", ", ".join(found.only_a), ", ".join(found.only_b)
        )
    return found


def _sides(a: Run, b: Run) -> Iterator[tuple[str, object, object]]:
    """What must be the same, and its value in each run, the most important first."""
    yield "experiment", a.question.name, b.question.name
    for side, run in (("A", a), ("B", b)):
        if run.about.get("status") != "complete":
            raise UsageError(
                f"is {run.about.get('status', 'of unknown status')!r}",
                where=f"run {side}, {run.directory}",
                allowed="a complete run",
                do="Run it again.",
            )
    yield from _differing("machine", comparable(a.about), comparable(b.about))
    for name in SAME_QUESTION:
        yield from _differing(name, getattr(a.question, name), getattr(b.question, name))
    for name in SAME:
        yield from _differing(name, a.about.get(name), b.about.get(name))


def _differing(what: str, one: Any, other: Any) -> Iterator[tuple[str, object, object]]:
    """The values of two mappings by name, or two other values."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys((*one, *other)):
            yield from _differing(f"{what}: {name}", one.get(name), other.get(name))
    else:
        yield what, one, other


def _not_comparable(what: str, one: object, other: object) -> UsageError:
    return UsageError(
        f"{_shown(one)} in A, {_shown(other)} in B",
        where=what,
        allowed="the same in both runs",
        do="Compare runs with the same question, machine and settings.",
    )


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "nothing" if value is None or value == "" else str(value)


def _shifts(a: Run, b: Run) -> Comparison:
    """The levels of both runs, in the order of A."""
    one, other = (
        _measured(levels_of(run.samples.filter(**run.question.compared), run.question))
        for run in (a, b)
    )
    both = [level for level in one if level in other]
    shifts = (_shift(level, one[level], other[level], a, b) for level in both)
    return Comparison(
        a=a,
        b=b,
        shifts=tuple(shifts),
        only_a=tuple(level for level in one if level not in both),
        only_b=tuple(level for level in other if level not in both),
    )


def _measured(levels: Mapping[str, Repeats]) -> dict[str, Repeats]:
    """The levels without repeats in which every reply was lost; a level without repeats is left out."""
    kept = {level: [each for each in repeats if len(each)] for level, repeats in levels.items()}
    return {level: repeats for level, repeats in kept.items() if repeats}


def _shift(level: str, one: Repeats, other: Repeats, a: Run, b: Run) -> Shift:
    found = independent(one, other, seed=(a.seed, b.seed))
    return Shift(
        level=level,
        medians=(_median(one), _median(other)),
        repeats=(len(one), len(other)),
        samples=(sum(map(len, one)), sum(map(len, other))),
        difference=found,
        call=call(found, min(a.question.margin, b.question.margin)),
    )


def _median(repeats: Repeats) -> float:
    return float(np.median(np.concatenate(repeats)))


def independent(
    one: Repeats, other: Repeats, *, seed: tuple[int, int], resamples: int = RESAMPLES
) -> Difference:
    """Median of `other` minus that of `one`; no interval if either has too few repeats."""

    def medians(repeats: Repeats, picked: Picked) -> Samples:
        return once_each(picked, lambda rows: pooled_medians(repeats, rows))

    def statistic(of_one: Picked, of_other: Picked) -> Samples:
        return medians(other, of_other) - medians(one, of_one)

    interval = bootstrap_of(
        (len(one), len(other)),
        statistic,
        seed=seed,
        freedom=_degrees_of_freedom(one, other),
        resamples=resamples,
    )
    return Difference(estimate=_median(other) - _median(one), interval=interval)


def _degrees_of_freedom(one: Repeats, other: Repeats) -> float | None:
    """Welch's, of the medians of repeats; None if no median differs from another."""
    counts = (len(one), len(other))
    if min(counts) < 2:
        return None
    parts = [np.var([np.median(each) for each in run], ddof=1) / len(run) for run in (one, other)]
    below = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    return float(sum(parts) ** 2 / below) if below else None


def _cells(a: Run, b: Run) -> Comparison:
    """The cells that are predicted and measured in both runs."""
    one, other = (exact_cells(run).filter(pl.col("samples") > 0) for run in (a, b))
    place = [*keys_of(one), "figure"]
    if place != [*keys_of(other), "figure"]:
        raise _not_comparable("columns of the predictions", keys_of(one), keys_of(other))
    both = one.join(other, on=place, suffix="_b", nulls_equal=True, maintain_order="left")
    cells = both.select(*place, a="measured", b="measured_b")
    kind = pl.List(common_type({one.schema["predicted"], other.schema["predicted"]}))
    in_a, in_b = (pl.col(name).cast(kind).list.sort() for name in "ab")
    return Comparison(
        a=a,
        b=b,
        cells=cells.with_columns(is_equal=in_a == in_b),
        only_a=_only(one, other, a.question.value),
        only_b=_only(other, one, b.question.value),
    )


def _only(one: pl.DataFrame, other: pl.DataFrame, value: str) -> tuple[str, ...]:
    """The names of the cells that the other run lacks."""
    place = [*keys_of(one), "figure"]
    alone = one.join(other, on=place, how="anti", nulls_equal=True, maintain_order="left")
    return tuple(cell_name(row, value) for row in alone.iter_rows(named=True))


def baseline_shift(found: Comparison) -> Shift | None:
    """The baseline's own shift, if it moved: the machine, or what all levels share, has changed."""
    name = level_name(found.a.question.baseline)
    moved = (each for each in found.shifts if each.level == name)
    return next((each for each in moved if each.call in {"higher", "lower"}), None)


def comparable(about: Mapping[str, Any]) -> dict[str, object]:
    """The values of run.json that must be equal, by name; None: not recorded."""
    return {name: _at(about, path) for name, path in COMPARED.items()}


def _at(value: Any, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
