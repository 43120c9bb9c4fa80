"""The chart of `migration`: one dot per move, one lane per mode and kind of move.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.migration.words import ANNOUNCED
from experiments.show.lanes import colours, dots, margin_text
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title

LANE_IN = 0.21  # the height of a lane
FRAME_IN = 0.45
PAPER_IN = 1.6  # one panel needs less than several
MODE_GAP = 0.6  # between modes, of a lane
SIZE = 8
CAP_COLOUR = "#9a9a9a"
LEGEND = "dot: one move; triangle: still down after the wait; grey: plugged (median), ARP"


def draw(found: pl.DataFrame, sent_ms: Sequence[float], cap_ms: float, caption: Caption) -> Figure:
    """One panel with a lane for each kind of move, and space between modes.

    Args:
        found: as `report.kinds` makes it.
        sent_ms: times of gratuitous ARP, after plugging.
        cap_ms: the wait; a line is drawn there.
    """
    modes = found["mode"].unique(maintain_order=True).to_list()
    height = LANE_IN * (found.height + len(modes)) + FRAME_IN
    figure, (ax,) = sheet(caption, [height], frame_in=PAPER_IN, width_in=OLD_WIDTH_IN)
    ax.axvline(cap_ms, color=CAP_COLOUR, linewidth=1, linestyle=(0, (4, 3)), gid="cap")
    palette, place, first = colours(modes, "flat"), 0.0, dict[str, float]()
    for number, lane in enumerate(found.iter_rows(named=True)):
        place = number + MODE_GAP * modes.index(lane["mode"])
        first.setdefault(lane["mode"], place)
        announced_ms = [lane["plugged_ms"] + at for at in sent_ms if lane["way"] in ANNOUNCED]
        _lane(ax, place, lane, palette[lane["mode"]], announced_ms)
        if lane["censored"]:  # marks that are not clipped take space on the sheet, even if none
            dots(
                ax,
                [cap_ms] * lane["censored"],
                _spread(place, lane["censored"]),
                palette[lane["mode"]],
                f"censored {lane['mode']} {lane['way']}",
                marker=">",
                markersize=4,
                alpha=0.75,
                clip_on=False,
            )
    ax.set_yticks(list(first.values()), labels=list(first))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(place + 0.8, -0.8)
    slowest_ms = max(found["downtime_ms"].explode().drop_nulls().to_list(), default=0.0)
    ax.set_xlim(0, max(cap_ms, slowest_ms) * 1.04)
    ax.set_xlabel(f"downtime [ms]; wait ends at {cap_ms:g} ms")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    title(ax, "Downtime after a move, MAC and IP unchanged", LEGEND)
    return figure


def _lane(
    ax: Axes, place: float, lane: Mapping[str, Any], colour: str, announced_ms: Sequence[float]
) -> None:
    """Every move at its downtime, and when the guest was plugged and sent gratuitous ARP."""
    name = f"{lane['mode']} {lane['way']}"
    ax.plot(
        [lane["plugged_ms"]] * 2,
        [place - 0.34, place + 0.34],
        color=CAP_COLOUR,
        linewidth=1.4,
        gid="plugged",
    )
    ax.vlines(
        announced_ms,
        place - 0.2,
        place + 0.2,
        color=CAP_COLOUR,
        linewidth=0.8,
        gid=f"announced {name}",
    )
    ended = _spread(place, len(lane["downtime_ms"]))
    dots(ax, lane["downtime_ms"], ended, colour, f"moves {name}", markersize=3.4, alpha=0.75)
    margin_text(ax, place, lane["way"], colour, "way", fontsize=SIZE)


def _spread(place: float, many: int) -> list[float]:
    """Spread across the lane, so that equal values are visible."""
    return [place + 0.5 * ((at + 0.5) / many - 0.5) for at in range(many)]
