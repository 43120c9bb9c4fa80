"""The chart of `aa`: the interval of every comparison, false positives marked.  Pure."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.aa.check import Checked
from experiments.aa.words import DRAWS
from experiments.show.marks import boxes
from experiments.show.palette import BAD, FAMILIES, INK, UNTUNNELLED, colour
from experiments.show.report import Caption
from experiments.show.sheet import sheet, title
from experiments.show.statistics import Repeats

PANEL_IN, ROW_IN = 2.4, 0.32


def draw(
    mode: str, checked: Checked | None, labels: Mapping[str, Repeats], unit: str, caption: Caption
) -> Figure:
    """The comparisons; if there are none, the labs of each label."""
    if checked:
        figure, (ax,) = sheet(caption, [PANEL_IN])
        plot_draws(ax, checked, unit)
        small = f"bars: 95% intervals; red: excludes 0, {len(checked.false_positives)} of {DRAWS}"
        title(ax, f"{DRAWS} comparisons, by estimate", small)
        return figure
    figure, (ax,) = sheet(caption, [ROW_IN * len(labels) + 0.1])
    pooled = {label: np.concatenate(repeats) for label, repeats in labels.items()}
    boxes(ax, pooled, dict.fromkeys(pooled, colour(mode)), ".2f")
    ax.set_xlabel(f"round trip of a warm ping [{unit}]")
    title(ax, "Labs that differ in their label only", "box: quartiles; whiskers: p10 to p90")
    return figure


def plot_draws(ax: Axes, checked: Checked, unit: str) -> None:
    """A bar for each interval and a dot at its estimate, in the order of estimates."""
    false = checked.false_positives
    ordered = enumerate(sorted(checked.draws, key=lambda each: each.estimate), start=1)
    places = dict(ordered)
    for is_false, gid, ink, width, size in (
        (False, "includes 0", FAMILIES[UNTUNNELLED], 1.0, 1.8),
        (True, "excludes 0", BAD, 2.2, 3.6),
    ):
        shown = {at: each for at, each in places.items() if (each in false) is is_false}
        spans = {at: each.interval for at, each in shown.items() if each.interval}
        ax.vlines(
            list(spans),
            [span.low for span in spans.values()],
            [span.high for span in spans.values()],
            color=ink,
            linewidth=width,
            alpha=1.0 if is_false else 0.55,
            zorder=2 + is_false,
            gid=gid,
        )
        estimates = [each.estimate for each in shown.values()]
        (dots,) = ax.plot(list(shown), estimates, "o", color=ink, markersize=size, zorder=3)
        dots.set(markeredgewidth=0, gid=f"estimates, {gid}")
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xlim(-1, len(checked.draws) + 2)
    ax.set_xlabel("comparison")
    ax.set_ylabel(f"difference [{unit}]")
