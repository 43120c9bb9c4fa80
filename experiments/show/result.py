"""A run for programs and notebooks: its tables, findings and charts as values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import matplotlib as mpl
import polars as pl

from controller.model.errors import UsageError
from experiments.core.results import Run
from experiments.core.results import read as read_run
from experiments.show.report import Report
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One run: its tables, what it found, and its pictures."""

    recorded: Run

    @property
    def directory(self) -> Path:
        """The folder of its files."""
        return self.recorded.directory

    @property
    def settings(self) -> Mapping[str, Any]:
        """run.json: machine, versions, seed, thresholds, every lab's conditions."""
        return self.recorded.about

    def table(self, name: str = "samples") -> pl.DataFrame:
        """A table of the run, by the name of its .csv file.

        Raises:
            OverlayError: there is no such table; the message lists those there are.
        """
        return self._named(self.recorded.tables, name, "table")

    @cached_property
    def report(self) -> Report:
        """Findings, outcomes, tables of text and pictures, as report.md has them."""
        return report_on(self.recorded)

    @property
    def findings(self) -> tuple[str, ...]:
        """What the run found, a sentence each."""
        return self.report.findings

    @property
    def verdict(self) -> str:
        """Whether the figures can be trusted, and why not."""
        return self.report.verdict

    @property
    def predictions(self) -> pl.DataFrame:
        """Every prediction: claim, reason, outcome, found."""
        rows = [asdict(each) for each in self.report.outcomes]
        return pl.DataFrame(rows, schema=["claim", "reason", "outcome", "found"])

    def figure(self, name: str = "") -> "Figure":
        """A chart of the run, by the name of its .png file; the first one by default.

        Raises:
            OverlayError: there is no such chart; the message lists those there are.
        """
        pictures = {picture.name: picture for picture in self.report.pictures}
        chosen = self._named(pictures, name or next(iter(pictures), ""), "chart")
        with mpl.rc_context(fname=STYLE):
            return self.report.draw(chosen)

    def _named(self, things: Mapping[str, T], name: str, what: str) -> T:
        if name in things:
            return things[name]
        raise UsageError(
            f"{what} {name!r}",
            where=str(self.directory),
            allowed=", ".join(things),
            do="Name one of them.",
        )

    def __str__(self) -> str:
        return "\n".join((*self.findings, f"Verdict: {self.verdict}"))


def read(directory: str | Path) -> Result:
    """The run in a folder, without a lab and without root.

    Raises:
        OverlayError: the files are missing or damaged.
    """
    return Result(read_run(Path(directory)))
