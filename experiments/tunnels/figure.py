"""Tunnel ports over hosts, the cost of a port, and arithmetic in a panel of its own.  Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from experiments.show.curves import LEGEND, Curves, Mark
from experiments.show.lanes import BASELINE_COLOUR, NAME_SIZE, colours, name_beside
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title
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
    figure, axes = sheet(caption, heights, width_in=OLD_WIDTH_IN)
    _plot_ports(axes[0], marks)
    if costs:
        _plot_costs(axes[1], axes[2], costs)
    plot_arithmetic(axes[-1], meshes)
    return figure


def _plot_ports(ax: Axes, marks: Sequence[Mark]) -> None:
    curves = Curves(marks=marks, is_log=True)
    curves.log_counts(curves(ax)).set_ylabel("tunnel ports of all hosts")
    ax.set_xlabel("compute hosts")
    curves.name_lines(ax, PORTS_IN)
    title(ax, "Measured: tunnel ports of all hosts", f"{LEGEND}; both axes logarithmic")


def _plot_costs(memory: Axes, setup: Axes, costs: Sequence[Cost]) -> None:
    """Memory and set-up time over ports of each lab, with the fitted line and parabola."""
    palette = colours([each.type for each in costs], "(none)")
    for nth, (each, marker) in enumerate(zip(costs, MARKERS, strict=False)):
        colour, name = (
            palette[each.type],
            f"{each.type}: {each.memory_at(1).value:.1f} KiB per port",
        )
        line = [0, each.memory_at(each.most).value / 1024]
        along = np.unique(np.geomspace(1, each.most, 25).round()).astype(int)
        parabola = [each.setup_at(int(number)).value for number in along]
        for ax, ports, measured, fitted_at, fitted, shown in (
            (memory, each.ports, each.memory_kib / 1024, [0, each.most], line, name),
            (setup, each.ports[1:], each.setup_s[:, 1:], along, parabola, ""),
        ):
            xs = np.broadcast_to(ports, measured.shape)
            _dots(ax, xs, measured, colour, f"measured {each.type}", marker=marker)
            ax.plot(fitted_at, fitted, color=colour, linewidth=1.1, gid=f"fitted {each.type}")
            name_beside(ax, each.type, NAMES_AT - NAME_PITCH * nth, colour, name=shown)
    memory.set_ylim(0, None)
    memory.set_xlim(0, None)
    memory.set_ylabel("more memory [MiB]")
    memory.set_xlabel("tunnel ports on one host")
    memory.grid(visible=True, axis="y")
    title(memory, "Measured: memory of ovs-vswitchd (PSS)", "mark: a lab; line: least squares")
    setup.set_xscale("log")
    setup.set_yscale("log")
    setup.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    setup.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    setup.yaxis.set_minor_formatter(NullFormatter())
    setup.xaxis.set_major_formatter(WHOLE)
    setup.set_ylabel("set-up time [s]")
    setup.set_xlabel("tunnel ports on one host, added in one transaction")
    setup.grid(visible=True)
    title(
        setup,
        "Measured: time to add them",
        "mark: a lab; line: parabola, median of labs; both axes logarithmic",
    )


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
