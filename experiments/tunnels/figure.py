"""Tunnel ports over hosts, the cost of a port, and arithmetic in a panel of its own.  Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from experiments.show.curves import LEGEND, Curves, Mark
from experiments.show.lanes import BASELINE_COLOUR, NAME_SIZE, colours, name_beside
from experiments.show.sheet import Caption, sheet, title
from experiments.tunnels.fit import Cost
from experiments.tunnels.words import ARTICLE_HOSTS, ARTICLE_TUNNELS

PORTS_IN, COST_IN, ARITHMETIC_IN = 3.0, 2.1, 2.4  # heights of the panels
TO_HOSTS = 100_000
MARKERS = ("o", "+", "x")  # one for each type of tunnel
NAMES_AT, NAME_PITCH = 0.9, 0.13  # of the height of a panel
WHOLE = FuncFormatter(lambda value, _: f"{value:,.0f}")


def draw(
    marks: Sequence[Mark],
    costs: Sequence[Cost],
    meshes: Sequence[tuple[int, int]],
    caption: Caption,
) -> Figure:
    """The panels below each other; those of the cost only if it was measured."""
    heights = (PORTS_IN, *((COST_IN, COST_IN) if costs else ()), ARITHMETIC_IN)
    figure, axes = sheet(caption, heights)
    _plot_ports(axes[0], marks)
    if costs:
        plot_memory(axes[1], costs)
        plot_setup(axes[2], costs)
    plot_arithmetic(axes[-1], meshes)
    return figure


def _plot_ports(ax: Axes, marks: Sequence[Mark]) -> None:
    curves = Curves(marks=marks, is_log=True)
    curves.log_counts(curves(ax)).set_ylabel("tunnel ports of all hosts")
    ax.set_xlabel("compute hosts")
    curves.name_lines(ax, PORTS_IN)
    title(ax, "Measured: tunnel ports of all hosts", f"{LEGEND}; both axes logarithmic")


def plot_memory(ax: Axes, costs: Sequence[Cost]) -> Axes:
    """Memory over ports of each lab, with the fitted line up to the most ports that were measured."""
    palette = colours([each.type for each in costs], "(none)")
    for nth, (each, marker) in enumerate(zip(costs, MARKERS, strict=False)):
        colour, mib = palette[each.type], each.memory_kib / 1024
        ports = np.broadcast_to(each.ports, mib.shape)
        _dots(ax, ports, mib, colour, f"memory {each.type}", marker=marker)
        line = [0, each.memory_at(each.most).value / 1024]
        ax.plot([0, each.most], line, color=colour, linewidth=1.1, gid=f"line {each.type}")
        name = f"{each.type}: {each.memory_at(1).value:.1f} KiB per port"
        name_beside(ax, each.type, NAMES_AT - NAME_PITCH * nth, colour, name=name)
    ax.set_ylim(0, None)
    ax.set_xlim(0, None)
    ax.set_ylabel("more memory [MiB]")
    ax.set_xlabel("tunnel ports on one host")
    ax.grid(visible=True, axis="y")
    title(ax, "Measured: memory of ovs-vswitchd (PSS)", "mark: a lab; line: least squares")
    return ax


def plot_setup(ax: Axes, costs: Sequence[Cost]) -> Axes:
    """Set-up time over ports of each lab, with the fitted parabola; both axes logarithmic."""
    palette = colours([each.type for each in costs], "(none)")
    for nth, (each, marker) in enumerate(zip(costs, MARKERS, strict=False)):
        colour, seconds = palette[each.type], each.setup_s[:, 1:]
        ports = np.broadcast_to(each.ports[1:], seconds.shape)
        _dots(ax, ports, seconds, colour, f"setup {each.type}", marker=marker)
        along = np.unique(np.geomspace(1, each.most, 25).round()).astype(int)
        fitted = [each.setup_at(int(number)).value for number in along]
        ax.plot(along, fitted, color=colour, linewidth=1.1, gid=f"parabola {each.type}")
        name_beside(ax, each.type, NAMES_AT - NAME_PITCH * nth, colour)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(WHOLE)
    ax.set_ylabel("set-up time [s]")
    ax.set_xlabel("tunnel ports on one host, added in one transaction")
    ax.grid(visible=True)
    title(
        ax,
        "Measured: time to add them",
        "mark: a lab; line: parabola, median of labs; both axes logarithmic",
    )
    return ax


def plot_arithmetic(ax: Axes, meshes: Sequence[tuple[int, int]]) -> Axes:
    """Tunnels of a full mesh: a dashed line by arithmetic, dots for measured meshes."""
    hosts = np.geomspace(2, TO_HOSTS, 60)
    dashed: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 1.3, "gid": "arithmetic"}
    ax.plot(hosts, hosts * (hosts - 1) / 2, color=BASELINE_COLOUR, **dashed)
    _dots(ax, [x for x, _ in meshes], [y for _, y in meshes], "black", "meshes")
    tunnels = ARTICLE_HOSTS * (ARTICLE_HOSTS - 1) // 2
    _dots(ax, [ARTICLE_HOSTS], [tunnels], BASELINE_COLOUR, "article", markersize=8)
    ax.annotate(
        f"{ARTICLE_HOSTS:,} hosts: {tunnels:,}\n(the article: {ARTICLE_TUNNELS / 1e6:.0f} million)",
        (ARTICLE_HOSTS, tunnels),
        xytext=(0.99, 0.3),
        textcoords="axes fraction",
        ha="right",
        va="center",
        fontsize=NAME_SIZE,
        arrowprops={"arrowstyle": "-", "linewidth": 0.6, "shrinkB": 6},
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter(WHOLE)
    ax.set_ylabel("tunnels, N(N-1)/2")
    ax.set_xlabel("compute hosts N")
    ax.grid(visible=True)
    title(
        ax,
        "Arithmetic, not measured: tunnels of a full mesh",
        "dashed: arithmetic; dots: measured meshes; both axes logarithmic",
    )
    return ax


def _dots(ax: Axes, xs: Any, ys: Any, colour: str, gid: str, **marker: Any) -> None:
    """Hollow marks, so that one type of tunnel is seen behind the other."""
    ax.plot(
        np.ravel(xs),
        np.ravel(ys),
        linestyle="none",
        **{"marker": "o", "markersize": 4.5, **marker},
        markerfacecolor="none",
        markeredgewidth=0.9,
        color=colour,
        clip_on=False,
        zorder=3,
        gid=gid,
    )
