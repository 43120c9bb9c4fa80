"""Part of the story of latency: what each factor does, held against what was predicted.  Pure."""

from collections.abc import Sequence

from experiments.core.question import Prediction
from experiments.latency.figure_effects import Line
from experiments.show.effects import Effect, contrast
from experiments.show.lanes import colours, to_baseline
from experiments.show.levels import Compared, between, figure_text
from experiments.show.levels import judged as judged_level
from experiments.show.report import NONE, NOT_JUDGED, Outcome, Table, is_trusted
from experiments.show.statistics import Difference, against, call


def effect_grid(found: Compared, effects: Sequence[Effect]) -> Table:
    """The table of effects."""
    return Table(
        title="Effects",
        heads=("effect", "which", "estimate", "its interval", "verdict on it", "prediction"),
        rows=tuple(_row(each, found) for each in effects),
        words=("effect", "which", "verdict on it", "prediction"),
        note=f"In {found.question.unit}: the median over blocks of differences of block medians. "
        "Intervals: bootstrap over blocks, 95%.",
    )


def _row(each: Effect, found: Compared) -> tuple[str, ...]:
    prediction = prediction_of(found, each.name)
    return (
        each.name,
        each.claim,
        figure_text(each.found.estimate, signed=True),
        between(each.found.interval, signed=True),
        call(each.found, found.question.margin),
        _stands(prediction, each.found, found) if prediction else NONE,
    )


def effect_findings(found: Compared, effects: Sequence[Effect]) -> tuple[str, ...]:
    """A line for each effect asked about, with its interval against the margin."""
    asked = ("encapsulation", "flooding", "tunnel")
    return tuple(
        _finding(each, found) for each in effects if each.name in asked and each.found.interval
    )


def _finding(each: Effect, found: Compared) -> str:
    unit, margin = found.question.unit, found.question.margin
    words = {
        "no difference that matters": f"within the margin ±{margin:g}",
        "undecided": f"undecided at ±{margin:g}",
    }.get(said := call(each.found, margin), f"{said} (margin ±{margin:g})")
    return f"{each.brief}: {between(each.found.interval, signed=True)} {unit}, {words}"


def effect_held(prediction: Prediction, each: Effect, found: Compared) -> Outcome:
    """What became of the prediction about an effect."""
    interval = between(each.found.interval, signed=True)
    words = (
        f"{each.claim}: {figure_text(each.found.estimate, signed=True)} {found.question.unit}"
        f"{'' if interval == NONE else f' ({interval})'}"
    )
    outcome = _stands(prediction, each.found, found)
    return Outcome(claim=prediction.claim, reason=prediction.reason, outcome=outcome, found=words)


def prediction_of(found: Compared, name: str) -> Prediction | None:
    """The prediction about an effect, if there is one."""
    return next((each for each in found.question.predictions if each.about == name), None)


def _stands(prediction: Prediction, difference: Difference, found: Compared) -> str:
    return against(prediction, difference) if is_trusted(found.run) else NOT_JUDGED


def forest(found: Compared, effects: Sequence[Effect]) -> tuple[Line, ...]:
    """Effects, then each tunnel against the baseline, as they are drawn."""
    return (*(_effect_line(each, found) for each in effects), *_level_lines(found))


def _effect_line(each: Effect, found: Compared) -> Line:
    return Line(
        name=each.name,
        small=each.brief,
        found=each.found,
        by_block=each.by_block,
        predicted=_band(prediction_of(found, each.name)),
    )


def _level_lines(found: Compared) -> tuple[Line, ...]:
    prediction = to_baseline(found.question)
    palette = colours(list(found.levels), found.baseline)
    return tuple(
        Line(
            name=each.level,
            small=f"minus {found.baseline}",
            found=each.to_baseline,
            by_block=tuple(map(float, contrast(found.levels, {each.level: 1, found.baseline: -1}))),
            predicted=_band(prediction),
            colour=palette[each.level],
        )
        for each in found.summaries
        if each.to_baseline and judged_level(each, found) != NONE
    )


def _band(prediction: Prediction | None) -> tuple[float, float] | None:
    if prediction is None or prediction.low is None or prediction.high is None:
        return None
    return prediction.low, prediction.high
