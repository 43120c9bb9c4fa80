"""What charts are made of: predictions, bands, boxes, stacked bars, grids of words.  Pure.

Each function draws on axes of `sheet`; rows are 0, 1, ... from the top down, named by
`axes.name_rows`.  Predictions are faint and below what was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from experiments.show.axes import name_rows, row_values
from experiments.show.palette import GROUND, INK, PREDICTED
from experiments.show.sheet import LABEL, SMALL, lay_out
from experiments.show.statistics import Samples

# Points of a predicted line and its dots: seen on both sides of the measured ones.
PREDICTED_WIDE, PREDICTED_DOT = 6.0, 10.0
LINE_WIDE, DOT = 2.0, 5.0  # points
BOX_HIGH, BAR_HIGH = 0.55, 0.62  # of a row
BAND_ALPHA = 0.28
INSIDE = 0.9  # of a bar's width, at most: the text inside it


def predicted_line(ax: Axes, xs: ArrayLike, ys: ArrayLike, name: str) -> None:
    """A wide faint line behind the measured one."""
    ax.plot(
        xs,
        ys,
        color=PREDICTED,
        linewidth=PREDICTED_WIDE,
        marker="o",  # a single point is seen, too
        markersize=PREDICTED_DOT,
        markeredgewidth=0,
        solid_capstyle="round",
        alpha=0.8,
        zorder=1.5,
        gid=f"predicted {name}",
    )


def measured_line(ax: Axes, xs: ArrayLike, ys: ArrayLike, colour: str, name: str) -> None:
    """A line with a dot at each measured place."""
    style: dict[str, Any] = {"color": colour, "linewidth": LINE_WIDE, "markersize": DOT}
    ax.plot(xs, ys, marker="o", clip_on=False, zorder=3, gid=f"measured {name}", **style)


def band(
    ax: Axes, xs: ArrayLike, span: tuple[ArrayLike, ArrayLike], colour: str, name: str
) -> None:
    """A family: the area between its lowest and its highest member."""
    ax.fill_between(xs, *span, color=colour, alpha=BAND_ALPHA, linewidth=0, gid=f"band {name}")


def boxes(ax: Axes, rows: Mapping[str, Samples], colours: Mapping[str, str], form: str) -> None:
    """A box of quartiles for each row, whiskers from p10 to p90, its median in the right margin.

    Args:
        rows: samples by name.
        colours: of the boxes, by name.
        form: how a median is written, such as `.3f`.
    """
    medians: dict[float, tuple[str, str]] = {}
    for at, (name, samples) in enumerate(rows.items()):
        line = {"color": colours[name], "linewidth": 1.2}
        drawn = ax.boxplot(
            [samples],
            positions=[at],
            widths=BOX_HIGH,
            orientation="horizontal",
            whis=(10, 90),
            showfliers=False,
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": colours[name], "alpha": 0.55, "linewidth": 0},
            whiskerprops=line,
            capprops=line,
            medianprops={"color": INK, "linewidth": 2.2, "solid_capstyle": "butt"},
        )
        (median,) = drawn["medians"]
        median.set_gid(f"median {name}")
        medians[at] = (format(float(median.get_xdata()[0]), form), colours[name])
    name_rows(ax, list(rows))
    row_values(ax, medians)
    ax.grid(visible=True, axis="x")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a stacked bar."""

    name: str
    value: float
    colour: str
    text: str = ""  # inside it, if there is room


def stacked_bars(ax: Axes, rows: Mapping[str, Sequence[Part]]) -> None:
    """A bar for each row, its parts side by side from 0; a text only where it fits inside.

    Set the limits of the horizontal axis before: what fits depends on it.
    """
    name_rows(ax, list(rows))
    lay_out(ax)
    for at, parts in enumerate(rows.values()):
        left = 0.0
        for part in parts:
            ax.barh(
                at,
                part.value,
                left=left,
                height=BAR_HIGH,
                color=part.colour,
                edgecolor=GROUND,
                linewidth=1,
                gid=f"part {part.name} {at}",
            )
            text = ax.text(left + part.value / 2, at, part.text, ha="center", va="center")
            text.set(fontsize=LABEL, fontweight="bold", color=GROUND)
            left += part.value
            if part.text:
                start, end = ax.transData.transform([(0, 0), (part.value, 0)])[:, 0]
                wide = text.get_window_extent().width
                text.set_visible(bool(wide <= INSIDE * (end - start)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCell:
    """A cell of a grid: a word, and a smaller line below it."""

    word: str
    small: str = ""
    colour: str = PREDICTED  # of its ground, faint
    strength: float = BAND_ALPHA


def word_grid(
    ax: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], WordCell],
) -> None:
    """A grid of coloured cells with words, the columns named above it; a missing cell is empty."""
    for at, row in enumerate(rows):
        for across, column in enumerate(columns):
            if not (cell := cells.get((row, column))):
                continue
            where = Rectangle((across - 0.48, at - 0.46), 0.96, 0.92, linewidth=0)
            where.set(facecolor=cell.colour, alpha=cell.strength, gid=f"cell {row} {column}")
            ax.add_patch(where)
            text = ax.text(across, at - (0.16 if cell.small else 0), cell.word, fontweight="bold")
            text.set(ha="center", va="center", fontsize=LABEL)
            if cell.small:
                small = ax.text(across, at + 0.22, cell.small, fontsize=SMALL + 0.5)
                small.set(ha="center", va="center")
    name_rows(ax, list(rows))
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_xticks(range(len(columns)), labels=list(columns))
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0)
    for side in ("top", "bottom"):
        ax.spines[side].set_visible(False)
