"""Axes with plain numbers and their unit, and names beside them.  Pure: the caller owns the figure.

Host counts are on `host_axis` (log2), counts on `count_axis` (from 0).  `name_rows` names the rows
of a chart without a vertical axis; `row_values` writes a value beside each row, in the right
margin.  `end_labels` names lines at their right end, after all else is drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from experiments.show.palette import INK
from experiments.show.sheet import LABEL, lay_out

LABEL_PITCH = 1.3  # of the height of its letters: the height of a line of a label
LABEL_IN = LABEL * LABEL_PITCH / 72  # the same in inches
NAME_WIDE = 21  # letters of a line of a row's name
LABEL_PAD = 6  # points between a line's end and its label
AROUND = 1.12  # of the least and the greatest host count: where a host axis begins and ends
TICKS_MIN = 4
ROW_PAD_IN = 0.09
ABOVE = 1.06  # of the largest count: where a count axis ends


def host_axis(ax: Axes, hosts: Iterable[int], label: str = "compute hosts") -> None:
    """A horizontal log2 axis with a tick at each of these host counts, as a plain number."""
    ticks = sorted(set(hosts))
    ax.set_xscale("log", base=2)
    ax.set_xlim(ticks[0] / AROUND, ticks[-1] * AROUND)
    _plain_ticks(ax.xaxis, ticks)
    ax.set_xlabel(label)


def count_axis(ax: Axes, most: float, label: str) -> None:
    """A vertical axis of whole numbers, from 0 to a bit more than `most`."""
    ax.set_ylim(0, max(1, most) * ABOVE)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 4, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_ylabel(label)
    ax.grid(visible=True, axis="y")


def time_axis(ax: Axes, low: float, high: float, label: str) -> None:
    """A horizontal logarithmic axis from `low` to `high`, with plain numbers: 0.1, 0.2, 0.5, 1."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(_log_ticks(low, high)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(label)


def _log_ticks(low: float, high: float) -> list[float]:
    """At 1, 2 and 5 of each decade, or at 1 alone if there are many; more if the span is small."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for digits in ((1,), (1, 2, 5)):
        every = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [float(f"{value:g}") for value in every if low <= value <= high]
        if len(inside) >= TICKS_MIN:
            return inside
    ticks = MaxNLocator(4).tick_values(low, high)
    return [float(value) for value in ticks if low <= value <= high]


def _plain_ticks(axis: Axis, ticks: Sequence[int]) -> None:
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_locator(NullLocator())


def name_rows(ax: Axes, names: Sequence[str], *, bottom: float = 0.5) -> None:
    """Name the rows 0, 1, ... from the top down, in place of a vertical axis."""
    ax.set_yticks(range(len(names)), labels=list(map(_short_lines, names)))
    ax.set_ylim(len(names) - 1 + bottom, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def row_in(names: Sequence[str]) -> float:
    """The height of a row with room for the longest of these names [inches]."""
    return LABEL_IN * max(1 + _short_lines(name).count("\n") for name in names) + ROW_PAD_IN


def _short_lines(name: str) -> str:
    """A name in lines of at most NAME_WIDE letters."""
    return "\n".join(line for part in name.split("\n") for line in wrap(part, NAME_WIDE))


def row_values(ax: Axes, values: Mapping[float, tuple[str, str]]) -> None:
    """A text and its colour for each row, in bold in the right margin."""
    for row, (text, colour) in values.items():
        ax.annotate(
            text,
            (1, row),
            xycoords=ax.get_yaxis_transform(),
            xytext=(LABEL_PAD, 0),
            textcoords="offset points",
            va="center",
            fontsize=LABEL,
            fontweight="bold",
            color=colour,
            annotation_clip=False,
            gid=f"value {row}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLabel:
    """The name of a line, which ends at `at`."""

    text: str  # may have several lines
    at: float  # on the vertical axis
    colour: str = INK


def end_labels(ax: Axes, labels: Sequence[EndLabel]) -> None:
    """Name lines beside the right end of the axes, moved apart where they would overlap.

    Call it last, when the limits of the axes are set: the figure is laid out for it.
    """
    if not labels:
        return
    lay_out(ax)
    pitch = LABEL * LABEL_PITCH / 72 * ax.figure.dpi / ax.bbox.height
    ordered = sorted(labels, key=lambda each: -each.at)
    wanted = [_height(ax, each.at) for each in ordered]
    sizes = [pitch * (1 + each.text.count("\n")) for each in ordered]
    for each, top, size in zip(ordered, spread(wanted, sizes, over=pitch / 2), sizes, strict=True):
        ax.annotate(
            each.text,
            (1, top - size / 2),
            xycoords="axes fraction",
            xytext=(LABEL_PAD, 0),
            textcoords="offset points",
            va="center",
            fontsize=LABEL,
            fontweight="bold",
            linespacing=1.1,
            color=each.colour,
            annotation_clip=False,
            gid=f"label {each.text}",
        )


def _height(ax: Axes, value: float) -> float:
    """The height of a value, as a share of the height of the axes."""
    at = ax.transData.transform((1.0, value))[1]
    return float(ax.transAxes.inverted().transform((0.0, at))[1])


def spread(wanted: Sequence[float], sizes: Sequence[float], *, over: float = 0.0) -> list[float]:
    """Tops of labels of these heights, near the wanted middles without overlap; from the top down.

    The first may be `over` above the axes, the last `over` below.
    """
    tops: list[float] = []
    ceiling = max(1.0 + over, sum(sizes))
    for at, (middle, size) in enumerate(zip(wanted, sizes, strict=True)):
        below = sum(sizes[at:]) - over  # room for the labels below, down to the axis
        top = min(ceiling, max(middle + size / 2, below))
        tops.append(top)
        ceiling = top - size
    return tops
