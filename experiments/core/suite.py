"""The files of a suite: a folder of complete runs, and a `run.json` that names them in order.

results/README.md describes the format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.model.errors import MeasureError
from experiments.core.results import RUN, fresh_directory, read_about, write_about
from experiments.core.run_schema import SUITE, assert_usable


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
        write_about(self.directory, marked.about)
        return marked


def begin_suite(parent: Path, name: str, names: Sequence[str], **about: object) -> Suite:
    """A folder for a suite, marked as running."""
    suite = Suite(fresh_directory(parent, name), {"suite": list(names)})
    return suite.marked(**about, status="running")


def is_suite(directory: Path) -> bool:
    """True if `directory` has a readable run.json that names runs."""
    try:
        return "suite" in read_about(directory)
    except MeasureError:
        return False


def read_suite(directory: Path) -> Suite:
    """The suite in `directory`.

    Raises:
        MeasureError: its run.json cannot be read, or is of another format.
    """
    about = read_about(directory)
    assert_usable(about, str(directory / RUN), SUITE)
    return Suite(directory, {key: value for key, value in about.items() if key != "format"})
