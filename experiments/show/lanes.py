"""Samples by level: lanes of dots over box plots, and ECDFs.  Pure: the caller owns the figure.

Each encapsulation has a colour and each way of flooding a line style, the same in every chart.
Names are in the right margin, where they cover nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)
from numpy.typing import ArrayLike

from experiments.show.statistics import Repeats, Samples

LineStyle = str | tuple[float, tuple[float, ...]]

BASELINE_COLOUR = "#555555"
# Okabe and Ito (2008): distinct with every common colour blindness, and legible as text.
ENCAPSULATION = {
    "gre": "#0072B2",
    "vxlan": "#D55E00",
    "geneve": "#009E73",
    "vlan": "#CC79A7",
    "kvxlan": "#000000",
}
OTHERS = ("#E69F00", "#56B4E9")
PLAIN = ("flat", "veth", "same-host", "vtep")  # no tunnel: grey as the baseline
FLOODING: Mapping[str, LineStyle] = {
    "mesh": "-",
    "l2pop": (0, (5, 1.5)),
    "l2pop-arp": (0, (1, 1.2)),
    "multicast": (0, (6, 1.5, 1, 1.5)),
}
MARKERS = {"mesh": "o", "l2pop": "s", "l2pop-arp": "^", "multicast": "D"}
HOLLOW = ("l2pop", "multicast")
MARGIN_AT = 1.02  # of the width of the axes: where the right margin begins
SWATCH = 0.075  # of the width: the piece of a line beside its name
NAME_PITCH = 0.115  # of the height of the axes, if there is room for all
NAME_SIZE = 8.5  # points
LINES, DOTS, BOTH = "lines", "dots", "lines and dots"  # what the swatch beside a name shows
DOTS_TOP, DOTS_BOTTOM = 0.46, -0.12  # above and below the line of a level; rows are 1 apart
BOX_AT, BOX_HIGH = 0.26, 0.17  # below that line
TICKS = (1, 2, 5)  # of each decade, on a logarithmic axis


def colours(levels: Sequence[str], baseline: str) -> dict[str, str]:
    """A colour for each encapsulation; grey for the baseline and levels without a tunnel."""
    grey = {level: BASELINE_COLOUR for level in levels if level in {baseline, *PLAIN}}
    kinds = {level: _parts(level)[0] for level in levels if level not in grey}
    unknown = [kind for kind in dict.fromkeys(kinds.values()) if kind not in ENCAPSULATION]
    known = {**dict(zip(unknown, cycle(OTHERS), strict=False)), **ENCAPSULATION}
    return {**grey, **{level: known[kind] for level, kind in kinds.items()}}


def line_style(level: str) -> LineStyle:
    """A line style for each way of flooding."""
    return FLOODING.get(_parts(level)[1], "-")


def marker_style(level: str) -> Mapping[str, Any]:
    """A marker for each way of flooding, for charts without lines."""
    flooding = _parts(level)[1]
    is_hollow = flooding in HOLLOW
    return {
        "marker": MARKERS.get(flooding, "o"),
        "fillstyle": "none" if is_hollow else "full",
        "markeredgewidth": 0.9 if is_hollow else 0,
    }


def _parts(level: str) -> tuple[str, str]:
    """Encapsulation and flooding; a flooding alone keeps each network's own encapsulation."""
    if level in FLOODING:
        return "", level
    encapsulation, _, flooding = level.partition("-")
    return encapsulation, flooding


@dataclass(frozen=True, slots=True)
class Lanes:
    """A row for each level: every sample as a dot, and a box plot below.

    Each repeat has a lane, in their order, with a stroke at its median.  The box has the quartiles,
    its whiskers end at p10 and p90.
    """

    levels: Mapping[str, Repeats]
    palette: Mapping[str, str]

    def __call__(self, ax: Axes) -> Axes:
        """Draw the rows, the first level on top."""
        for at, (level, repeats) in enumerate(self.levels.items()):
            colour = self.palette[level]
            edges = at - np.linspace(DOTS_TOP, DOTS_BOTTOM, len(repeats) + 1)
            for lane, samples in zip(pairwise(edges), repeats, strict=True):
                if len(samples):
                    _dots(ax, samples, lane, colour, f"samples {level}")
            _box(ax, np.concatenate(repeats), at + BOX_AT, colour)
        rows(ax, list(self.levels), bottom=0.55)
        ax.grid(visible=True, axis="x")
        return ax

    @property
    def legend(self) -> str:
        """How to read a row."""
        many = max(map(len, self.levels.values())) > 1
        lane = "a lane per repeat" if many else "one repeat"
        return f"{lane}, stroke: its median; box: quartiles, whiskers: p10 to p90"


def rows(ax: Axes, names: Sequence[str], *, bottom: float = 0.5, **style: Any) -> None:
    """Name the rows 0, 1, ... of a chart without a vertical axis, from the top down."""
    ax.set_yticks(range(len(names)), labels=names, **style)
    ax.set_ylim(len(names) - 1 + bottom, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def dots(
    ax: Axes, x: ArrayLike, y: ArrayLike, colour: str, gid: str, *, marker: str = "o", **style: Any
) -> Line2D:
    """A dot without an outline for each sample."""
    (drawn,) = ax.plot(
        x, y, marker, linestyle="none", markeredgewidth=0, color=colour, gid=gid, **style
    )
    return drawn


def margin_text(ax: Axes, row: float, text: str, colour: str, gid: str, **style: Any) -> None:
    """A text in the right margin, at the height of a row."""
    across = ax.get_yaxis_transform()
    ax.text(MARGIN_AT, row, text, transform=across, va="center", color=colour, gid=gid, **style)


def plot_ecdf(ax: Axes, levels: Mapping[str, Repeats], palette: Mapping[str, str]) -> Axes:
    """The share of samples up to a value, with a step at every sample."""
    for level, repeats in levels.items():
        ax.ecdf(
            np.concatenate(repeats),
            color=palette[level],
            linewidth=1.6,
            label=level,
            linestyle=line_style(level),
        )
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.set_ylabel("share of samples")
    ax.grid(visible=True)
    medians = {level: float(np.median(np.concatenate(levels[level]))) for level in levels}
    label_curves(ax, sorted(levels, key=medians.__getitem__), palette)  # the leftmost on top
    return ax


def log_axis(ax: Axes, levels: Mapping[str, Repeats], label: str) -> Axes:
    """A logarithmic horizontal axis, for times: they have a long tail and are compared by ratio."""
    every = np.concatenate([samples for repeats in levels.values() for samples in repeats])
    low, high = float(every.min()) / 1.15, float(every.max()) * 1.15
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlabel(f"{label}, logarithmic")
    return ax


def _dots(ax: Axes, samples: Samples, lane: tuple[float, float], colour: str, gid: str) -> None:
    """One repeat: a dot for each sample between the edges of its lane, a stroke at their median."""
    top, bottom = lane
    heights = top + (bottom - top) * scattered(len(samples))
    dots(ax, samples, heights, colour, gid, markersize=2.3, alpha=0.45, rasterized=True)
    middle = [float(np.median(samples))] * 2
    ax.plot(middle, lane, color="black", linewidth=1.3, solid_capstyle="butt", gid="repeat median")


def _box(ax: Axes, samples: Samples, at: float, colour: str) -> None:
    ax.boxplot(
        [samples],
        positions=[at],
        widths=BOX_HIGH,
        orientation="horizontal",
        whis=(10, 90),
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": "white", "edgecolor": colour, "linewidth": 1.2},
        whiskerprops={"color": colour, "linewidth": 1.2},
        capprops={"color": colour, "linewidth": 1.2},
        medianprops={"color": colour, "linewidth": 2.6, "solid_capstyle": "butt"},
    )


def scattered(count: int) -> Samples:
    """Places in 0.1..0.9, evenly filled by multiples of the golden ratio: no random numbers."""
    golden = (5**0.5 - 1) / 2
    places: Samples = 0.1 + 0.8 * np.mod(np.arange(count) * golden, 1)
    return places


def _ticks(low: float, high: float) -> list[float]:
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    every = [round(digit * 10.0**decade, 9) for decade in decades for digit in TICKS]
    if sum(low <= value <= high for value in every) < 3:
        every = list(map(float, MaxNLocator(4).tick_values(low, high)))
    return [value for value in every if low <= value <= high]


def label_curves(
    ax: Axes, names: Sequence[str], palette: Mapping[str, str], *, drawn: str = LINES
) -> None:
    """Names in the right margin, from the top down, each beside a piece of what is `drawn`."""
    pitch = min(NAME_PITCH, 1 / len(names))
    for nth, name in enumerate(names):
        name_beside(ax, name, 1 - pitch * (nth + 0.5), palette[name], drawn=drawn)


def name_beside(
    ax: Axes,
    level: str,
    height: float,
    colour: str,
    *,
    name: str = "",
    drawn: str = LINES,
    left: float = MARGIN_AT,
) -> None:
    """One name in the right margin (by default the level's) with a swatch of its line or dots."""
    name = name or level
    end = left + SWATCH
    ax.plot(
        [left, left + SWATCH / 2, end],
        [height] * 3,
        color=colour,
        linewidth=1.6,
        linestyle="none" if drawn == DOTS else line_style(level),
        markersize=4.5,
        markevery=[1],
        **({} if drawn == LINES else marker_style(level)),
        transform=ax.transAxes,
        clip_on=False,
        gid=f"swatch {name}",
    )
    ax.text(
        end + 0.015,
        height,
        name,
        transform=ax.transAxes,
        va="center",
        color=colour,
        fontsize=NAME_SIZE,
        fontweight="bold",
        gid=f"name {name}",
    )
