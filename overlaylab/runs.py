"""Runs of experiments for Python: measured now, or read from their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        found: pl.DataFrame = _named(self.recorded.tables, name, "table", str(self.directory))
        return found

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
        rows = [
            (each.claim, each.reason, each.outcome, each.found) for each in self.report.outcomes
        ]
        return pl.DataFrame(rows, schema=["claim", "reason", "outcome", "found"], orient="row")

    def figure(self, name: str = "") -> "Figure":
        """A chart of the run, by the name of its .png file; the first one by default.

        Raises:
            OverlayError: there is no such chart; the message lists those there are.
        """
        pictures = {picture.name: picture for picture in self.report.pictures}
        chosen = name or next(iter(pictures), "")
        with mpl.rc_context(fname=STYLE):
            return self.report.draw(_named(pictures, chosen, "chart", str(self.directory)))

    def __str__(self) -> str:
        return "\n".join((*self.findings, f"Verdict: {self.verdict}"))


def _named(things: Mapping[str, Any], name: str, what: str, where: str) -> Any:
    if name not in things:
        raise UsageError(
            f"{what} {name!r}", where=where, allowed=", ".join(things), do="Name one of them."
        )
    return things[name]


def read(directory: str | Path) -> Result:
    """The run in a folder, without a lab and without root.

    Raises:
        OverlayError: the files are missing or damaged.
    """
    return Result(read_run(Path(directory)))


def run(  # noqa: PLR0913  the options of the command line, by name
    experiment: str,
    *,
    quick: bool = False,
    scenario: str | None = None,
    modes: str | None = None,
    hosts: int | None = None,
    repeats: int | None = None,
    seed: int | None = None,
    out: str | Path = "results",
) -> Result:
    """Measure one experiment, write its files, and return the run.  Needs root.

    Args:
        experiment: a name of `overlaylab list`, or the path of a .py file with one of your own.
        quick: seconds, one repeat, no confidence intervals.
        modes: such as "gre-mesh,vxlan-l2pop"; the other options are those of `overlaylab run`.
        out: the folder in which the run's folder is made.

    Raises:
        OverlayError: the options, the scenario or this machine does not allow it.
    """
    from experiments.cli.doctor import assert_host_ready
    from experiments.cli.measure import measured
    from experiments.cli.request import Options, experiments_of, request_of
    from experiments.measure.environment import now

    options = Options(
        scenario=scenario,
        modes=modes,
        hosts=hosts,
        repeats=repeats,
        seed=seed,
        quick=quick,
        out=Path(out),
        app="os-ken",
        datapath="netdev",
        output="text",
    )
    (wanted,) = experiments_of((experiment,))
    stamp = now().replace("-", "").replace(":", "")
    request = request_of(wanted, options, options.out, f"{stamp}-{wanted.question.name}")
    assert_host_ready()
    return read(measured(request, wanted.question.name).files["directory"])
