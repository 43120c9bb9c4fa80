"""A drawing of a packet's path: a row for each leg, from the first down, with its headers side by side.

The outermost header is on the left, since it comes first on the wire.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from experiments.show.marks import boxes
from experiments.show.palette import BAD, GRID, INK, MUTED, OTHERS, colour
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, SMALL, WIDTH_IN, sheet, title
from experiments.show.statistics import Repeats
from experiments.walk.headers import GRE, ICMP, IP, Header
from experiments.walk.legs import Leg
from experiments.walk.words import BACK, PUBLIC, SERVER, THERE, TUNNEL

WAYS = {THERE: "The request", BACK: "The reply"}
OUTER = "outer IP"  # a kind of header, beside the protocols
WIDE_IN = WIDTH_IN - 0.16
PLACES = {  # left and width
    OUTER: (1.23, 1.22),
    GRE: (2.5, 0.6),
    IP: (3.15, 1.22),
    ICMP: (4.42, 0.6),
}
INKS = {OUTER: OTHERS[2], GRE: OTHERS[0], IP: OTHERS[3], ICMP: OTHERS[1]}
NAMES = {OUTER: "public IP", GRE: "GRE", IP: "IP", ICMP: ""}
FILL_ALPHA = 0.22
HEAD_IN, ROW_IN, NOTE_IN, BOX_IN = 0.26, 0.48, 0.24, 0.41
PATHS_IN = 0.42  # of a path's row
PATHS = {
    PUBLIC: "far router,\npublic address",
    TUNNEL: "far router,\nby the tunnel",
    SERVER: "server,\nby the tunnel",
}
PATH_INKS = {PUBLIC: colour("flat"), TUNNEL: colour("gre"), SERVER: colour("gre")}


def draw(legs: Mapping[str, Sequence[Leg]], notes: Mapping[int, str], caption: Caption) -> Figure:
    """A panel for each direction.

    Args:
        legs: by direction, in the order of passing.
        notes: texts below legs of the request, by number from 0.
    """
    of_way = {way: notes if way == THERE else {} for way in legs}
    heights = [
        HEAD_IN + ROW_IN * len(along) + NOTE_IN * sum(n < len(along) for n in of_way[way])
        for way, along in legs.items()
    ]
    figure, axes = sheet(caption, heights, frame_in=0.45 * len(legs))
    for ax, height, (way, along) in zip(axes, heights, legs.items(), strict=True):
        ax.set_axis_off()
        ax.set(xlim=(0, WIDE_IN), ylim=(height, 0))
        title(ax, WAYS[way])
        _plot_way(ax, along, of_way[way])
    return figure


def _plot_way(ax: Axes, legs: Sequence[Leg], notes: Mapping[int, str]) -> None:
    for kind, (left, wide) in PLACES.items():
        name = ax.text(left + wide / 2, HEAD_IN / 2, NAMES[kind], ha="center", va="center")
        name.set(fontsize=LABEL, fontweight="bold", color=INKS[kind])
    top = HEAD_IN
    for number, leg in enumerate(legs):
        if leg.is_inside:
            inside = Rectangle((0, top), WIDE_IN, ROW_IN, facecolor=GRID, alpha=0.6, linewidth=0)
            ax.add_patch(inside)
        where = ax.text(0.05, top + ROW_IN / 2, _where(leg), va="center", fontsize=LABEL)
        where.set(linespacing=1.1, gid=f"leg {number}")
        _plot_stack(ax, number, top, leg, legs[number - 1].inner if number else None)
        top += ROW_IN
        if number in notes:
            note = ax.text(WIDE_IN, top + NOTE_IN * 0.42, notes[number], ha="right", va="center")
            note.set(fontsize=SMALL + 0.5, color=BAD, gid=f"note {number}")
            top += NOTE_IN


def _where(leg: Leg) -> str:
    """A wire's ends, or a router and its interface."""
    first, last = leg.ends
    return f"inside\n{first}" if leg.is_inside else f"{first}\nto {last}"


def _plot_stack(ax: Axes, row: int, top: float, leg: Leg, before: Header | None) -> None:
    """A box for each header; changed: addresses that differ from `before`, the previous inner IP."""
    is_outer = False  # from the right, the first IP header is the inner one
    for number, header in reversed(list(enumerate(leg.stack))):
        kind = OUTER if is_outer and header.protocol == IP else header.protocol
        is_outer = is_outer or header.protocol == IP
        if kind in PLACES:
            _box(ax, top, kind, _lines(header, kind, before), f"box {row} {number}")


def _lines(header: Header, kind: str, before: Header | None) -> tuple[tuple[str, bool], ...]:
    """The lines of a box, and whether they have changed."""
    if kind == GRE:
        return (("no", False), ("address", False))
    if kind == ICMP:
        return ((ICMP, False), (header.more.replace("echo ", ""), False))
    was = before if before and kind == IP else header
    return (
        (header.source, header.source != was.source),
        (header.target, header.target != was.target),
    )


def _box(ax: Axes, top: float, kind: str, lines: Sequence[tuple[str, bool]], gid: str) -> None:
    left, wide = PLACES[kind]
    pad = (ROW_IN - BOX_IN) / 2
    for is_filled in (True, False):
        shape = FancyBboxPatch(
            (left, top + pad), wide, BOX_IN, boxstyle="round,pad=0,rounding_size=0.03"
        )
        shape.set(facecolor=INKS[kind], edgecolor=INKS[kind], linewidth=0 if is_filled else 0.9)
        shape.set(
            fill=is_filled, alpha=FILL_ALPHA if is_filled else 1, gid=gid if is_filled else ""
        )
        ax.add_patch(shape)
    for number, (line, is_changed) in enumerate(lines):
        y = top + pad + (number + 0.52) * BOX_IN / len(lines)
        text = ax.text(left + wide / 2, y, line, ha="center", va="center", fontsize=LABEL)
        text.set(color=BAD if is_changed else INK, gid=f"{gid} line {number}")
        if kind == GRE:
            text.set(fontsize=SMALL, color=MUTED)


def draw_paths(levels: Mapping[str, Repeats], caption: Caption) -> Figure:
    """All round trips by path: quartiles, p10 and p90, medians."""
    figure, (ax,) = sheet(caption, [PATHS_IN * len(levels)], frame_in=0.75)
    rows = {PATHS.get(path, path): np.concatenate(repeats) for path, repeats in levels.items()}
    inks = {PATHS.get(path, path): PATH_INKS[path] for path in levels}
    boxes(ax, rows, inks, ".3f")
    ax.set_xlim(left=0)
    ax.set_xlabel("round trip [ms]; box: quartiles, line: p10 to p90")
    return figure
