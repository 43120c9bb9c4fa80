"""The chart of `migration`: one dot per move, one lane per mode and kind of move.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.show.lanes import colours, dots, margin_text
from experiments.show.sheet import Caption, sheet, title

LANE_IN = 0.21  # the height of a lane
FRAME_IN = 0.45
PAPER_IN = 1.6  # one panel needs less than several
SIZE = 8
CAP_COLOUR = "#9a9a9a"
LEGEND = "dot: one move; triangle: still down after the wait; grey: plugged (median), ARP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The moves of one kind in one mode."""

    mode: str
    way: str
    downtime_ms: tuple[float, ...]  # of moves whose downtime ended
    censored: int  # moves whose downtime did not end
    plugged_ms: float  # median
    announced_ms: tuple[float, ...] = ()  # times of gratuitous ARP


def draw(lanes: Sequence[Lane], cap_ms: float, words: Caption) -> Figure:
    """One panel of lanes, with space between modes."""
    modes = list(dict.fromkeys(lane.mode for lane in lanes))
    height = LANE_IN * (len(lanes) + len(modes)) + FRAME_IN
    figure, axes = sheet(words, [height], frame_in=PAPER_IN)
    plot_lanes(axes[0], lanes, cap_ms, colours(modes, "flat"))
    title(axes[0], "Downtime after a move, MAC and IP unchanged", LEGEND)
    return figure


def plot_lanes(ax: Axes, lanes: Sequence[Lane], cap_ms: float, palette: Mapping[str, str]) -> Axes:
    """Every move at its downtime; a line at the end of the wait."""
    places = _places(lanes)
    ax.axvline(cap_ms, color=CAP_COLOUR, linewidth=1, linestyle=(0, (4, 3)), gid="cap")
    for place, lane in zip(places, lanes, strict=True):
        _lane(ax, place, lane, cap_ms, palette[lane.mode])
    first = {lane.mode: place for place, lane in reversed(list(zip(places, lanes, strict=True)))}
    ax.set_yticks(list(first.values()), labels=list(first))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(places) + 0.8, -0.8)
    slowest_ms = max((each for lane in lanes for each in lane.downtime_ms), default=0.0)
    ax.set_xlim(0, max(cap_ms, slowest_ms) * 1.04)
    ax.set_xlabel(f"downtime [ms]; wait ends at {cap_ms:g} ms")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    return ax


def _places(lanes: Sequence[Lane]) -> list[float]:
    """One place per lane, with space before each further mode."""
    places, at = [], -1.0
    for number, lane in enumerate(lanes):
        at += 1 if not number or lanes[number - 1].mode == lane.mode else 1.6
        places.append(at)
    return places


def _lane(ax: Axes, place: float, lane: Lane, cap_ms: float, colour: str) -> None:
    ax.plot(
        [lane.plugged_ms] * 2,
        [place - 0.34, place + 0.34],
        color=CAP_COLOUR,
        linewidth=1.4,
        gid="plugged",
    )
    ax.vlines(
        lane.announced_ms,
        place - 0.2,
        place + 0.2,
        color=CAP_COLOUR,
        linewidth=0.8,
        gid=f"announced {lane.mode} {lane.way}",
    )
    ended, censored = _spread(place, len(lane.downtime_ms)), _spread(place, lane.censored)
    dots(
        ax,
        lane.downtime_ms,
        ended,
        colour,
        f"moves {lane.mode} {lane.way}",
        markersize=3.4,
        alpha=0.75,
    )
    if lane.censored:  # marks that are not clipped take space on the sheet, even if there are none
        dots(
            ax,
            [cap_ms] * lane.censored,
            censored,
            colour,
            f"censored {lane.mode} {lane.way}",
            marker=">",
            markersize=4,
            alpha=0.75,
            clip_on=False,
        )
    margin_text(ax, place, lane.way, colour, "way", fontsize=SIZE)


def _spread(place: float, many: int) -> list[float]:
    """Spread across the lane, so that equal values are visible."""
    return [place + 0.5 * ((at + 0.5) / many - 0.5) for at in range(many)]
