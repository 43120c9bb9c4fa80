"""What `segments` answers about named modes: how many networks each isolates, and its ids."""

from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.segments.labs import type_of
from experiments.show.answers import side_by_side
from experiments.show.cells import exact_cells, values_text


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """Isolated networks, then ids."""
    cells = exact_cells(run).filter(pl.col("samples") > 0, figure=run.question.value)
    isolated = {
        row["mode"]: f"{values_text(row['measured'])} of {row['networks']}"
        for row in cells.rows(named=True)
    }
    in_order = {mode: isolated[mode] for mode in named if mode in isolated}
    if in_order:
        most = {mode: type_of(mode).kind.id_max for mode in in_order}
        ids = {mode: f"{id_max:,}" if id_max else "none" for mode, id_max in most.items()}
        yield f"Isolated networks: {side_by_side(in_order)}"
        yield f"Ids of networks: {side_by_side(ids)}"
