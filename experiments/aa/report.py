"""The story of the self-check: how often a mode is called different from itself.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from controller.model.errors import MeasureError
from experiments.aa.check import ALLOWED, DRAWS, PER_DRAW, Checked, Pool, chance_of_more, check
from experiments.aa.figure import plot_draws
from experiments.core.question import Row, of_point
from experiments.core.results import Run
from experiments.show import lanes as boxes
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption, sheet, title
from experiments.show.statistics import Repeats, Samples

LABELS = ("a", "b")
ASSUMES = (
    "Labels must be exchangeable: the two labs of a block are raised alike, in an order drawn by "
    f"the seed. All {DRAWS} draws come from one pool of labs: given the pool they are "
    "independent, but what they tell is of this pool, so a run is one trial, not many."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """One mode against itself."""

    mode: str
    pool: Pool
    checked: Checked | None  # None: the pool is too small

    @property
    def labels(self) -> dict[str, Repeats]:
        """The samples by label."""
        return {
            f"{self.mode}, {label}": [pair[at] for pair in self.pool]
            for at, label in enumerate(LABELS)
        }


def build_report(run: Run) -> Report:
    """The story of a self-check.

    Raises:
        MeasureError: no block has both labels.
    """
    found = tuple(
        Itself(
            mode=str(mode), pool=(pool := _pool(run, str(mode))), checked=check(pool, seed=run.seed)
        )
        for mode in run.question.factors["mode"]
    )
    outcome = _stands(found, run)
    report = Report(
        run=run,
        findings=tuple(line for each in found for line in _findings(each)),
        outcomes=_outcomes(found, run, outcome),
        tables=(_table(found),),
        pictures=(),
        conditions=_conditions(found, run),
        is_refuted=outcome == REFUTED,
        data=_data(found),
    )
    return replace(report, pictures=tuple(_picture(each, run) for each in found))


def _pool(run: Run, mode: str) -> Pool:
    """The blocks in which both labels have samples."""
    rows = of_point(run.rows_of(), {**run.question.compared, "mode": mode})
    a, b = (_repeats(of_point(rows, {"label": label}), run.question.value) for label in LABELS)
    both = [(a[repeat], b[repeat]) for repeat in a if repeat in b]
    if not both:
        raise MeasureError(
            "no block with samples of both labels",
            where=f"samples of {mode}",
            allowed="at least one",
            do="Look in raw/ for what the tools said.",
        )
    return both


def _repeats(rows: Sequence[Row], value: str) -> dict[object, Samples]:
    found: dict[object, list[float]] = {}
    for row in rows:
        if (each := row[value]) is not None:
            found.setdefault(row["repeat"], []).append(float(each))
    return {repeat: np.array(samples) for repeat, samples in found.items()}


def _findings(each: Itself) -> tuple[str, ...]:
    """How often it was called different."""
    if each.checked is None:
        many = counted(len(each.pool), "repeat")
        return (f"{each.mode} against itself: a first look at {many}, a draw takes {PER_DRAW}",)
    return (f"{each.mode} against itself: {_counted(each)} called different",)


def _counted(each: Itself) -> str:
    return f"{len(each.checked.wrong)} of {DRAWS}" if each.checked else "too few blocks"


def _stands(found: Sequence[Itself], run: Run) -> str:
    all_checked = [each.checked for each in found]
    if not is_trusted(run) or not all(all_checked):
        return NOT_JUDGED
    return CONFIRMED if all(each.is_fair for each in all_checked if each) else REFUTED


def _outcomes(found: Sequence[Itself], run: Run, outcome: str) -> tuple[Outcome, ...]:
    said = ", ".join(f"{each.mode}: {_counted(each)}" for each in found)
    return tuple(
        Outcome(claim=each.claim, reason=each.reason, outcome=outcome, found=said)
        for each in run.question.predictions
    )


def _table(found: Sequence[Itself]) -> Table:
    return Table(
        title="Called different from itself",
        heads=("mode", "repeats", "wrong", "of", "at most", "half width"),
        rows=tuple(_row(each) for each in found),
        words=("mode",),
        note=f"Wrong: the 95% interval leaves out 0. Intervals that keep their promise are wrong "
        f"more than {ALLOWED} times of {DRAWS} with a chance of at most {chance_of_more():.1%} "
        f"(binomial). Half width: the median of the draws, in ms. {ASSUMES}",
    )


def _row(each: Itself) -> tuple[str, ...]:
    if each.checked is None:
        return (each.mode, str(len(each.pool)), *[NONE] * 4)
    wrong = str(len(each.checked.wrong))
    return (
        each.mode,
        str(len(each.pool)),
        wrong,
        str(DRAWS),
        str(ALLOWED),
        f"{_half_width(each.checked):.3f}",
    )


def _half_width(checked: Checked) -> float:
    """What the comparison can tell apart from nothing, typically."""
    widths = [each.interval.high - each.interval.low for each in checked.draws if each.interval]
    return float(np.median(widths)) / 2


def _conditions(found: Sequence[Itself], run: Run) -> str:
    pool = found[0].pool
    pings = max(len(samples) for pair in pool for samples in pair)
    return (
        f"Pool of {counted(len(pool), 'repeat')} of two fresh labs, {pings} warm pings each; "
        f"{DRAWS} draws of {PER_DRAW} blocks without replacement, labels swapped at random; "
        f"scenario {run.about.get('scenario')}"
    )


def _data(found: Sequence[Itself]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "mode": each.mode,
            "wrong": len(each.checked.wrong),
            "draws": DRAWS,
            "allowed": ALLOWED,
            "half_width": _half_width(each.checked),
        }
        for each in found
        if each.checked
    )


def _picture(each: Itself, run: Run) -> Picture:
    return Picture(
        name="aa" if len(run.question.factors["mode"]) == 1 else f"aa-{each.mode}",
        title=f"{each.mode} against itself",
        alternative=f"Intervals of the draws, sorted; leaving out 0: {_counted(each)}",
        draw=lambda report: _draw(each, run.question.unit, Caption.of(report)),
    )


def _draw(each: Itself, unit: str, words: Caption) -> Figure:
    """The draws, then the labs they were drawn from."""
    heights = [2.6, 2.6] if each.checked else [2.6]
    figure, axes = sheet(words, heights, frame_in=1.2 + 0.6 * len(heights))
    if each.checked:
        plot_draws(axes[0], each.checked.draws, each.checked.wrong, unit)
        wrong = f"strong: leaves out 0, {_counted(each)}; by chance at most {ALLOWED}"
        title(axes[0], f"{DRAWS} comparisons of {each.mode} with itself, 95% intervals", wrong)
    boxes.plot_boxes(axes[-1], each.labels, boxes.colours(list(each.labels), ""))
    boxes.log_axis(axes[-1], each.labels, f"warm round-trip time [{unit}]")
    title(axes[-1], "The labs they are drawn from", boxes.how_to_read(len(each.pool)))
    return figure
