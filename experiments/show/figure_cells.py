"""Exact expectations, drawn: a hollow ring and a line for what was foretold, a dot for each sample.

Colour and style of a line tell the first key; the last key is the horizontal axis.  Series
stand a little beside each other, so that none hides another that is equal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.core.question import Question, Value
from experiments.show.lanes import MARGIN_AT, SWATCH, colours, line_style
from experiments.show.sheet import Caption, sheet, title

HEIGHT_IN = 3.0
NAME_IN = 0.19  # the least height for a name beside the panel
LANES = 0.34  # of the least distance between two levels: what the series beside each other take
WITHIN = 0.5  # of a series' own part of that: what the samples of a cell take
RING, DOT = 9, 3.4  # points
LEGEND = "ring and line: foretold; dot: a sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One cell."""

    key: Mapping[str, Value]
    predicted: float
    measured: tuple[float, ...]

    @property
    def series(self) -> str:
        """What its line is called: all keys but the last."""
        return " ".join(map(str, tuple(self.key.values())[:-1]))

    @property
    def level(self) -> Value:
        """Where it stands on the horizontal axis."""
        return tuple(self.key.values())[-1]


def draw(marks: Sequence[Mark], question: Question, words: Caption) -> Figure:
    """One figure with one panel."""
    names = len(dict.fromkeys(mark.series for mark in marks))
    figure, (ax,) = sheet(words, [max(HEIGHT_IN, NAME_IN * names)])
    plot_cells(ax, marks, question)
    title(ax, "Measured and foretold", LEGEND)
    return figure


def plot_cells(ax: Axes, marks: Sequence[Mark], question: Question) -> Axes:
    """Every sample on what was foretold for its cell."""
    places = _places([mark.level for mark in marks])
    series = tuple(dict.fromkeys(mark.series for mark in marks))
    palette = _palette(marks)
    width = _width(sorted(places.values())) / len(series)
    for lane, name in enumerate(series):
        of_series = [mark for mark in marks if mark.series == name]
        beside = width * (lane + 0.5 - len(series) / 2)
        at = {level: place + beside for level, place in places.items()}
        _series(ax, of_series, at, width * WITHIN, palette[name])
    ax.set_xticks(list(places.values()), labels=list(map(str, places)))
    ax.set_xlabel(tuple(marks[0].key)[-1])
    value = question.value.replace("_", " ")
    ax.set_ylabel(value if value == question.unit else f"{value} [{question.unit}]")
    ax.yaxis.set_major_locator(MaxNLocator(integer=_are_whole(marks)))
    ax.grid(visible=True, axis="y")
    ax.margins(x=0.08, y=0.08)
    if min(value for mark in marks for value in (mark.predicted, *mark.measured)) >= 0:
        ax.set_ylim(0, None)
    _names(ax, marks, series, palette)
    return ax


def _places(levels: Sequence[Value]) -> dict[Value, float]:
    """Numbers stand where they are, words side by side."""
    once = tuple(dict.fromkeys(levels))
    if all(isinstance(level, int | float) for level in once):
        return {level: float(str(level)) for level in once}
    return {level: float(at) for at, level in enumerate(once)}


def _width(places: Sequence[float]) -> float:
    """What all series of one level take of the axis."""
    return LANES * (float(np.diff(places).min()) if len(places) > 1 else 1.0)


def _palette(marks: Sequence[Mark]) -> dict[str, str]:
    """The colour of each series is that of its first key."""
    first = {mark.series: mark.series.partition(" ")[0] for mark in marks}
    known = colours(list(dict.fromkeys(first.values())), "(none)")
    return {series: known[level] for series, level in first.items()}


def _series(
    ax: Axes, marks: Sequence[Mark], at: Mapping[Value, float], width: float, colour: str
) -> None:
    name = marks[0].series
    ax.plot(
        [at[mark.level] for mark in marks],
        [mark.predicted for mark in marks],
        color=colour,
        linestyle=line_style(name.partition(" ")[0]),
        linewidth=1.2,
        marker="o",
        markersize=RING,
        markerfacecolor="none",
        clip_on=False,
        gid=f"predicted {name}",
    )
    samples = [each for mark in marks for each in _side_by_side(mark, at[mark.level], width)]
    ax.plot(
        [x for x, _ in samples],
        [y for _, y in samples],
        linestyle="none",
        marker="o",
        markersize=DOT,
        markeredgewidth=0,
        color=colour,
        alpha=0.8,
        rasterized=True,
        clip_on=False,
        gid=f"samples {name}",
    )


def _side_by_side(mark: Mark, place: float, width: float) -> Iterator[tuple[float, float]]:
    """Equal samples must not hide each other."""
    count = len(mark.measured)
    return (
        (place + width * ((at + 0.5) / count - 0.5), value)
        for at, value in enumerate(mark.measured)
    )


def _are_whole(marks: Sequence[Mark]) -> bool:
    return all(value.is_integer() for mark in marks for value in (mark.predicted, *mark.measured))


def _names(
    ax: Axes, marks: Sequence[Mark], series: Sequence[str], palette: Mapping[str, str]
) -> None:
    """Names in the right margin, each with a piece of its line, in the order of the lines' ends."""
    last = {mark.series: mark.predicted for mark in marks}
    pitch = min(0.09, 1 / len(series))
    top = float(ax.get_ylim()[1])
    height = 1.0
    for name in sorted(filter(None, series), key=lambda each: -last[each]):
        height = min(height - pitch, last[name] / top)
        _name(ax, name, max(height, pitch / 2), palette[name])


def _name(ax: Axes, name: str, height: float, colour: str) -> None:
    ends = [MARGIN_AT, MARGIN_AT + SWATCH]
    ax.plot(
        ends,
        [height, height],
        color=colour,
        linewidth=1.2,
        linestyle=line_style(name.partition(" ")[0]),
        transform=ax.transAxes,
        clip_on=False,
        gid=f"swatch {name}",
    )
    ax.text(
        ends[1] + 0.015,
        height,
        name,
        transform=ax.transAxes,
        va="center",
        color=colour,
        fontsize=8.5,
        fontweight="bold",
        gid=f"name {name}",
    )
