"""What `filter` answers about named modes: the time of a packet, the cost of rules, and the counts."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.filter.report import costs_of
from experiments.filter.words import MANY, NO_RULE
from experiments.show.answers import Wording, differences, same_counts, side_by_side
from experiments.show.cells import exact_cells, values_text
from experiments.show.statistics import Repeats

PACKET = Wording(
    more="A packet takes {by} longer through the firewall with {one} than with {first}",
    less="A packet takes {by} less through the firewall with {one} than with {first}",
    same="A packet takes the same time with {one} and with {first},",
    what="batches took",
    unit="µs",
    decimals=2,
)


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """The time of a packet without rules, what many rules add, then the counts that differ."""
    levels = {mode: _by_repeat(run, mode) for mode in named}
    measured = [mode for mode in named if any(map(len, levels[mode]))]
    if len(measured) > 1:
        for each in differences(levels, measured, PACKET, seed=run.seed):
            yield each.text
    many = costs_of(run).drop_nulls("added").filter(rules=MANY)
    for (rule,), rows in many.group_by("rule", maintain_order=True):
        added = {row["mode"]: f"{row['added']:.1f}" for row in rows.rows(named=True)}
        in_order = {mode: added[mode] for mode in named if mode in added}
        if in_order:
            tool = str(rule).partition(", ")[2]
            yield f"{MANY} inner rules of {tool} add to a packet: {side_by_side(in_order, 'µs')}"
    if len(named) > 1:
        yield from same_counts(_counts(run), named)


def _by_repeat(run: Run, mode: str) -> Repeats:
    """The times of batches without rules in each repeat, in order."""
    cost = run.tables["cost"]
    repeats = run.samples["repeat"].unique(maintain_order=True)
    batches = cost.filter(mode=mode, rule=NO_RULE).drop_nulls("us_per_packet")
    return [
        batches.filter(repeat=repeat)["us_per_packet"].cast(pl.Float64).to_numpy()
        for repeat in repeats
    ]


def _counts(run: Run) -> dict[tuple[str, str], dict[str, str]]:
    """Packets that pass, and entries, by rule and flow, then by mode."""
    counts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    cells = exact_cells(run).filter(pl.col("samples") > 0, figure=run.question.value)
    for row in cells.rows(named=True):
        counts[f"{row['rule']}: {row['what']}", ""][row["mode"]] = values_text(row["measured"])
    return counts
