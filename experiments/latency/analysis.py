"""The samples of `latency` as values: levels, effects, conditions, first pings.  Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.latency.words import BASELINES, CACHES, FIRST, GUEST, NO_CACHE, WARM
from experiments.show.answers import Wording
from experiments.show.effects import Effect, effects
from experiments.show.levels import Compared, compared
from experiments.show.statistics import Difference, Samples, over_repeats

PINGS = Wording(
    more="A ping takes {by} longer with {one} than with {first}",
    less="A ping takes {by} less with {one} than with {first}",
    same="A ping takes the same time with {one} and with {first},",
    what="pings took",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """Warm pings between guests with one payload and interval."""

    payload_bytes: int
    interval_ms: int  # requested; 0: the next request follows each reply
    kept_ms: float | None  # median interval of successive replies, which is longer than requested
    by_mode: Mapping[str, tuple[float, ...]]  # the median of each repeat

    @property
    def pace(self) -> str:
        """The requested interval in words."""
        return f"{self.interval_ms} ms" if self.interval_ms else "adaptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """First pings with one cache empty, and their cost compared with no cache emptied."""

    cache: str
    by_mode: Mapping[str, Samples]  # round trips that were answered
    lost: Mapping[str, int]
    cost: Difference | None  # mean of the modes, infinite if pings were lost; None: not comparable

    @property
    def pings(self) -> int:
        """How many were sent."""
        return self.lost_pings + sum(map(len, self.by_mode.values()))

    @property
    def lost_pings(self) -> int:
        """How many were not answered."""
        return sum(self.lost.values())

    def median_of(self, modes: Iterable[str]) -> float:
        """The median of answered pings in these modes."""
        return float(np.median(np.concatenate([self.by_mode[mode] for mode in modes])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """All values that the report of a run needs."""

    main: Compared  # modes and baselines in the condition that is compared
    modes: tuple[str, ...]  # the levels between guests
    effects: tuple[Effect, ...]
    warms: tuple[Warm, ...]
    firsts: tuple[First, ...]

    def prediction(self, about: str) -> Prediction | None:
        """The prediction about an effect or a first ping, if there is one."""
        return next((each for each in self.main.question.predictions if each.about == about), None)


def analysed(run: Run) -> Analysed:
    """The samples by level, effect, condition and empty cache."""
    # In the rows of a baseline, its path takes the place of the mode.
    level = pl.when(pl.col("path") == GUEST).then("mode").otherwise("path")
    condition = {name: it for name, it in run.question.compared.items() if name != "path"}
    samples = run.samples.filter(**condition).with_columns(mode=level)
    # Predictions are about modes only.
    predictions = tuple(
        replace(each, excludes=(*each.excludes, *BASELINES)) for each in run.question.predictions
    )
    of_modes = replace(run, question=replace(run.question, predictions=predictions))
    main = compared(of_modes, samples, first=BASELINES, said=PINGS)
    modes = tuple(level for level in main.levels if level not in BASELINES)
    return Analysed(
        main=main,
        modes=modes,
        effects=effects(main.levels, baseline=main.baseline, seed=run.seed),
        warms=tuple(_warms(run, modes)),
        firsts=tuple(_firsts(run, modes)),
    )


def _warms(run: Run, modes: Sequence[str]) -> Iterator[Warm]:
    """Every condition of warm pings between guests, by payload, then interval."""
    condition, value = ("payload_bytes", "interval_ms"), run.question.value
    rows = run.samples.filter(phase=WARM, path=GUEST).sort(condition, maintain_order=True)
    for (payload, interval), mine in rows.group_by(condition, maintain_order=True):
        by_repeat = mine.group_by("mode", "repeat", maintain_order=True)
        medians = by_repeat.agg(pl.median(value)).drop_nulls(value)
        by_mode = {mode: tuple(medians.filter(mode=mode)[value]) for mode in modes}
        yield Warm(
            payload_bytes=payload,
            interval_ms=interval,
            kept_ms=kept_interval_ms(mine),
            by_mode={mode: rtts for mode, rtts in by_mode.items() if rtts},
        )


def kept_interval_ms(rows: pl.DataFrame) -> float | None:
    """Median interval of successive replies: ping's timer is coarser than its option."""
    series = ("repeat", "order", "path")
    gaps = (
        rows.drop_nulls("received_s")
        .sort(*series, "seq")
        .select(pl.col("seq", "received_s").diff().over(series))
        .filter(seq=1)["received_s"]
    )
    return float(np.median(gaps)) * 1000 if len(gaps) else None


def _firsts(run: Run, modes: Sequence[str]) -> Iterator[First]:
    """First pings by empty cache, in the order of CACHES, with no cache emptied last."""
    value = run.question.value
    samples = run.samples.filter(phase=FIRST)
    costs = _costs(samples, pl.col(value))
    for cache in CACHES:
        mine = samples.filter(cache=cache)
        rtts = {mode: mine.filter(mode=mode)[value] for mode in modes}
        sent = {mode: each for mode, each in rtts.items() if len(each)}
        if not mine.is_empty():
            yield First(
                cache=cache,
                by_mode={mode: each.drop_nulls().to_numpy() for mode, each in sent.items()},
                lost={mode: each.null_count() for mode, each in sent.items()},
                cost=_cost(costs.filter(cache=cache)["cost"], run.seed),
            )


def _costs(samples: pl.DataFrame, rtt: pl.Expr) -> pl.DataFrame:
    """The cost of each empty cache in each repeat: mean of the modes, minus no cache emptied."""
    # Lost pings count as infinitely long; the upper median, so that half lost is lost.
    median = rtt.fill_null(float("inf")).sort().get(pl.len() // 2)
    labs = samples.group_by("cache", "mode", "repeat", maintain_order=True).agg(median=median)
    base = labs.filter(pl.col("median").is_finite(), cache=NO_CACHE)
    return (
        labs.filter(pl.col("cache") != NO_CACHE)
        .join(
            base.select("mode", "repeat", base="median"),
            on=("mode", "repeat"),
            maintain_order="left",
        )
        .group_by("cache", "repeat", maintain_order=True)
        .agg(cost=(pl.col("median") - pl.col("base")).mean())
    )


def _cost(costs: pl.Series, seed: int) -> Difference | None:
    if costs.is_empty():
        return None
    if costs.is_finite().all():
        return over_repeats(costs.to_numpy(), seed=seed)
    return Difference(estimate=float("inf"), interval=None)
