"""Cells compared with exact predictions: each matches, or by how much it differs.  Pure.

The report of any experiment whose `predict` gives the value of every cell.  In a predicted row
the columns before the question's value, and its factors, are the key of the cell; columns after
the value are further predicted figures of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from controller.model.errors import MeasureError
from controller.model.wording import counted
from experiments.core.question import Prediction, Question, Value
from experiments.core.results import SAMPLES, Run
from experiments.show import judge, series
from experiments.show.judge import MATCHES, MISMATCH, NOT_MEASURED
from experiments.show.report import NONE, Caption, Outcome, Picture, Report, Table
from experiments.show.series import Series, merged

PolarsType = type[pl.DataType] | pl.DataType

NAMED = 3  # mismatches that the findings name


def exact_cells(run: Run, table: str = SAMPLES) -> pl.DataFrame:
    """A row for each predicted figure of each cell, in the order of run.json.

    Columns: the keys, `figure` (its column), `predicted`, `measured` (the list of distinct
    values, in the order of their first sample), `samples` (how many) and `result` (MATCHES,
    MISMATCH or NOT_MEASURED).  Figures of different types become numbers, or texts where one of
    them is a text.

    Raises:
        MeasureError: a predicted row lacks the question's value.
    """
    value = run.question.value
    if any(row.get(value) is None for row in run.about.get("predicted") or ()):
        raise _unreportable(run, f"a predicted row without {value!r}")
    rows = run.tables[table]
    if table == SAMPLES:
        rows = rows.filter(**run.question.compared)
    predicted = run.predicted.select(name for name in run.predicted.columns if name in rows.columns)
    if predicted.is_empty():
        return pl.DataFrame(schema=_schema({}, pl.String))
    names = predicted.columns
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
    kind = common_type({predicted.schema[name] for name in figures})
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
    first, count = pl.col("measured").list.first(), pl.col("measured").list.len()
    return (
        cells.filter(pl.col("predicted").is_not_null())
        .sort("row", maintain_order=True)
        .with_columns(
            result=pl.when(pl.col("samples") == 0)
            .then(pl.lit(NOT_MEASURED))
            .when((count == 1) & first.eq_missing(pl.col("predicted")))
            .then(pl.lit(MATCHES))
            .otherwise(pl.lit(MISMATCH))
        )
        .select(*_schema(keys, kind))
    )


def _schema(keys: Mapping[str, pl.DataType], kind: PolarsType) -> pl.Schema:
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


def common_type(kinds: set[pl.DataType]) -> PolarsType:
    """The type of all figures: their own, else numbers, or texts if one of them is a text."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return pl.String if pl.String in kinds else pl.Float64


def keys_of(cells: pl.DataFrame) -> tuple[str, ...]:
    """The key columns of `exact_cells`."""
    return tuple(cells.columns[: cells.columns.index("figure")])


def build_report(run: Run) -> Report:
    """The report of a run in which every cell is predicted.

    Raises:
        MeasureError: run.json has no prediction, or no sample is of a predicted cell.
    """
    cells = exact_cells(run)
    if cells["samples"].sum() == 0:
        raise _unreportable(
            run, "nothing is predicted" if cells.is_empty() else "no sample of a predicted cell"
        )
    found = match_findings(cells, run.question)
    return Report(
        run=run,
        findings=found,
        outcomes=tuple(_outcomes(run, cells)),
        tables=(cells_table(cells, run.question),),
        pictures=tuple(_pictures(run, cells, found[0])),
        conditions=conditions(run),
        data=tuple(_data(row, run.question) for row in cells.iter_rows(named=True)),
        is_refuted=MISMATCH in cells["result"],
    )


def conditions(run: Run) -> str:
    """How many repeats, and of which scenario."""
    return (
        f"{counted(run.samples['repeat'].n_unique(), 'repeat')}; scenario {run.about['scenario']}"
    )


def _unreportable(run: Run, found: str) -> MeasureError:
    return MeasureError(
        found,
        where=str(run.directory),
        allowed="a prediction and a sample for each cell",
        do="Give the Experiment a `predict` whose rows have the columns of the samples.",
    )


def match_findings(
    cells: pl.DataFrame, question: Question, *, what: str = "cell"
) -> tuple[str, ...]:
    """How many cells match their prediction, then the first ones that do not."""
    measured = cells.filter(pl.col("samples") > 0)
    matching = (measured["result"] == MATCHES).sum()
    missing = cells.height - measured.height
    verb = "matches its" if measured.height == 1 else "match their"
    first = f"{matching} of {counted(measured.height, what)} {verb} prediction"
    mismatches = measured.filter(result=MISMATCH)
    unit = f" {question.unit}" if question.unit else ""
    named = (
        f"{cell_name(row, question.value)}: {values_text(row['measured'])}{unit}, "
        f"predicted {value_text(row['predicted'])}"
        for row in mismatches.head(NAMED).iter_rows(named=True)
    )
    more = mismatches.height - NAMED
    return (
        first + (f" ({missing} more not measured)" if missing else ""),
        *named,
        *((f"and {counted(more, f'more {what}')}",) if more > 0 else ()),
    )


def _outcomes(run: Run, cells: pl.DataFrame) -> Iterator[Outcome]:
    """The outcome of each prediction about cells of this run."""
    for prediction in run.question.predictions:
        if prediction.low is None:
            mask = [
                _is_about(prediction, row, run.question.value)
                for row in cells.iter_rows(named=True)
            ]
            about = cells.filter(mask)
            if not about.is_empty():
                found = match_findings(about, run.question)[0]
                yield judge.exact(run, prediction, about["result"], found)


def _is_about(prediction: Prediction, row: Mapping[str, Value], value: str) -> bool:
    return set(prediction.excludes).isdisjoint((cell_name(row, value), *map(str, _key(row))))


def _key(row: Mapping[str, Value]) -> tuple[Value, ...]:
    names = tuple(row)
    return tuple(row[name] for name in names[: names.index("figure")])


def cell_name(row: Mapping[str, Value], value: str) -> str:
    """The key, with the figure if it is not `value`."""
    figure = "" if row["figure"] == value else row["figure"]
    return " ".join(map(str, filter(None, (*map(str, _key(row)), figure))))


def cells_table(cells: pl.DataFrame, question: Question) -> Table:
    """The table of all cells."""
    keys = keys_of(cells)
    texts = tuple(name for name in keys if cells.schema[name] == pl.String)
    figure = ("figure",) if (cells["figure"] != question.value).any() else ()
    return Table(
        title="By cell",
        heads=(*keys, *figure, "predicted", "measured", "difference", "samples", "result"),
        rows=tuple(
            (
                *map(value_text, _key(row)),
                *(row["figure"] for _ in figure),
                value_text(row["predicted"]),
                values_text(row["measured"]),
                _differences(row["measured"], row["predicted"]),
                str(row["samples"]),
                row["result"],
            )
            for row in cells.iter_rows(named=True)
        ),
        words=(*texts, *figure, "result"),
        note=f"{question.value}: in {question.unit}.",
        summary=summary(cells["result"]),
    )


def by_level(cells: pl.DataFrame, factor: str, *index: str) -> pl.DataFrame:
    """What was measured, as text: a row for each `index`, a column for each level of `factor`.

    A mismatch is shown as `3 (predicted 4)`.
    """
    text = pl.struct("measured", "predicted", "result").map_elements(_measured_text, pl.String)
    return cells.with_columns(text=text).pivot(
        factor, index=index, values="text", maintain_order=True
    )


def _measured_text(cell: Mapping[str, Any]) -> str:
    expected = f" (predicted {value_text(cell['predicted'])})"
    return values_text(cell["measured"]) + (expected if cell["result"] == MISMATCH else "")


def text_rows(shown: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """The rows of a table; an empty value is `-`."""
    return tuple(tuple(map(value_text, row)) for row in shown.rows())


def summary(results: Iterable[str]) -> str:
    """How many cells of a table do not match, or were not measured."""
    results = list(results)
    mismatches, missing = results.count(MISMATCH), results.count(NOT_MEASURED)
    parts = (
        f"{mismatches} mismatch{'' if mismatches == 1 else 'es'}" if mismatches else "",
        f"{missing} not measured" if missing else "",
    )
    return ", ".join(filter(None, parts)) or "all match"


def _data(row: Mapping[str, Value], question: Question) -> Mapping[str, object]:
    left_out = {"samples", *(() if row["figure"] != question.value else ("figure",))}
    return {name: value for name, value in row.items() if name not in left_out}


def _pictures(run: Run, cells: pl.DataFrame, finding: str) -> Iterator[Picture]:
    """The picture of the question's value, if it is a number and never missing."""
    shown = cells.filter(figure=run.question.value)
    is_text = run.samples.schema[run.question.value] == pl.String
    if is_text or any(None in measured for measured in shown["measured"]):
        return
    yield Picture(
        name=run.question.name,
        title=finding,
        alternative=f"{run.question.value} over {keys_of(cells)[-1]}; {finding}",
        draw=lambda caption: _draw(run, shown, caption),
    )


def _draw(run: Run, cells: pl.DataFrame, caption: Caption) -> Figure:
    """One panel: the last key is on the horizontal axis, the others name the series."""
    *others, last = keys_of(cells)
    samples = run.samples.filter(**run.question.compared)

    def measured(row: Mapping[str, Value]) -> tuple[float, ...]:
        same = (pl.col(name).eq_missing(pl.lit(row[name])) for name in (*others, last))
        return tuple(map(float, samples.filter(same)[run.question.value]))

    by_series: dict[tuple[str, ...], list[Mapping[str, Value]]] = {}
    for row in cells.iter_rows(named=True):
        by_series.setdefault(tuple(str(row[name]) for name in others), []).append(row)
    every = (
        Series(
            names=(" ".join(names),),
            mode=names[0] if names else "",
            predicted={row[last]: float(str(row["predicted"])) for row in rows},
            measured={row[last]: measured(row) for row in rows},
        )
        for names, rows in by_series.items()
    )
    value, unit = run.question.value.replace("_", " "), run.question.unit
    upwards = value if value == unit else f"{value} [{unit}]"
    return series.draw(merged(every), last, upwards, caption)


def values_text(values: Iterable[Value]) -> str:
    """The values, as in `3, 2`."""
    return ", ".join(map(value_text, values)) or NONE


def value_text(value: Value) -> str:
    """A value in a table; an empty one is `-`."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:g}"
    return NONE if value is None else str(value)


def _differences(measured: Iterable[Value], predicted: Value) -> str:
    """How each value differs: as `+1`; texts as they are."""
    return values_text(
        f"{value - predicted:+g}"
        if isinstance(value, int | float) and isinstance(predicted, int | float)
        else value
        for value in measured
        if value != predicted
    )
