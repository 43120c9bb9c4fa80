"""The layout of every figure: findings above the panels, conditions and verdict below.

The caller draws on the axes and saves the figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from experiments.show.report import Report

STYLE = Path(__file__).with_name("overlaylab.mplstyle")
FOOT_WIDTH = 115  # characters
HEAD_WIDTH = 800  # characters of one point; a bold letter is 0.58 of its height wide, or more
FRAME_IN = 2.2  # what titles, axis labels and the foot take
HEAD_PAD_IN = 0.08
LINE_IN = 1.22 / 72  # of a line of text, for each point of its letters
SMALL = 8  # points
FINDINGS_LARGE = 4
WIDTH_IN = 7.0  # 700 pixels at 100 dpi: the width of a README


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The text above and below the panels."""

    findings: tuple[str, ...]  # a line each
    warning: str  # smaller, below them; may be empty
    conditions: str
    verdict: str

    @classmethod
    def of(cls, report: Report, *, findings: tuple[str, ...] | None = None) -> Caption:
        """The caption of a report's picture; `findings` in place of all of the report's."""
        return cls(
            findings=report.findings if findings is None else findings,
            warning=report.warning,
            conditions=report.conditions,
            verdict=report.verdict,
        )

    @property
    def size(self) -> float:
        """The font size of the findings [points]; smaller if there are many."""
        return 11.5 if len(self.findings) <= FINDINGS_LARGE else 9.5

    @property
    def lines(self) -> tuple[str, ...]:
        """The findings, wrapped to the width of the figure."""
        width = int(HEAD_WIDTH / self.size)
        return tuple(
            line
            for finding in self.findings
            for line in textwrap.wrap(finding, width, break_on_hyphens=False)
        )

    @property
    def findings_in(self) -> float:
        """The height of the findings [inches]."""
        return len(self.lines) * self.size * LINE_IN

    @property
    def head_in(self) -> float:
        """The height of all text above the panels, with its margins [inches]."""
        return self.findings_in + (2 * SMALL * LINE_IN if self.warning else 0) + 2 * HEAD_PAD_IN


def sheet(
    caption: Caption, heights_in: Sequence[float], *, frame_in: float = FRAME_IN
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel of each height, one below the other."""
    height = sum(heights_in) + frame_in + caption.head_in
    # With a smaller w_pad the last tick's label is cut off.
    layout = ConstrainedLayoutEngine(w_pad=0.08, rect=(0, 0, 1, 1 - caption.head_in / height))
    figure = Figure(figsize=(WIDTH_IN, height), layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights_in), 1, height_ratios=heights_in, squeeze=False)
    _write_head(figure, caption)
    lines = (caption.conditions, f"Verdict: {caption.verdict}")
    foot = "\n".join(textwrap.fill(line, FOOT_WIDTH, break_on_hyphens=False) for line in lines)
    figure.supxlabel(foot, x=0.012, ha="left", fontsize=SMALL)
    return figure, [row[0] for row in axes]


def title(ax: Axes, bold: str, small: str = "") -> None:
    """A title above its panel; `small` between them says how to read it."""
    ax.set_title(bold, pad=9 + 10 * len(small.splitlines()) if small else 8)
    if small:
        ax.annotate(
            small,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 6),
            textcoords="offset points",
            fontsize=SMALL,
        )


def _write_head(figure: Figure, caption: Caption) -> None:
    height = float(figure.get_figheight())
    head = figure.suptitle(
        "\n".join(caption.lines),
        x=0.012,
        y=1 - HEAD_PAD_IN / height,
        ha="left",
        va="top",
        fontsize=caption.size,
        fontweight="bold",
    )
    head.set_in_layout(False)  # `rect` leaves space for it
    if caption.warning:
        below = HEAD_PAD_IN + caption.findings_in + SMALL * LINE_IN / 2
        warning = figure.text(0.012, 1 - below / height, caption.warning, va="top")
        warning.set(fontsize=SMALL + 1, in_layout=False)
