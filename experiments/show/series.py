"""Predicted and measured values over the last key of a cell, a line for each series.  Pure.

The chart of any experiment whose cells are predicted; series with equal values are one line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from experiments.core.question import Value
from experiments.show.axes import LABEL_IN, EndLabel, end_labels, host_axis
from experiments.show.marks import DOT, measured_line, predicted_line
from experiments.show.palette import colours
from experiments.show.report import Caption
from experiments.show.sheet import sheet, title

HEIGHT_IN = 2.2  # at least
NAME_WIDE, NAMES_WIDE = 18, 40  # letters of a line of a label, and of the names of one line
OCTAVES_MIN = 2  # from so many doublings on, whole numbers are on a log2 axis
AROUND = 0.08  # of the width: free beside the first and the last place
LEGEND = "dot: measured; wide grey line: predicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of the cells that have all keys but the last in common."""

    names: tuple[str, ...]  # more than one if they are equal
    mode: str  # decides the colour
    predicted: Mapping[Value, float]
    measured: Mapping[Value, tuple[float, ...]]

    @property
    def label(self) -> str:
        """Its names, in short lines; how many if they are long."""
        first, *others = self.names
        text = ", ".join(self.names)
        short = f"{first} and {len(others)} more" if len(text) > NAMES_WIDE and others else text
        return "\n".join(wrap(short, NAME_WIDE))


def merged(series: Iterable[Series]) -> tuple[Series, ...]:
    """One for those with the same predictions and the same measured values."""
    found: dict[object, Series] = {}
    for each in series:
        values = ((at, tuple(sorted(set(some)))) for at, some in each.measured.items())
        key = tuple(each.predicted.items()), tuple(values)
        first = found.get(key)
        found[key] = replace(first, names=(*first.names, *each.names)) if first else each
    return tuple(found.values())


def draw(series: Sequence[Series], across: str, upwards: str, caption: Caption) -> Figure:
    """One panel; `across` and `upwards` name its axes."""
    lines = sum(1 + each.label.count("\n") for each in series)
    figure, (ax,) = sheet(caption, [max(HEIGHT_IN, LABEL_IN * (lines + 1))])
    places = _places(ax, [at for each in series for at in each.predicted], across)
    known = colours([each.mode for each in series])
    labels = [_plot(ax, each, places, known[each.mode]) for each in series]
    values = [value for each in series for value in _values(each)]
    is_whole = all(map(float.is_integer, values))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=is_whole, steps=[1, 2, 5, 10]))
    ax.margins(y=0.08)
    if min(values) >= 0:
        ax.set_ylim(0, None)
    ax.set_ylabel(upwards)
    ax.grid(visible=True, axis="y")
    title(ax, "Measured and predicted", LEGEND)
    if any(any(each.names) for each in series):
        end_labels(ax, labels)
    return figure


def _values(series: Series) -> tuple[float, ...]:
    return tuple(map(float, (*series.predicted.values(), *sum(series.measured.values(), ()))))


def _places(ax: Axes, every: Iterable[Value], across: str) -> dict[Value, float]:
    """Numbers are at their value, texts side by side; the axis has a tick at each."""
    once = tuple(dict.fromkeys(every))
    whole = [at for at in once if isinstance(at, int) and at > 0]
    if len(whole) == len(once) and max(whole) >= 2**OCTAVES_MIN * min(whole):
        host_axis(ax, whole, across)
        return {at: float(at) for at in whole}
    is_number = all(isinstance(at, int | float) for at in once)
    places = {at: float(str(at)) if is_number else float(nth) for nth, at in enumerate(once)}
    ends = min(places.values()), max(places.values())
    beside = AROUND * (ends[1] - ends[0]) or 1.0
    ax.set_xlim(ends[0] - beside, ends[1] + beside)
    ax.xaxis.set_major_locator(FixedLocator(list(places.values())))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(list(places.values()), labels=_tick_names(list(places)))
    ax.set_xlabel(across)
    return places


def _tick_names(names: Sequence[Value]) -> list[str]:
    """Names in short lines, so that they fit beside each other."""
    wide = max(4, NAMES_WIDE // len(names))
    return ["\n".join(wrap(str(name), wide)) for name in names]


def _plot(ax: Axes, series: Series, places: Mapping[Value, float], colour: str) -> EndLabel:
    name = ", ".join(series.names)
    predicted_line(
        ax, [places[at] for at in series.predicted], list(series.predicted.values()), name
    )
    known = {at: values for at, values in series.measured.items() if values}
    middles = [median_low(values) for values in known.values()]
    measured_line(ax, [places[at] for at in known], middles, colour, name)
    ax.plot(
        [places[at] for at, values in known.items() for _ in values],
        [value for values in known.values() for value in values],
        "o",
        color=colour,
        markersize=DOT,
        zorder=3,
        gid=f"samples {name}",
    )
    last = max(series.predicted, key=places.__getitem__)
    end = median_low(known[last]) if last in known else series.predicted[last]
    return EndLabel(text=series.label, at=end, colour=colour)
