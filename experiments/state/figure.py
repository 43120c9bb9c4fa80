"""A drawn table of counts: packets sent and state kept, by mode.  Pure."""

from collections.abc import Sequence

import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.show.lanes import colours
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

LINE_IN = 0.235
HEAD = 2  # lines for the names of modes
WHAT_AT, MOMENT_AT, FIRST_AT = 0.0, 0.27, 0.44  # of the width
MATCH, MISMATCH = "#E3F1E8", "#F6C9B0"
SIZE = 8.5


def draw(counts: pl.DataFrame, modes: Sequence[str], caption: Caption) -> Figure:
    """A row for each count, a column for each mode; the colour is the prediction's result.

    Args:
        counts: `what` was counted at which `moment` in which `mode`; its `text`; `is_match`, the
            prediction's result, null if none was predicted.
    """
    rows = counts.partition_by("what", "moment", maintain_order=True)
    figure, (ax,) = sheet(
        caption, [LINE_IN * (len(rows) + HEAD)], frame_in=1.3, width_in=OLD_WIDTH_IN
    )
    title(
        ax,
        "Packets sent and state kept",
        "green: as predicted; red: not as predicted; * (no colour): not predicted; blank: not counted",
    )
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) + HEAD, 0)
    palette = colours(list(modes), "(none)")
    wide = (1 - FIRST_AT) / max(1, len(modes))
    middle = {mode: FIRST_AT + (nth + 0.5) * wide for nth, mode in enumerate(modes)}
    for mode, x in middle.items():
        name = ax.text(
            x,
            HEAD / 2,
            mode.replace("-", "\n", 1),
            ha="center",
            va="center",
            fontsize=SIZE,
            gid="mode",
        )
        name.set(fontweight="bold", color=palette[mode])
    before = ""
    for top, row in enumerate(rows, start=HEAD):
        what, moment = row.select("what", "moment").row(0)
        ax.text(WHAT_AT, top + 0.5, "" if what == before else what, va="center", fontsize=SIZE)
        ax.text(MOMENT_AT, top + 0.5, moment, va="center", fontsize=SIZE, color="#666666")
        before = what
        for mode, text, is_match in row.select("mode", "text", "is_match").iter_rows():
            if is_match is not None:
                corner = middle[mode] - wide / 2 + 0.004, top + 0.06
                colour = MATCH if is_match else MISMATCH
                ax.add_patch(
                    Rectangle(corner, wide - 0.008, 0.88, facecolor=colour, edgecolor="none")
                )
            ax.text(
                middle[mode], top + 0.5, text, ha="center", va="center", fontsize=SIZE, gid="count"
            )
    return figure
