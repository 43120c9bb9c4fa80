"""What is said before a run: the question, what is tried, what theory expects.  Pure.

`run.json` keeps all of it, so that a run is told and drawn from its files alone, by
whatever version of the program, and whoever wrote the experiment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

Value = str | int | float | None
Row = Mapping[str, Value]  # one line of a table of samples, by column
Level = str | int | float
Point = Mapping[str, Level]  # one level of each factor

PLACE = {
    "block": "which repeat of all points, from 1; the unit that intervals are made from",
    "order": "place within its block, from 1; drawn by the seed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What theory says, before we look.

    With `low` and `high` it is about the difference `of`, in the question's unit; without,
    about every cell, and `run.json` has the value foretold for each.
    """

    says: str
    because: str
    of: str = "baseline"  # the difference to it; or the name of an effect, as "encapsulation"
    low: float | None = None
    high: float | None = None
    silent_on: tuple[str, ...] = ()  # levels it does not speak of

    def is_about(self, level: str) -> bool:
        """True if the level can confirm or refute it."""
        return level not in self.silent_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of which levels, and how the answer will be held against theory."""

    name: str
    asks: str
    unit: str  # of the column `value`
    value: str  # the column of samples.csv that answers
    factors: Mapping[str, tuple[Level, ...]]  # each point of their product gets a fresh lab
    columns: Mapping[str, str]  # of samples.csv, beside block and order: what each means
    predictions: tuple[Prediction, ...]
    teller: str = (
        "levels"  # of experiments.show.reports.TELLERS: how the samples are told and drawn
    )
    baseline: Point = field(default_factory=dict)  # what levels are held against, if anything
    compared: Mapping[str, Level] = field(default_factory=dict)  # rows that answer, by column
    margin: float = 0.0  # a difference within it is of no matter; in `unit`
    margin_because: str = ""
    more: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # further tables: their columns beside place and factors

    def points(self) -> tuple[Point, ...]:
        """Every level of each factor with every level of the others, in their order."""
        names = tuple(self.factors)
        return tuple(
            dict(zip(names, levels, strict=True)) for levels in product(*self.factors.values())
        )

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table of samples, by its name; `samples` is the first."""
        named = {"samples": self.columns, **self.more}
        return {
            name: tuple(dict.fromkeys((*PLACE, *self.factors, *columns)))
            for name, columns in named.items()
        }

    def to_json(self) -> dict[str, Any]:
        """As run.json keeps it."""
        return asdict(self)


def question_from_json(kept: Mapping[str, Any]) -> Question:
    """The question of a run, from its run.json.

    Raises:
        KeyError, TypeError: it is not what `Question.to_json` writes.
    """
    factors = {name: tuple(levels) for name, levels in kept["factors"].items()}
    predictions = tuple(_prediction(each) for each in kept["predictions"])
    return Question(**{**kept, "factors": factors, "predictions": predictions})


def _prediction(kept: Mapping[str, Any]) -> Prediction:
    return Prediction(**{**kept, "silent_on": tuple(kept["silent_on"])})


def level_name(point: Point) -> str:
    """How people call a point."""
    return " ".join(map(str, point.values()))


def of_point(rows: Iterable[Row], point: Point) -> tuple[Row, ...]:
    """The rows that were measured at `point`."""
    return tuple(row for row in rows if all(row[name] == level for name, level in point.items()))
