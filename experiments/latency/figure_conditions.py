"""A figure over conditions: a dot for each block's median, modes side by side.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from experiments.show.lanes import BOTH, DOTS, label_curves, line_style, marker_style

WIDTH = 0.62  # of a condition's place, shared by its modes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One condition: its name on the axis, and block medians by mode."""

    name: str
    by_mode: Mapping[str, tuple[float, ...]]


def plot_conditions(
    ax: Axes, places: Sequence[Place], palette: Mapping[str, str], *, joined: bool
) -> Axes:
    """Dots per block, a stroke at their median; `joined` only if places may be held against each other."""
    modes = list(dict.fromkeys(mode for place in places for mode in place.by_mode))
    for nth, mode in enumerate(modes):
        aside = WIDTH * ((nth + 0.5) / len(modes) - 0.5)
        mine = [
            (at + aside, place.by_mode[mode])
            for at, place in enumerate(places)
            if mode in place.by_mode
        ]
        _dots(ax, mine, mode, palette[mode], WIDTH / len(modes))
        if joined:
            ax.plot(
                [x for x, _ in mine],
                [float(np.median(ys)) for _, ys in mine],
                color=palette[mode],
                linestyle=line_style(mode),
                linewidth=1.3,
                gid=f"line {mode}",
            )
    ax.set_xticks(range(len(places)), labels=[place.name for place in places])
    ax.set_xlim(-0.5, len(places) - 0.5)
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=True, axis="y")
    label_curves(
        ax,
        {mode: float(nth) for nth, mode in enumerate(modes)},
        palette,
        drawn=BOTH if joined else DOTS,
    )
    return ax


def _dots(
    ax: Axes, mine: Sequence[tuple[float, tuple[float, ...]]], mode: str, colour: str, wide: float
) -> None:
    for x, ys in mine:
        ax.plot(
            [x] * len(ys),
            ys,
            linestyle="none",
            markersize=3.6,
            alpha=0.6,
            color=colour,
            gid=f"blocks {mode}",
            **marker_style(mode),
        )
        middle = float(np.median(ys))
        ax.plot(
            [x - wide / 2, x + wide / 2],
            [middle, middle],
            color=colour,
            linewidth=2.2,
            solid_capstyle="butt",
            gid=f"median {mode}",
        )
