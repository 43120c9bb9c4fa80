"""Goodput over guests' MTU, for the experiment `mtu`: a panel for each mode, every transfer in it.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from controller.model.modes import KERNEL
from experiments.show.lanes import colours, line_style
from experiments.show.sheet import SMALL, Caption, sheet, title

PANEL_IN, FRAME_IN = 1.05, 1.6
MARGIN = 0.04  # of the range of MTUs: left and right of it
BELOW_ZERO = 0.05  # of the height of a panel: room for crosses
NAME_AT = 1.02  # of the width of a panel
HOW_TO_READ = "dot: a transfer; line: medians; dotted: the largest packet; cross: nothing arrived"
OWN_SCALE = "; kernel: own scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The goodput of one mode: samples by guests' MTU [Mbit/s], and the largest packet [bytes]."""

    mode: str
    limit: int
    samples: Mapping[int, tuple[float, ...]]

    @property
    def plane(self) -> str:
        """What carries it: the kernel, or the switch in user space."""
        return KERNEL if self.mode.startswith(KERNEL) else ""

    def median(self, mtu: int) -> float:
        """The middle one of its samples."""
        return float(np.median(self.samples[mtu]))

    @property
    def gain(self) -> float:
        """The median at the limit over that at the least MTU; 0 if either was not measured."""
        least = self.median(min(self.samples))
        return self.median(self.limit) / least if self.limit in self.samples and least else 0.0


def draw_goodput(streams: Sequence[Stream], underlay_mtu: int, words: Caption) -> Figure:
    """A panel for each mode, one below the other over the same axis, so that none is moved aside."""
    figure, panels = sheet(words, [PANEL_IN] * len(streams), frame_in=FRAME_IN)
    palette = colours([each.mode for each in streams], "flat")
    for ax, each in zip(panels, streams, strict=True):
        plot_goodput(ax, each, palette[each.mode])
    _same_axes(panels, streams)
    planes = len({each.plane for each in streams})
    title(
        panels[0],
        f"TCP goodput over guests' MTU, underlay MTU {underlay_mtu}",
        HOW_TO_READ + (OWN_SCALE if planes > 1 else ""),
    )
    return figure


def _same_axes(panels: Sequence[Axes], streams: Sequence[Stream]) -> None:
    """One axis of MTUs for all, one of goodput for each data plane: the kernel's is far above."""
    mtus = [mtu for each in streams for mtu in each.samples]
    aside = MARGIN * ((max(mtus) - min(mtus)) or 1)
    both = tuple(zip(panels, streams, strict=True))
    top = dict.fromkeys((each.plane for each in streams), 0.0)
    for ax, each in both:
        top[each.plane] = max(top[each.plane], ax.get_ylim()[1])
    for ax, each in both:
        ax.set_xlim(min(mtus) - aside, max(mtus) + aside)
        ax.set_ylim(-BELOW_ZERO * top[each.plane], top[each.plane])
        ax.tick_params(axis="x", labelbottom=ax is panels[-1])
    panels[-1].set_xlabel("guests' MTU [bytes]")


def plot_goodput(ax: Axes, stream: Stream, colour: str) -> Axes:
    """Every transfer where its MTU is, the medians, and where the largest packet ends."""
    ax.axvline(
        stream.limit,
        color="#888888",
        linewidth=0.9,
        linestyle=(0, (1, 1.5)),
        zorder=0,
        gid=f"limit {stream.mode}",
    )
    for mtu, samples in stream.samples.items():
        _transfers(ax, stream.mode, mtu, samples, colour)
    ax.plot(
        list(stream.samples),
        [stream.median(mtu) for mtu in stream.samples],
        color=colour,
        linestyle=line_style(stream.mode),
        linewidth=1.6,
        gid=f"medians {stream.mode}",
    )
    ax.set_ylabel("goodput\n[Mbit/s]", fontsize=SMALL)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.grid(visible=True, axis="y")
    ax.text(
        NAME_AT,
        0.62,
        stream.mode,
        transform=ax.transAxes,
        color=colour,
        fontsize=9,
        fontweight="bold",
        va="center",
        gid=f"name {stream.mode}",
    )
    ax.text(
        NAME_AT,
        0.38,
        f"largest {stream.limit}",
        transform=ax.transAxes,
        fontsize=SMALL,
        va="center",
        gid=f"largest {stream.mode}",
    )
    _black_hole(ax, stream)
    return ax


def _transfers(ax: Axes, mode: str, mtu: int, samples: Sequence[float], colour: str) -> None:
    """A dot for each that arrived, a cross for each that did not, all at their MTU."""
    alive = [value for value in samples if value > 0]
    dead = [0.0] * (len(samples) - len(alive))
    ax.plot(
        [mtu] * len(alive),
        alive,
        linestyle="none",
        marker="o",
        markersize=3.6,
        alpha=0.6,
        markeredgewidth=0,
        color=colour,
        gid=f"samples {mode} {mtu}",
    )
    ax.plot(
        [mtu] * len(dead),
        dead,
        linestyle="none",
        marker="x",
        markersize=6,
        markeredgewidth=1.6,
        color=colour,
        gid=f"black hole {mode} {mtu}",
    )


def _black_hole(ax: Axes, stream: Stream) -> None:
    """Says what the crosses are, where they are."""
    dead = [mtu for mtu, of in stream.samples.items() if not any(of)]
    if dead:
        ax.annotate(
            f"{min(dead)}: black hole",
            (min(dead), 0),
            xytext=(-12, 5),
            textcoords="offset points",
            ha="right",
            fontsize=SMALL,
            gid=f"black hole {stream.mode}",
        )
