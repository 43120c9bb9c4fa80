"""The chart of `throughput`: goodput by family and protocol, a panel for each packet size.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.show.axes import name_rows, row_values
from experiments.show.palette import INK, colour
from experiments.show.report import Caption
from experiments.show.sheet import sheet, title

ROW_IN, FRAME_IN = 0.31, 0.66  # heights: of a row, and of heading and axis of a panel
BAR_HIGH, MEDIAN_HIGH, DOTS_HIGH = 0.62, 0.31, 0.4  # of a row
BAR_ALPHA = 0.3
ABOVE = 1.04  # of the largest value: where the axis ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One protocol of a mode, or of the modes of a family: goodput of each transfer [Mbit/s]."""

    name: str
    colour: str  # a mode or a family, whose colour it has
    transfers: Mapping[str, Sequence[float]]  # by mode

    @property
    def medians(self) -> tuple[float, ...]:
        """The median of each mode, in ascending order."""
        return tuple(sorted(median(each) for each in self.transfers.values()))


def draw(panels: Mapping[str, Sequence[Row]], caption: Caption) -> Figure:
    """A panel for each packet size, with an axis of its own from 0."""
    heights = [ROW_IN * len(rows) for rows in panels.values()]
    figure, axes = sheet(caption, heights, frame_in=FRAME_IN * len(panels) + 0.2)
    for ax, (heading, rows) in zip(axes, panels.items(), strict=True):
        title(ax, heading)
        _plot(ax, rows)
    axes[-1].set_xlabel("payload that arrived [Mbit/s]")
    return figure


def _plot(ax: Axes, rows: Sequence[Row]) -> None:
    for at, row in enumerate(rows):
        ink = colour(row.colour)
        bar = ax.barh(at, median(row.medians), height=BAR_HIGH, color=ink, alpha=BAR_ALPHA)
        bar.patches[0].set_gid(f"bar {row.name}")
        values = [value for each in row.transfers.values() for value in each]
        heights = [at + DOTS_HIGH * ((nth + 0.5) / len(values) - 0.5) for nth in range(len(values))]
        (dots,) = ax.plot(values, heights, "o", color=ink, markersize=3.2, alpha=0.6)
        dots.set(markeredgewidth=0, gid=f"transfers {row.name}")
        for mode, each in row.transfers.items():
            (stroke,) = ax.plot([median(each)] * 2, [at - MEDIAN_HIGH, at + MEDIAN_HIGH], color=INK)
            stroke.set(linewidth=1.4, gid=f"median {row.name} {mode}")
    name_rows(ax, [row.name for row in rows])
    row_values(ax, {at: (_range(row), colour(row.colour)) for at, row in enumerate(rows)})
    ax.set_xlim(
        0,
        ABOVE * max(value for row in rows for each in row.transfers.values() for value in each)
        or 1,
    )
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(visible=True, axis="x")


def _range(row: Row) -> str:
    """The lowest and the highest median."""
    ends = (f"{each:,.0f}" for each in (row.medians[0], row.medians[-1]))
    return " to ".join(dict.fromkeys(ends))
