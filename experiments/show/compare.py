"""Two runs of one experiment, held against each other; refused where they are not alike.  Pure.

Blocks of two runs have nothing in common, so each run's are resampled by themselves.  The
quantiles are moved out as in `experiments.show.statistics`, to where Welch's t stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from controller.model.errors import UsageError
from experiments.core.machine import comparable
from experiments.core.question import Value, level_name, of_point
from experiments.core.results import Run
from experiments.core.verdict import INTERVAL_REPEATS_MIN
from experiments.show.cells import Cell, cells_of
from experiments.show.report import is_trusted
from experiments.show.statistics import Difference, Interval, Repeats, Samples, call, levels_of

LEVEL = 0.95
RESAMPLES = 4999
ALIKE = ("settings", "scenario", "hosts", "release", "lab")  # of run.json
ASKED = ("unit", "value", "compared", "report")  # of its question


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
class CellPair:
    """One cell that was foretold in both runs, with the different values measured in each."""

    key: Mapping[str, Value]
    figure: str  # its column
    a: tuple[Value, ...]
    b: tuple[Value, ...]

    @property
    def is_equal(self) -> bool:
        """True if both runs saw the same values, in whatever order."""
        return set(self.a) == set(self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What became of the question from run A to run B."""

    a: Run
    b: Run
    shifts: tuple[Shift, ...] = ()
    cells: tuple[CellPair, ...] = ()
    only_a: tuple[str, ...] = ()  # levels or cells
    only_b: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """True if cells are compared, not medians."""
        return bool(self.cells)

    @property
    def mismatches(self) -> tuple[CellPair, ...]:
        """The cells that differ."""
        return tuple(cell for cell in self.cells if not cell.is_equal)

    @property
    def is_itself(self) -> bool:
        """True if both are one measurement, in one folder or in a copy of it."""
        one, other = ((run.about.get("start"), run.seed) for run in (self.a, self.b))
        return one[0] is not None and one == other

    @property
    def doubts(self) -> tuple[str, ...]:
        """Which run is not to be trusted, and why."""
        report = (("A", self.a), ("B", self.b))
        return tuple(f"{name}: {_reasons(run)}" for name, run in report if not is_trusted(run))


def compare(a: Run, b: Run) -> Comparison:
    """Run B against run A.

    Raises:
        UsageError: they are not alike; the message names the first difference.
    """
    assert_alike(a, b)
    exact = a.about.get("predicted") and b.about.get("predicted")
    found = _cells(a, b) if exact else _shifts(a, b)
    if not found.shifts and not found.cells:
        raise _unlike("what both measured", ", ".join(found.only_a), ", ".join(found.only_b))
    return found


def assert_alike(a: Run, b: Run) -> None:
    """Check that a difference between the runs can only be one in what they measured.

    Raises:
        UsageError: it could be something else.
    """
    for what, one, other in _sides(a, b):
        if one != other:
            raise _unlike(what, one, other)


def _sides(a: Run, b: Run) -> Iterator[tuple[str, object, object]]:
    """What must be the same, and how it is in each run; what matters most first."""
    yield "experiment", a.question.name, b.question.name
    for side, run in (("A", a), ("B", b)):
        if run.about.get("status") != "complete":
            raise UsageError(
                f"is {run.about.get('status', 'of unknown status')!r}",
                where=f"run {side}, {run.directory}",
                allowed="a run that is complete",
                do="Run it again.",
            )
    yield from _differing("machine", _machine(a), _machine(b))
    for name in ASKED:
        yield from _differing(name, getattr(a.question, name), getattr(b.question, name))
    for name in ALIKE:
        yield from _differing(name, a.about.get(name), b.about.get(name))


def _machine(run: Run) -> Mapping[str, object]:
    return comparable(run.about.get("machine") or {}, run.about.get("lab"))


def _differing(what: str, one: Any, other: Any) -> Iterator[tuple[str, object, object]]:
    """The parts of two mappings by name; anything else as it is."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys((*one, *other)):
            yield from _differing(f"{what}: {name}", one.get(name), other.get(name))
    else:
        yield what, one, other


def _unlike(what: str, one: object, other: object) -> UsageError:
    return UsageError(
        f"{_said(one)} in A, {_said(other)} in B",
        where=what,
        allowed="the same in both runs",
        do="Compare runs that differ only in what is to be compared.",
    )


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "nothing" if value is None or value == "" else str(value)


def _shifts(a: Run, b: Run) -> Comparison:
    """The levels that both have, in the order of A."""
    one, other = (
        _measured(levels_of(of_point(run.rows_of(), run.question.compared), run.question))
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
    """Without blocks in which every answer was lost, and without levels of nothing else."""
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
    """Median of `other` minus that of `one`; no interval where either has too few blocks."""
    estimate = _median(other) - _median(one)
    if min(len(one), len(other)) < INTERVAL_REPEATS_MIN:
        return Difference(estimate=estimate, interval=None)

    def statistic(of_one: NDArray[np.int64], of_other: NDArray[np.int64], axis: int) -> Samples:
        del axis  # scipy hands the resamples as rows
        return _medians(other, of_other) - _medians(one, of_one)

    made = stats.bootstrap(
        (np.arange(len(one)), np.arange(len(other))),
        statistic,
        n_resamples=resamples,
        vectorized=True,
        confidence_level=_expanded(one, other),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Difference(estimate=estimate, interval=Interval(float(made.low), float(made.high)))


def _medians(repeats: Repeats, picked: NDArray[np.int64]) -> Samples:
    """The pooled median of each resample, computed once for those that hold the same blocks."""
    rows = np.sort(picked.reshape(-1, picked.shape[-1]), axis=-1)
    distinct, which = np.unique(rows, axis=0, return_inverse=True)
    medians = [np.median(np.concatenate([repeats[at] for at in each])) for each in distinct]
    found: Samples = np.array(medians)[which.reshape(-1)].reshape(picked.shape[:-1])
    return found


def _expanded(one: Repeats, other: Repeats) -> float:
    """The level to ask of the percentile bootstrap, by Welch's degrees of freedom."""
    parts = [np.var([np.median(each) for each in run], ddof=1) / len(run) for run in (one, other)]
    counts = (len(one), len(other))
    least = min(counts)
    below = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    freedom = float(sum(parts) ** 2 / below) if below else least - 1
    reach = sqrt(least / (least - 1)) * stats.t.ppf((1 + LEVEL) / 2, freedom)
    return float(1 - 2 * stats.norm.sf(reach))


def _cells(a: Run, b: Run) -> Comparison:
    """The cells that were foretold and measured in both."""
    one, other = ({_place(cell): cell for cell in cells_of(run) if cell.measured} for run in (a, b))
    cells = (
        CellPair(
            key=cell.key,
            figure=cell.further or a.question.value,
            a=_distinct(cell.measured),
            b=_distinct(other[place].measured),
        )
        for place, cell in one.items()
        if place in other
    )
    return Comparison(
        a=a,
        b=b,
        cells=tuple(cells),
        only_a=tuple(cell.name for place, cell in one.items() if place not in other),
        only_b=tuple(cell.name for place, cell in other.items() if place not in one),
    )


def _place(cell: Cell) -> tuple[object, ...]:
    return (*cell.key.items(), cell.further)


def _distinct(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))


def baseline_shift(found: Comparison) -> Shift | None:
    """The baseline's own shift, if it is called: then the machine, or what all share, has moved."""
    name = level_name(found.a.question.baseline)
    moved = (each for each in found.shifts if each.level == name)
    return next((each for each in moved if each.call in {"higher", "lower"}), None)


def _reasons(run: Run) -> str:
    reasons = (run.about.get("verdict") or {}).get("reasons")
    return "; ".join(reasons or ("no verdict was reached",))
