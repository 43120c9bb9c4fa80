"""What `mactable` answers about named modes: entries, and misdelivered copies, with the most guests."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.mactable.report import LEARNED
from experiments.mactable.words import MISDELIVERED
from experiments.show.answers import side_by_side
from experiments.show.cells import exact_cells, values_text


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """The table without a limit, then the full one."""
    cells = exact_cells(run).filter(pl.col("samples") > 0, pl.col("mode").is_in(named))
    unlimited = _largest(cells.filter(figure=LEARNED, room=0))
    full = _largest(cells.filter(pl.col("room") > 0, figure=MISDELIVERED))
    if not unlimited.is_empty():
        yield (
            f"Underlay switch, {unlimited['guests'][0]} guests on {unlimited['hosts'][0]} hosts: "
            f"{side_by_side(_by_mode(unlimited, named), 'MAC entries')}"
        )
    if not full.is_empty():
        yield (
            f"Table of {full['room'][0]} entries, {full['guests'][0]} guests on {full['hosts'][0]} "
            f"hosts: {side_by_side(_by_mode(full, named), 'misdelivered copies')}"
        )


def _largest(cells: pl.DataFrame) -> pl.DataFrame:
    most = cells.filter(guests=cells["guests"].max())
    return most.filter(hosts=most["hosts"].max())


def _by_mode(cells: pl.DataFrame, named: Sequence[str]) -> Mapping[str, str]:
    counts = {row["mode"]: values_text(row["measured"]) for row in cells.rows(named=True)}
    return {mode: counts[mode] for mode in named if mode in counts}
