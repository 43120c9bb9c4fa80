"""The files of a suite: a folder of complete runs, and a `run.json` that names them in order.

results/README.md describes the format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.model.errors import MeasureError
from controller.system.ownership import give_back
from experiments.core import format2
from experiments.core.results import FORMAT, RUN, fresh_directory, replace_file


@dataclass(frozen=True, slots=True)
class Suite:
    """Several runs of one call."""

    directory: Path
    about: Mapping[str, Any]  # run.json

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its experiments, in order; each has a folder, if it was started."""
        return tuple(self.about["suite"])

    @property
    def status(self) -> str:
        """`running`, `complete`, `interrupted`, or what failed."""
        return str(self.about.get("status", "unknown"))

    def marked(self, **about: object) -> "Suite":
        """The suite with more in its run.json; a reader sees the old file or the new one."""
        marked = Suite(self.directory, {**self.about, **about})
        path = self.directory / RUN
        text = json.dumps({"format": FORMAT, **marked.about}, indent=2, ensure_ascii=False) + "\n"
        try:
            path.with_suffix(".new").write_text(text, encoding="utf-8")
            replace_file(path.with_suffix(".new"), path)
        except OSError as error:
            raise _unusable(path, str(error)) from error
        give_back(path)
        return marked


def begin_suite(parent: Path, name: str, names: Sequence[str], **about: object) -> Suite:
    """A folder for a suite, marked as running."""
    suite = Suite(fresh_directory(parent, name), {"suite": list(names)})
    return suite.marked(**about, status="running")


def is_suite(directory: Path) -> bool:
    """True if `directory` has a readable run.json that names runs."""
    try:
        return "suite" in json.loads((directory / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def read_suite(directory: Path) -> Suite:
    """The suite in `directory`.

    Raises:
        MeasureError: its run.json cannot be read, or is of another format.
    """
    path = directory / RUN
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if about.get("format") not in {format2.FORMAT, FORMAT}:
        raise _unusable(path, f"format {about.get('format')!r}")
    names = about.get("suite")
    if not isinstance(names, list) or not all(map(_is_folder_name, names)):
        raise _unusable(path, f"suite {names!r}")
    return Suite(directory, {key: value for key, value in about.items() if key != "format"})


def _is_folder_name(name: object) -> bool:
    return isinstance(name, str) and Path(name).name == name


def _unusable(path: Path, found: str) -> MeasureError:
    return MeasureError(
        found,
        where=str(path),
        allowed=f"a suite's run.json of format {format2.FORMAT} or {FORMAT} that can be read and written",
        do="Read it with the overlaylab that wrote it, in a folder that you may write to.",
    )
