"""What `ecmp` answers about named modes: how the flows of each spread, by hash policy."""

from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.ecmp.report import ALL_ON_ONE, SHOWN, Row, cells
from experiments.ecmp.words import MANY, ONE
from experiments.show.answers import side_by_side
from experiments.show.report import range_text

HASHED = {  # by policy and pairs; the one in which encapsulations differ most comes first
    (1, ONE): "outer addresses and ports hashed (policy 1)",
    (0, ONE): "outer addresses hashed (policy 0)",
    (2, MANY): "inner addresses hashed (policy 2), many pairs of them",
}


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """One sentence for each hash policy, on the fewest spines."""
    found = cells(run).drop_nulls("draws").filter(pl.col("mode").is_in(named))
    shown = found.filter(flows=_flows(found), spines=found["spines"].min())
    for (policy, pairs), what in HASHED.items():
        rows = shown.filter(hash_policy=policy, pairs=pairs).rows(named=True)
        spread = {row["mode"]: _spread(row) for row in rows}
        if spread:
            in_order = {mode: spread[mode] for mode in named if mode in spread}
            where = f"{rows[0]['flows']} flows over {rows[0]['spines']} spines"
            yield f"{where}, {what}: {side_by_side(in_order)}"


def _flows(found: pl.DataFrame) -> int:
    """32, or the most of them if that is less."""
    return max((flows for flows in found["flows"] if flows <= SHOWN), default=SHOWN)


def _spread(row: Row) -> str:
    if row["is_on_one"]:
        return f"{ALL_ON_ONE} spine"
    return f"{range_text((row['least'], row['most']), 'd')} on a spine"
