"""A drawing of a packet's path: legs from left to right, their headers as stacked boxes.

The outermost header is on top, since it comes first on the wire.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from experiments.show.lanes import Lanes, log_axis
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title
from experiments.show.statistics import Repeats
from experiments.walk.headers import GRE, ICMP, IP, Header
from experiments.walk.legs import Leg
from experiments.walk.words import BACK, THERE

WAYS = {THERE: "There: the request", BACK: "Back: its reply"}
OUTER = "outer IP"  # a kind of box, beside the protocols
# Okabe and Ito (2008), made light to write on
FILLS = {OUTER: "#F6C9A8", GRE: "#F9E3A5", IP: "#BBD9EE", ICMP: "#C4E8DA"}
EDGES = {OUTER: "#D55E00", GRE: "#C98A00", IP: "#0072B2", ICMP: "#009E73"}
HIGH = {OUTER: 1.0, GRE: 0.66, IP: 1.0, ICMP: 0.42}  # of an IP header's box
GAP = 0.07
SIDE = 0.045  # of a column's width, left free on each side
WAY_IN = 2.45  # inches of a panel
LETTERS = 6.1  # points
HEAD_LINE = 0.21
HEAD_AT, ARROW_AT, TOP, FLOOR = 3.62, 3.48, 4.22, -0.5
CHANGED = "#B00020"
READ = "grey: inside a router; red: address changed since the previous leg; outermost header on top"
PATHS_IN = 1.7
GREY = "#777777"
PATH_COLOURS = ("#555555", "#0072B2", "#D55E00")


def draw(legs: Mapping[str, Sequence[Leg]], notes: Mapping[int, str], caption: Caption) -> Figure:
    """A panel for each direction.

    Args:
        legs: by direction, in the order of passing.
        notes: texts below legs of the request, by number from 0.
    """
    figure, axes = sheet(caption, [WAY_IN] * len(legs), frame_in=1.35, width_in=OLD_WIDTH_IN)
    for ax, (way, along) in zip(axes, legs.items(), strict=True):
        _plot_way(ax, way, along, notes if way == THERE else {})
    return figure


def _plot_way(ax: Axes, way: str, legs: Sequence[Leg], notes: Mapping[int, str]) -> None:
    """The headers of one direction; the way back is from right to left."""
    many, is_back = len(legs), way == BACK
    ax.set_xlim(0, many)
    ax.set_ylim(FLOOR, TOP)
    ax.axis("off")
    title(ax, WAYS[way], READ)
    for number, leg in enumerate(legs):
        at = many - 1 - number if is_back else number
        if leg.is_inside:
            ax.axvspan(at + 0.01, at + 0.99, color="#F0F0F0", zorder=0, linewidth=0)
        upwards = leg.ends if is_back and not leg.is_inside else leg.ends[::-1]
        for line, name in enumerate(upwards):
            ax.text(at + 0.5, HEAD_AT + line * HEAD_LINE, name, ha="center", fontsize=LETTERS + 0.3)
        _plot_stack(ax, at, leg, legs[number - 1].inner if number else None)
        if number in notes:
            note = ax.text(at + 0.5, -0.06, notes[number], ha="center", va="top", color=CHANGED)
            note.set(fontsize=LETTERS, fontstyle="italic", linespacing=1.15)
    start, end = (many - 0.08, 0.08) if is_back else (0.08, many - 0.08)
    ax.annotate(
        "",
        (end, ARROW_AT),
        (start, ARROW_AT),
        gid=f"way {WAYS[way]}",
        arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.1},
    )


def _plot_stack(ax: Axes, at: int, leg: Leg, before: Header | None) -> None:
    """A box for each header; changed: addresses that differ from `before`, the previous inner IP."""
    floor, is_outer = 0.0, False  # from the bottom, the first IP header is the inner one
    for number, header in reversed(list(enumerate(leg.stack))):
        kind = OUTER if is_outer and header.protocol == IP else header.protocol
        is_outer = is_outer or header.protocol == IP
        _box(ax, (at, floor), kind, _lines(header, kind, before), f"box {at} {number}")
        floor += HIGH[kind] + GAP


def _lines(header: Header, kind: str, before: Header | None) -> tuple[tuple[str, bool], ...]:
    """The lines of a box, and whether they have changed."""
    if kind == GRE:
        return (GRE, False), ("no address", False)
    if kind == ICMP:
        return ((header.more.replace("echo", ICMP), False),)
    was = before if before and kind == IP else header
    return (
        (IP if kind == IP else "IP (public)", False),
        (header.source, header.source != was.source),
        (f"> {header.target}", header.target != was.target),
    )


def _box(
    ax: Axes, corner: tuple[int, float], kind: str, lines: Sequence[tuple[str, bool]], gid: str
) -> None:
    (at, floor), high = corner, HIGH[kind]
    ax.add_patch(
        FancyBboxPatch(
            (at + SIDE, floor),
            1 - 2 * SIDE,
            high,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=FILLS[kind],
            edgecolor=EDGES[kind],
            linewidth=0.8,
            gid=gid,
        )
    )
    for number, (line, is_changed) in enumerate(lines):
        ax.text(
            at + 0.5,
            floor + high - (number + 0.52) * high / len(lines),
            line,
            ha="center",
            va="center",
            fontsize=LETTERS,
            color=CHANGED if is_changed else "#222222",
            fontweight="bold" if is_changed or not number else "normal",
            gid=f"{gid} line {number}",
        )


def draw_paths(levels: Mapping[str, Repeats], caption: Caption) -> Figure:
    """All round trips by path."""
    figure, (ax,) = sheet(caption, [PATHS_IN], width_in=OLD_WIDTH_IN)
    lanes = Lanes(levels, dict(zip(levels, PATH_COLOURS, strict=False)))
    lanes(ax)
    log_axis(ax, levels, "round trip [ms]")
    title(ax, "Round trips by path (the paths take turns)", lanes.legend)
    return figure
