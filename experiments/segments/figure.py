"""Ids on a logarithmic axis: a bar for all ids of a type, a dot for each that was proven.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.show.lanes import BASELINE_COLOUR, colours, dots, margin_text
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

LANE_IN = 0.36
BITS = (0, 4, 8, 12, 16, 20, 24, 28, 32)  # labels of the axis, as powers of two
LEAST, MOST = 0.7, 2.0**33.5
BAR = 7  # points
LEGEND = "bar: ids that fit into the field on the wire (arithmetic); dot: a proven id"
CLAIM = "the article's 2^24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One mode."""

    mode: str
    greatest_id: int  # 0: its networks have no id
    without_id: str  # the text instead of a bar
    made: int  # networks
    isolated: int  # networks that are proven to be
    proven: tuple[int, ...]  # their ids
    failed: tuple[int, ...]  # ids of the others
    has_br_int: bool = True  # the local VLANs of a host limit its networks


def draw(lanes: Sequence[Lane], caption: Caption, *, host_limit: int, claimed: int) -> Figure:
    """A lane for each mode, the first on top.

    Args:
        host_limit: networks on one host.
        claimed: ids of GRE in the article.
    """
    figure, (ax,) = sheet(caption, [LANE_IN * (len(lanes) + 1.4)], width_in=OLD_WIDTH_IN)
    title(ax, "Ids of each type, and those that were proven", LEGEND)
    palette = colours([lane.mode for lane in lanes], "(none)")
    ax.set_xscale("log", base=2)
    for at, lane in enumerate(reversed(lanes)):
        _lane(ax, at, lane, palette[lane.mode] if lane.greatest_id else BASELINE_COLOUR)
        if lane.mode.startswith("gre"):
            _claim(ax, at, claimed)
    _host_limit(ax, host_limit, lanes)
    ax.set_ylim(-0.7, len(lanes) + 0.35)
    ax.set_xlim(LEAST, MOST)
    ax.set_yticks(range(len(lanes)), labels=[lane.mode for lane in reversed(lanes)])
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(FixedLocator([2.0**bits for bits in BITS]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(["1", *(f"$2^{{{bits}}}$" for bits in BITS[1:])], parse_math=True)
    ax.set_xlabel("segmentation_id on the wire, logarithmic")
    return figure


def _lane(ax: Axes, at: int, lane: Lane, colour: str) -> None:
    if lane.greatest_id:
        ax.plot(
            [1, lane.greatest_id],
            [at, at],
            color=colour,
            alpha=0.22,
            linewidth=BAR,
            solid_capstyle="butt",
            gid=f"ids {lane.mode}",
        )
        ax.annotate(
            f"{lane.greatest_id:,} ids",
            (lane.greatest_id, at),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=7.5,
            color=colour,
            gid=f"greatest {lane.mode}",
        )
        here = [at] * len(lane.proven)
        dots(ax, lane.proven, here, colour, f"proven {lane.mode}", markersize=4, alpha=0.75)
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
            gid=f"ids {lane.mode}",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    isolated = f"{lane.isolated} of {lane.made} isolated"
    margin_text(ax, at, isolated, colour, f"name {lane.mode}", fontsize=8.5, fontweight="bold")


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
    """A line through the lanes with a br-int, and its meaning above them."""
    limited = [at for at, lane in enumerate(reversed(lanes)) if lane.has_br_int]
    for at in (*limited, *((len(lanes),) if limited else ())):
        ax.plot(
            [limit, limit],
            [at - 0.5, at + 0.5],
            color="#888888",
            linewidth=1,
            zorder=0,
            linestyle=(0, (4, 3)),
            gid="host limit",
        )
    if limited:
        text = f"{limit:,} local VLANs of br-int: networks at once on one host (arithmetic)"
        ax.annotate(
            text,
            (limit, len(lanes) - 0.1),
            xytext=(5, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=8,
            color="#555555",
        )
