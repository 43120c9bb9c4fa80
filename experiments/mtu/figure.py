"""The chart of `mtu`: what happens to a packet of each size, and the limits by underlay MTU.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from experiments.mtu.words import (
    DROPPED,
    FRAG_NEEDED,
    FRAGMENTED,
    LOST_FRAGMENTS,
    REFUSED,
    SOME,
    WHOLE,
)
from experiments.show.palette import BAD, GOOD, GRID, GROUND, INK, MODES, MUTED
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, WIDTH_IN, sheet, title, wrapped

# Fill, how strong, and labels in a strip, the longest first.
LOOKS = {
    WHOLE: (GOOD, 0.5, ("passes",)),
    FRAGMENTED: (GOOD, 0.22, ("passes in fragments", "in fragments")),
    DROPPED: (BAD, 0.6, ("dropped without ICMP", "dropped")),
    LOST_FRAGMENTS: (BAD, 0.25, ("fragments dropped",)),
    REFUSED: (MUTED, 0.3, ("refused by the guest's kernel", "refused")),
    FRAG_NEEDED: (MODES["multicast"], 0.45, ("ICMP: fragmentation needed", "ICMP")),
    SOME: (GROUND, 1.0, ("some pass",)),
}
NOTE_IN, HEAD_IN, STRIP_IN, GAP_IN = 0.18, 0.26, 0.25, 0.14  # heights: of a note, of names, ...
STRIPS_IN = WIDTH_IN - 0.85  # the width of the strips
AXIS_IN, KEY_IN = 0.7, 0.24  # heights: the axis with its label, a line of the key
LINE_IN = 0.24  # the height of a row of the table
BEYOND = 0.2  # of the sizes up to the guests' MTU: how far the axis goes beyond it
THIN = 0.012  # of the axis: the width of a single size
PADDED = 0.12  # inches that a label needs beside its letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The outcome of each size, in ascending order, for modes that agree."""

    name: str
    limit: str  # bytes
    outcomes: Mapping[bool, tuple[tuple[int, str], ...]]  # by DF: size [bytes] and outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The largest packets of modes that agree: by underlay MTU, as text, and if as predicted."""

    name: str
    largest: Mapping[int, tuple[str, bool]]


def draw_map(
    strips: Sequence[Strip], guest_mtu: int, limits: Sequence[Limit], caption: Caption
) -> Figure:
    """Two strips for each group of modes over the sizes; below, the limits by underlay MTU.

    Args:
        guest_mtu: of the guests, above the path's.
        limits: drawn only for more than one underlay MTU.
    """
    underlays = sorted({mtu for each in limits for mtu in each.largest})
    many = [LINE_IN * (len(limits) + 1)] if len(underlays) > 1 else []
    high = NOTE_IN + sum(HEAD_IN + STRIP_IN * len(each.outcomes) + GAP_IN for each in strips)
    key = _without_label(strips, guest_mtu)
    high += KEY_IN * len(key)
    frame_in = AXIS_IN + (0.6 if many else 0)
    figure, axes = sheet(caption, [high, *many], frame_in=frame_in)
    plot_strips(axes[0], strips, guest_mtu, high)
    _plot_key(axes[0], key)
    if many:
        plot_limits(axes[1], limits, underlays)
    return figure


def plot_strips(ax: Axes, strips: Sequence[Strip], guest_mtu: int, high: float) -> Axes:
    """Names above their strips, and what happens to each size in them."""
    low, end = _span(strips, guest_mtu)
    ax.set(xlim=(low, end), ylim=(high, 0))
    top, rows = NOTE_IN, dict[float, str]()
    for each in strips:
        name = ax.text(low, top + HEAD_IN - 0.04, f"{each.name}: up to {each.limit} bytes")
        name.set(va="bottom", fontsize=LABEL, fontweight="bold", gid=f"name {each.name}")
        top += HEAD_IN
        for is_df, outcomes in each.outcomes.items():
            rows[top + STRIP_IN / 2] = "DF" if is_df else "no DF"
            gid = f"{each.name} {rows[top + STRIP_IN / 2]}"
            for left, right, outcome in pieces(outcomes, end):
                _piece(ax, (left, right), top, outcome, f"{outcome} {gid}")
            top += STRIP_IN
        top += GAP_IN
    ax.axvline(guest_mtu + 0.5, color=MUTED, linewidth=1, linestyle=(0, (2, 2)), zorder=0.5)
    note = ax.text(guest_mtu, 0, f"guests' MTU {guest_mtu} ", ha="right", va="top")
    note.set(color=MUTED, fontsize=LABEL, gid="guest MTU")
    ax.set_yticks(list(rows), labels=list(rows.values()))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel("size of the IP packet [bytes]")
    return ax


def pieces(outcomes: Sequence[tuple[int, str]], end: float) -> Iterator[tuple[float, float, str]]:
    """Sizes in a row with one outcome, as a piece of a strip: from, to, outcome.

    Between outcomes that are more than a byte apart there is a gap: nothing was measured there.  The
    last piece goes on to the `end` of the axis if it begins before it.
    """
    runs = [
        (sizes[0], sizes[-1], outcome)
        for outcome, group in groupby(outcomes, lambda each: each[1])
        if (sizes := [size for size, _ in group])
    ]
    for first, last, outcome in runs:
        if first <= end:
            yield first - 0.5, min(last + 0.5, end), outcome


def _span(strips: Sequence[Strip], guest_mtu: int) -> tuple[float, float]:
    low = min(size for each in strips for sizes in each.outcomes.values() for size, _ in sizes)
    return low - 0.5, guest_mtu + BEYOND * max(guest_mtu - low, 1)


def _piece(ax: Axes, span: tuple[float, float], top: float, outcome: str, gid: str) -> None:
    left, right = span
    low, end = ax.get_xlim()
    fill, alpha, _ = LOOKS[outcome]
    width = max(right - left, THIN * (end - low))
    box = Rectangle((left, top + 0.015), width, STRIP_IN - 0.03, facecolor=fill, alpha=alpha)
    ax.add_patch(box).set(linewidth=0, gid=f"piece {gid}")
    if label := _label(outcome, width / (end - low)):
        text = ax.text(left + width / 2, top + STRIP_IN / 2, label, ha="center", va="center")
        text.set(fontsize=LABEL, color=INK, gid=f"label {gid}")


def _label(outcome: str, share: float) -> str:
    """The longest label that fits into this share of the strips' width; empty if none does."""
    room_in = max(share * STRIPS_IN - PADDED, 2 * PADDED)
    labels = LOOKS[outcome][2]
    return next((each for each in labels if _is_line(each, room_in)), "")


def _is_line(label: str, room_in: float) -> bool:
    return len(wrapped(label.replace(" ", "_"), room_in, LABEL)) == 1


def _without_label(strips: Sequence[Strip], guest_mtu: int) -> list[str]:
    """The outcomes that are drawn and have no room for their label anywhere."""
    low, end = _span(strips, guest_mtu)
    drawn = [
        (outcome, bool(_label(outcome, (right - left) / (end - low))))
        for each in strips
        for outcomes in each.outcomes.values()
        for left, right, outcome in pieces(outcomes, end)
    ]
    labelled = {outcome for outcome, is_labelled in drawn if is_labelled}
    return [each for each in LOOKS if each in {outcome for outcome, _ in drawn} - labelled]


def _plot_key(ax: Axes, outcomes: Sequence[str]) -> None:
    """A line above the axis for each outcome without a label."""
    low, end = ax.get_xlim()
    wide = 0.03 * (end - low)
    for nth, outcome in enumerate(reversed(outcomes)):
        fill, alpha, _ = LOOKS[outcome]
        middle = ax.get_ylim()[0] - KEY_IN * (nth + 0.6)
        box = Rectangle((low, middle - 0.07), wide, 0.14, facecolor=fill, alpha=alpha)
        ax.add_patch(box).set(linewidth=0, gid=f"key {outcome}")
        text = ax.text(low + 1.5 * wide, middle, outcome, va="center")
        text.set(fontsize=LABEL, gid=f"key {outcome}")


def plot_limits(ax: Axes, limits: Sequence[Limit], underlays: Sequence[int]) -> Axes:
    """A table of the largest packets: a row for each group of modes, a column for each underlay."""
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(len(limits) + 1, 0))
    title(ax, "Largest packet that passes, by underlay MTU")
    places = [0.5 + 0.5 * (nth + 1) / len(underlays) for nth in range(len(underlays))]
    rows = [("underlay MTU", [(str(mtu), True) for mtu in underlays])]
    rows += [
        (each.name, [each.largest.get(mtu, ("", True)) for mtu in underlays]) for each in limits
    ]
    for nth, (name, cells) in enumerate(rows):
        ink = INK if nth else MUTED
        ax.axhline(nth + 1, color=GRID, linewidth=0.8)
        ax.text(0, nth + 0.5, name, va="center", fontsize=LABEL, color=ink)
        for x, (text, is_match) in zip(places, cells, strict=True):
            cell = ax.text(x, nth + 0.5, text, ha="right", va="center", fontsize=LABEL)
            cell.set(color=ink if is_match else BAD, gid=f"limit {name} {text}")
            cell.set_fontweight("normal" if is_match else "bold")
    return ax
