"""What each rule stops, as a grid, and the time that rules cost a packet.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.show.axes import name_rows, row_values
from experiments.show.families import NAMES
from experiments.show.marks import DOT, WordCell, word_grid
from experiments.show.palette import GROUND, INK, colours
from experiments.show.report import Caption, range_text
from experiments.show.sheet import sheet

ROW_IN, COST_IN = 0.56, 0.5
LANES_HIGH = 0.62  # of a row: the lanes of its modes
LEGEND_ROW = 1.1  # rows that the legend takes below the others


LEGEND: dict[str, Any] = {
    "loc": "lower center",
    "handletextpad": 0.1,
    "columnspacing": 0.9,
    "borderpad": 0.2,
    "frameon": True,  # grid lines do not cross its letters
    "facecolor": GROUND,
    "edgecolor": "none",
    "framealpha": 1,
}


def draw_grid(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], WordCell],
    caption: Caption,
) -> Figure:
    """A row for each rule, a column for each flow; a missing cell was not measured."""
    figure, (ax,) = sheet(caption, [ROW_IN * len(rows)], frame_in=0.6)
    word_grid(ax, rows, columns, cells)
    return figure


def draw_costs(costs: pl.DataFrame, names: Sequence[str], caption: Caption) -> Figure:
    """The medians of each ruleset by mode, with their quartiles, on an axis from 0.

    Args:
        costs: as `costs_of` makes them.
        names: of the rulesets, in their order.
    """
    figure, (ax,) = sheet(caption, [COST_IN * (len(names) + LEGEND_ROW)], frame_in=0.75)
    inks = colours(costs["mode"].unique(maintain_order=True).to_list())
    values = {}
    groups = costs.group_by("rule", "rules", maintain_order=True)
    for at, (_, by_mode) in enumerate(groups):
        _lanes(ax, at, by_mode, inks)
        values[float(at)] = (range_text(by_mode["median"], ".1f"), INK)
    name_rows(ax, names)
    ax.set_ylim(len(names) - 0.5 + LEGEND_ROW, -0.5)
    ax.set_xlim(0, float(costs["high"].max()) * 1.04)  # type: ignore[arg-type]
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.set_xlabel("time per packet [µs]")
    ax.grid(visible=True, axis="x")
    row_values(ax, values)
    ax.legend(ncols=len(inks), **LEGEND)
    return figure


def _lanes(ax: Axes, at: int, by_mode: pl.DataFrame, inks: Mapping[str, str]) -> None:
    """A dot for each mode at its median, and a line between its quartiles."""
    pitch = LANES_HIGH / max(1, by_mode.height)
    for lane, row in enumerate(by_mode.iter_rows(named=True)):
        y, ink = at + pitch * (lane + 0.5) - LANES_HIGH / 2, inks[row["mode"]]
        ax.plot([row["low"], row["high"]], [y, y], color=ink, linewidth=1.6, alpha=0.6)
        kind = row["mode"].partition("-")[0]
        (dot,) = ax.plot(row["median"], y, "o", color=ink, markersize=DOT, clip_on=False)
        dot.set(gid=f"median {row['mode']} {at}", label=f"_{kind}" if at else NAMES.get(kind, kind))
