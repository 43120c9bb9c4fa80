"""Converts runs of format 2 (overlaylab 0.1) to format 3.

Format 2 had other names, and no types of columns.  Bounds, factors and values are those of the
file.  The texts of an experiment that comes with overlaylab are those of its current question.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import import_module
from importlib.util import find_spec
from math import isfinite
from typing import Any

import polars as pl

from experiments.core import registry
from experiments.core.question import Columns, Kind, Question

FORMAT = 2
COLUMNS: Mapping[str, str] = {"block": "repeat"}  # of every table; an experiment may have more
KEYS = {"foretold": "predicted", "blocks": "repeats"}  # of run.json
QUESTION = {"asks": "question", "teller": "report", "margin_because": "margin_reason"}
PREDICTION = {"says": "claim", "because": "reason", "of": "about", "silent_on": "excludes"}
THRESHOLDS = {"blocks_min": "repeats_min"}
SAME = ("about", "low", "high")  # of predictions whose texts are today's

Values = Mapping[str, Mapping[str, str]]  # old text to new text, by column


def columns_renamed(about: Mapping[str, Any]) -> Mapping[str, str]:
    """Today's names of columns and settings: `FORMAT_2` in the words.py of an experiment."""
    return {**COLUMNS, **_own(about, "FORMAT_2")}


def values_renamed(about: Mapping[str, Any]) -> Values:
    """Today's texts in cells, by today's column: `FORMAT_2_VALUES` in words.py.

    Its key `about` has the subjects of predictions.
    """
    return _own(about, "FORMAT_2_VALUES")


def converted(about: Mapping[str, Any]) -> dict[str, Any]:
    """run.json as format 3 has it.

    Raises:
        KeyError, TypeError: it is not what format 2 wrote.
    """
    columns, values = columns_renamed(about), values_renamed(about)
    new = _renamed(about, KEYS)
    new["predicted"] = [
        {
            name: values.get(name, {}).get(cell, cell)
            for name, cell in _renamed(row, columns).items()
        }
        for row in new["predicted"]
    ]
    new["settings"] = _renamed(new["settings"], columns)
    for name in ("rounds", "measured"):
        new[name] = [_renamed(row, columns) for row in new.get(name, ())]
    new["thresholds"] = _renamed(new["thresholds"], THRESHOLDS)
    if isinstance(new.get("verdict"), dict):
        verdict = new["verdict"]
        new["verdict"] = {**verdict, "thresholds": _renamed(verdict["thresholds"], THRESHOLDS)}
    subjects = {**columns, **values.get("about", {})}
    new["question"] = _question(new["question"], columns, subjects)
    return new


def with_types(question: Question, tables: Mapping[str, pl.DataFrame]) -> Question:
    """A question with the types of columns that all cells of its tables, read as texts, have."""

    def typed(columns: Columns, table: pl.DataFrame) -> Columns:
        return {name: replace(column, kind=_kind(table[name])) for name, column in columns.items()}

    samples, *_ = tables.values()
    return replace(
        question,
        columns=typed(question.columns, samples),
        more={name: typed(columns, tables[name]) for name, columns in question.more.items()},
    )


def _kind(cells: pl.Series) -> Kind:
    cells = cells.drop_nulls()
    if cells.is_empty() or not all(is_written(cell) for cell in cells):
        return Kind.TEXT
    return Kind.NUMBER if cells.cast(pl.Int64, strict=False).has_nulls() else Kind.INTEGER


def is_written(cell: str) -> bool:
    """True if Python writes a finite number so: `007`, `nan` and `1e5` are texts."""
    try:
        is_whole = str(int(cell)) == cell
    except ValueError:
        is_whole = False
    try:
        return is_whole or (isfinite(float(cell)) and repr(float(cell)) == cell)
    except ValueError:
        return False


def _question(
    recorded: Mapping[str, Any], columns: Mapping[str, str], subjects: Mapping[str, str]
) -> dict[str, Any]:
    question = _renamed(recorded, QUESTION)
    question["value"] = columns.get(question["value"], question["value"])
    question["predictions"] = [_renamed(each, PREDICTION) for each in question["predictions"]]
    for each in question["predictions"]:
        each["about"] = subjects.get(each["about"], each["about"])
    if question["name"] in registry.names():
        return _in_words_of(registry.question(question["name"]), question)
    for table in (question["columns"], *question["more"].values()):
        for name, meaning in table.items():
            table[name] = {"kind": "text", "meaning": meaning}
    return question


def _in_words_of(today: Question, question: dict[str, Any]) -> dict[str, Any]:
    """Texts and columns of today's question; factors, margins and bounds of the run."""
    now = asdict(today)
    left = list(now["predictions"])
    predictions = []
    for each in question["predictions"]:
        # Several may have the same subject and bounds: they have kept their order.
        same = [text for text in left if all(text[key] == each[key] for key in SAME)]
        for text in same[:1]:
            left.remove(text)
        texts = {key: text[key] for text in same[:1] for key in ("claim", "reason")}
        predictions.append({**each, **texts})
    kept = ("question", "columns", "more", "margin_reason", "unit")
    return {**question, **{key: now[key] for key in kept}, "predictions": predictions}


def _own(about: Mapping[str, Any], constant: str) -> Mapping[str, Any]:
    """A constant of the words.py of the run's experiment; empty if it has none."""
    name = f"experiments.{about.get('experiment')}.words"
    if about.get("experiment") not in registry.names() or find_spec(name) is None:
        return {}
    found: Mapping[str, Any] = getattr(import_module(name), constant, {})
    return found


def _renamed(recorded: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in recorded.items()}
