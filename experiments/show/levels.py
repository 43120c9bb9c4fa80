"""Levels of a factor compared with a baseline: medians, differences, intervals over repeats.  Pure.

The report of any experiment whose samples are numbers with a spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from controller.model.wording import counted
from experiments.core.question import Prediction, Question, level_name
from experiments.core.results import Run
from experiments.show import answers, judge
from experiments.show.answers import Answer, Wording, quick_note
from experiments.show.axes import row_in
from experiments.show.intervals import Intervals, Row, bounds
from experiments.show.judge import of_all
from experiments.show.marks import boxes
from experiments.show.palette import colours
from experiments.show.report import (
    NONE,
    NOT_JUDGED,
    Caption,
    Outcome,
    Picture,
    Report,
    Table,
    is_trusted,
)
from experiments.show.sheet import sheet, title
from experiments.show.statistics import (
    Interval,
    Repeats,
    Summary,
    call,
    levels_of,
    lost_of,
    summarise,
)

DIFFERENCE_IN = 0.14  # a row of a difference is higher by so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The levels of a run, analysed."""

    run: Run
    levels: Mapping[str, Repeats]
    summaries: tuple[Summary, ...]
    said: Wording = answers.VALUES  # how a difference is said

    @property
    def named(self) -> tuple[str, ...]:
        """The modes named with `--modes`; empty if none was, or levels are more than modes."""
        return tuple(mode for mode in self.run.named_modes if mode in self.levels)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Each named mode compared with the first."""
        if len(self.named) < 2:
            return ()
        found = answers.differences(self.levels, self.named, self.said, seed=self.run.seed)
        return tuple(found)

    @property
    def question(self) -> Question:
        """The question of the run."""
        return self.run.question

    @property
    def baseline(self) -> str:
        """The level that others are compared with; empty if there is none."""
        return level_name(self.question.baseline)


def compared(
    run: Run,
    samples: pl.DataFrame,
    *,
    first: Sequence[str] = (),
    said: Wording = answers.VALUES,
) -> Compared:
    """The samples analysed, the levels `first` before others.

    The seed of the bootstrap is the run's own, so that it repeats.
    """
    found = levels_of(samples, run.question)
    levels = {level: found[level] for level in dict.fromkeys((*first, *found)) if level in found}
    summaries = summarise(
        levels,
        lost_of(samples, run.question),
        baseline=level_name(run.question.baseline),
        seed=run.seed,
    )
    said = replace(said, unit=run.question.unit, margin=run.question.margin)
    return Compared(run=run, levels=levels, summaries=summaries, said=said)


def build_report(run: Run) -> Report:
    """The report of a run, by the rows that its question compares."""
    found = compared(run, run.samples.filter(**run.question.compared))
    return Report(
        run=run,
        findings=findings(found),
        outcomes=outcomes(found),
        tables=(table(found),),
        pictures=(picture(found),),
        conditions=f"{counted(repeats_of(found), 'repeat')}; scenario {run.about['scenario']}",
        data=data(found),
    )


def picture(found: Compared) -> Picture:
    """The levels as boxes, and the differences."""
    unit, name = found.question.unit, found.question.name
    medians = ", ".join(f"{each.level} {each.median:.3f} {unit}" for each in found.summaries)
    return Picture(
        name=name,
        title=findings(found)[0],
        alternative=f"Box plots of {found.question.value}; medians: {medians}",
        draw=lambda caption: draw(found, caption),
    )


def repeats_of(found: Compared) -> int:
    """How many repeats the level with most repeats has."""
    return max(each.repeats for each in found.summaries)


def findings(found: Compared) -> tuple[str, ...]:
    """What was asked, else a finding for each level, from its interval."""
    if asked := answered(found):
        return (*asked, *quick_note(found.run))
    others = [each for each in found.summaries if each.to_baseline]
    if not others:
        levels = ", ".join(each.level for each in found.summaries)
        wants = f" (a difference takes {found.baseline} and another)" if found.baseline else ""
        return (f"Measured: {levels}{wants}",)
    if all(each.to_baseline and each.to_baseline.interval is None for each in others):
        many = counted(repeats_of(found), "repeat")
        return quick_note(found.run) or (f"{many}: no confidence intervals",)
    return tuple(_finding(each, found) for each in others)


def answered(found: Compared) -> tuple[str, ...]:
    """The named modes compared with the first, or the median of the only one; empty if none was."""
    if len(found.named) == 1:
        (mode,) = found.named
        median = answers.of_one(mode, found.levels[mode], found.said, seed=found.run.seed)
        return (f"{median}; name a second mode for a difference",)
    return tuple(each.text for each in found.answers)


def _finding(each: Summary, found: Compared) -> str:
    difference, unit, margin = each.to_baseline, found.question.unit, found.question.margin
    if difference is None or difference.interval is None:
        return f"{each.level}: too few repeats"
    interval = difference.interval
    low, high = sorted((abs(interval.low), abs(interval.high)))
    span = f"{between(interval, signed=True)} {unit}, undecided at ±{margin:g}"
    clear = f"{each.level} is {{}} than {found.baseline} by {low:.3f} to {high:.3f} {unit}"
    return {
        "higher": clear.format("higher"),
        "lower": clear.format("lower"),
        "no difference that matters": f"{each.level} is within ±{margin:g} {unit} of "
        f"{found.baseline}",
    }.get(call(difference, margin), f"{each.level} minus {found.baseline}: {span}")


def outcomes(found: Compared) -> tuple[Outcome, ...]:
    """The outcome of the prediction about differences to the baseline, with each level's."""
    prediction = to_baseline(found.question)
    by_level = {each.level: judged(each, found) for each in found.summaries}
    about = {level: outcome for level, outcome in by_level.items() if outcome != NONE}
    if prediction is None or not about:
        return ()
    overall = of_all(about.values())
    parts = (
        f"{each.level} {figure_text(each.to_baseline.estimate, signed=True)}"
        + ("" if about[each.level] == overall else f" {about[each.level]}")
        for each in found.summaries
        if each.to_baseline and each.level in about
    )
    measured = f"{', '.join(parts)} [{found.question.unit}]"
    return (judge.judged(found.run, prediction, overall, measured),)


def to_baseline(question: Question) -> Prediction | None:
    """The prediction about the difference to the baseline, if there is one."""
    return next((each for each in question.predictions if each.about == "baseline"), None)


def judged(each: Summary, found: Compared) -> str:
    """The outcome of the prediction for one level; NONE if it is not about it."""
    prediction, difference = to_baseline(found.question), each.to_baseline
    if prediction is None or difference is None or each.level in prediction.excludes:
        return NONE
    by_interval = judge.of_ranges(prediction, (difference.interval,))
    return by_interval if is_trusted(found.run) else NOT_JUDGED


def table(found: Compared, heading: str = "By level") -> Table:
    """The table of all levels."""
    to = f"to {found.baseline}" if found.baseline else "difference"
    before, after = ("level", "samples", "lost", "p10", "median", "p90"), (to, "its interval")
    return Table(
        title=heading,
        heads=(*before, "p99", "min", "max", "95% interval", *after, "conclusion", "prediction"),
        rows=tuple(_cells(each, found) for each in found.summaries),
        words=("level", "conclusion", "prediction"),
        note=f"In {found.question.unit}. Differences: the median over repeats of the "
        "differences of their medians. Intervals: bootstrap over repeats, 95%.",
    )


def _cells(each: Summary, found: Compared) -> tuple[str, ...]:
    difference, margin = each.to_baseline, found.question.margin
    every = np.concatenate(found.levels[each.level])
    return (
        each.level,
        str(each.samples + each.lost),
        str(each.lost),
        figure_text(each.percentiles[10]),
        figure_text(each.median),
        figure_text(each.percentiles[90]),
        figure_text(each.percentiles[99]),
        figure_text(float(every.min())),
        figure_text(float(every.max())),
        between(each.interval),
        figure_text(difference.estimate, signed=True) if difference else NONE,
        between(difference.interval, signed=True) if difference else NONE,
        call(difference, margin) if difference else "baseline",
        judged(each, found),
    )


def data(found: Compared) -> tuple[Mapping[str, object], ...]:
    """The summaries and the answers, for `--format json`."""
    margin = found.question.margin
    levels = (
        {**asdict(each), "call": call(each.to_baseline, margin), "prediction": judged(each, found)}
        if each.to_baseline
        else asdict(each)
        for each in found.summaries
    )
    return (*levels, *(each.data for each in found.answers))


def draw(found: Compared, caption: Caption) -> Figure:
    """A box for each level, then the differences."""
    question, palette = found.question, colours(list(found.levels))
    differences = _differences(found, palette)
    has_intervals = any(row.found.interval for row in differences.rows)
    names = [row.name for row in differences.rows]
    heights = [row_in(list(found.levels)) * len(found.levels) + 0.1]
    heights += [(row_in(names) + DIFFERENCE_IN) * len(names)] if has_intervals else []
    figure, axes = sheet(caption, heights, frame_in=0.9 + 1.1 * has_intervals)
    pooled = {level: np.concatenate(repeats) for level, repeats in found.levels.items()}
    boxes(axes[0], pooled, palette, ".3f")
    axes[0].set_xlabel(f"{question.value.rpartition('_')[0] or question.value} [{question.unit}]")
    title(axes[0], "By level", "box: quartiles; whiskers: p10 to p90; number: median")
    if has_intervals:
        title(axes[1], "Differences of medians", differences.legend)
        differences(axes[1])
    return figure


def _differences(found: Compared, palette: Mapping[str, str]) -> Intervals:
    """A row for each level that is compared with the baseline."""
    prediction = to_baseline(found.question)
    return Intervals(
        rows=[
            Row(
                name=each.level,
                found=each.to_baseline,
                predicted=bounds(prediction if judged(each, found) != NONE else None),
                colour=palette[each.level],
            )
            for each in found.summaries
            if each.to_baseline
        ],
        unit=found.question.unit,
        margin=found.question.margin,
        label=f"median minus that of {found.baseline}",
    )


def figure_text(value: float | None, *, signed: bool = False) -> str:
    """A number with three decimals."""
    return NONE if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def between(interval: Interval | None, *, signed: bool = False) -> str:
    """Such as `0.1 to 0.3`."""
    if interval is None:
        return NONE
    low, high = (figure_text(edge, signed=signed) for edge in (interval.low, interval.high))
    return f"{low} to {high}"
