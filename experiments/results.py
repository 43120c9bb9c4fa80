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
from pathlib import Path

from experiments.experiment import Row, Value
from topologies.errors import MeasureError
from topologies.ownership import give_back

FORMAT = 1
RUN, SAMPLES, RAW = "run.json", "samples.csv", "raw"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as read back from its files."""

    directory: Path
    about: Mapping[str, object]  # run.json
    rows: tuple[Row, ...]  # samples.csv


class Recorder:
    """Writes one run's files, each sample as soon as it is known.

    Whatever cannot be written raises: a result that is not on disk was not measured.
    """

    def __init__(self, parent: Path, name: str, columns: Sequence[str]) -> None:
        self.directory = _fresh(parent, name)
        self._columns = tuple(columns)
        with _telling(self.directory / SAMPLES):
            (self.directory / RAW).mkdir()
            with (self.directory / SAMPLES).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerow(self._columns)
        give_back(self.directory)

    def about(self, about: Mapping[str, object]) -> None:
        """Write run.json anew; a reader sees the old one or the new one, never a part."""
        text = json.dumps({"format": FORMAT, **about}, indent=2, ensure_ascii=False) + "\n"
        self.file(f"{RUN}.new", text)
        with _telling(self.directory / RUN):
            (self.directory / f"{RUN}.new").replace(self.directory / RUN)

    def samples(self, rows: Iterable[Row]) -> None:
        """Append rows to samples.csv and have them on disk."""
        path = self.directory / SAMPLES
        with _telling(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerows(rows)
            file.flush()
            os.fsync(file.fileno())

    def file(self, name: str, text: str) -> Path:
        """Write one text file, named relative to the run's directory."""
        path = self.directory / name
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        give_back(path.parent if path.parent != self.directory else path)
        return path


def read(directory: Path) -> Run:
    """The run in `directory`.

    Raises:
        MeasureError: a file is missing, cannot be read, or is of a newer format.
    """
    with _telling(directory / RUN):
        about = json.loads((directory / RUN).read_text(encoding="utf-8"))
    _assert_known(about, directory / RUN)
    path = directory / SAMPLES
    with _telling(path), path.open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        rows = tuple({name: _value(text) for name, text in line.items()} for line in lines)
    return Run(directory, about, rows)


def _assert_known(about: object, path: Path) -> None:
    found = about.get("format") if isinstance(about, dict) else None
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        raise MeasureError(
            f"format {found!r}",
            where=str(path),
            allowed=f"1..{FORMAT}",
            do="Read it with the overlaylab that wrote it, or a newer one.",
        )


def _value(text: str) -> Value:
    """A field of samples.csv: empty is None, a number is one."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text or None


def _fresh(parent: Path, name: str) -> Path:
    """A new directory, and those above it that were missing; two runs of one second get two."""
    missing = [each for each in (parent, *parent.parents) if not each.exists()]
    with _telling(parent):
        parent.mkdir(parents=True, exist_ok=True)
        path = next(path for path in _names(parent / name) if not path.exists())
        path.mkdir()
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
    except (OSError, ValueError) as error:
        raise MeasureError(
            str(error),
            where=str(path),
            allowed="a file of a run that can be read and written",
            do="See that the disk has room and the folder is yours (`--out DIR` names another).",
        ) from error
