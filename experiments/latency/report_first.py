"""First pings in the report of `latency`: what each empty cache costs.  Pure."""

from collections.abc import Sequence

import numpy as np

from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.latency.analysis import First
from experiments.latency.words import KERNEL_NEW_LAB, NEW_LAB, NO_CACHE
from experiments.show import judge
from experiments.show.report import (
    CONFIRMED,
    NONE,
    REFUTED,
    UNDECIDED,
    Outcome,
    Table,
    counted,
)
from experiments.show.statistics import Interval, call


def first_table(firsts: Sequence[First], modes: Sequence[str], unit: str, margin: float) -> Table:
    """Medians by empty cache and mode, and the cost of each empty cache."""
    return Table(
        title="First pings by empty cache",
        heads=("empty cache", *modes, "cost", "its interval", "conclusion"),
        rows=tuple(_row(each, modes, margin) for each in firsts),
        words=("empty cache", "conclusion"),
        note=f"Medians in {unit}. Cost: minus a ping with no cache emptied, mean of the modes. "
        "Each cache was emptied just before its ping, and checked to be empty.",
    )


def _row(each: First, modes: Sequence[str], margin: float) -> tuple[str, ...]:
    medians = (_cell(each, mode) for mode in modes)
    if each.cost is None:
        return (each.cache, *medians, NONE, NONE, "baseline" if each.cache == NO_CACHE else NONE)
    cost = f"{each.cost.estimate:+.3f}" if np.isfinite(each.cost.estimate) else "lost"
    return (each.cache, *medians, cost, _between(each.cost.interval), _verdict(each, margin))


def _cell(each: First, mode: str) -> str:
    """The median of answered pings, and how many were lost."""
    if mode not in each.by_mode:
        return NONE
    lost = each.lost[mode]
    if not sum(map(len, each.by_mode[mode])):
        return f"all {lost} lost"
    return f"{each.median_of([mode]):.3f}" + (f", {lost} lost" if lost else "")


def _verdict(each: First, margin: float) -> str:
    if each.lost_pings:
        return f"{each.lost_pings} of {each.pings} lost"
    return call(each.cost, margin) if each.cost else NONE


def _between(interval: Interval | None) -> str:
    return f"{interval.low:+.3f} to {interval.high:+.3f}" if interval else NONE


def first_finding(firsts: Sequence[First], unit: str) -> tuple[str, ...]:
    """The first empty cache that loses pings, and the single one that costs most time."""
    single = [each for each in firsts if each.cost and each.cache not in {NEW_LAB, KERNEL_NEW_LAB}]
    parts = [
        f"without {each.cache}, {each.lost_pings} of {each.pings} lost"
        for each in single
        if each.lost_pings
    ][:1]
    answered = {
        each.cache: each.cost for each in single if each.cost is not None and not each.lost_pings
    }
    if answered:
        most = max(answered, key=lambda cache: answered[cache].estimate)
        estimate, interval = answered[most].estimate, answered[most].interval
        cost = f"{interval.low:+.2f} to {interval.high:+.2f}" if interval else f"{estimate:+.2f}"
        parts.append(f"without {most}, {cost} {unit}")
    return (f"First pings: {'; '.join(parts)}",) if parts else ()


def first_outcome(prediction: Prediction, each: First, run: Run) -> Outcome:
    """The result of a prediction; one without bounds claims that there is no reply."""
    cost, lost = each.cost, each.lost_pings
    if lost or cost is None:
        said = f"{lost} of {counted(each.pings, 'first ping')} lost"
    else:
        interval = f" ({_between(cost.interval)})" if cost.interval else ""
        said = f"{cost.estimate:+.3f} {run.question.unit}{interval}"
    if prediction.low is None and prediction.high is None:
        return judge.judged(run, prediction, CONFIRMED if lost == each.pings else REFUTED, said)
    if lost:  # a lost ping has no round-trip time that could be within bounds
        is_mostly_lost = 2 * lost > each.pings
        return judge.judged(run, prediction, REFUTED if is_mostly_lost else UNDECIDED, said)
    return judge.within(run, prediction, [cost.interval if cost else None], said)
