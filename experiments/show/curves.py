"""Exact counts over a number that doubles: what was foretold as lines, samples as dots.  Pure.

Series stand a little beside each other, and their names beside their ends, so that none hides
another that is equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from experiments.show.lanes import colours, line_style

APART = 0.03  # of its place: by how much a series stands right of the one before
RING, DOT = 8, 3.6  # points
NAME_IN = 0.165
MANY_DECADES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One cell."""

    mode: str
    words: str  # what its series is called, beside the mode
    at: int  # on the horizontal axis
    predicted: float
    measured: tuple[float, ...]

    @property
    def series(self) -> tuple[str, str]:
        """What its line is of."""
        return self.mode, self.words


def plot(ax: Axes, marks: Sequence[Mark]) -> Axes:
    """Lines and rings for what was foretold, a dot for each sample; the horizontal axis logarithmic."""
    palette = _palette(marks)
    every = tuple(dict.fromkeys(mark.series for mark in marks))
    for nth, series in enumerate(every):
        mine = [mark for mark in marks if mark.series == series]
        colour, name = palette[series[0]], " ".join(series)
        aside = 1 + APART * (nth + 0.5 - len(every) / 2)
        ax.plot(
            [m.at * aside for m in mine],
            [m.predicted for m in mine],
            color=colour,
            linestyle=line_style(series[0]),
            linewidth=1.1,
            marker="o",
            markersize=RING,
            markerfacecolor="none",
            clip_on=False,
            gid=f"predicted {name}",
        )
        dots = [(m.at * aside, value) for m in mine for value in m.measured]
        ax.plot(
            [x for x, _ in dots],
            [y for _, y in dots],
            linestyle="none",
            marker="o",
            markersize=DOT,
            markeredgewidth=0,
            color=colour,
            clip_on=False,
            zorder=3,
            gid=f"samples {name}",
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sorted({mark.at for mark in marks})))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.grid(visible=True, axis="y")
    return ax


def log_counts(ax: Axes, marks: Sequence[Mark]) -> Axes:
    """Plain numbers on a logarithmic vertical axis; where there are zeros, 0 stands below 1."""
    if all(value > 0 for mark in marks for value in (mark.predicted, *mark.measured)):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=_steps(ax.get_ylim())))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_yscale("symlog", linthresh=1, linscale=0.4)
        ax.set_ylim(bottom=-0.15)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return ax


def _steps(ends: tuple[float, float]) -> tuple[int, ...]:
    """Which numbers of a decade are named: more of them, if there are few decades."""
    return (1,) if ends[1] / ends[0] > MANY_DECADES else (1, 2, 5)


def name_lines(ax: Axes, marks: Sequence[Mark], height_in: float) -> None:
    """Beside the end of each line who follows it; those that end alike stand together."""
    series = dict.fromkeys(mark.series for mark in marks)
    ends = sorted(((_end(marks, each), each) for each in series), key=lambda end: -end[0])
    groups = [list(group) for _, group in groupby(ends, key=lambda end: end[0])]
    pitch = NAME_IN / height_in
    heights = [_height(ax, group[0][0]) for group in groups]
    tops = spread(heights, [len(group) * pitch for group in groups])
    palette = _palette(marks)
    for group, top in zip(groups, tops, strict=True):
        for number, (_, (mode, words)) in enumerate(group):
            _name(ax, mode, words, top - (number + 0.5) * pitch, palette[mode])


def _name(ax: Axes, mode: str, words: str, y: float, colour: str) -> None:
    ax.plot(
        [1.04, 1.1],
        [y, y],
        transform=ax.transAxes,
        color=colour,
        linewidth=1.5,
        linestyle=line_style(mode),
        clip_on=False,
    )
    ax.text(
        1.115,
        y,
        f"{mode}, {words}",
        transform=ax.transAxes,
        va="center",
        fontsize=8.5,
        color=colour,
        gid="name",
    )


def _palette(marks: Sequence[Mark]) -> dict[str, str]:
    return colours(list(dict.fromkeys(mark.mode for mark in marks)), "(none)")


def _end(marks: Sequence[Mark], series: tuple[str, str]) -> float:
    return max((m for m in marks if m.series == series), key=lambda m: m.at).predicted


def _height(ax: Axes, value: float) -> float:
    """Where a value stands, as a share of the height of the axes."""
    at = ax.transData.transform((1.0, value))[1]
    return float(ax.transAxes.inverted().transform((0.0, at))[1])


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Tops of labels of these heights, near the wanted middles without overlap; from the top down."""
    tops: list[float] = []
    floor = 0.0  # the labels below need this room, from the bottom of the axes
    below = [sum(sizes[at:]) for at in range(len(sizes))]
    ceiling = 1.0
    for at, (middle, size) in enumerate(zip(wanted, sizes, strict=True)):
        top = min(ceiling, max(middle + size / 2, floor + below[at]))
        tops.append(top)
        ceiling = top - size
    return tops
