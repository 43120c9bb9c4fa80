"""What `state` answers about named modes: which counts of packets and state differ."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.show.answers import same_counts
from experiments.show.cells import exact_cells, values_text
from experiments.state import words

MOMENTS = {words.AFTER: "after the first frame"}  # of both: `before and after the first frame`


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """How many counts are the same, then those that differ; of one mode nothing."""
    counts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in exact_cells(run).filter(pl.col("samples") > 0).rows(named=True):
        counts[row["what"], MOMENTS.get(row["moment"], row["moment"])][row["mode"]] = values_text(
            row["measured"]
        )
    if len(named) > 1:
        yield from same_counts(counts, named)
