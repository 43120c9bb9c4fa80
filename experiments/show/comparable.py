"""The parts of a run that are compared with another run of the same experiment.  Pure.

An experiment whose samples are neither exact cells nor levels of one figure has a function
`comparable(run)` in its report, with the limits of that report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from experiments.show.statistics import Difference, Interval, Repeats, independent, median_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One figure of a run, by level and repeat.

    Attributes:
        figure: what it is, as in the samples.
        low, high: differences between them do not matter; ratios, if `is_ratio`.
        is_ratio: the figure of B is divided by that of A, not reduced by it.
        uses_ranges: with too few repeats for an interval, a conclusion is drawn from the range.
        samples_min: no conclusion from fewer samples of a level.
    """

    figure: str
    unit: str
    levels: Mapping[str, Repeats] = field(compare=False)
    low: float
    high: float
    is_ratio: bool = False
    uses_ranges: bool = False
    samples_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """The cells of a run, as `cells.exact_cells` has them, and its series.

    A column `predicted` or `result` of the cells is not compared.
    """

    cells: pl.DataFrame = field(default_factory=pl.DataFrame)
    series: tuple[Series, ...] = ()


def shift_of(
    one: Repeats, other: Repeats, series: Series, *, seed: tuple[int, int]
) -> tuple[Difference, bool]:
    """By how much `other` differs from `one`, and whether its interval is only a range."""
    if series.is_ratio:
        found, is_range = _difference(_logarithms(one), _logarithms(other), series, seed)
        return _exponential(found), is_range
    return _difference(one, other, series, seed)


def call_of(found: Difference, series: Series, samples: int) -> str:
    """The conclusion from a difference: whether it is beyond the limits of the series."""
    within = found.interval
    if samples < series.samples_min:
        return "too few samples"
    if within is None:
        return "too few repeats"
    if within.is_within(series.low, series.high):
        return "no difference that matters"
    if within.low > series.high:
        return "higher"
    return "lower" if within.high < series.low else "undecided"


def _difference(
    one: Repeats, other: Repeats, series: Series, seed: tuple[int, int]
) -> tuple[Difference, bool]:
    found = independent(one, other, seed=seed)
    if found.interval or not series.uses_ranges or min(len(one), len(other)) < 2:
        return found, False
    a, b = ([float(np.median(each)) for each in repeats] for repeats in (one, other))
    widest = Interval(min(b) - max(a), max(b) - min(a))
    return Difference(estimate=median_of(other) - median_of(one), interval=widest), True


def _logarithms(repeats: Repeats) -> Repeats:
    return [np.log(each) for each in repeats]


def _exponential(found: Difference) -> Difference:
    interval = found.interval and Interval(
        *map(float, np.exp([found.interval.low, found.interval.high]))
    )
    return Difference(estimate=float(np.exp(found.estimate)), interval=interval)
