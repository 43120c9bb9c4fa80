"""From the files of a run to its report, and to what is compared with another run.  No lab is needed."""

from importlib import import_module
from types import ModuleType

import polars as pl

from controller.model.errors import MeasureError
from experiments.core import registry
from experiments.core.results import Run
from experiments.show.cells import exact_cells
from experiments.show.comparable import Comparable, Series
from experiments.show.report import Report
from experiments.show.statistics import levels_of

SHARED = ("levels", "cells")  # reports that any experiment may use


def names() -> tuple[str, ...]:
    """What the `report` of a question may be."""
    return (*SHARED, *registry.names())


def report_on(run: Run) -> Report:
    """The report of a run.

    Raises:
        MeasureError: its question names no report that exists, or the samples are not usable.
    """
    name = run.question.report
    if name not in names():
        raise MeasureError(
            f"report {name!r}",
            where=str(run.directory / "run.json"),
            allowed=", ".join(names()),
            do="Name one of them in the experiment's Question.",
        )
    report: Report = _module(name).build_report(run)
    return report


def comparable_of(run: Run) -> Comparable:
    """What of the run is compared: by the experiment's own way, else its cells or its levels."""
    question = run.question
    module = _module(question.report) if question.report in registry.names() else None
    if own := getattr(module, "comparable", None):
        found: Comparable = own(run)
        return found
    if run.about.get("predicted"):
        return Comparable(cells=exact_cells(run).filter(pl.col("samples") > 0))
    rows = run.samples.filter(**question.compared)
    return Comparable(
        series=(
            Series(
                figure=question.value,
                unit=question.unit,
                levels=levels_of(rows, question),
                low=-question.margin,
                high=question.margin,
            ),
        )
    )


def _module(name: str) -> ModuleType:
    return import_module(
        f"experiments.show.{name}" if name in SHARED else f"experiments.{name}.report"
    )
