"""The pictures of the story of latency.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from controller.model.modes import KERNEL
from experiments.core.question import Prediction
from experiments.latency.analysis import Analysed
from experiments.latency.figure_cold import Group, plot_cold, rows_of
from experiments.latency.figure_conditions import Place, plot_conditions
from experiments.latency.figure_effects import how_to_read, plot_forest
from experiments.latency.report_cold import NOTHING, Cold
from experiments.latency.report_effects import forest, prediction_of
from experiments.latency.report_warm import Warm, kept_text
from experiments.show import lanes as boxes
from experiments.show.levels import repeats_of
from experiments.show.report import Picture
from experiments.show.sheet import Caption, sheet, title

ROW_IN, EFFECT_IN, COLD_IN, CONDITION_IN = 0.52, 0.33, 0.155, 2.3


def pictures(found: Analysed) -> tuple[Picture, ...]:
    """The run's own first, then warm distributions, conditions, and cold starts."""
    medians = ", ".join(f"{each.level} {each.median:.3f} ms" for each in found.main.summaries)
    return (
        Picture(
            name="latency",
            title="Warm round trips, and what each factor does to them",
            alternative=f"Every warm round trip by level, over box plots; medians: {medians}",
            draw=lambda report: draw_main(found, Caption.of(report)),
        ),
        Picture(
            name="latency-ecdf",
            title="Warm round trips between guests, as distributions",
            alternative="Share of warm round trips up to a time, a curve for each mode",
            draw=lambda report: draw_ecdf(found, Caption.of(report, findings=())),
        ),
        *_of_conditions(found),
        *_of_colds(found),
    )


def _of_conditions(found: Analysed) -> tuple[Picture, ...]:
    if len(found.warms) < 2:
        return ()
    return (
        Picture(
            name="latency-conditions",
            title="Warm round trips over payload and interval",
            alternative="Block medians of warm round trips by mode, for each payload and interval",
            draw=lambda report: draw_conditions(found, Caption.of(report, findings=())),
        ),
    )


def _of_colds(found: Analysed) -> tuple[Picture, ...]:
    if not found.colds:
        return ()
    said = "; ".join(f"{each.name}: {_told(each)}" for each in found.colds)
    return (
        Picture(
            name="latency-cold",
            title="First pings by what was cold",
            alternative=f"Round trips of first pings by what was cold and mode. {said}",
            draw=lambda report: draw_cold(found, Caption.of(report, findings=())),
        ),
    )


def _told(each: Cold) -> str:
    if each.lost_pings:
        return f"{each.lost_pings} of {each.pings} lost"
    return f"median {each.median:.3f} ms"


def draw_main(found: Analysed, words: Caption) -> Figure:
    """Every sample and its box by level; below, effects and differences with their intervals."""
    main, question = found.main, found.main.question
    lines = forest(main, found.effects)
    has_intervals = any(line.found.interval for line in lines)
    heights = [
        ROW_IN * len(main.levels),
        *([EFFECT_IN * len(lines) + 0.2] if has_intervals else []),
    ]
    figure, axes = sheet(words, heights)
    boxes.plot_boxes(axes[0], main.levels, _palette(found))
    boxes.log_axis(axes[0], main.levels, f"warm round-trip time [{question.unit}]")
    title(axes[0], "Every warm ping", boxes.how_to_read(repeats_of(main)))
    if has_intervals:
        plot_forest(axes[1], lines, margin=question.margin, unit=question.unit)
        said = how_to_read(question.margin, question.unit, repeats=repeats_of(main))
        title(axes[1], "What each factor does, and what a tunnel costs", said)
    return figure


def draw_ecdf(found: Analysed, words: Caption) -> Figure:
    """The distributions between guests; the baselines would only squeeze them."""
    levels = {mode: found.main.levels[mode] for mode in found.modes}
    figure, (ax,) = sheet(words, [max(2.6, 0.19 * len(levels))])
    boxes.plot_ecdf(ax, levels, _palette(found))
    boxes.log_axis(ax, levels, f"warm round-trip time [{found.main.question.unit}]")
    title(ax, "Share of warm pings between guests answered within a time (ECDF)")
    return figure


def draw_conditions(found: Analysed, words: Caption) -> Figure:
    """A panel over payloads for each interval, and one over intervals where there are several."""
    panels = _panels(found.warms)
    figure, axes = sheet(words, [CONDITION_IN] * len(panels), frame_in=1.0 + 0.75 * len(panels))
    for ax, (bold, small, places, joined) in zip(axes, panels, strict=True):
        plot_conditions(ax, places, _palette(found), joined=joined)
        ax.set_ylabel(f"round trip [{found.main.question.unit}]")
        title(ax, bold, small)
    return figure


Panel = tuple[str, str, Sequence[Place], bool]


def _panels(warms: Sequence[Warm]) -> list[Panel]:
    """Over payload where an interval has several, over interval where a payload has several."""
    dots = "dots: block medians, strokes: their median; left to right as named"
    panels: list[Panel] = []
    for interval in sorted({each.condition.interval_ms for each in warms}):
        mine = [each for each in warms if each.condition.interval_ms == interval]
        if len(mine) > 1:
            places = [
                Place(name=f"{each.condition.payload_bytes} B", by_mode=each.by_mode)
                for each in mine
            ]
            asked = f"asked every {mine[0].condition.pace}, kept {kept_text(mine[0].kept_ms)}"
            panels.append((f"Over payload, {asked}", dots, places, True))
    for payload in sorted({each.condition.payload_bytes for each in warms}):
        mine = [each for each in warms if each.condition.payload_bytes == payload]
        if len(mine) > 1:
            places = [
                Place(
                    name=f"{each.condition.pace}\n(kept {kept_text(each.kept_ms)})",
                    by_mode=each.by_mode,
                )
                for each in mine
            ]
            why = "left to right as named; compare modes, not intervals: a longer sleep wakes later"
            panels.append((f"Over interval, {payload} bytes", why, places, False))
    return panels


def draw_cold(found: Analysed, words: Caption) -> Figure:
    """First pings, a group for each thing that was cold."""
    groups = _groups(found)
    figure, (ax,) = sheet(words, [COLD_IN * rows_of(groups) + 0.3], frame_in=1.75)
    plot_cold(
        ax, groups, _palette(found), f"round-trip time of a first ping [{found.main.question.unit}]"
    )
    small = "dot: a ping; stroke and figure: median; ×: lost; band: predicted, over nothing cold"
    title(ax, "First pings by what was cold", small)
    return figure


def _groups(found: Analysed) -> list[Group]:
    return [
        _group(each, prediction_of(found.main, f"cold {each.name}"), _nothing(found, each))
        for each in found.colds
    ]


def _nothing(found: Analysed, cold: Cold) -> float | None:
    """The median with nothing cold: in the modes of the kernel for what is cold there, else in others."""
    in_kernel = any(mode.startswith(KERNEL) for mode in cold.by_mode)
    for each in found.colds:
        modes = {
            mode: repeats
            for mode, repeats in each.by_mode.items()
            if mode.startswith(KERNEL) is in_kernel
        }
        if each.name == NOTHING and modes:
            return replace(each, by_mode=modes).median
    return None


def _group(each: Cold, prediction: Prediction | None, nothing: float | None) -> Group:
    """Of a prediction, words and the band on top of a ping with nothing cold."""
    name = "nothing cold" if each.name == NOTHING else f"cold: {each.name}"
    low, high = (prediction.low, prediction.high) if prediction else (None, None)
    band = None if low is None or high is None else (low, high)
    said = f"predicted {band[0]:+g} to {band[1]:+g} ms" if band else "predicted: no answer"
    return Group(
        name=name,
        by_mode=each.by_mode,
        lost=each.lost,
        said=said if prediction else "",
        predicted=(nothing + band[0], nothing + band[1]) if band and nothing is not None else None,
    )


def _palette(found: Analysed) -> Mapping[str, str]:
    return boxes.colours(list(found.main.levels), found.main.baseline)
