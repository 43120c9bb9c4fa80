"""The charts of `mtu`: the outcome of each size, and goodput over the guests' MTU.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Transform, blended_transform_factory

from controller.model.modes import KERNEL
from experiments.mtu.words import (
    ABOVE_GUEST,
    DROPPED,
    FRAG_NEEDED,
    FRAGMENTED,
    GUEST,
    LIMIT,
    LOST_FRAGMENTS,
    OVER,
    REFUSED,
    RIGHT,
    SIZES,
    SOME,
    TWICE,
    UNDERLAY,
    WELL_UNDER,
    WHOLE,
)
from experiments.show.cells import values_text
from experiments.show.judge import MATCHES
from experiments.show.lanes import colours, line_style
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, SMALL, sheet, title

DARK, LIGHT = "#111111", "#ffffff"
# Colours of Okabe and Ito (2008); letters distinguish them, too.  Letter, background, ink.
LOOKS = {
    WHOLE: ("P", "#009E73", LIGHT),
    FRAGMENTED: ("F", "#56B4E9", DARK),
    DROPPED: ("D", "#D55E00", LIGHT),
    LOST_FRAGMENTS: ("X", "#E69F00", DARK),
    REFUSED: ("R", "#C4C4C4", DARK),
    FRAG_NEEDED: ("I", "#F0E442", DARK),
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
PITCH = 2.35  # of the modes: two rows, and space
ROW_IN, KEY_IN = 0.21, 0.22
FOOT_IN, HEADS_IN, HEADS_PT = 1.1, 0.5, 24
KEY_WIDE, LETTER = 0.022, 0.009  # of the width of the sheet: a tile, and a letter of its text
LIMIT_AT = 0.15  # right of the last tile
# Where the tiles of each size begin, and where all end.
COLUMNS = {
    (guest, size): at + (GAP if guest == RIGHT else 0)
    for at, (guest, size) in enumerate((guest, size) for guest in SIZES for size in SIZES[guest])
}
END = max(COLUMNS.values()) + WIDE

PANEL_IN, FRAME_IN = 1.05, 1.6
MARGIN = 0.04  # of the range of MTUs: left and right of it
BELOW_ZERO = 0.05  # of the height of a panel: space for crosses
NAME_AT = 1.02  # of the width of a panel
HOW_TO_READ = "dot: transfer; line: median; dotted: largest packet; cross: no data arrived"
OWN_SCALE = "; kernel: own scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The goodput of one mode: samples by guests' MTU [Mbit/s], and the largest packet [bytes]."""

    mode: str
    limit: int
    samples: Mapping[int, Sequence[float]]

    @property
    def is_kernel(self) -> bool:
        """True if the kernel forwards, which is far faster than a switch in user space."""
        return self.mode.startswith(KERNEL)

    def median(self, mtu: int) -> float:
        """The median goodput with an MTU."""
        return median(self.samples[mtu])

    @property
    def gain(self) -> float:
        """Median at the limit by that at the smallest MTU; 0 if one is zero or not measured."""
        lowest = self.median(min(self.samples))
        return self.median(self.limit) / lowest if self.limit in self.samples and lowest else 0.0


def draw_map(tiles: pl.DataFrame, cells: pl.DataFrame, words: Caption) -> Figure:
    """A key, then a panel for each underlay MTU.

    Args:
        tiles: `mode`, `underlay_mtu`, `guest`, `size` (of SIZES), `is_df`, `ip_bytes`, `outcome`.
        cells: the largest packets, as `exact_cells` has them.
    """
    underlays, modes, outcomes = (
        tiles[name].unique(maintain_order=True).to_list()
        for name in ("underlay_mtu", "mode", "outcome")
    )
    height = PITCH * len(modes) * ROW_IN
    frame_in = FOOT_IN + HEADS_IN * len(underlays)
    figure, (key, *panels) = sheet(
        words, [KEY_IN, *[height] * len(underlays)], frame_in=frame_in, width_in=OLD_WIDTH_IN
    )
    plot_key(key, outcomes)
    for ax, underlay_mtu in zip(panels, underlays, strict=True):
        plot_map(ax, tiles.filter(underlay_mtu=underlay_mtu), modes)
        plot_limits(ax, cells.filter(underlay_mtu=underlay_mtu), modes)
        for at, text in (
            (0.0, f"Underlay MTU {underlay_mtu}: guests' MTU too large"),
            (COLUMNS[RIGHT, LIMIT], "guests' MTU right"),
        ):
            ax.annotate(
                text,
                (at, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, HEADS_PT),
                textcoords="offset points",
                fontsize=9.5,
                fontweight="bold",
            )
    panels[-1].set_xlabel("size of the IP packet [bytes]; right: the largest that passes with DF")
    panels[-1].xaxis.set_label_position("bottom")
    return figure


def plot_key(ax: Axes, outcomes: Sequence[str]) -> Axes:
    """The meaning of the letters that there are, over the whole width of the sheet."""
    ax.set_axis_off()
    across = blended_transform_factory(ax.figure.transFigure, ax.transAxes)
    at = 0.012
    for outcome in (each for each in LOOKS if each in outcomes):
        middle = (at + KEY_WIDE / 2, 0.46)
        _tile(
            ax, (at, 0.05, KEY_WIDE, 0.9), middle, outcome, gid=f"key {outcome}", transform=across
        )
        text = at + KEY_WIDE + 0.007
        ax.text(text, 0.46, outcome, transform=across, va="center", fontsize=SMALL, in_layout=False)
        at += KEY_WIDE + 0.022 + LETTER * len(outcome)
    return ax


def plot_map(ax: Axes, tiles: pl.DataFrame, modes: Sequence[str]) -> Axes:
    """A tile per size, mode and DF: colour and letter show the outcome, the number is the size."""
    for tile in tiles.rows(named=True):
        outcome, is_df = tile["outcome"], tile["is_df"]
        x, y = COLUMNS[tile["guest"], tile["size"]], _line(modes, tile["mode"], is_df=is_df)
        middle = y + HIGH / 2 + 0.03
        gid = "tile {mode} {underlay_mtu} {guest} {size}".format_map(tile)
        gid += " DF" if is_df else " -"
        _tile(ax, (x, y, WIDE, HIGH), (x + 0.15, middle), outcome, gid=gid, transform=ax.transData)
        ax.text(
            x + WIDE - 0.05,
            middle,
            str(tile["ip_bytes"]),
            ha="right",
            va="center",
            color=LOOKS[outcome][2],
            fontsize=6.8,
        )
    lines = {
        _line(modes, mode, is_df=is_df): f"{mode}   DF" if is_df else "no DF"
        for mode in modes
        for is_df in (True, False)
    }
    ax.set_yticks([at + HIGH / 2 for at in lines], labels=list(lines.values()), fontsize=SMALL)
    ax.set(xlim=(-0.05, END), ylim=(PITCH * len(modes) - 0.35, -0.05))
    ax.spines[:].set_visible(False)
    ax.xaxis.tick_top()
    ax.set_xticks(
        [at + WIDE / 2 for at in COLUMNS.values()],
        labels=[HEADS[size] for _, size in COLUMNS],
        fontsize=7,
        linespacing=0.95,
    )
    ax.tick_params(axis="both", length=0)
    ax.tick_params(axis="x", pad=1)
    return ax


def plot_limits(ax: Axes, cells: pl.DataFrame, modes: Sequence[str]) -> Axes:
    """The largest packet, and whether it is as predicted, right of its rows."""
    for cell in cells.rows(named=True):
        is_equal = cell["result"] == MATCHES
        theory = "= theory" if is_equal else f"theory: {cell['predicted']}"
        ax.text(
            END + LIMIT_AT,
            _line(modes, cell["mode"], is_df=True) + HIGH,
            f"{values_text(cell['measured'])}\n{theory}",
            va="center",
            fontsize=SMALL,
            fontweight="normal" if is_equal else "bold",
            clip_on=False,
            gid=f"limit {cell['mode']} {cell['underlay_mtu']}",
        )
    return ax


def _tile(
    ax: Axes,
    box: tuple[float, float, float, float],
    middle: tuple[float, float],
    outcome: str,
    *,
    gid: str,
    transform: Transform,
) -> None:
    """A tile with corner, width and height as in `box`, and its letter around `middle`."""
    x, y, width, height = box
    letter, ground, ink = LOOKS[outcome]
    patch = Rectangle(
        (x, y),
        width,
        height,
        facecolor=ground,
        edgecolor="#bbbbbb",
        linewidth=0.3,
        transform=transform,
        clip_on=False,
        gid=gid,
    )
    ax.add_patch(patch).set_in_layout(False)
    ax.text(
        *middle,
        letter,
        transform=transform,
        ha="center",
        va="center",
        color=ink,
        fontsize=SMALL,
        fontweight="bold",
        in_layout=False,
        gid=f"letter of {gid}",
    )


def _line(modes: Sequence[str], mode: str, *, is_df: bool) -> float:
    return PITCH * modes.index(mode) + (0 if is_df else 1)


def draw_goodput(streams: Sequence[Stream], underlay_mtu: int, words: Caption) -> Figure:
    """A panel for each mode, over one axis of MTUs, with one scale for each data plane."""
    figure, panels = sheet(
        words, [PANEL_IN] * len(streams), frame_in=FRAME_IN, width_in=OLD_WIDTH_IN
    )
    palette = colours([each.mode for each in streams], "flat")
    both = tuple(zip(panels, streams, strict=True))
    for ax, each in both:
        plot_goodput(ax, each, palette[each.mode])
    mtus = [mtu for each in streams for mtu in each.samples]
    aside = MARGIN * ((max(mtus) - min(mtus)) or 1)
    tops = [(each.is_kernel, ax.get_ylim()[1]) for ax, each in both]
    for ax, each in both:
        top = max(height for is_kernel, height in tops if is_kernel == each.is_kernel)
        ax.set_xlim(min(mtus) - aside, max(mtus) + aside)
        ax.set_ylim(-BELOW_ZERO * top, top)
        ax.tick_params(axis="x", labelbottom=ax is panels[-1])
    panels[-1].set_xlabel("guests' MTU [bytes]")
    planes = len({each.is_kernel for each in streams})
    title(
        panels[0],
        f"TCP goodput over guests' MTU, underlay MTU {underlay_mtu}",
        HOW_TO_READ + (OWN_SCALE if planes > 1 else ""),
    )
    return figure


def plot_goodput(ax: Axes, stream: Stream, colour: str) -> Axes:
    """Every transfer, the medians, and a line at the largest packet."""
    mode = stream.mode
    ax.axvline(
        stream.limit,
        color="#888888",
        linewidth=0.9,
        linestyle=(0, (1, 1.5)),
        zorder=0,
        gid=f"limit {mode}",
    )
    for mtu, samples in stream.samples.items():
        alive = [value for value in samples if value > 0]
        dead = [value for value in samples if value <= 0]
        (dots,) = ax.plot([mtu] * len(alive), alive, "o", color=colour, markersize=3.6, alpha=0.6)
        dots.set(markeredgewidth=0, gid=f"samples {mode} {mtu}")
        (crosses,) = ax.plot([mtu] * len(dead), dead, "x", color=colour, markersize=6)
        crosses.set(markeredgewidth=1.6, gid=f"black hole {mode} {mtu}")
    ax.plot(
        list(stream.samples),
        [stream.median(mtu) for mtu in stream.samples],
        color=colour,
        linestyle=line_style(mode),
        linewidth=1.6,
        gid=f"medians {mode}",
    )
    ax.set_ylabel("goodput\n[Mbit/s]", fontsize=SMALL)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.grid(visible=True, axis="y")
    name = ax.text(NAME_AT, 0.62, mode, transform=ax.transAxes, va="center", fontsize=9)
    name.set(color=colour, fontweight="bold", gid=f"name {mode}")
    largest = ax.text(NAME_AT, 0.38, f"largest {stream.limit}", transform=ax.transAxes, va="center")
    largest.set(fontsize=SMALL, gid=f"largest {mode}")
    black_holes = [mtu for mtu, samples in stream.samples.items() if not any(samples)]
    if black_holes:
        ax.annotate(
            f"{min(black_holes)}: black hole",
            (min(black_holes), 0),
            xytext=(-12, 5),
            textcoords="offset points",
            ha="right",
            fontsize=SMALL,
            gid=f"black hole {mode}",
        )
    return ax
