"""Cells held against exact expectations: each equal to its prediction, or by how much not.

The teller of any experiment whose `foretell` gives the value of every cell; pure.  In a
foretold row the columns before the question's value, and its factors, say which cell it is;
columns after the value are further figures that are foretold, and make a cell each.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from controller.model.errors import MeasureError
from experiments.core.question import Prediction, Question, Row, Value, of_point
from experiments.core.results import SAMPLES, Run
from experiments.show import figure_cells as drawn
from experiments.show import judge
from experiments.show.judge import MATCHES, NOT_MEASURED
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption

PolarsType = type[pl.DataType] | pl.DataType

NAMED = 3  # cells that the findings name
FIGURE = "figure"  # a column of the table, if several were foretold
MATCH, MISMATCH, MISSING = "equal", "unlike", "not measured"


def exact_cells(run: Run, table: str = SAMPLES) -> pl.DataFrame:
    """A row for each predicted figure of each cell, in the order of run.json.

    Columns: the keys (those before the question's value in a predicted row, and its factors),
    `figure` (its column), `predicted`, `measured` (the list of distinct values, in the order of
    their first sample), `samples` (how many) and `result` (of `experiments.show.judge`).
    Figures of different types become numbers, or texts where one of them is a text.

    Raises:
        MeasureError: a predicted row lacks the question's value.
    """
    rows = run.tables[table]
    if table == SAMPLES:
        rows = rows.filter(**run.question.compared)
    predicted = run.predicted.select(name for name in run.predicted.columns if name in rows.columns)
    if predicted.is_empty():
        return pl.DataFrame(schema=_schema({}, pl.String))
    names, value = predicted.columns, run.question.value
    if value not in names or predicted[value].has_nulls():
        raise _unreportable(run, f"a predicted row without {value!r}")
    before = names[: names.index(value)]
    keys = {
        name: predicted.schema[name]
        for name in names
        if name in before or name in run.question.factors
    }
    figures = [name for name in names if name not in keys]
    measured = rows.group_by(*keys, maintain_order=True).agg(
        pl.col(figures).unique(maintain_order=True).name.suffix(" measured"),
        pl.len().cast(pl.Int64).alias("samples"),
    )
    both = predicted.with_row_index("row").join(
        measured, on=list(keys), how="left", nulls_equal=True, maintain_order="left"
    )
    kind = _common_type({predicted.schema[name] for name in figures})
    cells = pl.concat(
        both.select(
            "row",
            *keys,
            figure=pl.lit(name),
            predicted=pl.col(name).cast(kind),
            measured=pl.col(f"{name} measured").cast(pl.List(kind)).fill_null([]),
            samples=pl.col("samples").fill_null(0),
        )
        for name in figures
    )
    equal = (pl.col("measured").list.len() == 1) & pl.col("measured").list.first().eq_missing(
        pl.col("predicted")
    )
    return (
        cells.filter(pl.col("predicted").is_not_null())
        .sort("row", maintain_order=True)
        .with_columns(
            result=pl.when(pl.col("samples") == 0)
            .then(pl.lit(NOT_MEASURED))
            .when(equal)
            .then(pl.lit(MATCHES))
            .otherwise(pl.lit(judge.MISMATCH))
        )
        .select(*_schema(keys, kind))
    )


def _schema(keys: pl.Schema | Mapping[str, pl.DataType], kind: PolarsType) -> pl.Schema:
    return pl.Schema(
        {
            **keys,
            "figure": pl.String,
            "predicted": kind,
            "measured": pl.List(kind),
            "samples": pl.Int64,
            "result": pl.String,
        }
    )


def _common_type(kinds: Collection[pl.DataType]) -> PolarsType:
    """Of figures: theirs if it is one, else numbers, or texts if one of them is a text."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return pl.String if pl.String in kinds else pl.Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the key columns: what was foretold for it, and every sample."""

    key: Mapping[str, Value]
    further: str  # the column, if it is not the question's value
    predicted: Value
    measured: tuple[Value, ...]

    @property
    def name(self) -> str:
        """How people call it."""
        return " ".join(filter(None, (*map(str, self.key.values()), self.further)))

    @property
    def outcome(self) -> str:
        """EQUAL only if every sample is what was foretold, and there is one."""
        if not self.measured:
            return MISSING
        return MATCH if all(value == self.predicted for value in self.measured) else MISMATCH

    @property
    def seen(self) -> str:
        """The different values measured, in the order of their first sample."""
        return ", ".join(map(_text, dict.fromkeys(self.measured))) or NONE

    @property
    def apart(self) -> str:
        """By how much the samples that differ do so."""
        mismatches = dict.fromkeys(value for value in self.measured if value != self.predicted)
        return ", ".join(_apart(value, self.predicted) for value in mismatches) or NONE


def build_report(run: Run) -> Report:
    """The story of a run in which every cell was foretold.

    Raises:
        MeasureError: run.json has nothing foretold, or no sample is of a cell.
    """
    cells = cells_of(run)
    if not any(cell.measured for cell in cells):
        raise _unreportable(run, "no sample of a foretold cell" if cells else "nothing is foretold")
    found = findings(cells, run.question)
    conditions = f"{counted(_repeats(run), 'repeat')}; scenario {run.about['scenario']}"
    report = Report(
        run=run,
        findings=found,
        outcomes=outcomes(run, cells),
        tables=(table(run, cells),),
        pictures=(),
        conditions=conditions,
        data=tuple(map(_data, cells)),
        is_refuted=any(cell.outcome == MISMATCH for cell in cells),
    )
    return _with_picture(report, run, cells)


def cells_of(run: Run) -> tuple[Cell, ...]:
    """Every cell foretold, in the order of run.json, with its samples.

    Raises:
        MeasureError: a foretold row lacks the question's value.
    """
    rows = of_point(run.rows_of(), run.question.compared)
    predicted = run.predicted.rows(named=True)
    if any(run.question.value not in each for each in predicted):
        raise _unreportable(run, f"a foretold row without {run.question.value!r}")
    return tuple(cell for each in predicted for cell in _cells(each, rows, run.question))


def _unreportable(run: Run, found: str) -> MeasureError:
    return MeasureError(
        found,
        where=str(run.directory),
        allowed="a prediction and a sample for each cell",
        do="Give the Experiment a `foretell` whose rows have the columns of the samples.",
    )


def _cells(predicted: Row, rows: Iterable[Row], question: Question) -> Iterator[Cell]:
    """A cell for each figure of one foretold row."""
    names = tuple(predicted)
    before = names[: names.index(question.value)]
    key = {name: predicted[name] for name in names if name in before or name in question.factors}
    found = [row for row in rows if all(row.get(name) == each for name, each in key.items())]
    for name in names:
        if name not in key:
            yield Cell(
                key=key,
                further="" if name == question.value else name,
                predicted=predicted[name],
                measured=tuple(row[name] for row in found),
            )


def findings(cells: tuple[Cell, ...], question: Question) -> tuple[str, ...]:
    """How many cells are as foretold, then those that are not."""
    measured = [cell for cell in cells if cell.measured]
    equal = sum(cell.outcome == MATCH for cell in measured)
    many = f"{equal} of {counted(len(measured), 'cell')}"
    first = f"{many} {'equals its' if len(measured) == 1 else 'equal their'} prediction"
    missing = len(cells) - len(measured)
    lacking = f" ({missing} more not measured)" if missing else ""
    mismatches = [cell for cell in measured if cell.outcome == MISMATCH]
    named = (
        f"{cell.name}: {cell.seen} {question.unit}, foretold {_text(cell.predicted)}"
        for cell in mismatches[:NAMED]
    )
    more = (
        (f"and {counted(len(mismatches) - NAMED, 'cell')} more",) if len(mismatches) > NAMED else ()
    )
    return (first + lacking, *named, *more)


def outcomes(run: Run, cells: tuple[Cell, ...]) -> tuple[Outcome, ...]:
    """Each prediction about cells of this run, and what became of it."""
    about = (each for each in run.question.predictions if each.low is None)
    spoken = ((each, tuple(cell for cell in cells if _is_about(each, cell))) for each in about)
    return tuple(_outcomes(prediction, run, some) for prediction, some in spoken if some)


def _outcomes(prediction: Prediction, run: Run, spoken: tuple[Cell, ...]) -> Outcome:
    return outcome_by(prediction, run, spoken, findings(spoken, run.question)[0])


def outcome_by(
    prediction: Prediction, run: Run, about: Collection[Cell], found: str = ""
) -> Outcome:
    """A prediction, judged by the cells that it is about; without any it is undecided."""
    outcome = {cell.outcome for cell in about}
    judged = (
        REFUTED
        if MISMATCH in outcome
        else UNDECIDED
        if MISSING in outcome or not outcome
        else CONFIRMED
    )
    equal = sum(cell.outcome == MATCH for cell in about)
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        outcome=judged if is_trusted(run) else NOT_JUDGED,
        found=found or f"{equal} of {counted(len(about), 'cell')} equal",
        name="" if prediction.about == "baseline" else prediction.about,
    )


def _is_about(prediction: Prediction, cell: Cell) -> bool:
    return all(prediction.is_about(level) for level in (cell.name, *map(str, cell.key.values())))


def table(run: Run, cells: tuple[Cell, ...]) -> Table:
    """The table of all cells."""
    keys = tuple(cells[0].key)
    words = tuple(k for k in keys if any(isinstance(cell.key[k], str) for cell in cells))
    figure = (FIGURE,) if any(cell.further for cell in cells) else ()
    return Table(
        title="By cell",
        heads=(*keys, *figure, "predicted", "measured", "apart by", "samples", "is"),
        rows=tuple(_line(cell, run.question, figure) for cell in cells),
        words=(*words, *figure, "is"),
        note=f"The column {run.question.value}, in {run.question.unit}.",
        summary=summary([cell.outcome for cell in cells]),
    )


def summary(outcome: Sequence[str]) -> str:
    """How many of a table's rows are not as foretold, or were not measured."""
    mismatches, missing = outcome.count(MISMATCH), outcome.count(MISSING)
    said = (
        f"{mismatches} not as foretold" if mismatches else "",
        f"{missing} not measured" if missing else "",
    )
    return ", ".join(filter(None, said)) or "all as foretold"


def _line(cell: Cell, question: Question, figure: tuple[str, ...]) -> tuple[str, ...]:
    return (
        *map(_text, cell.key.values()),
        *(cell.further or question.value for _ in figure),
        _text(cell.predicted),
        cell.seen,
        cell.apart,
        str(len(cell.measured)),
        cell.outcome,
    )


def _data(cell: Cell) -> Mapping[str, object]:
    figure = {FIGURE: cell.further} if cell.further else {}
    return {
        **cell.key,
        **figure,
        "predicted": cell.predicted,
        "measured": cell.measured,
        "is": cell.outcome,
    }


def _with_picture(report: Report, run: Run, cells: tuple[Cell, ...]) -> Report:
    """The story with its picture, if what was measured are numbers."""
    shown = tuple(cell for cell in cells if not cell.further)
    if not all(is_number(value) for cell in shown for value in (cell.predicted, *cell.measured)):
        return report
    picture = Picture(
        name=run.question.name,
        title="Measured and foretold, by cell",
        alternative=f"{run.question.value} over {tuple(cells[0].key)[-1]}; {report.findings[0]}",
        draw=lambda report: drawn.draw(_marks(shown), run.question, Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _marks(cells: tuple[Cell, ...]) -> tuple[drawn.Mark, ...]:
    return tuple(
        drawn.Mark(
            key=cell.key,
            predicted=_number(cell.predicted),
            measured=tuple(map(_number, cell.measured)),
        )
        for cell in cells
    )


def is_number(value: Value) -> bool:
    """True if it can be drawn."""
    return isinstance(value, int | float)


def _number(value: Value) -> float:
    assert isinstance(value, int | float)  # `is_number` was asked  # noqa: S101
    return float(value)


def _apart(value: Value, predicted: Value) -> str:
    if isinstance(value, int | float) and isinstance(predicted, int | float):
        return f"{value - predicted:+g}"
    return _text(value)


def _text(value: Value) -> str:
    return NONE if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _repeats(run: Run) -> int:
    return len({row["repeat"] for row in run.rows_of()})
