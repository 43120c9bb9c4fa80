"""The chart of `mactable`: entries over guests, and misdelivered copies from a full table.  Pure."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.show.curves import LEGEND, NAME_IN, Curves, Mark
from experiments.show.lanes import BASELINE_COLOUR
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

HEIGHT_IN = 2.7
ROOM = 1.08  # above the highest value


def draw(
    entries: Sequence[Mark], misdelivered: Sequence[Mark], room: int, words: Caption
) -> Figure:
    """Two panels: a table without a limit, and a table that fills."""
    of_entries = Curves(marks=entries, is_log=True)
    of_misdelivered = Curves(marks=misdelivered, is_log=True)
    height = max(HEIGHT_IN, NAME_IN * (len(of_entries.series) + 2))
    figure, (upper, lower) = sheet(words, [height, height], width_in=OLD_WIDTH_IN)
    of_entries.log_counts(of_entries(upper)).set_ylabel("entries in the switch")
    of_entries.name_lines(upper, height)
    title(
        upper,
        "MAC table of the underlay's switch, no limit",
        f"{LEGEND}; both axes logarithmic",
    )
    of_misdelivered(lower).set_ylabel("misdelivered copies per frame")
    highest = max(1.0, *(value for mark in misdelivered for value in mark.values))
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
    of_misdelivered.name_lines(lower, height)
    title(
        lower,
        f"Table of {room} entries: unicast copies delivered to other hosts",
        "horizontal axis logarithmic",
    )
    return figure
