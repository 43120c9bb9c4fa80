"""The chart's cells: how the flows of each encapsulation spread under each hash policy.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from controller.model.wording import listed
from experiments.ecmp.chance import band, tolerated
from experiments.ecmp.words import MANY
from experiments.show.families import NAMES
from experiments.show.marks import WordCell
from experiments.show.palette import BAD, GOOD, PREDICTED

PORTS, INNER = "outer ports", "inner addresses"
HASHED = {  # a row of the chart: what is hashed, by policy and whether inner addresses differ
    (0, None): "outer\naddresses (0)",
    (1, None): "and outer\nports (1)",
    (2, False): "inner addresses,\none pair (2)",
    (2, True): "inner addresses,\nmany pairs (2)",
}
ALSO = {(0, None): "outer addresses", (1, None): PORTS, (2, True): INNER}
SPREADS, ONE_PATH, LOST = "spreads", "one path", "lost"
STRONG = 0.55  # of a cell that is not as predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Each encapsulation's flows on the most paths that were measured."""

    flows: int  # of a draw
    spines: int
    draws: int
    rows: tuple[tuple[int, bool | None], ...]  # keys of HASHED
    modes: tuple[str, ...]
    words: Mapping[tuple[tuple[int, bool | None], str], str]
    cells: Mapping[tuple[str, str], WordCell]  # by names of row and column

    @property
    def row_names(self) -> tuple[str, ...]:
        """What is hashed in each row."""
        return tuple(HASHED[row] for row in self.rows)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Encapsulations."""
        return tuple(map(_column, self.modes))

    @property
    def finding(self) -> str:
        """Which encapsulations spread, and by what."""
        over = f"over {self.spines} paths"
        parts: list[str] = []
        for row, what in ALSO.items():
            if spread := [mode for mode in self.modes if self.words.get((row, mode)) == SPREADS]:
                is_one = len(names := protocols(spread)) == 1
                verb = "" if parts else f" {'spreads' if is_one else 'spread'} {over}"
                parts.append(f"{listed(names)}{verb} if {what} are{'' if parts else ' hashed'}")
        none = f"All flows take one of {self.spines} paths, whatever is hashed"
        return ", ".join(parts) or none


def protocols(modes: Sequence[str]) -> list[str]:
    """The protocols of modes; kernel VXLAN is VXLAN, if both are named."""
    kinds = [mode.partition("-")[0] for mode in modes]
    both = {"vxlan", "kvxlan"} <= {*kinds}
    return [NAMES.get(kind, kind) for kind in kinds if not (both and kind == "kvxlan")]


def grid_of(found: pl.DataFrame, most_flows: int) -> Grid:
    """The grid from the report's cells, with as many flows as were measured, up to `most_flows`."""
    spines = int(found["spines"].to_list()[0] if found.is_empty() else max(found["spines"]))
    fitting = [flows for flows in found["flows"] if flows <= most_flows]
    flows = max(fitting) if fitting else min(found["flows"])
    shown = found.filter(spines=spines, flows=flows)
    groups: dict[tuple[tuple[int, bool | None], str], pl.DataFrame] = {}
    for row in HASHED:
        policy, is_many = row
        of_row = shown.filter(hash_policy=policy)
        if is_many is not None:
            of_row = of_row.filter((pl.col("pairs") == MANY) == is_many)
        for (mode,), cells in of_row.group_by("mode", maintain_order=True):
            groups[row, str(mode)] = cells
    words = {key: _word(cells) for key, cells in groups.items()}
    return Grid(
        flows=flows,
        spines=spines,
        draws=int(shown["draws"].sum()),
        rows=tuple(row for row in HASHED if any(key[0] == row for key in groups)),
        modes=tuple(map(str, shown["mode"].unique(maintain_order=True))),
        words=words,
        cells={
            (HASHED[row], _column(mode)): _cell(cells, words[row, mode], flows)
            for (row, mode), cells in groups.items()
        },
    )


def _column(mode: str) -> str:
    name = NAMES.get(mode.partition("-")[0], mode)
    return name.replace("kernel ", "kernel\n")


def _word(cells: pl.DataFrame) -> str:
    if not cells["most"].max():
        return LOST
    return ONE_PATH if cells["is_on_one"].all() else SPREADS


def _cell(cells: pl.DataFrame, word: str, flows: int) -> WordCell:
    """The word, with the share of the path that has most flows: its median over all draws."""
    busiest = cells["mosts"].explode().median()
    share = busiest / flows if isinstance(busiest, float) else 0.0
    is_wrong = any(_mismatches(cells))
    colour = BAD if is_wrong else GOOD if word == SPREADS else PREDICTED
    small = "no packet" if word == LOST else f"busiest {share:.0%}"
    strength = {"strength": STRONG} if is_wrong else {}
    return WordCell(word=word, small=small, colour=colour, **strength)


def _mismatches(cells: pl.DataFrame) -> Iterator[bool]:
    for row in cells.iter_rows(named=True):
        chances = [band(row["flows"], row["spines"]).outside] * row["draws"]
        yield row["outside"] > (tolerated(chances) if row["is_spread"] else 0)
