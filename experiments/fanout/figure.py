"""Copies over hosts: a line for each prediction, a dot for each measured frame.  Pure.

Each mode has its own lane at each number of hosts, so that equal dots do not hide each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.show.curves import NAME_IN, spread
from experiments.show.lanes import colours, dots, line_style, name_beside
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

LINE_COLOUR = "#9a9a9a"
LANES = 0.8  # of the distance between two numbers of hosts: the width of all lanes
VALUE_AT, NAME_AT = 1.035, 1.05  # of the width of the axes
SIZE = 8.5
PANEL_IN = 1.75
LEGEND = "line: predicted; dot: a measured frame (one lane per mode)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A prediction by number of hosts."""

    points: Mapping[int, int]
    names: Mapping[str, str]  # beside its end: each name with its mode

    @property
    def end(self) -> int:
        """The count at the most hosts."""
        return self.points[max(self.points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One count on one network."""

    heading: str
    lines: tuple[Line, ...]
    # Hosts and count of each frame, by mode.
    measured: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)


def draw(panels: Sequence[Panel], caption: Caption) -> Figure:
    """The panels below each other; only the last one labels the axis of hosts."""
    names = (sum(len(line.names) for line in panel.lines) for panel in panels)
    heights = [max(PANEL_IN, NAME_IN * (count + 1)) for count in names]
    figure, axes = sheet(caption, heights, width_in=OLD_WIDTH_IN)
    for ax, panel, height_in in zip(axes, panels, heights, strict=True):
        plot_panel(ax, panel, height_in=height_in)
        title(ax, panel.heading, LEGEND if ax is axes[0] else "")
    axes[-1].set_xlabel("compute hosts, one VTEP each")
    return figure


def plot_panel(ax: Axes, panel: Panel, *, height_in: float = PANEL_IN) -> Axes:
    """Lines, dots and names of one panel."""
    palette = colours(list(panel.measured), "vlan")
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
    """A horizontal piece as wide as the lanes at each number of hosts, so that dots lie on it."""
    xs = [places[many] + side * LANES / 2 for many in line.points for side in (-1, 1)]
    ys = [copies for copies in line.points.values() for _ in range(2)]
    style = line_style(next(iter(line.names.values())))
    ax.plot(xs, ys, color=LINE_COLOUR, linewidth=1.2, linestyle=style, gid="predicted")


def _dots(ax: Axes, panel: Panel, places: Mapping[int, int], palette: Mapping[str, str]) -> None:
    """A lane for each mode; within it the frames are side by side."""
    lane = LANES / max(1, len(panel.measured))
    for at, (mode, frames) in enumerate(panel.measured.items()):
        xs, ys = [], []
        for many, place in places.items():
            here = [copies for found, copies in frames if found == many]
            left = place - LANES / 2 + (at + 0.1) * lane
            xs += [left + 0.8 * lane * (n + 0.5) / len(here) for n in range(len(here))]
            ys += here
        dots(
            ax,
            xs,
            ys,
            palette[mode],
            f"measured {mode}",
            markersize=2.8,
            alpha=0.9,
            rasterized=True,
            zorder=3,
        )


def _names(ax: Axes, lines: Sequence[Line], palette: Mapping[str, str], height_in: float) -> None:
    """Beside the end of each line its value, and its names in their colours and line styles."""
    low, high = ax.get_ylim()
    named = sorted(lines, key=lambda line: -line.end)
    wanted = [(line.end - low) / (high - low) for line in named]
    pitch = NAME_IN / height_in
    heights = spread(wanted, [len(line.names) * pitch for line in named])
    before = None
    for line, top in zip(named, heights, strict=True):
        if line.end != before:  # lines with the same end share one value
            ax.annotate(
                str(line.end),
                (VALUE_AT, top - pitch / 2),
                xycoords="axes fraction",
                ha="right",
                va="center",
                fontsize=SIZE,
                annotation_clip=False,
                gid="value",
            )
        before = line.end
        for number, (name, mode) in enumerate(line.names.items()):
            y = top - (number + 0.5) * pitch
            colour = palette.get(mode, LINE_COLOUR)
            name_beside(ax, mode, y, colour, name=name, left=NAME_AT)
