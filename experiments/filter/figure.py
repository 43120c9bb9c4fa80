"""What a firewall in the underlay lets through, as a matrix; and what its rules cost.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullFormatter

from experiments.show.lanes import colours
from experiments.show.sheet import SMALL, Caption, sheet, title
from experiments.show.statistics import Samples

ROW_IN, COST_IN = 0.24, 0.34
PASSED_COLOUR, STOPPED_COLOUR, UNLIKE_COLOUR = "#cfe8d8", "#f3c9b5", "#c00000"
TICKS_US = (1, 2, 5, 10, 20, 50, 100, 200, 500)
DOTS_HIGH = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One flow past one rule."""

    rule: str
    what: str
    mode: str
    passed: float
    predicted: float
    is_as_foretold: bool


def draw(
    squares: Sequence[Square],
    costs: Mapping[tuple[str, int], Mapping[str, Samples]],
    words: Caption,
) -> Figure:
    """The matrix, and below it the cost."""
    rules = tuple(dict.fromkeys(square.rule for square in squares))
    heights = [ROW_IN * (len(rules) + 2.5)] + ([COST_IN * (len(costs) + 1)] if costs else [])
    figure, axes = sheet(words, heights)
    plot_matrix(axes[0], squares)
    title(
        axes[0],
        "Packets that come through, of 16",
        "green: they pass; red: stopped; framed: unlike what was foretold",
    )
    if costs:
        plot_costs(axes[1], costs)
        title(
            axes[1],
            "What rules cost a packet that they do not match",
            "dot: a batch of 100 packets; stroke, and figure: median by mode; axis logarithmic",
        )
    return figure


def plot_matrix(ax: Axes, squares: Sequence[Square]) -> Axes:
    """Rules down the page; flows along it, and within a flow the encapsulations."""
    rules = tuple(dict.fromkeys(square.rule for square in squares))
    flows = tuple(dict.fromkeys(square.what for square in squares))
    modes = tuple(dict.fromkeys(square.mode for square in squares))
    palette = colours(modes, "")
    for square in squares:
        x = flows.index(square.what) * (len(modes) + 0.4) + modes.index(square.mode)
        _square(ax, square, x, rules.index(square.rule))
    for at, what in enumerate(flows):
        left = at * (len(modes) + 0.4)
        ax.text(left + len(modes) / 2, -1.15, what, ha="center", fontsize=SMALL, fontweight="bold")
        for number, mode in enumerate(modes):
            name = mode.partition("-")[0]
            ax.text(
                left + number + 0.5, -0.25, name, ha="center", fontsize=5.3, color=palette[mode]
            )
    ax.set_xlim(-0.05, len(flows) * (len(modes) + 0.4) - 0.35)
    ax.set_ylim(len(rules), -1.8)
    ax.set_yticks(np.arange(len(rules)) + 0.5, labels=rules, fontsize=SMALL)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return ax


def _square(ax: Axes, square: Square, x: float, y: float) -> None:
    face = PASSED_COLOUR if square.passed else STOPPED_COLOUR
    frame = "white" if square.is_as_foretold else UNLIKE_COLOUR
    ax.add_patch(
        Rectangle(
            (x + 0.03, y + 0.06),
            0.94,
            0.88,
            facecolor=face,
            edgecolor=frame,
            linewidth=1.5,
            gid=f"square {square.mode} {square.rule} {square.what}",
        )
    )
    ax.text(x + 0.5, y + 0.52, f"{square.passed:g}", ha="center", va="center", fontsize=7)


def plot_costs(ax: Axes, costs: Mapping[tuple[str, int], Mapping[str, Samples]]) -> Axes:
    """Every batch as a dot, a lane per encapsulation with its median."""
    modes = tuple(dict.fromkeys(mode for by_mode in costs.values() for mode in by_mode))
    palette = colours(modes, "")
    for at, by_mode in enumerate(costs.values()):
        for lane, (mode, samples) in enumerate(by_mode.items()):
            y = at + DOTS_HIGH * ((lane + 0.5) / len(by_mode) - 0.5)
            ax.plot(
                samples,
                np.full(len(samples), y),
                linestyle="none",
                marker="o",
                markersize=2.4,
                markeredgewidth=0,
                alpha=0.55,
                color=palette[mode],
                gid=f"batches {mode}",
                rasterized=True,
            )
            middle, half = float(np.median(samples)), DOTS_HIGH / len(by_mode) / 2
            ax.plot(
                [middle, middle],
                [y - half, y + half],
                color="#222222",
                linewidth=1.4,
                gid=f"median {mode}",
            )
        middles = [float(np.median(samples)) for samples in by_mode.values()]
        ends = dict.fromkeys(f"{end:.1f}" for end in (min(middles), max(middles)))
        ax.annotate(
            " to ".join(ends),
            (1.02, at),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=SMALL,
            annotation_clip=False,
            gid="value",
        )
    ax.set_xscale("log")
    ax.set_xticks(TICKS_US)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    every = np.concatenate([each for by_mode in costs.values() for each in by_mode.values()])
    ax.set_xlim(0.8 * every.min(), 1.15 * every.max())
    names = [rule if many <= 1 else f"{rule}, {many} rules" for rule, many in costs]
    ax.set_yticks(range(len(names)), labels=names, fontsize=SMALL)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("time a packet takes [µs]")
    return ax
