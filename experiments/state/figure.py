"""A drawn table: the counts in which modes differ, a column for modes that agree.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.show.palette import BAD, FAMILIES, GRID, INK, MUTED, colour
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, WIDTH_IN, sheet, wrapped

WIDE_IN = WIDTH_IN - 0.2
LABELS_IN = 1.95  # the width of what is counted
COLUMNS = 4  # at most, beside each other
ROW_IN, LINE_IN, HEAD_PAD_IN = 0.43, 0.18, 0.12
MISMATCH_ALPHA = 0.25


@dataclass(frozen=True, slots=True)
class Cell:
    """A count as text, and whether it is as predicted; None: not predicted."""

    text: str
    is_match: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was counted, when, and each column's count; None: not counted."""

    what: str
    when: str
    cells: tuple[Cell | None, ...]


def draw(columns: Sequence[tuple[str, str]], rows: Sequence[Row], caption: Caption) -> Figure:
    """The table; further columns in tables of their own below it.

    Args:
        columns: each by its name, and one of its modes.
    """
    places = range(len(columns))
    parts = [places[at : at + COLUMNS] for at in places[::COLUMNS]]
    heads = [[_head(columns[at][0], len(part)) for at in part] for part in parts]
    heights = [max(map(len, head)) * LINE_IN + HEAD_PAD_IN + ROW_IN * len(rows) for head in heads]
    figure, axes = sheet(caption, heights, frame_in=0.1 * len(parts))
    for ax, part, head, height in zip(axes, parts, heads, heights, strict=True):
        ax.set_axis_off()
        ax.set(xlim=(0, WIDE_IN), ylim=(height, 0))
        _plot(ax, head, [_colour(*columns[at]) for at in part], rows, part)
    return figure


def _colour(name: str, mode: str) -> str:
    return colour(name if name in FAMILIES else mode)


def _head(name: str, beside: int) -> list[str]:
    """The lines of a column's name; modes break behind their hyphen."""
    lines = wrapped(name.replace("-", "- "), _wide_in(beside) - 0.05, LABEL, is_bold=True)
    return [line.replace("- ", "-") for line in lines]


def _wide_in(columns: int) -> float:
    return (WIDE_IN - LABELS_IN) / max(columns, 2)


def _plot(
    ax: Axes,
    head: Sequence[Sequence[str]],
    palette: Sequence[str],
    rows: Sequence[Row],
    part: Sequence[int],
) -> None:
    wide, tall = _wide_in(len(part)), float(ax.get_ylim()[0]) - ROW_IN * len(rows)
    middle = {at: LABELS_IN + (nth + 0.5) * wide for nth, at in enumerate(part)}
    for x, lines, ink in zip(middle.values(), head, palette, strict=True):
        name = ax.text(
            x, tall - HEAD_PAD_IN / 2, "\n".join(lines), ha="center", va="bottom", gid="mode"
        )
        name.set(fontsize=LABEL, fontweight="bold", color=ink)
    for nth, row in enumerate(rows):
        top = tall + ROW_IN * nth
        ax.axhline(top, color=GRID, linewidth=0.8)
        ax.text(0, top + ROW_IN * 0.29, row.what, va="center", fontsize=LABEL, gid="what")
        when = ax.text(0, top + ROW_IN * 0.7, row.when, va="center", fontsize=LABEL, gid="when")
        when.set(color=MUTED)
        for at, x in middle.items():
            if cell := row.cells[at]:
                _cell(ax, cell, (x - wide / 2, top, wide, ROW_IN))


def _cell(ax: Axes, cell: Cell, box: tuple[float, float, float, float]) -> None:
    x, top, wide, high = box
    if cell.is_match is False:
        red = Rectangle((x, top), wide, high, facecolor=BAD, alpha=MISMATCH_ALPHA, gid="mismatch")
        ax.add_patch(red)
    count = ax.text(x + wide / 2, top + high / 2, cell.text, ha="center", va="center", gid="count")
    count.set(color=INK if cell.is_match is not None else MUTED)
