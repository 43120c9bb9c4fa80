"""A forest: differences with their intervals, each on what was predicted of it.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from experiments.show.lanes import BASELINE_COLOUR, mark_difference
from experiments.show.statistics import Difference

BAND_COLOUR = "#F0E442"
BLOCKS_AT = 0.26  # below the interval: a tick for each block
NAME_SIZE = 8.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A difference to draw: its name, what was found, what was said beforehand."""

    name: str
    small: str  # under the name; may be empty
    found: Difference
    by_block: tuple[float, ...] = ()
    predicted: tuple[float, float] | None = None
    colour: str = "#000000"


def plot_forest(ax: Axes, lines: Sequence[Line], *, margin: float, unit: str) -> Axes:
    """A row for each difference: blocks as ticks, interval and estimate, the predicted band behind.

    The value stands in the right margin, clear of everything drawn.
    """
    for at, line in enumerate(lines):
        _band(ax, line, at)
        _line(ax, line, at)
    _margins(ax, margin)
    names = [f"{line.name}\n{line.small}" if line.small else line.name for line in lines]
    ax.set_yticks(range(len(lines)), labels=names, fontsize=NAME_SIZE)
    ax.set_ylim(len(lines) - 0.5, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    ax.set_xlabel(f"difference of medians [{unit}]")
    ax.margins(x=0.06)
    return ax


def _line(ax: Axes, line: Line, at: int) -> None:
    """Blocks, interval, estimate and the figure of it."""
    found, colour = line.found, line.colour
    ax.plot(
        line.by_block,
        [at + BLOCKS_AT] * len(line.by_block),
        linestyle="none",
        marker="|",
        markersize=6,
        markeredgewidth=0.9,
        color=colour,
        alpha=0.75,
        gid=f"blocks {line.name}",
    )
    mark_difference(ax, found, at, line.name, colour)


def _band(ax: Axes, line: Line, at: int) -> None:
    if line.predicted:
        low, high = line.predicted
        ax.add_patch(
            Rectangle(
                (low, at - 0.42),
                high - low,
                0.84,
                color=BAND_COLOUR,
                alpha=0.35,
                linewidth=0,
                gid=f"predicted {line.name}",
            )
        )


def _margins(ax: Axes, margin: float) -> None:
    """No difference, and what differs by no more than matters."""
    ax.axvline(0, color=BASELINE_COLOUR, linewidth=1)
    for edge in (-margin, margin) if margin else ():
        ax.axvline(edge, color=BASELINE_COLOUR, linewidth=0.8, linestyle=(0, (2, 2)), gid="margin")


def how_to_read(margin: float, unit: str, *, repeats: int) -> str:
    """What is yellow, dashed, a bar and a tick."""
    ticks = "bar: 95% interval, ticks: blocks; " if repeats > 1 else ""
    dashed = f"; dashed: margin, ±{margin:g} {unit}" if margin else ""
    return f"{ticks}band: predicted{dashed}"
