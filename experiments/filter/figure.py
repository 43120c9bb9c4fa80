"""Packets that pass a firewall in the underlay, as a matrix, and the cost of its rules.  Pure."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.filter.words import BATCH, PACKETS
from experiments.show.lanes import colours, dots, log_axis, margin_text, rows
from experiments.show.report import Caption, range_text
from experiments.show.sheet import OLD_WIDTH_IN, SMALL, sheet, title

ROW_IN, COST_IN = 0.24, 0.34
PASSED_COLOUR, STOPPED_COLOUR, MISMATCH_COLOUR = "#cfe8d8", "#f3c9b5", "#c00000"
FLOW_GAP = 0.4  # between flows; a square is 1 wide
DOTS_HIGH = 0.7


def draw(squares: pl.DataFrame, costs: pl.DataFrame, caption: Caption) -> Figure:
    """The matrix, and below it the cost.

    Args:
        squares: a row for each with `rule`, `what`, `mode`, `passed` (packets), `is_match`.
        costs: as `costs_of` makes them.
    """
    names = costs.select("rule", "rules").n_unique()
    heights = [
        ROW_IN * (squares["rule"].n_unique() + 2.5),
        *([COST_IN * (names + 1)] if names else []),
    ]
    figure, axes = sheet(caption, heights, width_in=OLD_WIDTH_IN)
    _plot_matrix(axes[0], squares)
    title(
        axes[0],
        f"Packets that pass, of {PACKETS}",
        "green: they pass; red: they are stopped; framed: not as predicted",
    )
    if names:
        _plot_costs(axes[1], costs)
        title(
            axes[1],
            "Cost of rules for a packet that matches none of them",
            f"dot: a batch of {BATCH} packets; stroke and number: median per mode",
        )
    return figure


def _plot_matrix(ax: Axes, squares: pl.DataFrame) -> None:
    """Rules from top to bottom; flows from left to right, with a column for each mode."""
    rules, flows, modes = (
        squares[name].unique(maintain_order=True).to_list() for name in ("rule", "what", "mode")
    )
    palette, pitch = colours(modes, ""), len(modes) + FLOW_GAP
    for rule, what, mode, passed, is_match in squares.iter_rows():
        x, y = flows.index(what) * pitch + modes.index(mode), rules.index(rule)
        square = Rectangle(
            (x + 0.03, y + 0.06),
            0.94,
            0.88,
            facecolor=PASSED_COLOUR if passed else STOPPED_COLOUR,
            edgecolor="white" if is_match else MISMATCH_COLOUR,
            linewidth=1.5,
            gid=f"square {mode} {rule} {what}",
        )
        ax.add_patch(square)
        ax.text(x + 0.5, y + 0.52, f"{passed:g}", ha="center", va="center", fontsize=7)
    for at, what in enumerate(flows):
        middle = at * pitch + len(modes) / 2
        ax.text(middle, -1.15, what, ha="center", fontsize=SMALL, fontweight="bold")
        for number, mode in enumerate(modes):
            x, name = at * pitch + number + 0.5, mode.partition("-")[0]
            ax.text(x, -0.25, name, ha="center", fontsize=5.3, color=palette[mode])
    ax.set_xlim(-0.05, len(flows) * pitch - 0.35)
    ax.set_ylim(len(rules), -1.8)
    ax.set_yticks(np.arange(len(rules)) + 0.5, labels=rules, fontsize=SMALL)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _plot_costs(ax: Axes, costs: pl.DataFrame) -> None:
    """Every batch as a dot, in a lane for each mode with its median."""
    palette = colours(costs["mode"].unique(maintain_order=True).to_list(), "")
    names = []
    for at, ((rule, many), by_mode) in enumerate(
        costs.group_by("rule", "rules", maintain_order=True)
    ):
        names.append(str(rule) if many in {0, 1} else f"{rule}, {many} rules")
        high = DOTS_HIGH / by_mode.height
        for lane, row in enumerate(by_mode.iter_rows(named=True)):
            mode, y = row["mode"], at + high * (lane + 0.5) - DOTS_HIGH / 2
            x, gid = row["batches"], f"batches {mode}"
            heights = np.full(len(x), y)
            dots(ax, x, heights, palette[mode], gid, markersize=2.4, alpha=0.55, rasterized=True)
            middle, lane_ends = [row["median"]] * 2, [y - high / 2, y + high / 2]
            ax.plot(middle, lane_ends, color="#222222", linewidth=1.4, gid=f"median {mode}")
        margin_text(
            ax, at, range_text(by_mode["median"], ".1f"), "#222222", "value", fontsize=SMALL
        )
    log_axis(ax, {"": [costs["batches"].explode().to_numpy()]}, "time per packet [µs]")
    rows(ax, names, bottom=0.6, fontsize=SMALL)
    ax.grid(visible=True, axis="x")
