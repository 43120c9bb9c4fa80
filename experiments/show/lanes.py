"""Figures, drawn on the axes they are given.  Pure: the caller owns figures and files.

Colour tells the encapsulation, the style of a line the way of flooding; both are the same
in every panel.  Caption stand in the margins, in the order of what they name, so that none
covers another or a sample.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)

from experiments.core.question import Prediction, Question, level_name
from experiments.show.statistics import Difference, Repeats, Samples, Summary

LineStyle = str | tuple[float, tuple[float, ...]]

BASELINE_COLOUR = "#555555"
# Okabe and Ito (2008): told apart with every common colour blindness; legible as words, too.
ENCAPSULATION = {
    "gre": "#0072B2",
    "vxlan": "#D55E00",
    "geneve": "#009E73",
    "vlan": "#CC79A7",
    "kvxlan": "#000000",
}
OTHERS = ("#E69F00", "#56B4E9")
PLAIN = ("flat", "veth", "same-host", "vtep")  # no tunnel: grey as the baseline
FLOODING: Mapping[str, LineStyle] = {
    "mesh": "-",
    "l2pop": (0, (5, 1.5)),
    "l2pop-arp": (0, (1, 1.2)),
    "multicast": (0, (6, 1.5, 1, 1.5)),
}
MARKERS = {"mesh": "o", "l2pop": "s", "l2pop-arp": "^", "multicast": "D"}
HOLLOW = ("l2pop", "multicast")
MARGIN_AT = 1.02  # of the width of the axes: where words begin, right of all that is drawn
SWATCH = 0.075  # of the same: a piece of the curve beside its name
NAME_PITCH = 0.115  # of the height of the ECDF, if that is enough for all
LINES, DOTS, BOTH = "lines", "dots", "lines and dots"  # what names stand beside
DOTS_TOP, DOTS_BOTTOM = 0.46, -0.12  # above and below the line of a level; rows are 1 apart
BOX_AT, BOX_HIGH = -0.26, 0.17
TICKS = (1, 2, 5)  # of each decade, on a logarithmic axis


def colours(levels: Sequence[str], baseline: str) -> dict[str, str]:
    """A colour per encapsulation; the baseline is grey, since it is what others are seen against."""
    grey = {level: BASELINE_COLOUR for level in levels if level in {baseline, *PLAIN}}
    kinds = {level: _parts(level)[0] for level in levels if level not in grey}
    unknown = [kind for kind in dict.fromkeys(kinds.values()) if kind not in ENCAPSULATION]
    known = {**dict(zip(unknown, cycle(OTHERS), strict=False)), **ENCAPSULATION}
    return {**grey, **{level: known[kind] for level, kind in kinds.items()}}


def line_style(level: str) -> LineStyle:
    """A line style per way of flooding."""
    return FLOODING.get(_parts(level)[1], "-")


def marker_style(level: str) -> Mapping[str, Any]:
    """A marker per way of flooding, where no line is drawn that could tell it."""
    flooding = _parts(level)[1]
    is_hollow = flooding in HOLLOW
    return {
        "marker": MARKERS.get(flooding, "o"),
        "fillstyle": "none" if is_hollow else "full",
        "markeredgewidth": 0.9 if is_hollow else 0,
    }


def _parts(level: str) -> tuple[str, str]:
    """Encapsulation and flooding; a flooding alone keeps each network's own encapsulation."""
    if level in FLOODING:
        return "", level
    encapsulation, _, flooding = level.partition("-")
    return encapsulation, flooding


def plot_boxes(ax: Axes, levels: Mapping[str, Repeats], palette: Mapping[str, str]) -> Axes:
    """Every sample as a dot, a lane per block, over a box of the quartiles and p10 to p90.

    Lanes run in the order of the blocks, so that a block that differs is seen to.
    """
    for at, (level, repeats) in enumerate(levels.items()):
        for lane, samples in zip(_lanes(len(repeats)), repeats, strict=True):
            if len(samples):
                _dots(ax, samples, [at - edge for edge in lane], palette[level], f"samples {level}")
        _box(ax, np.concatenate(repeats), at - BOX_AT, palette[level])
    ax.set_yticks(range(len(levels)), labels=list(levels))
    ax.set_ylim(len(levels) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    return ax


def how_to_read(repeats: int) -> str:
    """How to read a row of `plot_boxes`."""
    lane = "a lane per block" if repeats > 1 else "one block"
    return f"{lane}, stroke: its median; box: quartiles, whiskers: p10 to p90"


def plot_ecdf(ax: Axes, levels: Mapping[str, Repeats], palette: Mapping[str, str]) -> Axes:
    """Which share of the pings came back within a time; a step at every sample."""
    for level, repeats in levels.items():
        ax.ecdf(
            np.concatenate(repeats),
            color=palette[level],
            linewidth=1.6,
            label=level,
            linestyle=line_style(level),
        )
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.set_ylabel("share of samples")
    ax.grid(visible=True)
    medians = {level: float(np.median(np.concatenate(levels[level]))) for level in levels}
    label_curves(ax, medians, palette)  # the leftmost curve's name on top
    return ax


def plot_differences(
    ax: Axes, question: Question, summaries: Sequence[Summary], palette: Mapping[str, str]
) -> Axes:
    """Each level's difference to the baseline and its interval, on the band that was predicted."""
    found = [(each.level, each.to_baseline) for each in summaries if each.to_baseline]
    _bands(ax, to_baseline(question), question.margin)
    for at, (level, difference) in enumerate(found):
        mark_difference(ax, difference, at, level, palette[level])
    ax.set_yticks(range(len(found)), labels=[level for level, _ in found])
    ax.set_ylim(len(found) - 0.5, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    ax.set_xlabel(f"median minus that of {level_name(question.baseline)} [{question.unit}]")
    ax.margins(x=0.12)
    return ax


def to_baseline(question: Question) -> Prediction | None:
    """The prediction about the difference to the baseline, if there is one."""
    return next((each for each in question.predictions if each.about == "baseline"), None)


def mark_difference(ax: Axes, found: Difference, at: float, name: str, colour: str) -> None:
    """An interval, the estimate in it, and the figure in the margin."""
    if found.interval:
        ax.plot(
            [found.interval.low, found.interval.high],
            [at, at],
            color=colour,
            linewidth=2.4,
            solid_capstyle="butt",
            gid=f"interval {name}",
        )
    ax.plot([found.estimate], [at], "o", color=colour, markersize=6, gid=f"estimate {name}")
    ax.text(
        MARGIN_AT,
        at,
        f"{found.estimate:+.3f}",
        transform=ax.get_yaxis_transform(),
        va="center",
        color=colour,
        fontsize=8.5,
        fontweight="bold",
        gid=f"value {name}",
    )


def log_axis(ax: Axes, levels: Mapping[str, Repeats], label: str) -> Axes:
    """A logarithmic axis of times, since they have a long tail and are compared by ratio."""
    every = np.concatenate([samples for repeats in levels.values() for samples in repeats])
    low, high = float(every.min()) / 1.15, float(every.max()) * 1.15
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlabel(f"{label}, logarithmic")
    return ax


def _bands(ax: Axes, prediction: Prediction | None, margin: float) -> None:
    """What was said before the run: the predicted band, and the margin that is of no matter."""
    if prediction and prediction.low is not None and prediction.high is not None:
        ax.axvspan(
            prediction.low,
            prediction.high,
            color="#F0E442",
            alpha=0.3,
            linewidth=0,
            gid="predicted",
        )
    ax.axvline(0, color=BASELINE_COLOUR, linewidth=1)
    for edge in (-margin, margin):
        ax.axvline(edge, color=BASELINE_COLOUR, linewidth=0.8, linestyle=(0, (2, 2)), gid="margin")


def said_beforehand(question: Question) -> str:
    """How to read the band and the lines of `plot_differences`."""
    prediction, unit = to_baseline(question), question.unit
    margin = f"dashed: margin, ±{question.margin:g} {unit}"
    if prediction is None or prediction.low is None or prediction.high is None:
        return margin
    silent = ", ".join(prediction.excludes)
    band = f"band: predicted, {prediction.low:g} to {prediction.high:g} {unit}"
    return f"{band}{f' (not for {silent})' if silent else ''}; {margin}"


def _dots(ax: Axes, samples: Samples, lane: Sequence[float], colour: str, gid: str) -> None:
    """One block: a dot per sample between the edges of its lane, and a stroke at its median."""
    top, bottom = lane
    ax.plot(
        samples,
        top + (bottom - top) * _scattered(len(samples)),
        linestyle="none",
        marker="o",
        markersize=2.3,
        alpha=0.45,
        markeredgewidth=0,
        color=colour,
        gid=gid,
        rasterized=True,
    )
    middle = [float(np.median(samples))] * 2
    ax.plot(middle, lane, color="black", linewidth=1.3, solid_capstyle="butt", gid="block median")


def _box(ax: Axes, samples: Samples, at: float, colour: str) -> None:
    ax.boxplot(
        [samples],
        positions=[at],
        widths=BOX_HIGH,
        orientation="horizontal",
        whis=(10, 90),
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": "white", "edgecolor": colour, "linewidth": 1.2},
        whiskerprops={"color": colour, "linewidth": 1.2},
        capprops={"color": colour, "linewidth": 1.2},
        medianprops={"color": colour, "linewidth": 2.6, "solid_capstyle": "butt"},
    )


def _lanes(count: int) -> list[tuple[float, float]]:
    """The strip of each block, from the top of the dots' part of a row down."""
    edges = np.linspace(DOTS_TOP, DOTS_BOTTOM, count + 1)
    return [(float(a), float(b)) for a, b in pairwise(edges)]


def _scattered(count: int) -> Samples:
    """Places in 0.1..0.9 that fill evenly whatever their number: no chance, no overplotting."""
    golden = (5**0.5 - 1) / 2
    places: Samples = 0.1 + 0.8 * np.mod(np.arange(count) * golden, 1)
    return places


def _ticks(low: float, high: float) -> list[float]:
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    every = [round(digit * 10.0**decade, 9) for decade in decades for digit in TICKS]
    seen = [value for value in every if low <= value <= high]
    return seen if len(seen) > 2 else _even_ticks(low, high)


def _even_ticks(low: float, high: float) -> list[float]:
    return [float(value) for value in MaxNLocator(4).tick_values(low, high) if low <= value <= high]


def label_curves(
    ax: Axes, places: Mapping[str, float], palette: Mapping[str, str], *, drawn: str = LINES
) -> None:
    """Names in the right margin, that of the lowest place on top, each beside what is `drawn`."""
    pitch = min(NAME_PITCH, 1 / len(places))
    for nth, level in enumerate(sorted(places, key=lambda level: places[level])):
        _name(ax, level, 1 - pitch * (nth + 0.5), palette[level], drawn)


def _name(ax: Axes, level: str, height: float, colour: str, drawn: str) -> None:
    end = MARGIN_AT + SWATCH
    ax.plot(
        [MARGIN_AT, MARGIN_AT + SWATCH / 2, end],
        [height] * 3,
        color=colour,
        linewidth=1.6,
        linestyle="none" if drawn == DOTS else line_style(level),
        markersize=4.5,
        markevery=[1],
        **({} if drawn == LINES else marker_style(level)),
        transform=ax.transAxes,
        clip_on=False,
        gid=f"swatch {level}",
    )
    ax.text(
        end + 0.015,
        height,
        level,
        transform=ax.transAxes,
        va="center",
        color=colour,
        fontsize=8.5,
        fontweight="bold",
    )
