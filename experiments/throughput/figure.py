"""What each mode carried, by packet size, and what a gigabyte cost: a dot a transfer.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from experiments.show.lanes import colours
from experiments.show.sheet import Caption, sheet, title

ROW_IN = 0.3
FRAME_IN = 0.35
SIZE = 8
STEP = 0.24  # between the sizes of one mode; modes are 1 apart
MARKERS = ("o", "s", "D")  # from the smallest size to the largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """The transfers of one mode in one size."""

    mode: str
    rank: int  # of the size: 0 is the smallest
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One figure of merit, of all modes."""

    heading: str
    label: str
    dots: tuple[Dots, ...]


def draw(panels: Sequence[Panel], sizes: Sequence[str], words: Caption) -> Figure:
    """The panels below each other; the first one says which size has which mark."""
    modes = list(dict.fromkeys(dots.mode for panel in panels for dots in panel.dots))
    figure, axes = sheet(words, [ROW_IN * len(modes) + FRAME_IN] * len(panels))
    marks = {"o": "circle", "s": "square", "D": "diamond"}
    legend = ", ".join(f"{marks[mark]}: {size}" for mark, size in zip(MARKERS, sizes, strict=False))
    for ax, panel in zip(axes, panels, strict=True):
        plot_panel(ax, panel, modes, colours(modes, "flat"))
        read = f"a mark a transfer; packets: {legend}; " if ax is axes[0] else ""
        title(ax, panel.heading, f"{read}axis logarithmic")
    return figure


def plot_panel(ax: Axes, panel: Panel, modes: Sequence[str], palette: Mapping[str, str]) -> Axes:
    """Every transfer at its figure; a row per mode, sizes above each other."""
    for dots in panel.dots:
        place = modes.index(dots.mode) + STEP * (dots.rank - 1)
        ax.plot(
            dots.values,
            [place] * len(dots.values),
            linestyle="",
            marker=MARKERS[dots.rank],
            markersize=4.2,
            markeredgewidth=0,
            alpha=0.8,
            color=palette[dots.mode],
            gid=f"{panel.heading} {dots.mode} {dots.rank}",
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_yticks(range(len(modes)), labels=list(modes))
    ax.set_ylim(len(modes) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(panel.label)
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    return ax
