"""Which spine the flows take: shares as stacked bars, and entropy over the number of flows.  Pure.

A bar has a lane for each draw, so that single draws are visible; the shades in it are the spines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments.show.lanes import colours
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, SMALL, sheet, title

BAR_IN, PANEL_IN, GAP_IN = 0.19, 1.35, 0.55
BAR_HIGH = 0.78  # rows are 1 apart
MODE_GAP = 0.5  # rows between two modes
DARK, LIGHT = 0.28, 0.88  # of white: the shades of the first and of the last spine
CHANCE_COLOUR, LEGEND_COLOUR = "#777777", "#555555"
# Even shares, or the most entropy.
EVEN: Mapping[str, Any] = {"color": "#222222", "linestyle": (0, (4, 2))}
OCTAVE_USED = 0.5  # by the encapsulations beside each other
TITLE_SPACE = " "  # keeps room for LEGEND above every panel of the first row
LEGEND = "dashes: log2(min(flows, spines)), the maximum; line: mean of a random choice; dots: draws"
POLICIES = (
    "policy 0 hashes outer addresses, 1 outer ports too, 2 inner addresses if seen, else outer"
)
WHICH = "the hash's choice, the same in every lab until the next boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The shares of the spines under one encapsulation and policy."""

    mode: str
    words: str
    flows: int
    lanes: tuple[tuple[float, ...], ...]  # a draw each: shares of spine 1, 2, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Entropy over the number of flows, for one policy and so many spines."""

    spines: int
    hash_policy: int
    most: Mapping[int, float]
    chance: Mapping[int, float]
    dots: Mapping[tuple[str, str], Sequence[tuple[int, float]]]  # by mode and pairs
    is_spread: bool  # chance decides for some: its line is drawn


def draw(bars: Sequence[Bar], panels: Sequence[Panel], words: Caption) -> Figure:
    """The bars, and below them a panel for each policy, a row for each number of spines."""
    modes = tuple(dict.fromkeys(bar.mode for bar in bars))
    palette = colours(modes, "")
    rows = sorted({panel.spines for panel in panels})
    columns = sorted({panel.hash_policy for panel in panels})
    below = len(rows) * PANEL_IN + (len(rows) - 1) * GAP_IN
    high = max(1.2, BAR_IN * (len(bars) + MODE_GAP * len(modes)))
    figure, (top, whole) = sheet(words, [high, below], width_in=OLD_WIDTH_IN)
    plot_bars(top, bars, palette)
    spines, flows = len(bars[0].lanes[0]), bars[0].flows
    title(
        top,
        f"Share of {flows} flows on each of {spines} spines",
        f"shades: spine1 (dark) to spine{spines} (light), a lane for each draw; dashes: even "
        f"shares\n{POLICIES}\none shade: all on one spine, {WHICH}",
    )
    places = whole.get_subplotspec().subgridspec(len(rows), len(columns))  # type: ignore[union-attr]
    whole.remove()
    for panel in panels:
        at = rows.index(panel.spines), columns.index(panel.hash_policy)
        ax = figure.add_subplot(places[at])
        plot_panel(ax, panel, palette)
        _frame(ax, panel, at, is_last=at[0] == len(rows) - 1)
    return figure


def plot_bars(ax: Axes, bars: Sequence[Bar], palette: Mapping[str, str]) -> Axes:
    """One stacked bar a policy, grouped by encapsulation."""
    modes = list(dict.fromkeys(bar.mode for bar in bars))
    places = [at + MODE_GAP * modes.index(bar.mode) for at, bar in enumerate(bars)]
    for bar, place in zip(bars, places, strict=True):
        lanes = np.array(bar.lanes)
        height = BAR_HIGH / len(lanes)
        middles = place - BAR_HIGH / 2 + height * (np.arange(len(lanes)) + 0.5)
        left = np.cumsum(lanes, axis=1) - lanes
        for spine, shade in enumerate(np.linspace(DARK, LIGHT, lanes.shape[1])):
            ax.barh(
                middles,
                lanes[:, spine],
                left=left[:, spine],
                height=height,
                linewidth=0,
                color=f"{shade:.2f}",
                gid=f"share {bar.mode} {bar.words} {spine}",
            )
    names = [f"{bar.mode.partition('-')[0]}: {bar.words}" for bar in bars]
    ax.set_yticks(places, labels=names, fontsize=SMALL)
    for label, bar in zip(ax.get_yticklabels(), bars, strict=True):
        label.set_color(palette[bar.mode])
    ax.set_ylim(places[-1] + 0.6, -0.6)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.tick_params(axis="y", length=0)
    for even in np.linspace(0, 1, len(bars[0].lanes[0]) + 1)[1:-1]:
        ax.axvline(even, **EVEN, linewidth=0.8, gid="even")
    ax.set_xlabel("share of the flows")
    ax.spines["left"].set_visible(False)
    return ax


def plot_panel(ax: Axes, panel: Panel, palette: Mapping[str, str]) -> Axes:
    """The entropy of each draw, over the largest possible and the expected one."""
    ax.plot(*zip(*panel.most.items(), strict=True), **EVEN, linewidth=1, gid="most")
    if panel.is_spread:
        mean = zip(*panel.chance.items(), strict=True)
        ax.plot(*mean, color=CHANCE_COLOUR, linewidth=1, gid="chance")
    for at, ((mode, pairs), dots) in enumerate(panel.dots.items()):
        aside = 2 ** (OCTAVE_USED * ((at + 0.5) / len(panel.dots) - 0.5))
        ax.plot(
            [many * aside for many, _ in dots],
            [bits for _, bits in dots],
            linestyle="none",
            marker="o",
            markersize=2.6,
            color=palette[mode],
            alpha=0.85,
            clip_on=False,
            markerfacecolor=palette[mode] if pairs == "one" else "white",
            markeredgewidth=0.6,
            gid=f"dots {mode} {pairs}",
            rasterized=True,
            zorder=3,
        )
    ax.set_xscale("log", base=2)
    return ax


def _frame(ax: Axes, panel: Panel, at: tuple[int, int], *, is_last: bool) -> None:
    title(
        ax, f"{panel.spines} spines, policy {panel.hash_policy}", TITLE_SPACE if at[0] == 0 else ""
    )
    ax.set_xticks([1, 8, 64, 512], labels=["1", "8", "64", "512"])
    ax.minorticks_off()
    ax.set_ylim(-0.06 * np.log2(panel.spines), 1.08 * np.log2(panel.spines))
    ax.set_yticks(range(int(np.log2(panel.spines)) + 1))
    ax.grid(visible=True, axis="y")
    ax.set_xlabel("flows" if is_last else "")
    ax.set_ylabel("entropy [bits]" if at[1] == 0 else "")
    if at == (0, 0):
        ax.texts[-1].set_text(LEGEND)
        ax.texts[-1].set_in_layout(False)
        _legend(ax, panel)


def _legend(ax: Axes, panel: Panel) -> None:
    """Which dots are of one pair of inner addresses, and which of many."""
    for name, face in (("one pair", LEGEND_COLOUR), ("many pairs", "white")):
        if any(pairs == name.split()[0] for _, pairs in panel.dots):
            (mark,) = ax.plot([], [], "o", color=LEGEND_COLOUR, markersize=3.5, label=name)
            mark.set(markerfacecolor=face, markeredgewidth=0.7)
    ax.legend(fontsize=7, loc="center right", handletextpad=0.1, borderpad=0.1)
