"""What `mtu` answers about named modes: the largest packet of each."""

from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.mtu.report import cells_of
from experiments.show.answers import side_by_side
from experiments.show.cells import values_text


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """One sentence for each MTU of the underlay."""
    cells = cells_of(run).filter(pl.col("mode").is_in(named))
    for (underlay_mtu,), rows in cells.group_by("underlay_mtu", maintain_order=True):
        largest = {row["mode"]: values_text(row["measured"]) for row in rows.rows(named=True)}
        in_order = {mode: largest[mode] for mode in named if mode in largest}
        yield (
            f"Largest packet over an underlay MTU of {underlay_mtu}: "
            f"{side_by_side(in_order, 'bytes')}"
        )
