"""The samples of `ecmp` beside what was foretold for them.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median

from experiments.core.question import Row
from experiments.core.results import Run
from experiments.ecmp.chance import band, tolerated

KEY = ("mode", "spines", "hash_policy", "pairs", "flows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One setting in one kind of lab: what was foretold, and each draw."""

    mode: str
    spines: int
    hash_policy: int
    pairs: str
    flows: int
    predicted: Row
    rows: tuple[Row, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from all others."""
        return tuple(getattr(self, name) for name in KEY)

    @property
    def is_spread(self) -> bool:
        """True if chance decides; else all flows have to be on one path."""
        return bool(self.predicted["spreads"])

    @property
    def name(self) -> str:
        """How people call it."""
        return (
            f"{self.mode}, {self.spines} spines, policy {self.hash_policy}, {self.pairs} "
            f"pair{'s' if self.pairs == 'many' else ''}, {self.flows} flows"
        )

    @property
    def mismatches(self) -> tuple[Row, ...]:
        """Draws with a spine outside its band; of a cell that is exact: with a second spine."""
        if not self.is_spread:
            return tuple(row for row in self.rows if row["most"] != self.flows)
        low, high = (int(str(self.predicted[name])) for name in ("least", "most"))
        return tuple(
            row for row in self.rows if number(row, "least") < low or number(row, "most") > high
        )

    @property
    def torn(self) -> int:
        """Flows whose packets took more than one path."""
        return int(sum(number(row, "torn") for row in self.rows))

    @property
    def chance_outside(self) -> float:
        """For one draw, if chance decides."""
        return band(self.flows, self.spines).outside if self.is_spread else 0.0

    @property
    def entropies(self) -> tuple[float, ...]:
        """Of each draw that arrived, in bits."""
        return tuple(
            number(row, "entropy_bits") for row in self.rows if row["entropy_bits"] is not None
        )

    @property
    def entropy(self) -> float:
        """The median over all draws; not a number if no packet of any came by."""
        return median(self.entropies) if self.entropies else nan

    @property
    def reach(self) -> tuple[int, int]:
        """Fewest and most flows on a spine, over all draws."""
        least = min(number(row, "least") for row in self.rows)
        return int(least), int(max(number(row, "most") for row in self.rows))


def number(row: Row, column: str) -> float:
    """A figure of a row that has one."""
    return float(str(row[column]))


def cells(run: Run) -> tuple[Cell, ...]:
    """Every cell that was measured, in the order foretold."""
    rows: dict[tuple[object, ...], list[Row]] = {}
    for row in run.rows_of():
        rows.setdefault(tuple(row[name] for name in KEY), []).append(row)
    found = (
        (each, rows.get(tuple(each[name] for name in KEY)))
        for each in run.predicted.rows(named=True)
    )
    return tuple(
        Cell(**{name: each[name] for name in KEY}, predicted=each, rows=tuple(some))
        for each, some in found
        if some
    )


def taken_by(rows: Iterable[Row]) -> dict[tuple[object, ...], tuple[str, ...]]:
    """The spines that had any flow, by the key of the cell."""
    taken: dict[tuple[object, ...], set[str]] = {}
    for row in rows:
        if row["on_it"]:
            taken.setdefault(tuple(row[name] for name in KEY), set()).add(str(row["spine"]))
    return {key: tuple(sorted(spines)) for key, spines in taken.items()}


def spread_of(found: Iterable[Cell]) -> tuple[Cell, ...]:
    """Cells where chance decides."""
    return tuple(cell for cell in found if cell.is_spread)


def exact_of(found: Iterable[Cell]) -> tuple[Cell, ...]:
    """Cells where all flows have to be on one path."""
    return tuple(cell for cell in found if not cell.is_spread)


def outside(found: Sequence[Cell]) -> tuple[int, int, int]:
    """Draws outside their band, how many may be, and how many draws there are."""
    spread = spread_of(found)
    limits = [cell.chance_outside for cell in spread for _ in cell.rows]
    return sum(len(cell.mismatches) for cell in spread), tolerated(limits), len(limits)
