"""The charts of `tunnels`: tunnel ports over hosts, memory and set-up time over ports.  Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.show.axes import EndLabel, count_axis, end_labels, host_axis
from experiments.show.marks import measured_line, predicted_line
from experiments.show.palette import INK, colour
from experiments.show.report import Caption
from experiments.show.sheet import sheet
from experiments.show.statistics import Samples
from experiments.tunnels.fit import Cost

HIGH_IN = 2.6
NAME_WIDE = 16  # characters of a line of a label
ALONG = 40  # points of a fitted curve
KIB_PER_MIB = 1024
ABOVE = 1.06  # of the largest value: where an axis ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Tunnel ports of all hosts by number of hosts, of modes and memberships that agree."""

    name: str
    colour: str  # a mode, a way of flooding or a family
    predicted: Mapping[int, int]
    measured: Mapping[int, Sequence[int]]  # the different values

    @property
    def last(self) -> int:
        """The first value with the most hosts."""
        return self.measured[max(self.measured)][0]


def draw_ports(lines: Sequence[Line], caption: Caption) -> Figure:
    """A line for each group over the number of hosts."""
    figure, (ax,) = sheet(caption, [HIGH_IN])
    host_axis(ax, {hosts for each in lines for hosts in each.measured})
    for each in lines:
        ink = colour(each.colour)
        predicted_line(ax, list(each.predicted), list(each.predicted.values()), each.name)
        points = [(hosts, value) for hosts, values in each.measured.items() for value in values]
        xs, ys = zip(*points, strict=True)
        measured_line(ax, xs, ys, ink, each.name)
    most = max(
        value
        for each in lines
        for values in (*each.measured.values(), each.predicted.values())
        for value in values
    )
    count_axis(ax, most, "tunnel ports of all hosts")
    end_labels(
        ax,
        [
            EndLabel(
                text=_folded(f"{each.name}: {each.last:,}"),
                at=each.last,
                colour=colour(each.colour),
            )
            for each in lines
        ],
    )
    return figure


def draw_memory(costs: Sequence[Cost], names: Sequence[str], caption: Caption) -> Figure:
    """Memory over ports of each lab, and the straight line of their median.

    Args:
        names: of the lines; a single one is of all.
    """
    figure, (ax,) = sheet(caption, [HIGH_IN])
    ax.set_ylabel("ovs-vswitchd's memory [MiB]")

    def fitted(cost: Cost, ports: int) -> float:
        return cost.memory_at(ports).value / KIB_PER_MIB

    _draw(costs, names, lambda cost: cost.memory_kib / KIB_PER_MIB, fitted, ax)
    return figure


def draw_setup(costs: Sequence[Cost], names: Sequence[str], caption: Caption) -> Figure:
    """Set-up time over ports of each lab, and the parabola of their median."""
    figure, (ax,) = sheet(caption, [HIGH_IN])
    ax.set_ylabel("time to add the ports [s]")
    _draw(
        costs, names, lambda cost: cost.setup_s, lambda cost, ports: cost.setup_at(ports).value, ax
    )
    return figure


def _draw(
    costs: Sequence[Cost],
    names: Sequence[str],
    measured: Callable[[Cost], Samples],
    fitted: Callable[[Cost, int], float],
    ax: Axes,
) -> None:
    ends = []
    for cost in costs:
        ink = colour(cost.type)
        values = measured(cost)
        xs = np.broadcast_to(cost.ports, values.shape)
        (dots,) = ax.plot(np.ravel(xs), np.ravel(values), "o", color=ink, markersize=4, alpha=0.35)
        dots.set(markeredgewidth=0, clip_on=False, gid=f"measured {cost.type}")
        along = np.unique(np.linspace(0, cost.most, ALONG).round()).astype(int)
        curve = [fitted(cost, int(number)) for number in along]
        ax.plot(along, curve, color=ink, linewidth=2, gid=f"fitted {cost.type}")
        ends.append((curve[-1], ink))
    most = max((float(np.max(measured(cost))) for cost in costs), default=1.0)
    _scale(ax, max(cost.most for cost in costs), most)
    if len(names) < len(ends):
        ends = [(max(at for at, _ in ends), INK)]
    end_labels(
        ax,
        [
            EndLabel(text=_folded(name), at=at, colour=ink)
            for name, (at, ink) in zip(names, ends, strict=True)
        ],
    )


def _scale(ax: Axes, ports: int, most: float) -> None:
    """Both axes from 0."""
    ax.set_xlim(0, ports)
    ax.set_ylim(0, ABOVE * most if most > 0 else 1)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("tunnel ports of one host")
    ax.grid(visible=True, axis="y")


def _folded(text: str) -> str:
    return "\n".join(wrap(text, NAME_WIDE, break_on_hyphens=False))
