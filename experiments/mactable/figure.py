"""The chart of `mactable`: entries over guests, and misdelivered copies from a full table.  Pure."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.show.curves import NAME_IN, Mark, log_counts, name_lines, plot
from experiments.show.figure_cells import LEGEND
from experiments.show.lanes import BASELINE_COLOUR
from experiments.show.sheet import Caption, sheet, title

HEIGHT_IN = 2.7
ROOM = 1.08  # above the highest value


def draw(
    entries: Sequence[Mark], misdelivered: Sequence[Mark], room: int, words: Caption
) -> Figure:
    """Two panels: a table without a limit, and a table that fills."""
    names = len(dict.fromkeys(mark.series for mark in entries))
    height = max(HEIGHT_IN, NAME_IN * (names + 2))
    figure, (upper, lower) = sheet(words, [height, height])
    log_counts(plot(upper, entries), entries).set_ylabel("entries in the switch")
    name_lines(upper, entries, height)
    title(
        upper,
        "MAC table of the underlay's switch, no limit",
        f"{LEGEND}; both axes logarithmic",
    )
    plot(lower, misdelivered).set_ylabel("misdelivered copies per frame")
    highest = max(
        1.0, *(value for mark in misdelivered for value in (mark.predicted, *mark.measured))
    )
    lower.set_ylim(0, ROOM * highest)
    lower.yaxis.set_major_locator(MaxNLocator(6))
    lower.axvline(room, color=BASELINE_COLOUR, linewidth=0.9, linestyle=(0, (2, 2)), gid="room")
    lower.annotate(
        f"{room} entries: full ",
        (room, 0.94),
        xycoords=("data", "axes fraction"),
        ha="right",
        fontsize=8.5,
        color=BASELINE_COLOUR,
    )
    lower.set_xlabel("guests on all hosts together")
    name_lines(lower, misdelivered, height)
    title(
        lower,
        f"Table of {room} entries: unicast copies delivered to other hosts",
        "horizontal axis logarithmic",
    )
    return figure
