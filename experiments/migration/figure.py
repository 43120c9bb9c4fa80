"""The chart of `migration`: downtimes by family, with gratuitous ARP and without it.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.show.axes import name_rows, row_values
from experiments.show.palette import BAD, INK, colour
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, sheet, title

ROW_IN, FRAME_IN = 0.4, 1.15  # heights: of a row, and of headings and axes of all panels
DOTS_HIGH = 0.5  # of a row: moves are spread over it, so that equal ones are visible
MEDIAN_HIGH = 0.36
ABOVE = 1.05  # of the longest downtime: where the axis ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Moves of one kind, of a mode or of the modes of a group."""

    name: str
    colour: str  # a mode or a family, whose colour it has
    downtimes_ms: Mapping[str, Sequence[float]]  # by mode, of moves whose downtime ended
    value: str  # in the margin: the range of medians
    lost: str  # in the panel: how many are still unreachable; empty if none is
    is_as_predicted: bool


def draw(panels: Mapping[str, Sequence[Row]], caption: Caption) -> Figure:
    """A panel for each heading, a row for each kind of move, over one axis of downtimes."""
    heights = [ROW_IN * len(rows) for rows in panels.values()]
    figure, axes = sheet(caption, heights, frame_in=FRAME_IN * len(panels) ** 0.5)
    every = [ms for rows in panels.values() for row in rows for ms in _all(row)]
    for ax, (heading, rows) in zip(axes, panels.items(), strict=True):
        ax.set_xlim(0, ABOVE * max(every, default=1.0))
        _plot(ax, rows)
        title(ax, heading)
        ax.tick_params(axis="x", labelbottom=ax is axes[-1])
    if every:
        axes[-1].set_xlabel("downtime after a move [ms]")
    else:
        axes[-1].set_xticks([])
    return figure


def _plot(ax: Axes, rows: Sequence[Row]) -> None:
    for at, row in enumerate(rows):
        ink = colour(row.colour)
        downtimes = _all(row)
        heights = [
            at + DOTS_HIGH * ((nth + 0.5) / len(downtimes) - 0.5) for nth in range(len(downtimes))
        ]
        (dots,) = ax.plot(downtimes, heights, "o", color=ink, markersize=3.2, alpha=0.4)
        dots.set(markeredgewidth=0, gid=f"moves {row.name}")
        for mode, ended in row.downtimes_ms.items():
            if ended:
                ax.plot([median(ended)] * 2, [at - MEDIAN_HIGH, at + MEDIAN_HIGH], color=INK)
                ax.get_lines()[-1].set(linewidth=1.4, gid=f"median {mode} {row.name}")
        if row.lost:
            where = 0.98 if downtimes else 0.02  # of the width
            text = ax.text(where, at, row.lost, va="center", ha="right" if downtimes else "left")
            text.set(transform=ax.get_yaxis_transform(), fontsize=LABEL, gid=f"lost {row.name}")
            text.set_color(INK if row.is_as_predicted else BAD)
    name_rows(ax, [row.name for row in rows])
    row_values(
        ax,
        {
            at: (row.value, colour(row.colour) if row.is_as_predicted else BAD)
            for at, row in enumerate(rows)
        },
    )
    ax.grid(visible=True, axis="x")


def _all(row: Row) -> list[float]:
    return [ms for ended in row.downtimes_ms.values() for ms in ended]
