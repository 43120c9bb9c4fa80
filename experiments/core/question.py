"""What is fixed before a run: question, factors, predictions and columns.  Pure.

run.json records all of it, so a run can be drawn from its files alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import partial
from itertools import product
from typing import Any

Value = str | int | float | None
Row = Mapping[str, Value]  # one line of a table, by column
Level = str | int | float
Point = Mapping[str, Level]  # one level of each factor


class Kind(str, Enum):
    """What the cells of a column hold; any cell may be empty."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its type, and what its cells mean."""

    kind: Kind
    meaning: str


Columns = Mapping[str, Column]


# Columns of texts, of whole numbers, and of numbers that need not be whole, by their meaning.
text = partial(Column, Kind.TEXT)
integer = partial(Column, Kind.INTEGER)
number = partial(Column, Kind.NUMBER)

PLACE: Columns = {
    "repeat": integer("which repeat of all points, from 1; confidence intervals are over repeats"),
    "order": integer("position within its repeat, from 1; drawn from the seed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What theory expects, written down before the run.

    With `low` or `high` it is about a difference (`about` names it), in the question's unit.
    Without, it is about exact values: run.json has the predicted value of each cell.
    """

    claim: str
    reason: str
    about: str = "baseline"  # the difference to it; or the name of an effect, as "encapsulation"
    low: float | None = None
    high: float | None = None
    excludes: tuple[str, ...] = ()  # levels it makes no claim about


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is measured at which levels, and what the answer is compared with."""

    name: str
    question: str
    unit: str  # of the column `value`
    value: str  # the column of samples.csv that answers the question
    factors: Mapping[str, tuple[Level, ...]]  # each point of their product gets a new lab
    columns: Columns  # of samples.csv, beside repeat and order
    predictions: tuple[Prediction, ...]
    report: str = "levels"  # an experiment with a report of its own, or `levels` or `cells`
    baseline: Point = field(default_factory=dict)  # what other levels are compared with, if any
    compared: Mapping[str, Level] = field(default_factory=dict)  # the rows that answer, by column
    margin: float = 0.0  # a difference within it does not matter; in `unit`
    margin_reason: str = ""
    more: Mapping[str, Columns] = field(default_factory=dict)  # further tables: their columns

    def points(self) -> tuple[Point, ...]:
        """Every level of each factor with every level of the others, in their order."""
        names = tuple(self.factors)
        return tuple(
            dict(zip(names, levels, strict=True)) for levels in product(*self.factors.values())
        )

    def tables(self) -> dict[str, Columns]:
        """The columns of each table, by its name; `samples` is the first."""
        return {
            name: {**PLACE, **self._factor_columns(columns), **columns}
            for name, columns in {"samples": self.columns, **self.more}.items()
        }

    def _factor_columns(self, columns: Columns) -> Columns:
        """Each factor's column; its meaning is that in `columns`, else in samples.csv."""
        return {
            name: columns.get(name) or self.columns.get(name) or _factor_column(levels)
            for name, levels in self.factors.items()
        }

    def to_json(self) -> dict[str, Any]:
        """As run.json records it."""
        return asdict(self)


def _factor_column(levels: tuple[Level, ...]) -> Column:
    if all(isinstance(level, int) for level in levels):
        return integer("a level of the factor")
    if all(isinstance(level, int | float) for level in levels):
        return number("a level of the factor")
    return text("a level of the factor")


def question_from_json(recorded: Mapping[str, Any]) -> Question:
    """The question of a run, from its run.json.

    Raises:
        KeyError, TypeError, ValueError: it is not what `Question.to_json` writes.
    """
    return Question(
        **{
            **recorded,
            "factors": {name: tuple(levels) for name, levels in recorded["factors"].items()},
            "columns": _columns(recorded["columns"]),
            "more": {name: _columns(columns) for name, columns in recorded["more"].items()},
            "predictions": tuple(
                Prediction(**{**each, "excludes": tuple(each["excludes"])})
                for each in recorded["predictions"]
            ),
        }
    )


def _columns(recorded: Mapping[str, Any]) -> Columns:
    return {name: Column(Kind(each["kind"]), each["meaning"]) for name, each in recorded.items()}


def level_name(point: Point) -> str:
    """How a point is named in reports."""
    return " ".join(map(str, point.values()))


def point_text(point: Point) -> str:
    """A point in words: `vxlan-l2pop, 4 hosts`, `gre-mesh, underlay MTU 1500`."""
    return ", ".join(_level_text(name, level) for name, level in point.items())


def _level_text(factor: str, level: Level) -> str:
    if isinstance(level, str):
        return level
    name = factor.replace("_", " ").replace("mtu", "MTU")
    return f"{level} {name}" if name.endswith("s") else f"{name} {level}"
