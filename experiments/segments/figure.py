"""Id spaces on a logarithmic axis: a bar for what a type can name, a dot for each id proven.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.show.lanes import BASELINE_COLOUR, colours
from experiments.show.sheet import Caption, sheet, title

LANE_IN = 0.36
BITS = (0, 4, 8, 12, 16, 20, 24, 28, 32)  # powers of two that the axis names
LEAST, MOST = 0.7, 2.0**33.5
BAR = 7  # points
LEGEND = "bar: ids that the field on the wire has room for (arithmetic); dot: an id proven"
CLAIM = "the article's 2^24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One mode."""

    mode: str
    ids_most: int  # 0: its networks have no id
    without_id: str  # what is said of such
    made: int  # networks
    apart: int  # networks proven
    proven: tuple[int, ...]  # their ids
    failed: tuple[int, ...]  # the others'
    has_br_int: bool = True  # so that a host's local VLANs are its limit, whatever the ids


def draw(lanes: Sequence[Lane], words: Caption, limits: Mapping[str, int]) -> Figure:
    """One figure; `limits`: networks on one `host`, and ids `claimed` for GRE."""
    figure, (ax,) = sheet(words, [LANE_IN * (len(lanes) + 1.4)])
    plot_spaces(ax, lanes, limits)
    title(ax, "What each type can name, and what was proven", LEGEND)
    return figure


def plot_spaces(ax: Axes, lanes: Sequence[Lane], limits: Mapping[str, int]) -> Axes:
    """A lane for each mode, the first on top."""
    palette = colours([lane.mode for lane in lanes], "(none)")
    ax.set_xscale("log", base=2)
    for at, lane in enumerate(reversed(lanes)):
        _lane(ax, at, lane, palette[lane.mode] if lane.ids_most else BASELINE_COLOUR)
        if lane.mode.startswith("gre"):
            _claim(ax, at, limits["claimed"])
    _host_limit(ax, limits["host"], lanes)
    ax.set_ylim(-0.7, len(lanes) + 0.35)
    ax.set_xlim(LEAST, MOST)
    ax.set_yticks(range(len(lanes)), labels=[lane.mode for lane in reversed(lanes)])
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(FixedLocator([2.0**bits for bits in BITS]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(["1", *(f"$2^{{{bits}}}$" for bits in BITS[1:])])
    ax.set_xlabel("segmentation_id on the wire, logarithmic")
    return ax


def _lane(ax: Axes, at: int, lane: Lane, colour: str) -> None:
    if lane.ids_most:
        ax.plot(
            [1, lane.ids_most],
            [at, at],
            color=colour,
            alpha=0.22,
            linewidth=BAR,
            solid_capstyle="butt",
            gid=f"space {lane.mode}",
        )
        ax.annotate(
            f"{lane.ids_most:,} ids",
            (lane.ids_most, at),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=7.5,
            color=colour,
            gid=f"most {lane.mode}",
        )
        ax.plot(
            lane.proven,
            [at] * len(lane.proven),
            linestyle="none",
            marker="o",
            markersize=4,
            markeredgewidth=0,
            color=colour,
            alpha=0.75,
            gid=f"proven {lane.mode}",
        )
        ax.plot(
            lane.failed,
            [at] * len(lane.failed),
            linestyle="none",
            marker="x",
            markersize=7,
            markeredgewidth=1.8,
            color="#C00000",
            gid=f"failed {lane.mode}",
        )
    else:
        ax.text(
            1,
            at,
            f"no id: {lane.without_id}",
            va="center",
            fontsize=8,
            color="#555555",
            gid=f"space {lane.mode}",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    ax.text(
        1.02,
        at,
        f"{lane.apart} of {lane.made} apart",
        transform=ax.get_yaxis_transform(),
        va="center",
        fontsize=8.5,
        color=colour,
        fontweight="bold",
        gid=f"name {lane.mode}",
    )


def _claim(ax: Axes, at: int, claimed: int) -> None:
    ax.plot(
        [claimed, claimed], [at - 0.36, at + 0.36], color="#222222", linewidth=1.4, gid="claimed"
    )
    ax.annotate(
        CLAIM,
        (claimed, at + 0.36),
        xytext=(-4, -3),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7.5,
    )


def _host_limit(ax: Axes, limit: int, lanes: Sequence[Lane]) -> None:
    """A line through the lanes that it is true of, and what it is, above them."""
    bound = [at for at, lane in enumerate(reversed(lanes)) if lane.has_br_int]
    for at in (*bound, *((len(lanes),) if bound else ())):
        ax.plot(
            [limit, limit],
            [at - 0.5, at + 0.5],
            color="#888888",
            linewidth=1,
            zorder=0,
            linestyle=(0, (4, 3)),
            gid="host limit",
        )
    if bound:
        said = f"{limit:,} local VLANs of br-int: networks at once on one host (arithmetic)"
        ax.annotate(
            said,
            (limit, len(lanes) - 0.1),
            xytext=(5, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=8,
            color="#555555",
        )
