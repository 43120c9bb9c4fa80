"""The chart of first pings in `latency`: what each empty cache adds to a ping.  Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from experiments.latency.analysis import Analysed, First
from experiments.latency.families import compared_caches
from experiments.latency.words import (
    GUEST_ARP,
    KERNEL_ARP,
    KERNEL_FDB,
    KERNEL_NEW_LAB,
    LEARNED_FLOW,
    MEGAFLOW,
    NEW_LAB,
    VTEP_NEIGHBOUR,
    first_ping,
)
from experiments.show.axes import name_rows, row_values
from experiments.show.intervals import BAND_HIGH, band, bounds, signed
from experiments.show.palette import BAD, FAMILIES, KERNEL, MUTED, OVS
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, sheet, title

ROW_IN = 0.42
ROWS: Mapping[str, str] = {
    NEW_LAB: "new lab:\nall caches",
    KERNEL_NEW_LAB: "kernel VXLAN,\nnew lab",
    GUEST_ARP: "guest's\nARP cache",
    LEARNED_FLOW: "learned flow\non br-tun",
    MEGAFLOW: "megaflows",
    VTEP_NEIGHBOUR: "VTEP\nneighbour",
    KERNEL_ARP: "kernel VXLAN,\nARP cache",
    KERNEL_FDB: "kernel VXLAN,\nFDB entry",
}
BEYOND = 1.2  # of the largest cost: where the axis ends


def draw_costs(found: Analysed, caption: Caption) -> Figure:
    """A row for each empty cache: its cost with its interval, or how many pings it loses."""
    firsts = compared_caches(found.firsts)
    figure, (ax,) = sheet(caption, [ROW_IN * len(firsts) + 0.1], frame_in=1.2)
    values = {}
    for at, each in enumerate(firsts):
        colour = FAMILIES[KERNEL if each.cache.startswith("kernel") else OVS]
        span = bounds(found.prediction(first_ping(each.cache)))
        band(ax, span, at - BAND_HIGH / 2, BAND_HIGH, each.cache)
        if not each.cost or each.lost_pings:
            lost = f"{each.lost_pings} of {each.pings} pings lost"
            text = ax.text(0, at, f" {lost}", va="center", fontsize=LABEL, fontweight="bold")
            text.set(color=BAD, gid=f"lost {each.cache}")
            continue
        low_high = each.cost.interval
        if low_high:
            (bar,) = ax.plot([low_high.low, low_high.high], [at, at], color=colour, linewidth=2.6)
            bar.set(solid_capstyle="butt", gid=f"interval {each.cache}")
        (dot,) = ax.plot([each.cost.estimate], [at], "o", color=colour, markersize=6)
        dot.set_gid(f"estimate {each.cache}")
        values[float(at)] = (signed(each.cost.estimate), colour)
    name_rows(ax, [ROWS.get(each.cache, each.cache) for each in firsts])
    row_values(ax, values)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_xlim(*_ends(firsts))
    ax.set_xlabel(f"added to a ping with warm caches [{found.main.question.unit}]")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    ax.grid(visible=True, axis="x")
    title(ax, "First ping, by the cache that is empty", "bar: 95% interval; grey: predicted")
    return figure


def _ends(firsts: Sequence[First]) -> tuple[float, float]:
    """The ends of the axis: predictions may be longer."""
    costs = [each.cost for each in firsts if each.cost and np.isfinite(each.cost.estimate)]
    values = [
        value
        for cost in costs
        for value in (
            cost.estimate,
            *((cost.interval.low, cost.interval.high) if cost.interval else ()),
        )
    ]
    most = max((0.1, *values)) * BEYOND
    return min((-most / 12, *(value * BEYOND for value in values))), most
