"""The waterfall of a ping's stages: one row per stage from top to bottom, time from left to right.

A bar is the median of a stage and begins at the end of the bar above it; every sample is a dot,
placed as if its stage began there, too.  Pure.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.latency.words import LABELS
from experiments.show import lanes
from experiments.show.sheet import Caption, sheet, title
from experiments.show.statistics import Samples

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


def medians_us(stages: Waterfall) -> Samples:
    """The length of each bar."""
    return np.array([np.median(samples_us) for samples_us in stages.values()])


def draw(
    waterfalls: Mapping[str, Waterfall],
    notes: Mapping[str, str],
    palette: Mapping[str, str],
    caption: Caption,
) -> Figure:
    """A panel for each level, with its note beside the title; all on one axis of time."""
    columns = 2 if len(waterfalls) >= BESIDE else 1
    lines = -(-len(waterfalls) // columns)
    figure, (whole,) = sheet(caption, [lines * PANEL_IN + (lines - 1) * GAP_IN])
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
    _groups(ax, [direction for direction, _ in stages])
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


def _groups(ax: Axes, names: Sequence[str]) -> None:
    """Lines between request, answer and reply, and two names in the corners without bars."""
    for at, (above, below) in enumerate(pairwise(names)):
        if above != below:
            ax.axhline(at + 0.5, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), gid="turn")
    corners = ((names[0], 0.985, 0, "right"), (names[-1], 0.015, len(names) - 1, "left"))
    for name, across, at, side in corners:
        text = ax.text(across, at, name, transform=ax.get_yaxis_transform(), ha=side, va="center")
        text.set(fontsize=8, fontstyle="italic", color=GREY, gid=f"way {name}")
