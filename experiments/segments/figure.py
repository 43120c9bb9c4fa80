"""Ids on a logarithmic axis: a bar for all ids of a type, a dot for each that was proven.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.show.axes import name_rows, row_values
from experiments.show.marks import BAND_ALPHA, DOT
from experiments.show.palette import BAD, GROUND, INK, MUTED, colours
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, SMALL, sheet

ROW_IN = 0.42
BITS = (0, 8, 16, 24, 32)  # labels of the axis, as powers of two
LEAST, MOST = 0.7, 2.0**33
BAR = 9  # points
MARK_HIGH = 0.34  # of a row: half the height of the article's mark
HEAD_ROW = 0.75  # above the lanes, for the local VLANs' text
ON_GROUND = {"facecolor": GROUND, "edgecolor": "none", "pad": 1}  # dashes do not cross its letters
DASHES: dict[str, Any] = {
    "color": MUTED,
    "linewidth": 1.2,
    "linestyle": (0, (3, 2)),
    "zorder": 0,
}
CLAIM = "the article: 2²⁴"


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
    figure, (ax,) = sheet(caption, [ROW_IN * (len(lanes) + HEAD_ROW)], frame_in=0.75)
    inks = colours([lane.mode for lane in lanes])
    ax.set_xscale("log", base=2)
    for at, lane in enumerate(lanes):
        _lane(ax, at, lane, inks[lane.mode])
        if lane.mode.startswith("gre"):
            _claim(ax, at, claimed)
    _host_limit(ax, host_limit, [at for at, lane in enumerate(lanes) if lane.has_br_int])
    name_rows(ax, [lane.mode for lane in lanes])
    ax.set_ylim(len(lanes) - 0.5, -0.5 - HEAD_ROW)
    row_values(
        ax,
        {
            float(at): (
                f"{lane.isolated} of {lane.made}",
                INK if lane.isolated == lane.made else BAD,
            )
            for at, lane in enumerate(lanes)
        },
    )
    ax.set_xlim(LEAST, MOST)
    ax.xaxis.set_major_locator(FixedLocator([2.0**bits for bits in BITS]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(["1", *(f"$2^{{{bits}}}$" for bits in BITS[1:])], parse_math=True)
    ax.set_xlabel("segmentation_id on the wire, logarithmic")
    return figure


def _lane(ax: Axes, at: int, lane: Lane, ink: str) -> None:
    if not lane.greatest_id:
        text = ax.text(1, at, lane.without_id, va="center", gid=f"ids {lane.mode}")
        text.set(fontsize=LABEL, color=MUTED, bbox=ON_GROUND)
        return
    style: dict[str, Any] = {"color": ink, "clip_on": False}
    ends, here = [1, lane.greatest_id], [at] * len(lane.proven)
    bar: dict[str, Any] = {"linewidth": BAR, "solid_capstyle": "butt", "alpha": BAND_ALPHA}
    ax.plot(ends, [at, at], gid=f"ids {lane.mode}", **style, **bar)
    ax.plot(
        lane.proven, here, "o", gid=f"proven {lane.mode}", markersize=DOT - 1, alpha=0.75, **style
    )
    cross: dict[str, Any] = {"markersize": 8, "markeredgewidth": 2.2, "color": BAD, "zorder": 4}
    ax.plot(lane.failed, [at] * len(lane.failed), "x", gid=f"failed {lane.mode}", **cross)


def _claim(ax: Axes, at: int, claimed: int) -> None:
    """The number of ids that the article gives, as a mark beside its text."""
    ax.plot([claimed] * 2, [at - MARK_HIGH, at + MARK_HIGH], color=INK, linewidth=2, gid="claimed")
    ax.annotate(
        CLAIM,
        (claimed, at + MARK_HIGH),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=SMALL + 0.5,
    )


def _host_limit(ax: Axes, limit: int, limited: Sequence[int]) -> None:
    """A line through the lanes with a br-int, and its meaning above them."""
    for at in limited:
        top = -0.5 - HEAD_ROW / 4 if at == 0 else at - 0.5
        ax.plot([limit, limit], [top, at + 0.5], gid="host limit", **DASHES)
    if limited:
        text = f"{limit:,} networks at once on one host"
        ax.text(1, -0.5 - HEAD_ROW / 2, text, va="center", fontsize=LABEL, color=MUTED)
