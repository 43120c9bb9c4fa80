"""Compares two runs of one experiment; refuses runs that differ in more than what they measured.  Pure.

The report of the experiment says what is compared: exact cells, or figures with a spread.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from controller.model.errors import UsageError
from experiments.core.question import level_name
from experiments.core.results import Run
from experiments.show.cells import cell_name, common_type, keys_of
from experiments.show.comparable import Series, call_of, shift_of
from experiments.show.report import doubts_about, is_trusted
from experiments.show.reports import comparable_of
from experiments.show.statistics import Difference, Repeats, median_of

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
    """One level of a figure in both runs: medians, and by how much B differs from A.

    Attributes:
        series: the figure; it decides which differences matter.
        is_range: the interval of `difference` is only the range of all pairs of repeats.
    """

    level: str
    series: Series
    medians: tuple[float, float]
    repeats: tuple[int, int]
    samples: tuple[int, int]
    difference: Difference
    is_range: bool
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How run B differs from run A.

    Attributes:
        shifts: of figures with a spread.
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
    def series(self) -> dict[str, Series]:
        """The figures of the shifts, by name."""
        return {each.series.figure: each.series for each in self.shifts}

    @property
    def is_exact(self) -> bool:
        """True if cells are compared."""
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
    one, other = comparable_of(a), comparable_of(b)
    cells = pl.DataFrame()
    only_a: list[str] = []
    only_b: list[str] = []
    if not one.cells.is_empty() and not other.cells.is_empty():
        cells = _cells(one.cells, other.cells)
        only_a += _only(one.cells, other.cells, a.question.value)
        only_b += _only(other.cells, one.cells, b.question.value)
    shifts: list[Shift] = []
    for of_a, of_b in zip(one.series, other.series, strict=True):
        both, alone_a, alone_b = _shifts(of_a, of_b, seed=(a.seed, b.seed))
        shifts += both
        only_a += [each for each in alone_a if each not in only_a]
        only_b += [each for each in alone_b if each not in only_b]
    if not shifts and cells.is_empty():
        raise _not_comparable("what both measured", ", ".join(only_a), ", ".join(only_b))
    return Comparison(
        a=a, b=b, shifts=tuple(shifts), cells=cells, only_a=tuple(only_a), only_b=tuple(only_b)
    )


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


def _shifts(
    a: Series, b: Series, *, seed: tuple[int, int]
) -> tuple[list[Shift], list[str], list[str]]:
    """The levels that both have, in the order of A, and the names of those that only one has."""
    one, other = _measured(a.levels), _measured(b.levels)
    # A difference that matters to neither run does not matter.
    series = replace(a, low=max(a.low, b.low), high=min(a.high, b.high))
    shifts = [_shift(name, one[name], other[name], series, seed) for name in one if name in other]
    return (
        shifts,
        [name for name in one if name not in other],
        [name for name in other if name not in one],
    )


def _measured(levels: Mapping[str, Repeats]) -> dict[str, Repeats]:
    """The levels without repeats in which every reply was lost; a level without repeats is left out."""
    kept = {level: [each for each in repeats if len(each)] for level, repeats in levels.items()}
    return {level: repeats for level, repeats in kept.items() if repeats}


def _shift(
    level: str, one: Repeats, other: Repeats, series: Series, seed: tuple[int, int]
) -> Shift:
    found, is_range = shift_of(one, other, series, seed=seed)
    samples = (sum(map(len, one)), sum(map(len, other)))
    return Shift(
        level=level,
        series=series,
        medians=(median_of(one), median_of(other)),
        repeats=(len(one), len(other)),
        samples=samples,
        difference=found,
        is_range=is_range,
        call=call_of(found, series, min(samples)),
    )


def _cells(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The cells that are measured in both runs."""
    place = [*keys_of(one), "figure"]
    if place != [*keys_of(other), "figure"]:
        raise _not_comparable("columns of the predictions", keys_of(one), keys_of(other))
    both = one.join(other, on=place, suffix="_b", nulls_equal=True, maintain_order="left")
    cells = both.select(*place, a="measured", b="measured_b")
    kind = common_type({each["measured"].explode().dtype for each in (one, other)})
    in_a, in_b = (pl.col(name).cast(pl.List(kind)).list.sort() for name in "ab")
    return cells.with_columns(is_equal=in_a == in_b)


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
