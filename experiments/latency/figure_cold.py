"""First pings by what was cold: a strip for each mode, every ping a dot, lost ones marked.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from experiments.latency.figure_effects import BAND_COLOUR
from experiments.show.lanes import BASELINE_COLOUR, MARGIN_AT, log_axis
from experiments.show.statistics import Repeats

GAP = 1.9  # between groups, in rows: room for the name of the next
LOST_AT = 0.985  # of the width
SIZE = 7.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What was cold, and the first pings by mode."""

    name: str
    by_mode: Mapping[str, Repeats]
    lost: Mapping[str, int]
    said: str = ""  # beforehand, in words
    predicted: tuple[float, float] | None = None  # of the round trip


def rows_of(groups: Sequence[Group]) -> float:
    """How many rows high the panel is."""
    return sum(len(each.by_mode) + GAP for each in groups)


def plot_cold(ax: Axes, groups: Sequence[Group], palette: Mapping[str, str], label: str) -> Axes:
    """A group for each thing that was cold; a stroke at each mode's median, its value beside it."""
    at, places = 0.0, {}
    for group in groups:
        _head(ax, group, at)
        at += GAP
        _predicted(ax, group, at)
        for mode in group.by_mode:
            _strip(ax, group, mode, at, palette[mode])
            places[at] = mode
            at += 1
    ax.set_yticks(list(places), labels=list(places.values()), fontsize=SIZE)
    ax.set_ylim(at - 0.4, 0)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    log_axis(ax, {each.name: _came(each) for each in groups}, label)
    low, high = ax.get_xlim()
    ax.set_xlim(low, high**1.06 / low**0.06)  # room for crosses, right of every dot
    ax.grid(visible=True, axis="x")
    return ax


def _came(group: Group) -> Repeats:
    return [repeat for repeats in group.by_mode.values() for repeat in repeats]


def _head(ax: Axes, group: Group, at: float) -> None:
    """The name of a group, in the gap over it, and what was said of it."""
    ax.axhline(at + 0.35, color="#CCCCCC", linewidth=0.8, zorder=0.5)
    name = ax.text(
        0,
        at + 0.85,
        group.name,
        transform=ax.get_yaxis_transform(),
        va="center",
        fontsize=8.5,
        fontweight="bold",
        gid=f"group {group.name}",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )
    ax.annotate(
        group.said,
        (1, 0.5),
        xycoords=name,
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=SIZE,
        color=BASELINE_COLOUR,
        gid=f"said {group.name}",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )


def _predicted(ax: Axes, group: Group, at: float) -> None:
    if group.predicted:
        low, high = group.predicted
        ax.add_patch(
            Rectangle(
                (low, at - 0.5),
                high - low,
                len(group.by_mode),
                color=BAND_COLOUR,
                alpha=0.35,
                linewidth=0,
                gid=f"predicted {group.name}",
            )
        )


def _strip(ax: Axes, group: Group, mode: str, at: float, colour: str) -> None:
    gid = f"{group.name} {mode}"
    came, lost = np.concatenate(group.by_mode[mode]), group.lost[mode]
    ax.plot(
        came,
        [at] * len(came),
        linestyle="none",
        marker="o",
        markersize=3.6,
        alpha=0.55,
        markeredgewidth=0,
        color=colour,
        gid=f"samples {gid}",
        rasterized=len(came) > 1000,
    )
    if len(came):
        ax.plot(
            [float(np.median(came))] * 2,
            [at - 0.4, at + 0.4],
            color="black",
            linewidth=1.4,
            solid_capstyle="butt",
            gid=f"median {gid}",
        )
    _in_margin(ax, f"{np.median(came):.2f}" if len(came) else f"{lost} lost", at, colour, gid)
    if lost:
        ax.plot(
            [LOST_AT],
            [at],
            "x",
            color=BASELINE_COLOUR,
            markersize=5,
            transform=blended_transform_factory(ax.transAxes, ax.transData),
            gid=f"lost {gid}",
        )


def _in_margin(ax: Axes, words: str, at: float, colour: str, gid: str) -> None:
    ax.text(
        MARGIN_AT,
        at,
        words,
        transform=ax.get_yaxis_transform(),
        va="center",
        color=colour,
        fontsize=SIZE,
        gid=f"value {gid}",
    )
