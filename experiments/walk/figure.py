"""A drawing of a packet's path: legs from left to right, their headers as stacked boxes.

The outermost header is on top, since it comes first on the wire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from experiments.show.lanes import Lanes, log_axis
from experiments.show.sheet import Caption, sheet, title
from experiments.show.statistics import Repeats

OUTER, GRE, INNER, ICMP = "outer IP", "GRE", "IP", "ICMP"
# Okabe and Ito (2008), made light to write on
FILLS = {OUTER: "#F6C9A8", GRE: "#F9E3A5", INNER: "#BBD9EE", ICMP: "#C4E8DA"}
EDGES = {OUTER: "#D55E00", GRE: "#C98A00", INNER: "#0072B2", ICMP: "#009E73"}
HIGH = {OUTER: 1.0, GRE: 0.66, INNER: 1.0, ICMP: 0.42}  # of an IP header's box
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One header."""

    kind: str
    lines: tuple[str, ...]  # the first is its name
    changed: tuple[int, ...] = ()  # lines that differ from the previous leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One leg."""

    head: tuple[str, ...]
    boxes: tuple[Box, ...]  # outermost first
    is_inside: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One direction, its legs from left to right as drawn."""

    name: str
    columns: tuple[Column, ...]
    is_leftward: bool = False


def draw(ways: Sequence[Way], caption: Caption) -> Figure:
    """A panel for each direction."""
    figure, axes = sheet(caption, [WAY_IN] * len(ways), frame_in=1.35)
    for ax, way in zip(axes, ways, strict=True):
        plot_way(ax, way)
    return figure


def plot_way(ax: Axes, way: Way) -> Axes:
    """The headers of one direction."""
    many = len(way.columns)
    ax.set_xlim(0, many)
    ax.set_ylim(FLOOR, TOP)
    ax.axis("off")
    title(ax, way.name, READ)
    for at, column in enumerate(way.columns):
        _column(ax, at, column)
    ends = (many - 0.08, 0.08) if way.is_leftward else (0.08, many - 0.08)
    ax.annotate(
        "",
        (ends[1], ARROW_AT),
        (ends[0], ARROW_AT),
        gid=f"way {way.name}",
        arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.1},
    )
    return ax


def _column(ax: Axes, at: int, column: Column) -> None:
    if column.is_inside:
        ax.axvspan(at + 0.01, at + 0.99, color="#F0F0F0", zorder=0, linewidth=0)
    for number, line in enumerate(reversed(column.head)):
        ax.text(at + 0.5, HEAD_AT + number * HEAD_LINE, line, ha="center", fontsize=LETTERS + 0.3)
    floor = 0.0
    for number, box in enumerate(reversed(column.boxes)):
        _box(ax, at, floor, box, f"box {at} {len(column.boxes) - 1 - number}")
        floor += HIGH[box.kind] + GAP
    if column.note:
        note = ax.text(at + 0.5, -0.06, column.note, ha="center", va="top", color=CHANGED)
        note.set(fontsize=LETTERS, fontstyle="italic", linespacing=1.15)


def _box(ax: Axes, at: int, floor: float, box: Box, gid: str) -> None:
    high = HIGH[box.kind]
    ax.add_patch(
        FancyBboxPatch(
            (at + SIDE, floor),
            1 - 2 * SIDE,
            high,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=FILLS[box.kind],
            edgecolor=EDGES[box.kind],
            linewidth=0.8,
            gid=gid,
        )
    )
    step = high / len(box.lines)
    for number, line in enumerate(box.lines):
        is_changed = number in box.changed
        ax.text(
            at + 0.5,
            floor + high - (number + 0.52) * step,
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
    figure, (ax,) = sheet(caption, [PATHS_IN])
    lanes = Lanes(levels, dict(zip(levels, PATH_COLOURS, strict=False)))
    lanes(ax)
    log_axis(ax, levels, "round trip [ms]")
    title(ax, "Round trips by path (the paths take turns)", lanes.legend)
    return figure
