"""The cells of the chart: which tenants' flows each rule passes.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from experiments.filter import words
from experiments.filter.words import PACKETS
from experiments.show.families import protocols
from experiments.show.marks import WordCell
from experiments.show.palette import BAD, GOOD, PREDICTED

FLOWS = {  # a column of the chart
    words.FLOW_A: "tenant A,\nthis flow",
    words.OTHER_A: "tenant A,\nother port",
    words.FLOW_B: "tenant B,\nsame flow",
}
RULES = {  # a row: what its rule matches
    words.NO_RULE: "no rule",
    words.ADDRESSES: "outer addresses",
    words.SERVICE: "tunnel protocol",
    words.OUTER_FLOW: "outer UDP\nsource port",
    words.NO_ID: "inner addresses",
    words.INNER_NFT: "inner addresses\nand id (nft)",
    words.INNER_U32: "inner addresses\nand id (u32)",
}
OUTER = (words.ADDRESSES, words.SERVICE)
INNER = (words.INNER_NFT, words.INNER_U32)
SEPARATION = (
    "Rules on outer headers stop both tenants; rules on inner headers with the id stop only one"
)
PASSES, STOPPED, DIFFERS = "passes", "stopped", "differs"
STRONG = 0.55  # of a cell that is not as predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The words of each rule and flow, all encapsulations together where they agree."""

    words: Mapping[tuple[str, str], str]  # by rule and flow
    cells: Mapping[tuple[str, str], WordCell]  # by names of row and column
    note: str  # which encapsulations a rule does not exist for

    @property
    def row_names(self) -> tuple[str, ...]:
        """What the rules match."""
        return tuple(RULES[rule] for rule in RULES if any(key[0] == rule for key in self.words))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The flows."""
        return tuple(FLOWS[flow] for flow in FLOWS if any(key[1] == flow for key in self.words))

    @property
    def finding(self) -> str:
        """Whether rules on outer and on inner headers separate the tenants."""
        on_b = {rule: self.words.get((rule, words.FLOW_B)) for rule in (*OUTER, *INNER)}
        on_a = {rule: self.words.get((rule, words.FLOW_A)) for rule in (*OUTER, *INNER)}
        both = all(on_b[rule] == on_a[rule] == STOPPED for rule in OUTER)
        apart = all(on_b[rule] == PASSES and on_a[rule] == STOPPED for rule in INNER)
        if both and apart:
            return SEPARATION
        return "Which flows of two tenants each rule in the underlay stops"

    @property
    def in_words(self) -> str:
        """The grid as a text."""
        by_rule = (
            f"{RULES[rule]}: "
            + ", ".join(f"{flow} {word}" for (of, flow), word in self.words.items() if of == rule)
            for rule in dict.fromkeys(rule for rule, _ in self.words)
        )
        return "; ".join(by_rule).replace("\n", " ")


def grid_of(passed: pl.DataFrame) -> Grid:
    """The grid.

    Args:
        passed: a row for each with `rule`, `what`, `mode`, `passed` (packets), `is_match`.
    """
    shown = passed.filter(pl.col("rule").is_in(list(RULES)), pl.col("what").is_in(list(FLOWS)))
    groups = {
        (str(rule), str(what)): cells
        for (rule, what), cells in shown.group_by("rule", "what", maintain_order=True)
    }
    modes = shown["mode"].unique(maintain_order=True).to_list()
    without = [
        f"{protocols(missing)} has no {RULES[rule]}".replace("\n", " ")
        for rule in RULES
        if (of_rule := shown.filter(rule=rule)).height
        and (missing := [mode for mode in modes if mode not in of_rule["mode"]])
    ]
    return Grid(
        words={key: _word(cells) for key, cells in groups.items()},
        cells={(RULES[rule], FLOWS[what]): _cell(each) for (rule, what), each in groups.items()},
        note="; ".join(without),
    )


def _word(cells: pl.DataFrame) -> str:
    counts = cells["passed"].to_list()
    if all(count == PACKETS for count in counts):
        return PASSES
    return DIFFERS if any(counts) else STOPPED


def _cell(cells: pl.DataFrame) -> WordCell:
    word, counts = _word(cells), cells["passed"].to_list()
    least, most = min(counts), max(counts)
    span = f"{most:g}" if least == most else f"{least:g} to {most:g}"
    colour = {PASSES: GOOD, STOPPED: PREDICTED}.get(word, BAD)
    if all(cells["is_match"]):
        return WordCell(word=word, small=f"{span} of {PACKETS}", colour=colour)
    return WordCell(word=word, small=f"{span} of {PACKETS}", colour=BAD, strength=STRONG)
