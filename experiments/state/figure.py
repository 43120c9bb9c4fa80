"""A drawn table of counts: packets sent and state kept, by mode.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.show.lanes import colours
from experiments.show.sheet import Caption, sheet, title

LINE_IN = 0.235
HEAD = 2  # lines for the names of modes
WHAT_AT, MOMENT_AT, FIRST_AT = 0.0, 0.27, 0.44  # of the width
MATCH, MISMATCH = "#E3F1E8", "#F6C9B0"
SIZE = 8.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One count."""

    text: str
    is_match: bool | None  # the prediction's result; None: not predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One count at one moment: an entry for each mode; None where it was not counted."""

    what: str
    moment: str
    entries: tuple[Entry | None, ...]


def draw(lines: Sequence[Line], modes: Sequence[str], caption: Caption) -> Figure:
    """A row for each count, a column for each mode; the colour is the prediction's result."""
    figure, (ax,) = sheet(caption, [LINE_IN * (len(lines) + HEAD)], frame_in=1.3)
    title(
        ax,
        "Packets sent and state kept",
        "green: as predicted; red: not as predicted; * (no colour): not predicted; blank: not counted",
    )
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(len(lines) + HEAD, 0)
    palette = colours(list(modes), "(none)")
    wide = (1 - FIRST_AT) / max(1, len(modes))
    for nth, mode in enumerate(modes):
        ax.text(
            FIRST_AT + (nth + 0.5) * wide,
            HEAD / 2,
            mode.replace("-", "\n", 1),
            ha="center",
            va="center",
            fontsize=SIZE,
            fontweight="bold",
            color=palette[mode],
            gid="mode",
        )
    for row, line in enumerate(lines, start=HEAD):
        is_again = row > HEAD and lines[row - HEAD - 1].what == line.what
        ax.text(WHAT_AT, row + 0.5, "" if is_again else line.what, va="center", fontsize=SIZE)
        ax.text(MOMENT_AT, row + 0.5, line.moment, va="center", fontsize=SIZE, color="#666666")
        for nth, entry in enumerate(line.entries):
            if entry:
                _entry(ax, entry, FIRST_AT + nth * wide, row, wide)
    return figure


def _entry(ax: Axes, entry: Entry, left: float, top: float, wide: float) -> None:
    if entry.is_match is not None:
        colour = MATCH if entry.is_match else MISMATCH
        ax.add_patch(
            Rectangle(
                (left + 0.004, top + 0.06), wide - 0.008, 0.88, facecolor=colour, edgecolor="none"
            )
        )
    ax.text(
        left + wide / 2, top + 0.5, entry.text, ha="center", va="center", fontsize=SIZE, gid="count"
    )
