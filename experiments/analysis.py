"""What samples say, and how surely.  Pure: the generator's seed is handed in.

Pings of one round are not independent, so whole blocks are resampled (cluster
bootstrap).  Plain percentile intervals are too short when blocks are few; their
quantiles are moved out to where Student's t stands (the expanded percentile interval of
T. Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 5.3).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from experiments.question import Prediction, Question, Row, level_name
from experiments.verdict import INTERVAL_BLOCKS_MIN
from experiments.story import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED
from topologies.errors import MeasureError

Samples = NDArray[np.float64]
Blocks = Sequence[Samples]  # one array of samples per block

LEVEL = 0.95
RESAMPLES = 4999
BATCH = 250  # resamples held in memory at a time
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
    """Median minus the baseline's, paired by block."""

    estimate: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One level of the factor; None where the sample cannot bear the figure."""

    level: str
    blocks: int
    samples: int
    lost: int
    median: float
    interval: Interval | None  # of the median
    percentiles: Mapping[int, float | None]  # 10, 90, 99
    to_baseline: Difference | None


def levels_of(rows: Iterable[Row], question: Question) -> dict[str, Blocks]:
    """The samples by level, block by block, in the order of the question's points."""
    found: dict[str, dict[object, list[float]]] = {}
    for row in rows:
        samples = found.setdefault(_level(row, question), {}).setdefault(row["block"], [])
        if (value := row[question.value]) is not None:
            samples.append(float(value))
    order = {level_name(point): at for at, point in enumerate(question.points())}
    ordered = sorted(found, key=lambda level: (order.get(level, len(order)), level))
    return {level: [np.array(block) for block in found[level].values()] for level in ordered}


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


def median_interval(blocks: Blocks, *, seed: int) -> Interval | None:
    """Where the median lies, from resampled blocks; None if these are too few."""
    return _bootstrap((_padded(blocks),), seed=seed)


def difference(blocks: Blocks, baseline: Blocks, *, seed: int) -> Difference:
    """The medians' difference; block n of one is resampled together with block n of the other."""
    estimate = float(np.median(np.concatenate(blocks)) - np.median(np.concatenate(baseline)))
    pair = (_padded(blocks), _padded(baseline))
    return Difference(estimate=estimate, interval=_bootstrap(pair, seed=seed))


def summarise(
    levels: Mapping[str, Blocks], lost: Mapping[str, int], *, baseline: str, seed: int
) -> tuple[Summary, ...]:
    """One `Summary` per level, in the order given.

    Raises:
        MeasureError: a level has no sample.
    """
    base = levels.get(baseline)
    return tuple(
        _summary(level, blocks, lost.get(level, 0), None if level == baseline else base, seed)
        for level, blocks in levels.items()
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


def _summary(level: str, blocks: Blocks, lost: int, baseline: Blocks | None, seed: int) -> Summary:
    pooled = np.concatenate(blocks) if blocks else np.array([])
    if not len(pooled):
        raise MeasureError(
            "no sample",
            where=f"samples of {level}",
            allowed="at least one with a value",
            do="Look in raw/ for what the tools said.",
        )
    return Summary(
        level=level,
        blocks=len(blocks),
        samples=len(pooled),
        lost=lost,
        median=float(np.median(pooled)),
        interval=median_interval(blocks, seed=seed),
        percentiles={rank: percentile(pooled, rank) for rank in (10, 90, 99)},
        to_baseline=None if not baseline else _matched(blocks, baseline, seed),
    )


def _matched(blocks: Blocks, baseline: Blocks, seed: int) -> Difference | None:
    """The difference, over the blocks that both have (an interrupted run may lack the last)."""
    both = min(len(blocks), len(baseline))
    return difference(blocks[:both], baseline[:both], seed=seed) if both else None


def _bootstrap(clusters: tuple[Samples, ...], *, seed: int) -> Interval | None:
    count = len(clusters[0])
    if count < INTERVAL_BLOCKS_MIN:
        return None

    def statistic(picked: NDArray[np.int64], axis: int) -> Any:
        del axis  # scipy hands the resamples as rows
        medians = [_median_of_rows(cluster[picked]) for cluster in clusters]
        return medians[0] - medians[1] if len(medians) == 2 else medians[0]

    made = stats.bootstrap(
        (np.arange(count),), statistic, n_resamples=RESAMPLES, batch=BATCH, vectorized=True,
        confidence_level=_expanded(LEVEL, count), method="percentile",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return Interval(float(made.confidence_interval.low), float(made.confidence_interval.high))


def _expanded(level: float, count: int) -> float:
    """The level to ask of a percentile bootstrap of `count` clusters to get `level`."""
    reach = sqrt(count / (count - 1)) * stats.t.ppf((1 + level) / 2, count - 1)
    return float(1 - 2 * stats.norm.sf(reach))


def _padded(blocks: Blocks) -> Samples:
    """Blocks as rows, filled with NaN where replies were lost."""
    rows = np.full((len(blocks), max(map(len, blocks), default=0)), np.nan)
    for row, block in zip(rows, blocks, strict=True):
        row[: len(block)] = block
    return rows


def _median_of_rows(picked: Samples) -> Any:
    flat = picked.reshape(*picked.shape[:-2], -1)
    return np.nanmedian(flat, axis=-1) if np.isnan(flat).any() else np.median(flat, axis=-1)
