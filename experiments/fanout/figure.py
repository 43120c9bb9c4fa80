"""Copies over hosts: what was foretold as lines, every frame that was counted as a dot.  Pure.

Dots of one number of hosts stand side by side, a lane per mode, so that equal ones are seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.show.lanes import colours, line_style
from experiments.show.sheet import Caption, sheet, title

LINE_COLOUR = "#9a9a9a"
LANES = 0.8  # of the distance between two numbers of hosts: what the modes take
VALUE_AT, SWATCH_AT, NAME_AT = 1.035, (1.05, 1.115), 1.13  # of the width of the axes
NAME_IN = 0.165
SIZE = 8.5
PANEL_IN = 1.75
LEGEND = "line: foretold; dot: a marked frame, as captured (a lane per mode)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Who follows a line, beside it."""

    mode: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was foretold, by number of hosts; the same of all that are named."""

    points: Mapping[int, int]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One count on one network."""

    heading: str
    lines: tuple[Line, ...]
    counted: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)  # by mode

    @property
    def names(self) -> int:
        """How many names stand beside it."""
        return sum(len(line.names) for line in self.lines)


def draw(panels: Sequence[Panel], words: Caption) -> Figure:
    """The panels below each other; the last one names the axis."""
    heights = [max(PANEL_IN, NAME_IN * (each.names + 1)) for each in panels]
    figure, axes = sheet(words, heights)
    for ax, panel in zip(axes, panels, strict=True):
        plot_panel(ax, panel, height_in=heights[axes.index(ax)])
        title(ax, panel.heading, LEGEND if ax is axes[0] else "")
    axes[-1].set_xlabel("compute hosts, one VTEP each")
    return figure


def plot_panel(ax: Axes, panel: Panel, *, height_in: float = PANEL_IN) -> Axes:
    """Lines, dots and names of one panel."""
    palette = colours(list(panel.counted), "vlan")
    hosts = sorted({each for line in panel.lines for each in line.points})
    places = {many: place for place, many in enumerate(hosts)}
    for line in panel.lines:
        _predicted(ax, line, places)
    _dots(ax, panel, places, palette)
    ax.set_xticks(list(places.values()), labels=[str(many) for many in hosts])
    ax.tick_params(axis="x", length=0)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    top = max(ax.get_ylim()[1], 1)
    ax.set_ylim(-0.05 * top, 1.03 * top)
    ax.set_xlim(-0.5, len(hosts) - 0.5)
    ax.set_ylabel("copies of one frame")
    ax.grid(visible=True, axis="y")
    _names(ax, panel.lines, palette, height_in)
    return ax


def _predicted(ax: Axes, line: Line, places: Mapping[int, int]) -> None:
    """Level as wide as the lanes at each number of hosts, so that dots lie on it."""
    xs = [places[many] + side * LANES / 2 for many in line.points for side in (-1, 1)]
    ys = [copies for copies in line.points.values() for _ in range(2)]
    style = line_style(line.names[0].mode)
    ax.plot(xs, ys, color=LINE_COLOUR, linewidth=1.2, linestyle=style, gid="predicted")


def _dots(ax: Axes, panel: Panel, places: Mapping[int, int], palette: Mapping[str, str]) -> None:
    """A lane per mode, and within it the frames side by side."""
    lane = LANES / max(1, len(panel.counted))
    for at, (mode, frames) in enumerate(panel.counted.items()):
        xs, ys = [], []
        for many, place in places.items():
            here = [copies for found, copies in frames if found == many]
            left = place - LANES / 2 + (at + 0.1) * lane
            xs += [left + 0.8 * lane * (n + 0.5) / len(here) for n in range(len(here))]
            ys += here
        ax.plot(
            xs,
            ys,
            linestyle="",
            marker="o",
            markersize=2.8,
            markeredgewidth=0,
            alpha=0.9,
            color=palette[mode],
            gid=f"counted {mode}",
            rasterized=True,
            zorder=3,
        )


def _names(ax: Axes, lines: Sequence[Line], palette: Mapping[str, str], height_in: float) -> None:
    """Beside the end of each line its value, and who follows it in their colours and styles."""
    low, high = ax.get_ylim()
    named = sorted(lines, key=lambda line: -_end(line))
    wanted = [(_end(line) - low) / (high - low) for line in named]
    pitch = NAME_IN / height_in
    heights = spread(wanted, [len(line.names) * pitch for line in named])
    before = None
    for line, top in zip(named, heights, strict=True):
        if _end(line) != before:  # lines that end alike part earlier: one figure for both
            ax.annotate(
                str(_end(line)),
                (VALUE_AT, top - pitch / 2),
                xycoords="axes fraction",
                ha="right",
                va="center",
                fontsize=SIZE,
                annotation_clip=False,
                gid="value",
            )
        before = _end(line)
        for number, name in enumerate(line.names):
            y = top - (number + 0.5) * pitch
            colour = palette.get(name.mode, LINE_COLOUR)
            ax.plot(
                SWATCH_AT,
                [y, y],
                transform=ax.transAxes,
                color=colour,
                linewidth=1.6,
                linestyle=line_style(name.mode),
                clip_on=False,
            )
            ax.annotate(
                name.words,
                (NAME_AT, y),
                xycoords="axes fraction",
                va="center",
                fontsize=SIZE,
                color=colour,
                annotation_clip=False,
                gid="name",
            )


def _end(line: Line) -> int:
    return line.points[max(line.points)]


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Tops of blocks of these heights, near the middles wanted, none on another; from above."""
    tops: list[float] = []
    floor = 0.0  # room that those still to come need, from the bottom of the axes
    below = [sum(sizes[at:]) for at in range(len(sizes))]
    ceiling = 1.0
    for at, (middle, size) in enumerate(zip(wanted, sizes, strict=True)):
        top = min(ceiling, max(middle + size / 2, floor + below[at]))
        tops.append(top)
        ceiling = top - size
    return tops
