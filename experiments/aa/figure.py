"""The chart of `aa`: the interval of every comparison, false positives marked, and the labs.  Pure."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.aa.check import Checked
from experiments.aa.words import ALLOWED, DRAWS
from experiments.show import lanes
from experiments.show.report import Caption
from experiments.show.sheet import OLD_WIDTH_IN, sheet, title
from experiments.show.statistics import Repeats

FAIR_COLOUR, FALSE_COLOUR = "#A0A0A0", "#000000"
PANEL_IN = 2.6


def draw(
    mode: str, checked: Checked | None, labels: Mapping[str, Repeats], unit: str, caption: Caption
) -> Figure:
    """The comparisons, if there are any, and below them the labs that they are drawn from."""
    heights = [PANEL_IN, PANEL_IN] if checked else [PANEL_IN]
    figure, axes = sheet(caption, heights, frame_in=1.2 + 0.6 * len(heights), width_in=OLD_WIDTH_IN)
    if checked:
        plot_draws(axes[0], checked, unit)
        small = f"black: excludes 0, {len(checked.false_positives)} of {DRAWS}; limit {ALLOWED}"
        title(axes[0], f"{DRAWS} comparisons of {mode} with itself, 95% intervals", small)
    boxes = lanes.Lanes(labels, lanes.colours(list(labels), ""))
    boxes(axes[-1])
    lanes.log_axis(axes[-1], labels, f"warm round-trip time [{unit}]")
    title(axes[-1], "The labs they are drawn from", boxes.legend)
    return figure


def plot_draws(ax: Axes, checked: Checked, unit: str) -> None:
    """A line for each interval and a dot at its estimate, in the order of estimates."""
    false = checked.false_positives
    ordered = enumerate(sorted(checked.draws, key=lambda each: each.estimate), start=1)
    places = dict(ordered)
    for is_false, gid, colour, width, size in (
        (False, "includes 0", FAIR_COLOUR, 1.1, 2.0),
        (True, "excludes 0", FALSE_COLOUR, 2.2, 3.4),
    ):
        shown = {at: each for at, each in places.items() if (each in false) is is_false}
        spans = {at: each.interval for at, each in shown.items() if each.interval}
        ax.vlines(
            list(spans),
            [span.low for span in spans.values()],
            [span.high for span in spans.values()],
            color=colour,
            linewidth=width,
            zorder=2 + is_false,
            gid=gid,
        )
        estimates = [each.estimate for each in shown.values()]
        name = f"estimates, {gid}"
        lanes.dots(ax, list(shown), estimates, colour, name, markersize=size, zorder=3)
    ax.axhline(0, color="black", linewidth=0.7)
    ax.set_xlim(-1, len(checked.draws) + 2)
    ax.set_xlabel("comparisons, by estimate")
    ax.set_ylabel(f"a minus b [{unit}]")
