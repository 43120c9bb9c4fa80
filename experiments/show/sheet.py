"""The layout of every figure: its finding above the panels, the run's ledger in grey below them.

`sheet(caption, heights_in)` makes the figure and its axes, one panel below the other; the caller
draws on the axes.  All charts have one width, so that letters have the same size in each of them,
and are legible on a telephone that shows them 328 pixels wide.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path

from experiments.show.palette import MUTED
from experiments.show.report import Caption

STYLE = Path(__file__).with_name("overlaylab.mplstyle")
WIDTH_IN = 5.2
FRAME_IN = 0.8  # of each panel: what axis label, ticks and heading take
TITLE, LABEL, SMALL = 12.5, 10.0, 8.5  # points: the finding, labels in a chart, the footer
HINTED = 1.05  # small letters on a grid of pixels are wider than their outlines
LINE_IN = 1.22 / 72  # the height of a line of text, for each point of its letters
PAD_IN = 0.08
LEFT_IN = 0.08


def sheet(
    caption: Caption,
    heights_in: Sequence[float],
    *,
    frame_in: float | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel of each height [inches], one below the other.

    Args:
        caption: its title above the panels, warning and footer.
        heights_in: of the panels without ticks, labels and headings.
        frame_in: the height of all ticks, axis labels and headings together; by default FRAME_IN
            for each panel.
    """
    room = WIDTH_IN - 2 * LEFT_IN
    head = title_lines(caption.title)
    warning = wrapped(caption.warning, room, LABEL, is_bold=True)
    foot = [line for text in caption.footer for line in wrapped(text, room, SMALL)]
    head_in = len(head) * TITLE * LINE_IN
    above_in = head_in + len(warning) * LABEL * LINE_IN + 2 * PAD_IN
    below_in = len(foot) * SMALL * LINE_IN + PAD_IN
    frame_in = FRAME_IN * len(heights_in) if frame_in is None else frame_in
    height = sum(heights_in) + frame_in + above_in + below_in
    # With a smaller w_pad the last tick's label is cut off.
    layout = ConstrainedLayoutEngine(
        w_pad=0.08, rect=(0, below_in / height, 1, 1 - (above_in + below_in) / height)
    )
    figure = Figure(figsize=(WIDTH_IN, height), layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights_in), 1, height_ratios=heights_in, squeeze=False)
    left, top = LEFT_IN / WIDTH_IN, 1 - PAD_IN / height
    found = figure.suptitle("\n".join(head), x=left, y=top, ha="left", va="top")
    found.set(gid="title", in_layout=False)
    if warning:
        mark = figure.text(left, top - head_in / height, "\n".join(warning), va="top")
        mark.set(fontsize=LABEL, fontweight="bold", gid="warning", in_layout=False)
    ledger = figure.text(left, PAD_IN / 2 / height, "\n".join(foot), va="bottom", color=MUTED)
    ledger.set(fontsize=SMALL, gid="footer", in_layout=False)
    return figure, [row[0] for row in axes]


def lay_out(ax: Axes) -> None:
    """Place the axes of the figure, so that what follows can measure them."""
    figure = ax.get_figure(root=True)
    if isinstance(figure, Figure) and (layout := figure.get_layout_engine()):
        layout.execute(figure)


def title(ax: Axes, bold: str, small: str = "") -> None:
    """A heading above its panel; `small` between them says how to read it."""
    ax.set_title(bold, pad=9 + 1.3 * SMALL * len(small.splitlines()) if small else 8)
    if small:
        ax.annotate(
            small,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 6),
            textcoords="offset points",
            fontsize=SMALL,
            color=MUTED,
        )


def title_lines(text: str) -> list[str]:
    """The lines that a figure's title takes, of about equal width; two at most are wanted."""
    room = WIDTH_IN - 2 * LEFT_IN
    lines = wrapped(text, room, TITLE, is_bold=True)
    for narrower in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55):
        shorter = wrapped(text, narrower * room, TITLE, is_bold=True)
        if len(shorter) > len(lines):
            break
        lines = shorter
    return lines


def wrapped(text: str, width_in: float, size: float, *, is_bold: bool = False) -> list[str]:
    """The lines of a text that is set in `size` points, each at most `width_in` wide.

    A single word that is wider has a line of its own, cut where the width ends.
    """
    lines: list[str] = []
    for word in text.split():
        if lines and _width_in(f"{lines[-1]} {word}", size, is_bold=is_bold) <= width_in:
            lines[-1] += f" {word}"
            continue
        rest = word
        while len(rest) > 1 and _width_in(rest, size, is_bold=is_bold) > width_in:
            fits = next(
                n
                for n in range(len(rest) - 1, 0, -1)
                if n == 1 or _width_in(rest[:n], size, is_bold=is_bold) <= width_in
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines


@cache
def _width_in(text: str, size: float, *, is_bold: bool) -> float:
    font = FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return HINTED * float(width) / 72
