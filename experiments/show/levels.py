"""Levels of a factor held against a baseline: medians, differences, intervals over blocks.

The teller of any experiment whose samples are figures with a spread; pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from experiments.core.question import Question, Row, level_name, of_point
from experiments.core.results import Run
from experiments.show import lanes as boxes
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption, sheet, title
from experiments.show.statistics import (
    Interval,
    Repeats,
    Summary,
    against,
    call,
    levels_of,
    lost_of,
    summarise,
)

WORDS = ("level", "verdict on it", "prediction")
NAME_IN = 0.19  # the least height of the ECDF, for each name beside it
ROW_IN, ROWS_IN = 0.78, 5.5  # the height of a row of samples, and of all rows at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The levels of a run, analysed."""

    run: Run
    levels: Mapping[str, Repeats]
    summaries: tuple[Summary, ...]

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.run.question

    @property
    def baseline(self) -> str:
        """The level that others are held against; empty if there is none."""
        return level_name(self.question.baseline)


def compared(run: Run, rows: Sequence[Row], *, first: Sequence[str] = ()) -> Compared:
    """The rows analysed, the levels `first` before others.

    The bootstrap's seed is the run's own, so that it repeats.
    """
    found = levels_of(rows, run.question)
    levels = {level: found[level] for level in dict.fromkeys((*first, *found)) if level in found}
    summaries = summarise(
        levels,
        lost_of(rows, run.question),
        baseline=level_name(run.question.baseline),
        seed=run.seed,
    )
    return Compared(run=run, levels=levels, summaries=summaries)


def build_report(run: Run) -> Report:
    """The story of a run, by the rows that its question compares."""
    found = compared(run, of_point(run.rows_of(), run.question.compared))
    conditions = f"{counted(repeats_of(found), 'repeat')}; scenario {run.about['scenario']}"
    report = Report(
        run=run,
        findings=findings(found),
        outcomes=outcomes(found),
        tables=(table(found),),
        pictures=(),
        conditions=conditions,
        data=data(found),
    )
    return with_picture(report, found)


def with_picture(report: Report, found: Compared) -> Report:
    """The story with the picture of its levels before all others."""
    unit, name = found.question.unit, found.question.name
    medians = ", ".join(f"{each.level} {each.median:.3f} {unit}" for each in found.summaries)
    picture = Picture(
        name=name,
        title="Every sample, by level",
        alternative=f"Box plot and ECDF of {found.question.value}; medians: {medians}",
        draw=lambda report: draw(found, Caption.of(report)),
    )
    return replace(report, pictures=(picture, *report.pictures))


def repeats_of(found: Compared) -> int:
    """How many blocks there are, of the level that has most."""
    return max(each.repeats for each in found.summaries)


def findings(found: Compared) -> tuple[str, ...]:
    """The findings, claiming no more than the intervals bear; a line per level."""
    others = [each for each in found.summaries if each.to_baseline]
    if not others:
        levels = ", ".join(each.level for each in found.summaries)
        wants = f" (a difference takes {found.baseline} and another)" if found.baseline else ""
        return (f"Measured: {levels}{wants}",)
    if all(each.to_baseline and each.to_baseline.interval is None for each in others):
        many = counted(repeats_of(found), "repeat")
        return (f"A first look at {len(found.summaries)} levels in {many}: no interval, no claim",)
    return tuple(_finding(each, found) for each in others)


def _finding(each: Summary, found: Compared) -> str:
    difference, unit, margin = each.to_baseline, found.question.unit, found.question.margin
    if difference is None or difference.interval is None:
        return f"{each.level}: too few blocks"
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
    """The prediction about differences to the baseline, and what became of it level by level."""
    prediction = boxes.to_baseline(found.question)
    outcome = {each.level: judged(each, found) for each in found.summaries}
    said = {level: word for level, word in outcome.items() if word != NONE}
    if prediction is None or not said:
        return ()
    stood = of_all(said.values())
    parts = (
        _beside(each, "" if said[each.level] == stood else f" {said[each.level]}")
        for each in found.summaries
        if each.level in said
    )
    return (
        Outcome(
            claim=prediction.claim,
            reason=prediction.reason,
            outcome=stood,
            found=f"{', '.join(parts)} [{found.question.unit}]",
        ),
    )


def of_all(words: Iterable[str]) -> str:
    """What becomes of a prediction about several levels: the least favourable one decides."""
    said = set(words)
    return next(word for word in (REFUTED, NOT_JUDGED, UNDECIDED, CONFIRMED) if word in said)


def _beside(each: Summary, word: str) -> str:
    """A level with its difference, and what it says if that differs from the whole."""
    estimate = each.to_baseline.estimate if each.to_baseline else None
    return f"{each.level} {figure_text(estimate, signed=True)}{word}"


def judged(each: Summary, found: Compared) -> str:
    """What a level says of the prediction: nothing if it is not about it, or the run is no good."""
    prediction, difference = boxes.to_baseline(found.question), each.to_baseline
    if prediction is None or difference is None or not prediction.is_about(each.level):
        return NONE
    return against(prediction, difference) if is_trusted(found.run) else NOT_JUDGED


def table(found: Compared, heading: str = "By level") -> Table:
    """The table of all levels."""
    to = f"to {found.baseline}" if found.baseline else "difference"
    before, after = ("level", "samples", "lost", "p10", "median", "p90"), (to, "its interval")
    return Table(
        title=heading,
        heads=(*before, "p99", "min", "max", "95% interval", *after, "verdict on it", "prediction"),
        rows=tuple(_cells(each, found) for each in found.summaries),
        words=WORDS,
        first=(*before, *after),
        note=f"In {found.question.unit}. Differences: the median over blocks of differences of "
        "block medians. Intervals: bootstrap over blocks, 95%.",
    )


def _cells(each: Summary, found: Compared) -> tuple[str, ...]:
    difference, margin = each.to_baseline, found.question.margin
    return (
        each.level,
        str(each.samples + each.lost),
        str(each.lost),
        figure_text(each.percentiles[10]),
        figure_text(each.median),
        figure_text(each.percentiles[90]),
        figure_text(each.percentiles[99]),
        *_ends(found.levels[each.level]),
        between(each.interval),
        figure_text(difference.estimate, signed=True) if difference else NONE,
        between(difference.interval, signed=True) if difference else NONE,
        call(difference, margin) if difference else "baseline",
        judged(each, found),
    )


def _ends(repeats: Repeats) -> tuple[str, str]:
    every = np.concatenate(repeats)
    return figure_text(float(every.min())), figure_text(float(every.max()))


def data(found: Compared) -> tuple[Mapping[str, object], ...]:
    """The summaries, for `--format json`."""
    return tuple(_data(each, found) for each in found.summaries)


def _data(each: Summary, found: Compared) -> Mapping[str, object]:
    difference = each.to_baseline
    words = (
        {"call": call(difference, found.question.margin), "prediction": judged(each, found)}
        if difference
        else {}
    )
    return {**asdict(each), **words}


def draw(found: Compared, words: Caption) -> Figure:
    """One figure: every sample and its box, the ECDF on the same axis, then the differences."""
    has_intervals = any(e.to_baseline and e.to_baseline.interval for e in found.summaries)
    rows = len(found.levels)
    heights = [min(ROW_IN * rows, ROWS_IN), max(2.0, NAME_IN * rows)]
    heights += [0.36 * (rows - 1) + 0.25] if has_intervals else []
    figure, axes = sheet(words, heights)
    palette = boxes.colours(list(found.levels), found.baseline)
    question = found.question
    boxes.plot_boxes(axes[0], found.levels, palette)
    boxes.plot_ecdf(axes[1], found.levels, palette)
    for ax in axes[:2]:
        boxes.log_axis(ax, found.levels, f"{question.value.rpartition('_')[0]} [{question.unit}]")
    axes[0].set_xlabel("")
    axes[0].tick_params(axis="x", labelbottom=False, length=0)
    title(axes[0], "Every sample", boxes.how_to_read(max(map(len, found.levels.values()))))
    title(axes[1], "Share of samples up to a value (ECDF)")
    if has_intervals:
        title(axes[2], "Difference of medians, 95% interval", boxes.said_beforehand(question))
        boxes.plot_differences(axes[2], question, found.summaries, palette)
    return figure


def figure_text(value: float | None, *, signed: bool = False) -> str:
    """A figure with three digits."""
    return NONE if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def between(interval: Interval | None, *, signed: bool = False) -> str:
    """An interval in words."""
    if interval is None:
        return NONE
    low, high = (figure_text(edge, signed=signed) for edge in (interval.low, interval.high))
    return f"{low} to {high}"
