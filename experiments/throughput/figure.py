"""The charts of `throughput`: a mark for each transfer, by mode and packet size.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from experiments.show.lanes import colours
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

ROW_IN = 0.3
FRAME_IN = 0.35
STEP = 0.24  # between the sizes of one mode; modes are 1 apart
MARKERS = ("o", "s", "D")  # from the smallest size to the largest
LEGEND = (
    "packets of 128 bytes (circles), 576 (squares) and the largest (diamonds), a mark per transfer"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One figure of all modes."""

    heading: str
    label: str
    values: Mapping[tuple[str, int], Sequence[float]]  # by mode, and rank of the size from 0


def draw(panels: Sequence[Panel], words: Caption) -> Figure:
    """The panels below each other; the title of the first one explains the marks."""
    modes = list(dict.fromkeys(mode for panel in panels for mode, _ in panel.values))
    figure, axes = sheet(
        words, [ROW_IN * len(modes) + FRAME_IN] * len(panels), width_in=OLD_WIDTH_IN
    )
    for ax, panel in zip(axes, panels, strict=True):
        plot_panel(ax, panel, modes)
        title(ax, panel.heading, LEGEND if ax is axes[0] else "")
    return figure


def plot_panel(ax: Axes, panel: Panel, modes: Sequence[str]) -> Axes:
    """Every transfer; a row for each mode, with its sizes one below the other."""
    palette = colours(modes, "flat")
    for (mode, rank), values in panel.values.items():
        ax.plot(
            values,
            [modes.index(mode) + STEP * (rank - 1)] * len(values),
            linestyle="",
            marker=MARKERS[rank],
            markersize=4.2,
            markeredgewidth=0,
            alpha=0.8,
            color=palette[mode],
            gid=f"{panel.heading} {mode} {rank}",
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_yticks(range(len(modes)), labels=list(modes))
    ax.set_ylim(len(modes) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"{panel.label}, logarithmic")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    return ax
