"""What samples say, and how surely.  Pure: the generator's seed is handed in.

Pings of one round are not independent, so the unit is the block: levels are compared by the
medians they have in the same block, and whole blocks are resampled (cluster bootstrap, by
scipy).  Plain percentile intervals are too short when blocks are few; their quantiles are
moved out to where Student's t stands (the expanded percentile interval of T. Hesterberg,
"What Teachers Should Know About the Bootstrap", 2015, section 5.3).  For a median of six
blocks that is their whole range, which misses the true median in 2 * 0.5**6 = 3.1% of runs
whatever the distribution: the sign test's interval.  `overlaylab run aa` holds all of it
against labs that do not differ.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from controller.model.errors import MeasureError
from experiments.core.question import Prediction, Question, Row, level_name
from experiments.core.verdict import INTERVAL_REPEATS_MIN
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED

Samples = NDArray[np.float64]
Repeats = Sequence[Samples]  # one array of samples per block
Picked = NDArray[np.int64]  # resamples as rows, each of places of blocks
Statistic = Callable[[Picked], Samples]

LEVEL = 0.95
RESAMPLES = 4999
BATCH = 500  # resamples held in memory at a time
COUNTABLE = 15  # blocks, whose resamples have numbers below 2**63
BEYOND = 10  # samples that must lie beyond a percentile for it to be one: p99 from 1,000 up


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value lies, in 95 of 100 runs like this one."""

    low: float
    high: float

    def is_within(self, low: float, high: float) -> bool:
        """True if all of it lies between, ends included."""
        return low <= self.low and self.high <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The median over blocks of what was found in each: medians of levels, one minus the other."""

    estimate: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One level of the factor; None where the sample cannot bear the figure."""

    level: str
    repeats: int
    samples: int
    lost: int
    median: float
    interval: Interval | None  # of the median
    percentiles: Mapping[int, float | None]  # 10, 90, 99
    to_baseline: Difference | None


def levels_of(rows: Iterable[Row], question: Question) -> dict[str, Repeats]:
    """The samples by level, block by block, in the order of the question's points.

    Every level has every block of the rows, in one order, so that place n is the same block in
    all of them; where a level was not measured its block is empty.
    """
    found: dict[str, dict[object, list[float]]] = {}
    repeats: dict[object, None] = {}
    for row in rows:
        repeats[row["repeat"]] = None
        samples = found.setdefault(_level(row, question), {}).setdefault(row["repeat"], [])
        if (value := row[question.value]) is not None:
            samples.append(float(value))
    order = {level_name(point): at for at, point in enumerate(question.points())}
    ordered = sorted(found, key=lambda level: (order.get(level, len(order)), level))
    return {level: [np.array(found[level].get(each, [])) for each in repeats] for level in ordered}


def lost_of(rows: Iterable[Row], question: Question) -> dict[str, int]:
    """Samples without a value, by level."""
    return dict(Counter(_level(row, question) for row in rows if row[question.value] is None))


def _level(row: Row, question: Question) -> str:
    return level_name({name: row[name] for name in question.factors})  # type: ignore[misc]


def percentile(samples: Samples, rank: int) -> float | None:
    """The percentile, if at least ten samples lie beyond it on its short side."""
    short_side = min(rank, 100 - rank)
    if len(samples) * short_side < BEYOND * 100:
        return None
    return float(np.percentile(samples, rank))


def median_interval(repeats: Repeats, *, seed: int) -> Interval | None:
    """Where the median of all samples lies, from resampled blocks; None if these are too few."""
    rows = _padded([repeat for repeat in repeats if len(repeat)])
    return bootstrap(len(rows), lambda picked: _median_of_rows(rows[picked]), seed=seed)


def difference(repeats: Repeats, baseline: Repeats, *, seed: int) -> Difference:
    """The medians' difference, block n of one against block n of the other."""
    return over_blocks(by_block((repeats, baseline), (1.0, -1.0)), seed=seed)


def by_block(levels: Sequence[Repeats], weights: Sequence[float]) -> Samples:
    """The weighted sum of the levels' medians in each block in which all of them have samples."""
    whole = [each for each in zip(*levels, strict=False) if all(map(len, each))]
    medians = np.array([[np.median(samples) for samples in each] for each in whole])
    sums: Samples = medians.reshape(-1, len(weights)) @ np.array(weights)
    return sums


def over_blocks(sums: Samples, *, seed: int) -> Difference:
    """The median of a figure that each block has, and where it lies."""

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
    """What may be said of a difference, given the margin stated before the run."""
    if found.interval is None:
        return "first look: no interval"
    if found.interval.is_within(-margin, margin):
        return "no difference that matters"
    if found.interval.low > margin:
        return "higher"
    if found.interval.high < -margin:
        return "lower"
    return "undecided"


def against(prediction: Prediction, found: Difference) -> str:
    """How a difference stands to what was predicted; nothing is said without an interval."""
    if found.interval is None or prediction.low is None or prediction.high is None:
        return NOT_JUDGED
    if found.interval.is_within(prediction.low, prediction.high):
        return CONFIRMED
    apart = found.interval.high < prediction.low or found.interval.low > prediction.high
    return REFUTED if apart else UNDECIDED


def _summary(
    level: str, repeats: Repeats, lost: int, baseline: Repeats | None, seed: int
) -> Summary:
    pooled = np.concatenate(repeats) if repeats else np.array([])
    if not len(pooled):
        raise MeasureError(
            "no sample",
            where=f"samples of {level}",
            allowed="at least one with a value",
            do="Look in raw/ for what the tools said.",
        )
    return Summary(
        level=level,
        repeats=sum(map(bool, map(len, repeats))),
        samples=len(pooled),
        lost=lost,
        median=float(np.median(pooled)),
        interval=median_interval(repeats, seed=seed),
        percentiles={rank: percentile(pooled, rank) for rank in (10, 90, 99)},
        to_baseline=None if not baseline else _matched(repeats, baseline, seed),
    )


def _matched(repeats: Repeats, baseline: Repeats, seed: int) -> Difference | None:
    """The difference, over the blocks that both have (an interrupted run may lack the last)."""
    sums = by_block((repeats, baseline), (1.0, -1.0))
    return over_blocks(sums, seed=seed) if len(sums) else None


def bootstrap(count: int, statistic: Statistic, *, seed: int) -> Interval | None:
    """The expanded percentile interval of a statistic of `count` blocks; None if these are too few.

    `statistic` gets resamples as rows of places in 0..count-1 and gives a figure for each.
    """
    if count < INTERVAL_REPEATS_MIN:
        return None
    made = stats.bootstrap(
        (np.arange(count),),
        lambda picked, axis: _once_each(picked, statistic),  # noqa: ARG005
        n_resamples=RESAMPLES,
        vectorized=True,
        confidence_level=_expanded(LEVEL, count),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(made.confidence_interval.low), float(made.confidence_interval.high))


def _once_each(picked: Picked, statistic: Statistic) -> Samples:
    """The statistic of every resample, computed once for those that hold the same blocks.

    Six blocks make but 462 different resamples of six.
    """
    rows = np.sort(picked.reshape(-1, picked.shape[-1]), axis=-1)
    _, first, which = np.unique(_numbered(rows), return_index=True, return_inverse=True)
    distinct = rows[first]
    parts = [statistic(distinct[at : at + BATCH]) for at in range(0, len(distinct), BATCH)]
    values: Samples = np.concatenate(parts)[which].reshape(picked.shape[:-1])
    return values


def _numbered(rows: Picked) -> Picked:
    """A number for each row, the same for equal ones; many blocks hardly ever make any."""
    count = rows.shape[-1]
    numbers: Picked = (
        rows @ count ** np.arange(count) if count <= COUNTABLE else np.arange(len(rows))
    )
    return numbers


def _expanded(level: float, count: int) -> float:
    """The level to ask of a percentile bootstrap of `count` clusters to get `level`."""
    reach = sqrt(count / (count - 1)) * stats.t.ppf((1 + level) / 2, count - 1)
    return float(1 - 2 * stats.norm.sf(reach))


def _padded(repeats: Repeats) -> Samples:
    """Blocks as rows, filled with NaN where replies were lost."""
    rows = np.full((len(repeats), max(map(len, repeats), default=0)), np.nan)
    for row, repeat in zip(rows, repeats, strict=True):
        row[: len(repeat)] = repeat
    return rows


def _median_of_rows(picked: Samples) -> Samples:
    flat = picked.reshape(*picked.shape[:-2], -1)
    has_gaps = bool(np.isnan(flat).any())
    medians: Samples = np.nanmedian(flat, axis=-1) if has_gaps else np.median(flat, axis=-1)
    return medians
