"""Differences as intervals, one below the other, with what was predicted.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.core.question import Prediction
from experiments.show.axes import name_rows, row_values
from experiments.show.palette import INK, MUTED, PREDICTED
from experiments.show.statistics import Difference

REPEATS_AT = 0.28  # below the interval: a tick for each repeat
BAND_HIGH, BAND_ALPHA = 0.8, 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference."""

    name: str
    found: Difference
    small: str = ""  # below the name
    by_repeat: Sequence[float] = ()
    predicted: tuple[float, float] | None = None
    colour: str = INK


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """A row for each difference: interval and estimate, repeats as ticks, the predicted band."""

    rows: Sequence[Row]
    unit: str
    margin: float = 0.0  # a difference within it does not matter; in `unit`
    label: str = "difference of medians"  # of the horizontal axis

    def __call__(self, ax: Axes) -> Axes:
        """Draw the rows, the first one on top."""
        for at, row in enumerate(self.rows):
            band(ax, row.predicted, at - BAND_HIGH / 2, BAND_HIGH, row.name)
            _draw_row(ax, at, row)
        ax.axvline(0, color=MUTED, linewidth=1)
        for edge in (-self.margin, self.margin) if self.margin else ():
            ax.axvline(edge, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), gid="margin")
        name_rows(ax, ["\n".join(filter(None, (row.name, row.small))) for row in self.rows])
        row_values(
            ax, {at: (signed(row.found.estimate), row.colour) for at, row in enumerate(self.rows)}
        )
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:+g}" if value else "0")
        )
        ax.set_xlabel(f"{self.label} [{self.unit}]")
        ax.margins(x=0.06)
        return ax

    @property
    def legend(self) -> str:
        """How to read it."""
        has_ticks = any(len(row.by_repeat) > 1 for row in self.rows)
        parts = (
            "bar: 95% interval, ticks: repeats" if has_ticks else "bar: 95% interval",
            "grey: predicted" if any(row.predicted for row in self.rows) else "",
            f"dashed: margin of ±{self.margin:g} {self.unit}" if self.margin else "",
        )
        first, *others = filter(None, parts)
        return "\n".join(filter(None, (first, "; ".join(others))))


def signed(value: float) -> str:
    """A difference with its sign and two decimals; `0.00` has none."""
    text = f"{value:+.2f}"
    return text[1:] if not float(text) else text


def bounds(prediction: Prediction | None) -> tuple[float, float] | None:
    """The bounds of a prediction that has both."""
    if prediction is None or prediction.low is None or prediction.high is None:
        return None
    return prediction.low, prediction.high


def band(
    ax: Axes, span: tuple[float, float] | None, bottom: float, height: float, name: str
) -> None:
    """The predicted band of a row or a group of rows; nothing is drawn without a `span`."""
    if span:
        ax.add_patch(
            Rectangle(
                (span[0], bottom),
                span[1] - span[0],
                height,
                color=PREDICTED,
                alpha=BAND_ALPHA,
                linewidth=0,
                gid=f"predicted {name}",
            )
        )


def _draw_row(ax: Axes, at: float, row: Row) -> None:
    """Ticks of repeats, the interval, and the estimate in it."""
    ax.plot(
        row.by_repeat,
        [at + REPEATS_AT] * len(row.by_repeat),
        linestyle="none",
        marker="|",
        markersize=6,
        markeredgewidth=0.9,
        color=row.colour,
        alpha=0.75,
        gid=f"repeats {row.name}",
    )
    if row.found.interval:
        ax.plot(
            [row.found.interval.low, row.found.interval.high],
            [at, at],
            color=row.colour,
            linewidth=2.6,
            solid_capstyle="butt",
            gid=f"interval {row.name}",
        )
    ax.plot(
        [row.found.estimate], [at], "o", color=row.colour, markersize=6, gid=f"estimate {row.name}"
    )
