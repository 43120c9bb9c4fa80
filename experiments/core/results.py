"""The files of a run: written so that no sample is lost, and read to draw the run again.

results/README.md describes the format.
"""

import csv
import json
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import Any, cast

import polars as pl

from controller.model.errors import MeasureError, UsageError
from controller.system.files import read_text, replace_file
from controller.system.ownership import give_back
from experiments.core import format2, registry
from experiments.core.question import (
    Column,
    Columns,
    Kind,
    Question,
    Row,
    Value,
    question_from_json,
)
from experiments.core.run_schema import assert_usable, parse_json

FORMAT = 3
RUN, RAW, SAMPLES = "run.json", "raw", "samples"  # the last: a table, samples.csv
# What reading edited or incomplete files may raise.
DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(RecursionError, MemoryError, pl.exceptions.PolarsError),
)
MOST_BYTES = 200_000_000  # of one file; the largest of the reference runs has 0.8 MB
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")  # as many digits as 64 bits hold
TYPES: Mapping[Kind, type[pl.DataType]] = {
    Kind.TEXT: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.NUMBER: pl.Float64,
}


@dataclass(frozen=True)
class Run:
    """A run as read back from its files."""

    directory: Path
    question: Question
    about: Mapping[str, Any]  # run.json
    tables: Mapping[str, pl.DataFrame]  # by name; `samples` is the first

    @property
    def samples(self) -> pl.DataFrame:
        """samples.csv."""
        return self.tables[SAMPLES]

    @cached_property
    def predicted(self) -> pl.DataFrame:
        """The exact value predicted for each cell; no rows if none was."""
        rows = self.about.get("predicted") or ()
        columns = self.question.tables()[SAMPLES]
        names = dict.fromkeys(name for row in rows for name in row)
        return frame(rows, {name: columns[name] for name in names})

    @property
    def named_modes(self) -> tuple[str, ...]:
        """The modes named with `--modes`, of those that were measured; empty if none was named."""
        named = self.about.get("named_modes") or ()
        measured = set(self.samples["mode"]) if named and "mode" in self.question.factors else set()
        return tuple(mode for mode in named if mode in measured)

    def rows_of(self, table: str = SAMPLES) -> tuple[Row, ...]:
        """The rows of a table, each by column."""
        return tuple(self.tables[table].rows(named=True))

    @property
    def seed(self) -> int:
        """The seed of the order of labs and of the bootstrap."""
        return int(self.about["seed"])


def frame(rows: Iterable[Row], columns: Columns) -> pl.DataFrame:
    """Rows as a table with these columns; a cell that a row lacks is null."""
    schema = {name: TYPES[column.kind] for name, column in columns.items()}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


class Recorder:
    """Writes the files of one run, each sample as soon as it is known.

    What cannot be written is an error: a result that is not on disk is lost.
    """

    def __init__(self, parent: Path, name: str, tables: Mapping[str, Iterable[str]]) -> None:
        self.directory = fresh_directory(parent, name)
        self._tables = {table: tuple(columns) for table, columns in tables.items()}
        with reporting(self.directory):
            (self.directory / RAW).mkdir()
            for table, columns in self._tables.items():
                with self._table(table).open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file, lineterminator="\n").writerow(columns)
        give_back(self.directory)

    def _table(self, name: str) -> Path:
        return self.directory / f"{name}.csv"

    def about(self, about: Mapping[str, object]) -> None:
        """Replace run.json; a reader sees the old file or the new one."""
        write_about(self.directory, about)

    def samples(self, rows: Iterable[Row], table: str = SAMPLES) -> None:
        """Append rows to a table, and sync it to disk.

        Raises:
            MeasureError: a row has a column that the table lacks, or the file cannot be written.
        """
        rows, path = tuple(rows), self._table(table)
        columns = self._tables[table]
        unknown = next((name for row in rows for name in row if name not in columns), None)
        if unknown is not None:
            raise MeasureError(
                f"column {unknown!r} in a row of the probe",
                where=path.name,
                allowed=", ".join(columns),
                do="Declare it in the Question's `columns` (or `more`), or leave it out.",
            )
        with reporting(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, columns, lineterminator="\n").writerows(rows)
            file.flush()
            os.fsync(file.fileno())

    def path(self, name: str) -> Path:
        """The path for a file that another program writes; its folder is created."""
        path = self.directory / name
        with reporting(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        give_back(path.parent)
        return path

    def file(self, name: str, text: str) -> None:
        """Write one text file, named relative to the run's directory."""
        path = self.path(name)
        with reporting(path):
            path.write_text(text, encoding="utf-8")
        give_back(path)


def write_about(directory: Path, about: Mapping[str, object]) -> None:
    """Replace run.json; after a power cut the old or the new file is there, complete."""
    text = json.dumps({"format": FORMAT, **about}, indent=2, ensure_ascii=False) + "\n"
    with reporting(directory / RUN):
        replace_file(directory / RUN, text.encode())


def read_about(directory: Path) -> dict[str, Any]:
    """What run.json has, in a format that can be read.

    Raises:
        MeasureError: it is missing, cannot be read, or is of another format.
    """
    path = directory / RUN
    with reporting(path):
        about = parse_json(_text(path))
    found = about.get("format") if isinstance(about, dict) else None
    if found not in (format2.FORMAT, FORMAT):  # a tuple: it may be a list
        raise MeasureError(
            f"format {found!r}",
            where=str(path),
            allowed=f"{format2.FORMAT} or {FORMAT}",
            do="Read it with the overlaylab that wrote it.",
        )
    return cast("dict[str, Any]", about)


def _text(path: Path) -> str:
    return read_text(path, MeasureError, where=str(path), most_bytes=MOST_BYTES)


def read(directory: Path) -> Run:
    """The run in `directory`; one of format 2 is converted.

    Raises:
        MeasureError: a file is missing, cannot be read, or is of another format.
    """
    about = read_about(directory)
    renamed: Mapping[str, str] = {}
    values: format2.Values = {}
    with reporting(directory / RUN):
        if about["format"] == format2.FORMAT:
            renamed, values = format2.columns_renamed(about), format2.values_renamed(about)
            about = format2.converted(about)
        assert_usable(about, str(directory / RUN))
        question = question_from_json(about["question"])

    def tables(question: Question) -> dict[str, pl.DataFrame]:
        return {
            name: _read_table(directory / f"{name}.csv", columns, renamed, values)
            for name, columns in question.tables().items()
        }

    if renamed and question.name not in registry.names():  # so the types of columns are unknown
        question = format2.with_types(question, tables(question))
    return Run(directory, question, about, tables(question))


def _read_table(
    path: Path, columns: Columns, renamed: Mapping[str, str], values: format2.Values
) -> pl.DataFrame:
    with reporting(path):
        lines = csv.reader(StringIO(_text(path), newline=""), strict=True)
        heads = [renamed.get(head, head) for head in next(lines, [])]
        if missing := [name for name in columns if name not in heads]:
            raise _damaged(f"no column {', '.join(missing)}", str(path), ", ".join(columns))
        rows = [
            _row(line, heads, columns, f"{path}, line {lines.line_num}") for line in lines if line
        ]
    found = frame(rows, columns)
    return found.with_columns(
        pl.col(name).replace(dict(texts)) for name, texts in values.items() if name in columns
    )


def _row(line: list[str], heads: list[str], columns: Columns, where: str) -> Row:
    if len(line) != len(heads):
        raise _damaged(f"{len(line)} fields", where, f"{len(heads)}, as in its first line")
    return {
        head: _value(cell, columns[head], f"{where}, {head}")
        for head, cell in zip(heads, line, strict=True)
        if head in columns
    }


def _value(cell: str, column: Column, where: str) -> Value:
    """One field of a table; an empty one is None."""
    if not cell or column.kind is Kind.TEXT:
        return cell or None
    is_whole = column.kind is Kind.INTEGER
    try:
        value = int(WHOLE.fullmatch(cell)[0]) if is_whole else float(cell)  # type: ignore[index]
    except (TypeError, ValueError):  # TypeError: no match
        raise _damaged(repr(cell), where, f"{a(column.kind)}, or nothing") from None
    if not isfinite(value):
        raise _damaged(cell, where, "a finite number, or nothing")
    return value


def a(kind: Kind) -> str:
    """`an integer`, `a number`."""
    return f"an {kind}" if kind is Kind.INTEGER else f"a {kind}"


def _damaged(found: str, where: str, allowed: str) -> MeasureError:
    return MeasureError(
        found,
        where=where,
        allowed=allowed,
        do="Undo what was changed, or remove the line if it was not written to its end.",
    )


def fresh_directory(parent: Path, name: str) -> Path:
    """A new directory, with its parents; two runs in the same second get two."""
    try:
        missing = [each for each in (parent, *parent.parents) if not each.exists()]
        parent.mkdir(parents=True, exist_ok=True)
        names = chain([name], (f"{name}-{again}" for again in count(2)))
        path = next(parent / name for name in names if not (parent / name).exists())
        path.mkdir()
    except OSError as error:
        raise UsageError(
            str(error),
            where=str(parent),
            allowed="a folder in which a new one can be made",
            do="`--out DIR` names another.",
        ) from error
    give_back(missing[-1] if missing else path)
    return path


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn errors about reading, writing or parsing `path` into a MeasureError."""
    try:
        yield
    except OSError as error:
        raise MeasureError(
            error.strerror or str(error),
            where=str(path),
            allowed="a file of a run that can be read and written",
            do="Check free space and permissions (`run --out DIR` names another folder).",
        ) from error
    except (*DAMAGE, csv.Error) as error:
        raise MeasureError(
            f"no {error}" if isinstance(error, KeyError) else str(error),
            where=str(path),
            allowed="a file as `overlaylab run` wrote it",
            do="Undo what was changed in it, or measure again.",
        ) from error


@contextmanager
def reporting_damage(where: Path | str) -> Iterator[None]:
    """Turn errors about values that were changed after the run into a MeasureError."""
    try:
        yield
    except DAMAGE as error:
        *_, frame = traceback.extract_tb(error.__traceback__)
        raise MeasureError(
            f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})",
            where=str(where),
            allowed="files as `overlaylab run` left them",
            do="Undo what was changed in run.json or the tables, or measure again.",
        ) from error
