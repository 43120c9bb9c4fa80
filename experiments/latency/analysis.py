"""The samples of `latency` as values: levels, effects, conditions, first pings.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.latency.words import BASELINES, CACHES, FIRST, GUEST, NO_CACHE, WARM, first_ping
from experiments.show.effects import Effect, effects
from experiments.show.levels import Compared, compared
from experiments.show.statistics import Difference, Repeats, over_repeats


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
    by_mode: Mapping[str, Repeats]  # round trips that were answered
    lost: Mapping[str, int]
    cost: Difference | None  # mean of the modes, infinite if pings were lost; None: not comparable

    @property
    def pings(self) -> int:
        """How many were sent."""
        return self.lost_pings + sum(len(each) for all_ in self.by_mode.values() for each in all_)

    @property
    def lost_pings(self) -> int:
        """How many were not answered."""
        return sum(self.lost.values())

    def median_of(self, modes: Sequence[str]) -> float:
        """The median of answered pings in these modes."""
        every = [repeat for mode in modes for repeat in self.by_mode[mode]]
        return float(np.median(np.concatenate(every)))

    @property
    def median(self) -> float:
        """The median of all answered pings."""
        return self.median_of(tuple(self.by_mode))


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """All values that the report of a run needs."""

    main: Compared  # modes and baselines in the condition that is compared
    effects: tuple[Effect, ...]
    warms: tuple[Warm, ...]
    firsts: tuple[First, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """The levels between guests."""
        return tuple(level for level in self.main.levels if level not in BASELINES)

    def prediction(self, about: str) -> Prediction | None:
        """The prediction about an effect or a first ping, if there is one."""
        return next((each for each in self.main.question.predictions if each.about == about), None)

    def predicted_first(self, first: First) -> Prediction | None:
        """The prediction about these first pings, if there is one."""
        return self.prediction(first_ping(first.cache))


def analysed(run: Run) -> Analysed:
    """The samples by level, effect, condition and empty cache."""
    # In the rows of a baseline, its path takes the place of the mode.
    level = pl.when(pl.col("path") == GUEST).then("mode").otherwise("path")
    condition = {name: it for name, it in run.question.compared.items() if name != "path"}
    samples = run.samples.filter(**condition).with_columns(mode=level)
    main = compared(_without_baselines(run), samples, first=BASELINES)
    modes = tuple(level for level in main.levels if level not in BASELINES)
    return Analysed(
        main=main,
        effects=effects(main.levels, baseline=main.baseline, seed=run.seed),
        warms=_warms(run, modes),
        firsts=_firsts(run, modes),
    )


def _without_baselines(run: Run) -> Run:
    """The run with predictions about modes only."""
    predictions = tuple(
        replace(each, excludes=(*each.excludes, *BASELINES)) for each in run.question.predictions
    )
    return replace(run, question=replace(run.question, predictions=predictions))


def _warms(run: Run, modes: Sequence[str]) -> tuple[Warm, ...]:
    """Every condition of warm pings between guests, by payload, then interval."""
    condition = ("payload_bytes", "interval_ms")
    rows = run.samples.filter(phase=WARM, path=GUEST).sort(condition, maintain_order=True)
    found = []
    for (payload, interval), mine in rows.group_by(condition, maintain_order=True):
        medians = (
            mine.group_by("mode", "repeat", maintain_order=True)
            .agg(rtt=pl.median(run.question.value))
            .drop_nulls("rtt")
        )
        by_mode = {mode: tuple(medians.filter(mode=mode)["rtt"]) for mode in modes}
        found.append(
            Warm(
                payload_bytes=payload,
                interval_ms=interval,
                kept_ms=kept_interval_ms(mine),
                by_mode={mode: rtts for mode, rtts in by_mode.items() if rtts},
            )
        )
    return tuple(found)


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


def _firsts(run: Run, modes: Sequence[str]) -> tuple[First, ...]:
    """First pings by empty cache, in the order of CACHES, with no cache emptied last."""
    rtt = pl.col(run.question.value)
    labs = (
        run.samples.filter(phase=FIRST)
        .drop_nulls("cache")
        .group_by("cache", "mode", "repeat", maintain_order=True)
        .agg(
            rtt.drop_nulls().alias("rtts"),
            lost=rtt.null_count(),
            # Lost pings count as infinitely long; the upper median, so that half lost is lost.
            median=rtt.fill_null(float("inf")).sort().get(pl.len() // 2),
        )
    )
    base = labs.filter(pl.col("median").is_finite(), cache=NO_CACHE)
    costs = (
        labs.filter(pl.col("cache") != NO_CACHE)
        .join(
            base.select("mode", "repeat", base="median"),
            on=("mode", "repeat"),
            maintain_order="left",
        )
        .group_by("cache", "repeat", maintain_order=True)
        .agg(cost=(pl.col("median") - pl.col("base")).mean())
    )
    found = set(labs["cache"])
    return tuple(_first(each, labs, costs, modes, run.seed) for each in CACHES if each in found)


def _first(
    cache: str, labs: pl.DataFrame, costs: pl.DataFrame, modes: Sequence[str], seed: int
) -> First:
    by_mode = {mode: mine for mode in modes if len(mine := labs.filter(cache=cache, mode=mode))}
    return First(
        cache=cache,
        by_mode={
            mode: [rtts.to_numpy() for rtts in mine["rtts"]] for mode, mine in by_mode.items()
        },
        lost={mode: int(mine["lost"].sum()) for mode, mine in by_mode.items()},
        cost=_cost(costs.filter(cache=cache)["cost"], seed),
    )


def _cost(costs: pl.Series, seed: int) -> Difference | None:
    if costs.is_empty():
        return None
    if costs.is_finite().all():
        return over_repeats(costs.to_numpy(), seed=seed)
    return Difference(estimate=float("inf"), interval=None)
