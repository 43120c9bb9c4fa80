"""What `tunnels` answers about named modes: the tunnel ports of each, with the most hosts."""

from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.show.answers import each_does
from experiments.show.cells import exact_cells, values_text
from experiments.tunnels.words import DENSE, PAIRS

WHERE = {DENSE: "in one network", PAIRS: "that share networks two by two"}


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """One sentence for each membership."""
    ports = exact_cells(run).filter(
        pl.col("samples") > 0, pl.col("mode").is_in(named), figure=run.question.value
    )
    most = ports.filter(hosts=ports["hosts"].max())
    for (membership,), rows in most.group_by("membership", maintain_order=True):
        counts = {
            row["mode"]: _ports(values_text(row["measured"])) for row in rows.rows(named=True)
        }
        in_order = {mode: counts[mode] for mode in named if mode in counts}
        where = WHERE.get(str(membership), str(membership))
        yield f"{most['hosts'][0]} hosts {where}: {each_does(in_order, 'has', 'have')}"


def _ports(count: str) -> str:
    return "no tunnel port" if count == "0" else f"{count} tunnel ports in all"
