"""Exact predictions as lines and rings, and every sample as a dot.  Pure.

Series are drawn beside each other, so that none hides another with equal values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from experiments.core.question import Value
from experiments.show.lanes import colours, dots, line_style, name_beside

LANES = 0.34  # of the least distance between two places: the width of all series
APART = 0.03  # on a logarithmic axis, of a place: the width of one series
WITHIN = 0.5  # of the width of a series: that of the samples of a cell
RING, DOT = 9, 3.5  # points
NAME_IN = 0.165  # the height of a name beside the chart
MANY_DECADES = 1000
LEGEND = "ring and line: predicted; dot: a sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One cell."""

    mode: str
    words: str = ""  # the name of its series, beside the mode
    at: Value  # on the horizontal axis
    predicted: float
    measured: tuple[float, ...]

    @property
    def series(self) -> tuple[str, str]:
        """The mode, and the rest of the name of its line."""
        return self.mode, self.words

    @property
    def values(self) -> tuple[float, ...]:
        """The prediction and every sample."""
        return self.predicted, *self.measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Lines and rings at the predictions, and a dot for each sample; a line for each series."""

    marks: Sequence[Mark]
    is_log: bool = False  # the horizontal axis is logarithmic

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        """Each series once."""
        return tuple(dict.fromkeys(mark.series for mark in self.marks))

    def __call__(self, ax: Axes) -> Axes:
        """Draw the series, with a tick at every place of the horizontal axis."""
        places = self._places()
        if self.is_log:
            ax.set_xscale("log")
        distance = min(np.diff(sorted(places.values())), default=1.0)
        width = APART if self.is_log else float(LANES * distance) / len(self.series)
        for nth, series in enumerate(self.series):
            self._draw(ax, series, places, width * (nth + 0.5 - len(self.series) / 2), width)
        ax.set_xticks(list(places.values()), labels=list(map(str, places)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.grid(visible=True, axis="y")
        return ax

    def _places(self) -> dict[Value, float]:
        """Numbers are at their value, texts side by side."""
        once = tuple(dict.fromkeys(mark.at for mark in self.marks))
        if all(isinstance(at, int | float) for at in once):
            return {at: float(str(at)) for at in once}
        return {at: float(place) for place, at in enumerate(once)}

    def _draw(
        self,
        ax: Axes,
        series: tuple[str, str],
        places: dict[Value, float],
        aside: float,
        width: float,
    ) -> None:
        colour, name = self._palette()[series[0]], " ".join(filter(None, series))
        marks = [mark for mark in self.marks if mark.series == series]
        ax.plot(
            [self._x(places[mark.at], aside) for mark in marks],
            [mark.predicted for mark in marks],
            color=colour,
            linestyle=line_style(series[0]),
            linewidth=1.2,
            marker="o",
            markersize=RING,
            markerfacecolor="none",
            clip_on=False,
            gid=f"predicted {name}",
        )
        dots(
            ax,
            [
                # Equal samples are beside each other.
                self._x(places[mark.at], aside + WITHIN * width * ((nth + 0.5) / count - 0.5))
                for mark in marks
                if (count := len(mark.measured))
                for nth in range(count)
            ],
            [value for mark in marks for value in mark.measured],
            colour,
            f"samples {name}",
            markersize=DOT,
            clip_on=False,
            zorder=3,
            rasterized=True,
        )

    def _x(self, place: float, aside: float) -> float:
        return place * (1 + aside) if self.is_log else place + aside

    def _palette(self) -> dict[str, str]:
        return colours([mode for mode, _ in self.series], "(none)")

    def count_axis(self, ax: Axes) -> Axes:
        """A linear vertical axis that begins at 0 unless a value is negative."""
        values = [value for mark in self.marks for value in mark.values]
        ax.yaxis.set_major_locator(MaxNLocator(integer=all(map(float.is_integer, values))))
        ax.margins(x=0.08, y=0.08)
        if min(values) >= 0:
            ax.set_ylim(0, None)
        return ax

    def log_counts(self, ax: Axes) -> Axes:
        """A logarithmic vertical axis with plain numbers; if there are zeros, with 0 below 1."""
        if all(value > 0 for mark in self.marks for value in mark.values):
            ax.set_yscale("log")
            low, high = ax.get_ylim()
            digits = (1,) if high / low > MANY_DECADES else (1, 2, 5)
            ax.yaxis.set_major_locator(LogLocator(subs=digits))
            ax.yaxis.set_minor_formatter(NullFormatter())
        else:
            ax.set_yscale("symlog", linthresh=1, linscale=0.4)
            ax.set_ylim(bottom=-0.15)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        return ax

    def name_lines(self, ax: Axes, height_in: float) -> None:
        """The name of each series beside the end of its line; equal ends share a place."""
        last = {mark.series: mark for mark in sorted(self.marks, key=_end_order)}
        ends = sorted(
            ((_height(ax, last[each].predicted), each) for each in self.series if any(each)),
            key=lambda end: -end[0],
        )
        groups = [(height, list(group)) for height, group in groupby(ends, lambda end: end[0])]
        pitch = min(NAME_IN / height_in, 1 / len(self.series))
        tops = spread([height for height, _ in groups], [len(each) * pitch for _, each in groups])
        for (_, group), top in zip(groups, tops, strict=True):
            for nth, (_, series) in enumerate(group):
                name_beside(
                    ax,
                    series[0],
                    top - (nth + 0.5) * pitch,
                    self._palette()[series[0]],
                    name=", ".join(filter(None, series)),
                )


def _end_order(mark: Mark) -> float:
    """Marks of numbers in their order; those of texts stay in the order given."""
    return float(mark.at) if isinstance(mark.at, int | float) else 0.0


def _height(ax: Axes, value: float) -> float:
    """The height of a value, as a share of the height of the axes."""
    at = ax.transData.transform((1.0, value))[1]
    return float(ax.transAxes.inverted().transform((0.0, at))[1])


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Tops of labels of these heights, near the wanted middles without overlap; from the top down."""
    tops: list[float] = []
    ceiling = 1.0
    for at, (middle, size) in enumerate(zip(wanted, sizes, strict=True)):
        top = min(ceiling, max(middle + size / 2, sum(sizes[at:])))  # room for the labels below
        tops.append(top)
        ceiling = top - size
    return tops
