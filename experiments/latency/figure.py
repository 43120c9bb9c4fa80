"""The charts of `latency`: levels and effects, distributions, conditions, first pings, stages.  Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from controller.model.modes import KERNEL
from experiments.core.question import Prediction
from experiments.latency.analysis import Analysed, First, Warm
from experiments.latency.words import LABELS, NO_CACHE, first_ping
from experiments.show import lanes
from experiments.show.effects import contrast
from experiments.show.intervals import Intervals, Row, band, bounds
from experiments.show.lanes import BASELINE_COLOUR
from experiments.show.levels import judged, to_baseline
from experiments.show.report import NONE, Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title
from experiments.show.statistics import Samples

ROW_IN, EFFECT_IN, FIRST_IN, CONDITION_IN = 0.52, 0.33, 0.155, 2.3
NAME_SIZE, SIZE = 8.5, 7.5
WIDTH = 0.62  # of a condition's place, shared by its modes
GAP = 1.9  # between groups of first pings, in rows: room for the name of the next
LOST_AT = 0.985  # of the width
BESIDE = 4  # from so many levels on, panels are in two columns
PANEL_IN, GAP_IN = 1.75, 0.62  # the height of a panel, and of the gap between two
BAR_HIGH = 0.78  # rows are 1 apart
DOTS_HIGH = 0.72
BAR_ALPHA = 0.32
GREY = "#777777"
BEYOND = ">"  # the marker of a sample that is longer than the axis
DOTS_ZORDER = 2.5  # above lines and below texts, so that a panel has one raster image
ROOM = 1.18  # the end of the axis, as a share of the longest waterfall

Waterfall = Mapping[tuple[str, str], Samples]  # [us] by direction and stage, in order of time


def _palette(found: Analysed) -> Mapping[str, str]:
    return lanes.colours(list(found.main.levels), found.main.baseline)


def draw_levels(found: Analysed, caption: Caption) -> Figure:
    """Every sample and its box by level; below, effects and differences with their intervals."""
    main, question = found.main, found.main.question
    rows = [
        Row(
            name=each.name,
            small=each.brief,
            found=each.found,
            by_repeat=each.by_repeat,
            predicted=bounds(found.prediction(each.name)),
        )
        for each in found.effects
    ]
    rows += _level_rows(found)
    effects = Intervals(rows=rows, unit=question.unit, margin=question.margin)
    has_intervals = any(row.found.interval for row in effects.rows)
    forest_in = [EFFECT_IN * len(effects.rows) + 0.2] if has_intervals else []
    figure, axes = sheet(caption, [ROW_IN * len(main.levels), *forest_in], width_in=OLD_WIDTH_IN)
    boxes = lanes.Lanes(main.levels, _palette(found))
    boxes(axes[0])
    lanes.log_axis(axes[0], main.levels, f"warm round-trip time [{question.unit}]")
    title(axes[0], "Every warm ping", boxes.legend)
    if has_intervals:
        effects(axes[1])
        title(axes[1], "The effect of each factor, and the cost of each tunnel", effects.legend)
    return figure


def _level_rows(found: Analysed) -> Iterator[Row]:
    """The differences of tunnels to the baseline."""
    main, palette = found.main, _palette(found)
    for each in main.summaries:
        if each.to_baseline and judged(each, main) != NONE:
            weights = {each.level: 1.0, main.baseline: -1.0}
            yield Row(
                name=each.level,
                small=f"minus {main.baseline}",
                found=each.to_baseline,
                by_repeat=tuple(map(float, contrast(main.levels, weights))),
                predicted=bounds(to_baseline(main.question)),
                colour=palette[each.level],
            )


def draw_ecdf(found: Analysed, caption: Caption) -> Figure:
    """The distributions between guests; the baselines are too far from them for one axis."""
    levels = {mode: found.main.levels[mode] for mode in found.modes}
    figure, (ax,) = sheet(caption, [max(2.6, 0.19 * len(levels))], width_in=OLD_WIDTH_IN)
    lanes.plot_ecdf(ax, levels, _palette(found))
    lanes.log_axis(ax, levels, f"warm round-trip time [{found.main.question.unit}]")
    title(ax, "Share of warm pings between guests answered within a time (ECDF)")
    return figure


def draw_conditions(found: Analysed, caption: Caption) -> Figure:
    """A panel over payloads for each interval, and one over intervals for each payload."""
    over_payload = _groups(found.warms, lambda each: each.interval_ms)
    over_interval = _groups(found.warms, lambda each: each.payload_bytes)
    count, palette = len(over_payload) + len(over_interval), _palette(found)
    figure, axes = sheet(
        caption, [CONDITION_IN] * count, frame_in=1.0 + 0.75 * count, width_in=OLD_WIDTH_IN
    )
    for ax, group in zip(axes, over_payload, strict=False):
        names = [f"{each.payload_bytes} B" for each in group]
        _plot_conditions(ax, group, names, palette, joined=True)
        interval = f"requested interval {group[0].pace}, real {interval_text(group[0].kept_ms)}"
        small = "dots: medians of repeats, strokes: their median; modes left to right as named"
        title(ax, f"Over payload, {interval}", small)
    for ax, group in zip(axes[len(over_payload) :], over_interval, strict=True):
        names = [f"{each.pace}\n(real {interval_text(each.kept_ms)})" for each in group]
        _plot_conditions(ax, group, names, palette, joined=False)
        small = (
            "modes left to right as named; compare modes, not intervals: a longer sleep ends later"
        )
        title(ax, f"Over interval, {group[0].payload_bytes} bytes", small)
    for ax in axes:
        ax.set_ylabel(f"round trip [{found.main.question.unit}]")
    return figure


def _groups(warms: Sequence[Warm], by: Callable[[Warm], int]) -> list[list[Warm]]:
    """The conditions with an equal value, for each value of more than one condition."""
    groups = [list(equal) for _, equal in groupby(sorted(warms, key=by), by)]
    return [group for group in groups if len(group) > 1]


def interval_text(kept_ms: float | None) -> str:
    """An interval with its unit."""
    if kept_ms is None:
        return NONE
    return f"{kept_ms:.1f} ms" if kept_ms < 10 else f"{kept_ms:.0f} ms"


def _plot_conditions(
    ax: Axes,
    places: Sequence[Warm],
    names: Sequence[str],
    palette: Mapping[str, str],
    *,
    joined: bool,
) -> None:
    """A dot for the median of each repeat, a stroke at their median; lines if `joined`."""
    modes = list(dict.fromkeys(mode for place in places for mode in place.by_mode))
    wide = WIDTH / len(modes)
    for nth, mode in enumerate(modes):
        aside = WIDTH * ((nth + 0.5) / len(modes) - 0.5)
        medians = {
            at + aside: place.by_mode[mode]
            for at, place in enumerate(places)
            if mode in place.by_mode
        }
        middles = [float(np.median(rtts)) for rtts in medians.values()]
        for (x, rtts), middle in zip(medians.items(), middles, strict=True):
            ax.plot(
                [x] * len(rtts),
                rtts,
                linestyle="none",
                markersize=3.6,
                alpha=0.6,
                color=palette[mode],
                gid=f"repeats {mode}",
                **lanes.marker_style(mode),
            )
            stroke = ax.plot([x - wide / 2, x + wide / 2], [middle] * 2, color=palette[mode])[0]
            stroke.set(linewidth=2.2, solid_capstyle="butt", gid=f"median {mode}")
        if joined:
            style = lanes.line_style(mode)
            line = ax.plot(list(medians), middles, color=palette[mode], linestyle=style)[0]
            line.set(linewidth=1.3, gid=f"line {mode}")
    ax.set_xticks(range(len(names)), labels=names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=True, axis="y")
    lanes.label_curves(ax, modes, palette, drawn=lanes.BOTH if joined else lanes.DOTS)


def draw_first(found: Analysed, caption: Caption) -> Figure:
    """First pings: a group for each empty cache, in it a row for each mode."""
    firsts, palette = found.firsts, _palette(found)
    rows = sum(len(each.by_mode) + GAP for each in firsts)
    figure, (ax,) = sheet(caption, [FIRST_IN * rows + 0.3], frame_in=1.75, width_in=OLD_WIDTH_IN)
    at, places = 0.0, {}
    for each in firsts:
        _head(ax, each, found.prediction(first_ping(each.cache)), at)
        at += GAP
        band(ax, _predicted(found, each), at - 0.5, len(each.by_mode), each.cache)
        for mode in each.by_mode:
            _strip(ax, each, mode, at, palette[mode])
            places[at] = mode
            at += 1
    ax.set_yticks(list(places), labels=list(places.values()), fontsize=SIZE)
    ax.set_ylim(at - 0.4, 0)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    answered = {each.cache: list(each.by_mode.values()) for each in firsts}
    unit = found.main.question.unit
    lanes.log_axis(ax, answered, f"round-trip time of a first ping [{unit}]")
    low, high = ax.get_xlim()
    ax.set_xlim(low, high**1.06 / low**0.06)  # room for crosses, right of every dot
    ax.grid(visible=True, axis="x")
    small = "dot: ping; stroke and number: median; ×: lost; band: predicted cost, from the median of none"
    title(ax, "First pings by empty cache", small)
    return figure


def _predicted(found: Analysed, first: First) -> tuple[float, float] | None:
    """The predicted round trip: the bounds added to the median with no cache emptied.

    That median is of kernel modes for their caches, else of the other modes.
    """
    span = bounds(found.prediction(first_ping(first.cache)))
    in_kernel = any(mode.startswith(KERNEL) for mode in first.by_mode)
    for none in found.firsts:
        modes = [mode for mode in none.by_mode if mode.startswith(KERNEL) is in_kernel]
        if none.cache == NO_CACHE and modes and span:
            middle = none.median_of(modes)
            return middle + span[0], middle + span[1]
    return None


def _head(ax: Axes, first: First, prediction: Prediction | None, at: float) -> None:
    """The name of a group, in the gap above it, and the prediction."""
    span = bounds(prediction)
    said = f"predicted {span[0]:+g} to {span[1]:+g} ms" if span else "predicted: no reply"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    ax.axhline(at + 0.35, color="#CCCCCC", linewidth=0.8, zorder=0.5)
    name = ax.text(
        0,
        at + 0.85,
        first.cache,
        transform=ax.get_yaxis_transform(),
        va="center",
        fontsize=NAME_SIZE,
        fontweight="bold",
        gid=f"group {first.cache}",
        bbox=box,
    )
    ax.annotate(
        said if prediction else "",
        (1, 0.5),
        xycoords=name,
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=SIZE,
        color=BASELINE_COLOUR,
        gid=f"prediction {first.cache}",
        bbox=box,
    )


def _strip(ax: Axes, first: First, mode: str, at: float, colour: str) -> None:
    """One row: a dot for each answered ping, their median, a cross if any was lost."""
    gid = f"{first.cache} {mode}"
    rtts, lost = first.by_mode[mode], first.lost[mode]
    dots = lanes.dots(
        ax, rtts, [at] * len(rtts), colour, f"samples {gid}", markersize=3.6, alpha=0.55
    )
    dots.set_rasterized(len(rtts) > 1000)
    if len(rtts):
        stroke = ax.plot([float(np.median(rtts))] * 2, [at - 0.4, at + 0.4], color="black")[0]
        stroke.set(linewidth=1.4, solid_capstyle="butt", gid=f"median {gid}")
    value = f"{np.median(rtts):.2f}" if len(rtts) else f"{lost} lost"
    lanes.margin_text(ax, at, value, colour, f"value {gid}", fontsize=SIZE)
    if lost:
        place = blended_transform_factory(ax.transAxes, ax.transData)
        cross = ax.plot([LOST_AT], [at], "x", color=BASELINE_COLOUR, transform=place)[0]
        cross.set(markersize=5, gid=f"lost {gid}")


def medians_us(stages: Waterfall) -> Samples:
    """The length of each bar."""
    return np.array([np.median(samples_us) for samples_us in stages.values()])


def draw_stages(
    waterfalls: Mapping[str, Waterfall],
    notes: Mapping[str, str],
    palette: Mapping[str, str],
    caption: Caption,
) -> Figure:
    """A panel for each level, with its note beside the title; all on one axis of time."""
    columns = 2 if len(waterfalls) >= BESIDE else 1
    lines = -(-len(waterfalls) // columns)
    figure, (whole,) = sheet(
        caption, [lines * PANEL_IN + (lines - 1) * GAP_IN], width_in=OLD_WIDTH_IN
    )
    places = whole.get_subplotspec().subgridspec(lines, columns)  # type: ignore[union-attr]
    whole.remove()
    end = ROOM * max(medians_us(stages).sum() for stages in waterfalls.values())
    for at, (level, stages) in enumerate(waterfalls.items()):
        ax = figure.add_subplot(places[divmod(at, columns)])
        plot_waterfall(ax, stages, colour=palette[level], end=end)
        title(ax, level, notes[level])
        ax.texts[-1].set_in_layout(False)  # else a long note would make its panel narrow
        ax.title.set_color(palette[level])
        ax.set_gid(f"waterfall {level}")
        is_last = at + columns >= len(waterfalls)
        ax.set_xlabel("time since the request left [µs]" if is_last else "")
        ax.tick_params(axis="x", labelbottom=is_last)
        ax.tick_params(axis="y", labelleft=at % columns == 0)
    return figure


def plot_waterfall(ax: Axes, stages: Waterfall, *, colour: str, end: float) -> Axes:
    """Bars, dots and medians of one level, on an axis of 0 to `end` microseconds."""
    medians = medians_us(stages)
    ends = np.cumsum(medians)
    places = zip(stages.values(), medians, ends - medians, ends, strict=True)
    for at, (samples_us, median, bar_start, bar_end) in enumerate(places):
        (bar,) = ax.barh(
            at, median, BAR_HIGH, bar_start, color=colour, alpha=BAR_ALPHA, linewidth=0
        )
        bar.set_gid(f"bar {at}")
        _dots(ax, bar_start + samples_us, at, colour, end)
        # At least two digits, since some stages take one microsecond; bold from a tenth of all.
        value = f"{median:.{0 if median >= 9.95 else 1}f}"
        weight = "bold" if median >= medians.sum() / 10 else "normal"
        lanes.margin_text(ax, at, value, colour, f"value {at}", fontsize=8, fontweight=weight)
        # A line from the end of the bar down to the start of the next.
        below = BAR_HIGH / 2 if at == len(stages) - 1 else 1 + BAR_HIGH / 2
        span = [at - BAR_HIGH / 2, at + below]
        ax.plot([bar_end] * 2, span, color=colour, linewidth=0.9, gid=f"stair {at}")
    unit = ax.text(lanes.MARGIN_AT, 1.01, "µs", transform=ax.transAxes, color=colour, fontsize=8)
    unit.set_gid("value unit")
    _directions(ax, [direction for direction, _ in stages])
    ax.set_xlim(0, end)
    ax.set_xticks([tick for tick in MaxNLocator(4).tick_values(0, end) if tick <= end])
    lanes.rows(ax, [LABELS[place] for place in stages], bottom=0.6, fontsize=8)
    ax.grid(visible=True, axis="x")
    return ax


def _dots(ax: Axes, places: Samples, at: int, colour: str, end: float) -> None:
    """A dot for each sample, or a triangle at the edge if it lies beyond the axis."""
    heights = at + DOTS_HIGH * (lanes.scattered(len(places)) - 0.5)
    fits = places <= end
    inside = lanes.dots(ax, places[fits], heights[fits], colour, f"samples {at}", markersize=2.2)
    inside.set(alpha=0.5, rasterized=True, zorder=DOTS_ZORDER)
    edge = np.full(np.count_nonzero(~fits), end)
    marks = lanes.dots(ax, edge, heights[~fits], colour, f"beyond {at}", marker=BEYOND)
    marks.set(alpha=0.7, markersize=3.5, clip_on=False)
    marks.set_in_layout(False)  # without marks its box has no size, which breaks the layout


def _directions(ax: Axes, names: Sequence[str]) -> None:
    """Lines between request, answer and reply, and two names in the corners without bars."""
    for at, (above, below) in enumerate(pairwise(names)):
        if above != below:
            ax.axhline(at + 0.5, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), gid="turn")
    corners = ((names[0], 0.985, 0, "right"), (names[-1], 0.015, len(names) - 1, "left"))
    for name, across, at, side in corners:
        text = ax.text(across, at, name, transform=ax.get_yaxis_transform(), ha=side, va="center")
        text.set(fontsize=8, fontstyle="italic", color=GREY, gid=f"way {name}")
