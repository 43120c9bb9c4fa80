"""The files of a run: written so that what was measured survives, read so that it can be redrawn.

`results/README.md` tells the format.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any

from controller.model.errors import MeasureError, UsageError
from controller.system.ownership import give_back
from experiments.core.question import Question, Row, Value, question_from_json

FORMAT = 2
RUN, RAW, SAMPLES = "run.json", "raw", "samples"  # the last: a table, samples.csv
# What one runs into who uses files that a person has edited, or of which half is not there.
DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as read back from its files."""

    directory: Path
    question: Question
    about: Mapping[str, Any]  # run.json
    tables: Mapping[str, tuple[Row, ...]]  # by name; `samples` is the first

    @property
    def rows(self) -> tuple[Row, ...]:
        """samples.csv."""
        return self.tables[SAMPLES]

    @property
    def seed(self) -> int:
        """What the order was drawn from; the bootstrap too, so that it repeats."""
        return int(self.about["seed"])


class Recorder:
    """Writes one run's files, each sample as soon as it is known.

    Whatever cannot be written raises: a result that is not on disk was not measured.
    """

    def __init__(self, parent: Path, name: str, tables: Mapping[str, Sequence[str]]) -> None:
        self.directory = fresh_directory(parent, name)
        self._tables = {table: tuple(columns) for table, columns in tables.items()}
        with _telling(self.directory):
            (self.directory / RAW).mkdir()
            for table, columns in self._tables.items():
                with self._table(table).open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file, lineterminator="\n").writerow(columns)
        give_back(self.directory)

    def _table(self, name: str) -> Path:
        return self.directory / f"{name}.csv"

    def about(self, about: Mapping[str, object]) -> None:
        """Write run.json anew; a reader sees the old one or the new one, never a part."""
        text = json.dumps({"format": FORMAT, **about}, indent=2, ensure_ascii=False) + "\n"
        self.file(f"{RUN}.new", text)
        with _telling(self.directory / RUN):
            (self.directory / f"{RUN}.new").replace(self.directory / RUN)

    def samples(self, rows: Iterable[Row], table: str = SAMPLES) -> None:
        """Append rows to a table and have them on disk.

        Raises:
            MeasureError: a row has a column that the table has not, or nothing can be written.
        """
        rows, path = tuple(rows), self._table(table)
        _assert_columns(rows, self._tables[table], path)
        with _telling(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._tables[table], lineterminator="\n").writerows(rows)
            file.flush()
            os.fsync(file.fileno())

    def path(self, name: str) -> Path:
        """Where a file goes that another program writes; the folder is made."""
        path = self.directory / name
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        give_back(path.parent)
        return path

    def file(self, name: str, text: str) -> Path:
        """Write one text file, named relative to the run's directory."""
        path = self.directory / name
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        give_back(path.parent if path.parent != self.directory else path)
        return path


def _assert_columns(rows: Iterable[Row], columns: tuple[str, ...], path: Path) -> None:
    strange = next((name for row in rows for name in row if name not in columns), None)
    if strange is not None:
        raise MeasureError(
            f"column {strange!r} in a row of the probe",
            where=path.name,
            allowed=", ".join(columns),
            do="Tell what it means in the Question's `columns` (or `more`), or leave it out.",
        )


def read(directory: Path) -> Run:
    """The run in `directory`.

    Raises:
        MeasureError: a file is missing, cannot be read, or is of another format.
    """
    with _telling(directory / RUN):
        about = json.loads((directory / RUN).read_text(encoding="utf-8"))
    _assert_known(about, directory / RUN)
    with _telling(directory / RUN):
        question = question_from_json(about["question"])
    tables = {
        name: _read_table(directory / f"{name}.csv", columns)
        for name, columns in question.tables().items()
    }
    return Run(directory, question, about, tables)


def _read_table(path: Path, columns: tuple[str, ...]) -> tuple[Row, ...]:
    with _telling(path), path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        heads = tuple(next(lines, ()))
        missing = [column for column in columns if column not in heads]
        if missing:
            raise _damaged(f"no column {', '.join(missing)}", str(path), ", ".join(columns))
        return tuple(_row(line, heads, f"{path}, line {lines.line_num}") for line in lines if line)


def _row(line: list[str], heads: tuple[str, ...], where: str) -> Row:
    if len(line) != len(heads):
        raise _damaged(f"{len(line)} fields", where, f"{len(heads)}, as in its first line")
    row = dict(zip(heads, map(_value, line), strict=True))
    endless = [value for value in row.values() if isinstance(value, float) and not isfinite(value)]
    if endless:
        raise _damaged(str(endless[0]), where, "a finite number, a text, or nothing")
    return row


def _damaged(found: str, where: str, allowed: str) -> MeasureError:
    return MeasureError(
        found,
        where=where,
        allowed=allowed,
        do="Undo what was changed, or take away what was not written to its end.",
    )


def _assert_known(about: object, path: Path) -> None:
    found = about.get("format") if isinstance(about, dict) else None
    if not isinstance(found, int) or found != FORMAT:
        raise MeasureError(
            f"format {found!r}",
            where=str(path),
            allowed=f"{FORMAT}",
            do="Read it with the overlaylab that wrote it.",
        )


def _value(text: str) -> Value:
    """A field of samples.csv: empty is None, a number is one."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text or None


def fresh_directory(parent: Path, name: str) -> Path:
    """A new directory, and those above it that were missing; two runs of one second get two."""
    try:
        missing = [each for each in (parent, *parent.parents) if not each.exists()]
        parent.mkdir(parents=True, exist_ok=True)
        path = next(path for path in _names(parent / name) if not path.exists())
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


def _names(first: Path) -> Iterator[Path]:
    yield first
    yield from (first.with_name(f"{first.name}-{again}") for again in count(2))


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn the system's refusal to read or write `path` into a MeasureError."""
    try:
        yield
    except OSError as error:
        raise MeasureError(
            str(error),
            where=str(path),
            allowed="a file of a run that can be read and written",
            do="See that the disk has room and the folder is yours (`--out DIR` names another).",
        ) from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise MeasureError(
            f"no {error}" if isinstance(error, KeyError) else str(error),
            where=str(path),
            allowed="a file as `overlaylab run` left it",
            do="Undo what was changed in it, or measure again.",
        ) from error
