"""The charts of warm pings in `latency`: levels and effects, distributions, conditions.  Pure."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from experiments.latency.analysis import Analysed, Warm
from experiments.latency.families import (
    VETH_PAIR,
    distribution,
    envelope,
    family_name,
    groups_of,
    middle,
    rank_of,
)
from experiments.latency.words import SAME_HOST, VETH, VTEP
from experiments.show.axes import EndLabel, end_labels, time_axis
from experiments.show.effects import contrast
from experiments.show.intervals import Intervals, Row, bounds
from experiments.show.levels import judged, to_baseline
from experiments.show.marks import band, boxes, measured_line
from experiments.show.palette import FAMILIES, KERNEL, UNTUNNELLED, colours
from experiments.show.palette import colour as colour_of
from experiments.show.report import NONE, Caption
from experiments.show.sheet import sheet, title
from experiments.show.statistics import Samples

ROW_IN, EFFECT_IN, CURVES_IN, CONDITION_IN = 0.27, 0.42, 2.4, 1.75
LEFT_OUT = ("kernel", "interaction")  # the kernel's effect is ten times as large: see the boxes
LONGEST = 99  # the percentile at which the axis of distributions ends
POINTS = 400  # of a curve
PATHS = {VETH: VETH_PAIR, SAME_HOST: "within a host", VTEP: "VTEP to VTEP"}
MIDDLE = "line: median of the modes; area: all of them"
BOXES = "box: quartiles; whiskers: p10 to p90; number: median"


def draw_levels(found: Analysed, caption: Caption) -> Figure:
    """A box by level; below, the effects with their intervals."""
    main, question = found.main, found.main.question
    effects = Intervals(rows=tuple(_rows(found)), unit=question.unit, margin=question.margin)
    has_intervals = any(row.found.interval for row in effects.rows)
    forest_in = [EFFECT_IN * len(effects.rows) + 0.1] if has_intervals else []
    figure, axes = sheet(
        caption, [ROW_IN * len(main.levels) + 0.1, *forest_in], frame_in=0.9 + 1.1 * has_intervals
    )
    pooled = {level: np.concatenate(repeats) for level, repeats in main.levels.items()}
    known = colours(list(pooled))
    named = {PATHS.get(level, level): each for level, each in pooled.items()}
    boxes(axes[0], named, dict(zip(named, known.values(), strict=True)), ".2f")
    axes[0].set_xlim(0, None)
    axes[0].set_xlabel(f"round trip of a warm ping [{question.unit}]")
    title(axes[0], "Pings by mode", BOXES)
    if has_intervals:
        effects(axes[1])
        title(axes[1], "Differences between modes", effects.legend)
    return figure


def _rows(found: Analysed) -> Iterator[Row]:
    """A row for each answer about named modes, else for each effect, else for each tunnel."""
    main = found.main
    for answer in main.answers:
        weights = {answer.one: 1.0, answer.first: -1.0}
        yield Row(
            name=answer.one,
            small=f"minus {answer.first}",
            found=answer.found,
            by_repeat=tuple(map(float, contrast(main.levels, weights))),
        )
    effects = [each for each in found.effects if each.name not in LEFT_OUT]
    for effect in () if main.answers else effects:
        yield Row(
            name=effect.brief,
            found=effect.found,
            by_repeat=effect.by_repeat,
            predicted=bounds(found.prediction(effect.name)),
        )
    for each in () if effects or main.answers else main.summaries:
        if each.to_baseline and judged(each, main) != NONE:
            weights = {each.level: 1.0, main.baseline: -1.0}
            yield Row(
                name=each.level,
                small=f"minus {main.baseline}",
                found=each.to_baseline,
                by_repeat=tuple(map(float, contrast(main.levels, weights))),
                predicted=bounds(to_baseline(main.question)),
                colour=colours([each.level])[each.level],
            )


def draw_ecdf(found: Analysed, caption: Caption) -> Figure:
    """Shares of pings within a time: a band for a family, a line for a level alone."""
    levels, unit = found.main.levels, found.main.question.unit
    curves = {
        name: [np.concatenate(levels[member]) for member in members]
        for name, members in distribution(found).items()
    }
    every = np.concatenate([each for members in curves.values() for each in members])
    longest = max(
        float(np.percentile(each, LONGEST)) for members in curves.values() for each in members
    )
    low, high = float(every.min()) / 1.1, longest * 1.1
    figure, (ax,) = sheet(caption, [CURVES_IN])
    times = np.geomspace(low, high, POINTS)
    rank = rank_of([each for members in curves.values() for each in members])
    labels = []
    for name, members in curves.items():
        colour = FAMILIES[UNTUNNELLED] if name == VETH_PAIR else colour_of(name)
        _curve(ax, name, envelope(members, times), (times, colour))
        last = max(float(np.percentile(each, rank)) for each in members)
        labels.append(EndLabel(text=f"{name}\n{rank}%: {last:.2f} {unit}", at=1, colour=colour))
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.set_ylabel("share of pings")
    ax.grid(visible=True)
    time_axis(ax, low, high, f"answered within [{unit}], logarithmic")
    end_labels(ax, labels)
    return figure


def _curve(
    ax: Axes, name: str, shares: tuple[Samples, Samples], drawn: tuple[Samples, str]
) -> None:
    """A line, or two with the area between them if members differ."""
    times, colour = drawn
    is_line = bool(np.array_equal(*shares))
    if not is_line:
        band(ax, times, shares, colour, name)
    for share in shares[:1] if is_line else shares:
        line = ax.plot(times, share, color=colour, linewidth=2 if is_line else 1)[0]
        line.set_gid(f"curve {name}")


def draw_conditions(found: Analysed, caption: Caption) -> Figure:
    """A panel over intervals for each payload that has several, and one over payloads."""
    over_interval = _groups(found.warms, lambda each: each.payload_bytes)
    over_payload = _groups(found.warms, lambda each: each.interval_ms)
    count = len(over_interval) + len(over_payload)
    figure, axes = sheet(caption, [CONDITION_IN] * count, frame_in=0.85 * count)
    has_area = any(len(modes) > 1 for modes in groups_of(found).values())
    labels = []
    for ax, group in zip(axes, over_interval, strict=False):
        places = [each.kept_ms or each.interval_ms for each in group]
        labels.append(_plot_conditions(ax, found, group, places))
        time_axis(ax, min(places) / 1.3, max(places) * 1.3, "interval of pings [ms], logarithmic")
        title(ax, f"Over interval, {group[0].payload_bytes} bytes", MIDDLE if has_area else "")
    for ax, group in zip(axes[len(over_interval) :], over_payload, strict=True):
        sizes = [float(each.payload_bytes) for each in group]
        labels.append(_plot_conditions(ax, found, group, sizes))
        ax.set_xticks(sizes)
        ax.set_xlabel("payload of a ping [bytes]")
        title(ax, f"Over payload, every {interval_text(group[0].kept_ms)}")
    for ax in axes:
        ax.set_ylim(0, None)
        ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        ax.set_ylabel(f"median [{found.main.question.unit}]")
        ax.grid(visible=True, axis="y")
    for ax, those in zip(axes, labels, strict=True):
        end_labels(ax, those)
    return figure


def _groups(warms: Sequence[Warm], by: Callable[[Warm], int]) -> list[list[Warm]]:
    """The conditions with an equal value, for each value of more than one condition."""
    groups = [list(equal) for _, equal in groupby(sorted(warms, key=by), by)]
    return [group for group in groups if len(group) > 1]


def interval_text(kept_ms: float | None) -> str:
    """An interval with its unit."""
    if kept_ms is None:
        return NONE
    return f"{kept_ms:.1f} ms" if kept_ms < 10 else f"{kept_ms:.0f} ms"


def _plot_conditions(
    ax: Axes, found: Analysed, group: Sequence[Warm], places: Sequence[float]
) -> list[EndLabel]:
    """A line for the median of each family, and a band from its least mode to its greatest."""
    labels = []
    groups = groups_of(found)
    tunnels = {name: modes for name, modes in groups.items() if name != UNTUNNELLED}
    for name, modes in (tunnels or groups).items():
        colour = colour_of(name)
        at = [
            (place, warm, line)
            for place, warm in zip(places, group, strict=True)
            if (line := middle(warm, modes)) is not None
        ]
        if not at:
            continue
        xs, lines = [place for place, _, _ in at], [line for _, _, line in at]
        spans = [
            [float(np.median(warm.by_mode[mode])) for mode in modes if mode in warm.by_mode]
            for _, warm, _ in at
        ]
        band(ax, xs, (list(map(min, spans)), list(map(max, spans))), colour, name)
        measured_line(ax, xs, lines, colour, name)
        shown = family_name(name, modes).replace(KERNEL, "kernel\nVXLAN")
        labels.append(EndLabel(text=shown, at=lines[-1], colour=colour))
    return labels
