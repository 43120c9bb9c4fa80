"""From the files of a run to its report.  No lab is needed."""

from importlib import import_module

from controller.model.errors import MeasureError
from experiments.core import registry
from experiments.core.results import Run
from experiments.show.report import Report

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
    module = f"experiments.show.{name}" if name in SHARED else f"experiments.{name}.report"
    report: Report = import_module(module).build_report(run)
    return report
