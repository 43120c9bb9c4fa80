"""Intervals of a self-check: every draw, from the lowest to the highest; wrong ones marked.  Pure."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from experiments.show.statistics import Difference

FAIR_COLOUR, WRONG_COLOUR = "#A0A0A0", "#000000"


def plot_draws(
    ax: Axes, draws: Sequence[Difference], wrong: Sequence[Difference], unit: str
) -> Axes:
    """A stroke for each draw's interval and a dot at its estimate, in the order of estimates."""
    ordered = sorted(draws, key=lambda each: each.estimate)
    places = list(enumerate(ordered, start=1))
    _strokes(ax, [each for each in places if each[1] not in wrong], FAIR_COLOUR, "holds 0")
    _strokes(ax, [each for each in places if each[1] in wrong], WRONG_COLOUR, "leaves out 0")
    ax.axhline(0, color="black", linewidth=0.7)
    ax.set_xlim(-1, len(draws) + 2)
    ax.set_xlabel("draws, by estimate")
    ax.set_ylabel(f"a minus b [{unit}]")
    return ax


def _strokes(ax: Axes, places: Sequence[tuple[int, Difference]], colour: str, gid: str) -> None:
    spans = [(at, each.interval) for at, each in places if each.interval]
    is_wrong = colour == WRONG_COLOUR
    ax.vlines(
        [at for at, _ in spans],
        [span.low for _, span in spans],
        [span.high for _, span in spans],
        color=colour,
        linewidth=2.2 if is_wrong else 1.1,
        zorder=3 if is_wrong else 2,
        gid=gid,
    )
    ax.plot(
        [at for at, _ in places],
        [each.estimate for _, each in places],
        linestyle="none",
        marker="o",
        markersize=3.4 if is_wrong else 2,
        color=colour,
        zorder=3,
        gid=f"estimates, {gid}",
    )
