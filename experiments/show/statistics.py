"""Medians, differences and their confidence intervals.  Pure: the caller passes the seed.

Pings of one lab are not independent.  The unit is therefore the repeat, which is a block in
statistics: levels are compared by their medians in the same block, and whole blocks are resampled
(cluster bootstrap, by scipy).  Plain percentile intervals are too short for few blocks, so their
quantiles are moved out to those of Student's t (the expanded percentile interval of T. Hesterberg,
"What Teachers Should Know About the Bootstrap", 2015, section 5.3).  For a median of six blocks
that is their whole range, which misses the true median in 2 * 0.5**6 = 3.1% of runs whatever the
distribution: the sign test's interval.  `overlaylab run aa` checks the method by comparing a mode
with itself (A/A test).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from controller.model.errors import MeasureError
from controller.model.wording import counted
from experiments.core.question import Question, level_name
from experiments.core.verdict import INTERVAL_REPEATS_MIN

Samples = NDArray[np.float64]
Repeats = Sequence[Samples]  # one array of samples per repeat
Picked = NDArray[np.int64]  # resamples as rows, each of indexes of repeats
Statistic = Callable[..., Samples]  # of one `Picked` for each sample of repeats

LEVEL = 0.95
RESAMPLES = 4999
COUNTABLE = 15  # repeats, whose resamples have numbers below 2**63
BEYOND = 10  # samples that must lie beyond a percentile for it to be one: p99 from 1,000 up


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float

    def is_within(self, low: float, high: float) -> bool:
        """True if it lies between both values, ends included."""
        return low <= self.low and self.high <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The median over repeats of the difference that two levels' medians have in each."""

    estimate: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One level of the factor; None where there are too few samples for the figure."""

    level: str
    repeats: int
    samples: int
    lost: int
    median: float
    interval: Interval | None  # of the median
    percentiles: Mapping[int, float | None]  # 10, 90, 99
    to_baseline: Difference | None


def levels_of(samples: pl.DataFrame, question: Question) -> dict[str, Repeats]:
    """The samples by level and repeat, in the order of the question's points.

    Every level has the same repeats in the same order; one that was not measured is empty.
    """
    repeats = samples["repeat"].unique(maintain_order=True)
    found = {
        _level(point, question): [_values(rows, repeat, question.value) for repeat in repeats]
        for point, rows in samples.group_by(*question.factors, maintain_order=True)
    }
    order = {level_name(point): at for at, point in enumerate(question.points())}
    ordered = sorted(found, key=lambda level: (order.get(level, len(order)), level))
    return {level: found[level] for level in ordered}


def _values(samples: pl.DataFrame, repeat: int, column: str) -> Samples:
    """The values of one repeat, without lost ones."""
    values: Samples = samples.filter(repeat=repeat)[column].drop_nulls().cast(pl.Float64).to_numpy()
    return values


def lost_of(samples: pl.DataFrame, question: Question) -> dict[str, int]:
    """Samples without a value, by level."""
    lost = samples.filter(pl.col(question.value).is_null())
    return {_level(point, question): len(rows) for point, rows in lost.group_by(*question.factors)}


def _level(point: Sequence[str | int | float], question: Question) -> str:
    return level_name(dict(zip(question.factors, point, strict=True)))


def percentile(samples: Samples, rank: int) -> float | None:
    """The percentile, if at least ten samples lie beyond it on its short side."""
    short_side = min(rank, 100 - rank)
    if len(samples) * short_side < BEYOND * 100:
        return None
    return float(np.percentile(samples, rank))


def median_interval(repeats: Repeats, *, seed: int) -> Interval | None:
    """The interval of the median of all samples; None if there are too few repeats."""
    answered = [repeat for repeat in repeats if len(repeat)]
    return bootstrap(len(answered), lambda picked: pooled_medians(answered, picked), seed=seed)


def pooled_medians(repeats: Repeats, picked: Picked) -> Samples:
    """The median of all samples of the picked repeats, for each row of `picked`."""
    return np.array([np.median(np.concatenate([repeats[at] for at in row])) for row in picked])


def difference(repeats: Repeats, baseline: Repeats, *, seed: int) -> Difference:
    """The difference of the medians, repeat n of one minus repeat n of the other."""
    return over_repeats(by_repeat((repeats, baseline), (1.0, -1.0)), seed=seed)


def by_repeat(levels: Sequence[Repeats], weights: Sequence[float]) -> Samples:
    """The weighted sum of the levels' medians in each repeat in which all have samples."""
    complete = [each for each in zip(*levels, strict=False) if all(map(len, each))]
    medians = np.array([[np.median(samples) for samples in each] for each in complete])
    sums: Samples = medians.reshape(-1, len(weights)) @ np.array(weights)
    return sums


def over_repeats(sums: Samples, *, seed: int) -> Difference:
    """The median of a figure that each repeat has, and its interval."""

    def statistic(picked: Picked) -> Samples:
        medians: Samples = np.median(sums[picked], axis=-1)
        return medians

    interval = bootstrap(len(sums), statistic, seed=seed)
    return Difference(estimate=float(np.median(sums)), interval=interval)


def summarise(
    levels: Mapping[str, Repeats], lost: Mapping[str, int], *, baseline: str, seed: int
) -> tuple[Summary, ...]:
    """One `Summary` per level, in the order given.

    Raises:
        MeasureError: a level has no sample.
    """
    base = levels.get(baseline)
    return tuple(
        _summary(level, repeats, lost.get(level, 0), None if level == baseline else base, seed)
        for level, repeats in levels.items()
    )


def call(found: Difference, margin: float) -> str:
    """The conclusion from a difference, given the margin set before the run."""
    if found.interval is None:
        return "too few repeats"
    if found.interval.is_within(-margin, margin):
        return "no difference that matters"
    if found.interval.low > margin:
        return "higher"
    if found.interval.high < -margin:
        return "lower"
    return "undecided"


def _summary(
    level: str, repeats: Repeats, lost: int, baseline: Repeats | None, seed: int
) -> Summary:
    pooled = np.concatenate(repeats) if repeats else np.array([])
    if not len(pooled):
        raise MeasureError(
            "no sample",
            where=f"samples of {level}",
            allowed="at least one with a value",
            do="See the output of the tools in raw/.",
        )
    # Of the repeats that both have: an interrupted run may lack the last.
    sums = by_repeat((repeats, baseline), (1.0, -1.0)) if baseline else np.array([])
    return Summary(
        level=level,
        repeats=sum(map(bool, map(len, repeats))),
        samples=len(pooled),
        lost=lost,
        median=float(np.median(pooled)),
        interval=median_interval(repeats, seed=seed),
        percentiles={rank: percentile(pooled, rank) for rank in (10, 90, 99)},
        to_baseline=over_repeats(sums, seed=seed) if len(sums) else None,
    )


def bootstrap(count: int, statistic: Statistic, *, seed: int) -> Interval | None:
    """The interval of a statistic of `count` repeats; None if there are too few.

    `statistic` gets resamples as rows of indexes in 0..count-1 and returns a figure for each.
    """
    return bootstrap_of((count,), lambda picked: once_each(picked, statistic), seed=seed)


def bootstrap_of(
    counts: Sequence[int],
    statistic: Statistic,
    *,
    seed: int | Sequence[int],
    freedom: float | None = None,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """The expanded percentile interval of a statistic of independent samples of repeats.

    None if one of them has too few.  `statistic` gets resamples of each sample, as rows of indexes.

    Args:
        counts: how many repeats each sample has.
        freedom: degrees of freedom of Student's t; by default those of the least count.
        resamples: how many.
    """
    if min(counts) < INTERVAL_REPEATS_MIN:
        return None

    def of_rows(*picked: Picked, axis: int) -> Samples:
        del axis  # scipy passes resamples as rows
        return statistic(*picked)

    made = stats.bootstrap(
        tuple(map(np.arange, counts)),
        of_rows,
        n_resamples=resamples,
        vectorized=True,
        confidence_level=_expanded(LEVEL, min(counts), freedom),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(made.confidence_interval.low), float(made.confidence_interval.high))


def median_of(repeats: Repeats) -> float:
    """The median of all samples."""
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
    return Difference(estimate=median_of(other) - median_of(one), interval=interval)


def _degrees_of_freedom(one: Repeats, other: Repeats) -> float | None:
    """Welch's, of the medians of repeats; None if no median differs from another."""
    counts = (len(one), len(other))
    if min(counts) < 2:
        return None
    parts = [np.var([np.median(each) for each in run], ddof=1) / len(run) for run in (one, other)]
    below = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    return float(sum(parts) ** 2 / below) if below else None


def once_each(picked: Picked, statistic: Statistic) -> Samples:
    """The statistic of every resample, computed once for equal ones.

    There are only 462 different resamples of six from six.
    """
    rows = np.sort(picked.reshape(-1, picked.shape[-1]), axis=-1)
    _, first, which = np.unique(_numbered(rows), return_index=True, return_inverse=True)
    values: Samples = statistic(rows[first])[which].reshape(picked.shape[:-1])
    return values


def _numbered(rows: Picked) -> Picked:
    """A number for each row, the same for equal ones; long rows are hardly ever equal."""
    count = rows.shape[-1]
    numbers: Picked = (
        rows @ count ** np.arange(count) if count <= COUNTABLE else np.arange(len(rows))
    )
    return numbers


def _expanded(level: float, count: int, freedom: float | None = None) -> float:
    """The level at which a percentile bootstrap of `count` repeats gives `level`."""
    reach = sqrt(count / (count - 1)) * stats.t.ppf((1 + level) / 2, freedom or count - 1)
    return float(1 - 2 * stats.norm.sf(reach))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The median, with its 95% interval from six values on, else their range."""

    value: float
    low: float
    high: float
    count: int
    is_interval: bool

    def span(self, of: str, form: str) -> str:
        """Such as `95% interval of 8 labs: 11.6 to 12.1`, `range of 4 labs: ...`, `1 lab`."""
        if self.count == 1:
            return counted(1, of)
        what = "95% interval of" if self.is_interval else "range of"
        return f"{what} {counted(self.count, of)}: {self.low:{form}} to {self.high:{form}}"


def estimate(values: Sequence[float], seed: int) -> Estimate:
    """The estimate from one value of each lab or repeat.

    Raises:
        ValueError: there are none.
    """
    found = np.array(values)
    within = bootstrap(len(found), lambda picked: np.median(found[picked], axis=-1), seed=seed)
    low, high = (within.low, within.high) if within else (min(values), max(values))
    return Estimate(
        value=median(values), low=low, high=high, count=len(values), is_interval=within is not None
    )
