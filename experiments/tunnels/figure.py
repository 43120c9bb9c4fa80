"""Tunnels: ports over hosts, the cost of a port, and - drawn apart - arithmetic.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from experiments.show.curves import LEGEND, Curves, Mark
from experiments.show.lanes import BASELINE_COLOUR, colours
from experiments.show.sheet import Caption, sheet, title

HEIGHTS_IN = (3.0, 2.1, 2.1, 2.4)
TO_HOSTS = 100_000
MARKERS = ("o", "+", "x")  # one a type of tunnel
ARTICLE_HOSTS, ARTICLE_SAID = 40_000, 780e6  # "40000 nodes ... 780 millions tunnels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What ports of one type cost one host."""

    name: str
    memory: tuple[tuple[int, float], ...]  # ports, MiB; every sample
    setup: tuple[tuple[int, float], ...]  # ports, seconds
    mib_a_port: float
    setup_at: tuple[tuple[int, float], ...]  # the model, at these ports


def draw(
    marks: Sequence[Mark],
    curves: Sequence[Curve],
    meshes: Sequence[tuple[int, int]],
    words: Caption,
) -> Figure:
    """Panels one below the other; those of the cost only if it was measured."""
    heights = HEIGHTS_IN if curves else (HEIGHTS_IN[0], HEIGHTS_IN[3])
    figure, axes = sheet(words, heights)
    _ports(axes[0], marks)
    if curves:
        plot_memory(axes[1], curves)
        plot_setup(axes[2], curves)
    plot_arithmetic(axes[-1], meshes)
    return figure


def _ports(ax: Axes, marks: Sequence[Mark]) -> None:
    curves = Curves(marks=marks, is_log=True)
    curves.log_counts(curves(ax)).set_ylabel("tunnel ports in all")
    ax.set_xlabel("compute hosts")
    curves.name_lines(ax, HEIGHTS_IN[0])
    title(ax, "Measured: tunnel ports of all hosts", f"{LEGEND}; both axes logarithmic")


def plot_memory(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Memory over ports; a line is the model, and ends where measuring ended."""
    palette = colours([each.name for each in curves], "(none)")
    for each, marker in zip(curves, MARKERS, strict=False):
        _dots(ax, each.memory, palette[each.name], f"memory {each.name}", marker)
        most = max(ports for ports, _ in each.memory)
        ax.plot(
            [0, most],
            [0, each.mib_a_port * most],
            color=palette[each.name],
            linewidth=1.1,
            gid=f"line {each.name}",
        )
    _names(
        ax,
        [
            (e.name, f"{e.name}: {1024 * e.mib_a_port:.1f} KiB a port", palette[e.name])
            for e in curves
        ],
    )
    ax.set_ylim(0, None)
    ax.set_xlim(0, None)
    ax.set_ylabel("more memory [MiB]")
    ax.set_xlabel("tunnel ports on one host")
    ax.grid(visible=True, axis="y")
    title(
        ax,
        "Measured: memory of ovs-vswitchd (PSS)",
        "mark: a lab; line: straight, by least squares",
    )
    return ax


def plot_setup(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Seconds over ports, both logarithmic."""
    palette = colours([each.name for each in curves], "(none)")
    for each, marker in zip(curves, MARKERS, strict=False):
        some = [pair for pair in each.setup if pair[0]]
        _dots(ax, some, palette[each.name], f"setup {each.name}", marker)
        ax.plot(
            *zip(*each.setup_at, strict=True),
            color=palette[each.name],
            linewidth=1.1,
            gid=f"parabola {each.name}",
        )
    _names(ax, [(e.name, e.name, palette[e.name]) for e in curves])
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_ylabel("set-up time [s]")
    ax.set_xlabel("tunnel ports on one host, made in one transaction")
    ax.grid(visible=True)
    title(
        ax,
        "Measured: time to make them",
        "mark: a lab; line: parabola, median of labs; both axes logarithmic",
    )
    return ax


def plot_arithmetic(ax: Axes, meshes: Sequence[tuple[int, int]]) -> Axes:
    """Tunnels of a full mesh: dashed what is only arithmetic, dots what stood in a lab."""
    hosts = np.geomspace(2, TO_HOSTS, 60)
    ax.plot(
        hosts,
        hosts * (hosts - 1) / 2,
        color=BASELINE_COLOUR,
        linewidth=1.3,
        linestyle=(0, (4, 2)),
        gid="arithmetic",
    )
    _dots(ax, meshes, "black", "meshes")
    tunnels = ARTICLE_HOSTS * (ARTICLE_HOSTS - 1) // 2
    ax.plot(
        [ARTICLE_HOSTS],
        [tunnels],
        marker="o",
        markersize=8,
        markerfacecolor="none",
        color=BASELINE_COLOUR,
        linestyle="none",
        gid="article",
    )
    ax.annotate(
        f"{ARTICLE_HOSTS:,} hosts: {tunnels:,}\n(the article: {ARTICLE_SAID / 1e6:.0f} million)",
        (ARTICLE_HOSTS, tunnels),
        xytext=(0.99, 0.3),
        textcoords="axes fraction",
        ha="right",
        va="center",
        fontsize=8.5,
        arrowprops={"arrowstyle": "-", "linewidth": 0.6, "shrinkB": 6},
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_ylabel("tunnels, N(N-1)/2")
    ax.set_xlabel("compute hosts N")
    ax.grid(visible=True)
    title(
        ax,
        "Arithmetic, not measured: tunnels of a full mesh",
        "dashed: arithmetic; dots: meshes that stood in a lab; both axes logarithmic",
    )
    return ax


def _dots(
    ax: Axes, pairs: Sequence[tuple[int, float]], colour: str, gid: str, marker: str = "o"
) -> None:
    """Hollow, and of several shapes, so that one type is seen behind the other."""
    ax.plot(
        [x for x, _ in pairs],
        [y for _, y in pairs],
        linestyle="none",
        marker=marker,
        markersize=4.5,
        markerfacecolor="none",
        markeredgewidth=0.9,
        color=colour,
        clip_on=False,
        zorder=3,
        gid=gid,
    )


def _names(ax: Axes, named: Sequence[tuple[str, str, str]]) -> None:
    for nth, (name, words, colour) in enumerate(named):
        ax.text(
            1.02,
            0.9 - 0.13 * nth,
            words,
            transform=ax.transAxes,
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            va="center",
            gid=f"name {name}",
        )
