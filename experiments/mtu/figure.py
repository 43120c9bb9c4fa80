"""The map of the experiment `mtu`: what becomes of each size."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from experiments.mtu.words import (
    ABOVE_GUEST,
    FRAGMENTED,
    GUEST,
    LIMIT,
    LOST_FRAGMENTS,
    OVER,
    REFUSED,
    RIGHT,
    SILENT,
    SIZES,
    SOME,
    TOLD,
    TOO_LARGE,
    TWICE,
    UNDERLAY,
    WELL_UNDER,
    WHOLE,
)
from experiments.show.sheet import SMALL, Caption, sheet

DARK, LIGHT = "#111111", "#ffffff"
# Okabe and Ito (2008), told apart by their letters, too: letter, ground, ink.
LOOKS = {
    WHOLE: ("P", "#009E73", LIGHT),
    FRAGMENTED: ("F", "#56B4E9", DARK),
    SILENT: ("D", "#D55E00", LIGHT),
    LOST_FRAGMENTS: ("X", "#E69F00", DARK),
    REFUSED: ("R", "#C4C4C4", DARK),
    TOLD: ("I", "#F0E442", DARK),
    SOME: ("?", "#FFFFFF", DARK),
}
HEADS = {
    WELL_UNDER: "limit\n-100",
    LIMIT: "limit",
    OVER: "limit\n+1",
    UNDERLAY: "under-\nlay's",
    GUEST: "guests'",
    ABOVE_GUEST: "guests'\n+1",
    TWICE: "limit\nx2",
}
GAP = 0.5  # between the two parts of the map, of the width of a tile
WIDE, HIGH = 0.95, 0.9  # of a tile's place
PITCH = 2.35  # of the modes: two rows, and some air
ROW_IN, KEY_IN = 0.21, 0.22
FOOT_IN, HEADS_IN, HEADS_PT = 1.1, 0.5, 24
KEY_WIDE, LETTER = 0.022, 0.009  # of the width of the sheet: a tile, and a letter of its word
LIMIT_AT = 0.15  # right of the last tile


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """What became of one size in one lab."""

    mode: str
    underlay_mtu: int
    guest: str  # too large, or right
    size: str  # of `SIZES`
    is_df: bool
    ip_bytes: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The largest packet of one lab, beside what was foretold."""

    mode: str
    underlay_mtu: int
    found: str
    predicted: str

    @property
    def text(self) -> str:
        """What stands beside the row."""
        if self.found == self.predicted:
            return f"{self.found}\n= theory"
        return f"{self.found}\ntheory: {self.predicted}"


def draw_map(tiles: Sequence[Tile], limits: Sequence[Limit], words: Caption) -> Figure:
    """A panel per underlay MTU; the key first."""
    underlays = tuple(dict.fromkeys(tile.underlay_mtu for tile in tiles))
    modes = tuple(dict.fromkeys(tile.mode for tile in tiles))
    height = PITCH * len(modes) * ROW_IN
    frame_in = FOOT_IN + HEADS_IN * len(underlays)
    figure, (key, *panels) = sheet(words, [KEY_IN, *[height] * len(underlays)], frame_in=frame_in)
    plot_key(key, tuple(dict.fromkeys(tile.outcome for tile in tiles)))
    for ax, underlay_mtu in zip(panels, underlays, strict=True):
        plot_map(ax, [tile for tile in tiles if tile.underlay_mtu == underlay_mtu], modes)
        plot_limits(ax, [each for each in limits if each.underlay_mtu == underlay_mtu], modes)
        _over(ax, 0, f"Underlay MTU {underlay_mtu}: guests' MTU too large")
        _over(ax, _column(RIGHT, LIMIT), "guests' MTU right")
    panels[-1].set_xlabel("size of the IP packet [bytes]; right: the largest that passes with DF")
    panels[-1].xaxis.set_label_position("bottom")
    return figure


def _over(ax: Axes, at: float, text: str) -> None:
    """A heading over some columns, above what they are called."""
    ax.annotate(
        text,
        (at, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, HEADS_PT),
        textcoords="offset points",
        fontsize=9.5,
        fontweight="bold",
    )


def plot_key(ax: Axes, outcomes: Sequence[str]) -> Axes:
    """What the letters mean, of those that there are, over the whole width of the sheet."""
    ax.set_axis_off()
    across = blended_transform_factory(ax.figure.transFigure, ax.transAxes)
    at = 0.012
    for outcome in (each for each in LOOKS if each in outcomes):
        letter, ground, ink = LOOKS[outcome]
        ax.add_patch(
            Rectangle(
                (at, 0.05),
                KEY_WIDE,
                0.9,
                facecolor=ground,
                edgecolor="#bbbbbb",
                linewidth=0.3,
                transform=across,
                clip_on=False,
                in_layout=False,
                gid=f"key {outcome}",
            )
        )
        ax.text(
            at + KEY_WIDE / 2,
            0.46,
            letter,
            transform=across,
            ha="center",
            va="center",
            color=ink,
            fontsize=SMALL,
            fontweight="bold",
            in_layout=False,
        )
        ax.text(
            at + KEY_WIDE + 0.007,
            0.46,
            outcome,
            transform=across,
            va="center",
            fontsize=SMALL,
            in_layout=False,
        )
        at += KEY_WIDE + 0.022 + LETTER * len(outcome)
    return ax


def plot_map(ax: Axes, tiles: Sequence[Tile], modes: Sequence[str]) -> Axes:
    """A tile per size, mode and DF: colour and letter say what became of it, the number how large."""
    for tile in tiles:
        _tile(ax, tile, _column(tile.guest, tile.size), _line(modes, tile.mode, is_df=tile.is_df))
    lines = {
        _line(modes, mode, is_df=is_df): f"{mode}   DF" if is_df else "no DF"
        for mode in modes
        for is_df in (True, False)
    }
    ax.set_yticks([at + HIGH / 2 for at in lines], labels=list(lines.values()), fontsize=SMALL)
    ax.set(xlim=(-0.05, _end()), ylim=(PITCH * len(modes) - 0.35, -0.05))
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="both", length=0)
    _heads(ax)
    return ax


def _heads(ax: Axes) -> None:
    """What the columns are, above; and whose MTU it is, above them."""
    columns = [(guest, size) for guest, sizes in SIZES.items() for size in sizes]
    ax.xaxis.tick_top()
    ax.set_xticks(
        [_column(*each) + WIDE / 2 for each in columns],
        labels=[HEADS[size] for _, size in columns],
        fontsize=7,
        linespacing=0.95,
    )
    ax.tick_params(axis="x", pad=1)


def plot_limits(ax: Axes, limits: Sequence[Limit], modes: Sequence[str]) -> Axes:
    """The largest packet found, and whether it is theory's, right of its rows."""
    for each in limits:
        at = _line(modes, each.mode, is_df=True) + HIGH
        is_equal = each.found == each.predicted
        ax.text(
            _end() + LIMIT_AT,
            at,
            each.text,
            va="center",
            fontsize=SMALL,
            fontweight="normal" if is_equal else "bold",
            clip_on=False,
            gid=f"limit {each.mode} {each.underlay_mtu}",
        )
    return ax


def _tile(ax: Axes, tile: Tile, x: float, y: float) -> None:
    letter, ground, ink = LOOKS[tile.outcome]
    name = f"{tile.mode} {tile.underlay_mtu} {tile.guest} {tile.size} {'DF' if tile.is_df else '-'}"
    ax.add_patch(
        Rectangle(
            (x, y),
            WIDE,
            HIGH,
            facecolor=ground,
            edgecolor="#bbbbbb",
            linewidth=0.3,
            gid=f"tile {name}",
        )
    )
    middle = y + HIGH / 2 + 0.03
    ax.text(
        x + 0.06,
        middle,
        letter,
        va="center",
        color=ink,
        fontsize=SMALL,
        fontweight="bold",
        gid=f"letter {name}",
    )
    ax.text(
        x + WIDE - 0.05,
        middle,
        str(tile.ip_bytes),
        ha="right",
        va="center",
        color=ink,
        fontsize=6.8,
    )


def _column(guest: str, size: str) -> float:
    before = 0.0 if guest == TOO_LARGE else len(SIZES[TOO_LARGE]) + GAP
    return before + SIZES[guest].index(size)


def _end() -> float:
    return _column(RIGHT, SIZES[RIGHT][-1]) + WIDE


def _line(modes: Sequence[str], mode: str, *, is_df: bool) -> float:
    return PITCH * modes.index(mode) + (0 if is_df else 1)
