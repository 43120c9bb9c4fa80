"""How each encapsulation's flows spread over equal-cost paths under each hash policy: a grid.  Pure."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from experiments.show.marks import WordCell, word_grid
from experiments.show.report import Caption
from experiments.show.sheet import sheet

ROW_IN = 0.56


def draw(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], WordCell],
    caption: Caption,
) -> Figure:
    """A row for each hash policy, a column for each encapsulation; a missing cell is empty."""
    figure, (ax,) = sheet(caption, [ROW_IN * len(rows)], frame_in=0.5)
    word_grid(ax, rows, columns, cells)
    return figure
