"""From the files of a run to its report, and to what is compared with another run.  No lab is needed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import polars as pl

from controller.model.errors import MeasureError
from experiments.core import registry
from experiments.core.question import Question
from experiments.core.results import Run
from experiments.show import answers
from experiments.show.cells import cell_name, exact_cells, values_text
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
    asked = tuple(_answers(run))
    note = answers.quick_note(run) if _is_timed(run.question) else ()
    note = () if set(note) <= set(report.findings) else note
    findings = (*asked, *note, *report.findings) if asked else (*report.findings, *note)
    return replace(report, findings=findings)


def _answers(run: Run) -> Iterator[str]:
    """What was asked by naming modes: `answers` of the experiment's answer.py, or of its cells.

    The report `levels` and that of latency have it among their findings.
    """
    name, named = run.question.report, run.named_modes
    if named and name == "cells":
        yield from _of_cells(run, named)
    elif named and name not in SHARED and find_spec(f"experiments.{name}.answer"):
        yield from import_module(f"experiments.{name}.answer").answers(run, named)


def _of_cells(run: Run, named: Sequence[str]) -> Iterator[str]:
    """The cells of named modes side by side, by their other keys."""
    cells = exact_cells(run).filter(pl.col("samples") > 0)
    counts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in cells.iter_rows(named=True):
        others = {name: value for name, value in row.items() if name != "mode"}
        what = cell_name(others, "") or run.question.value
        counts[what, ""][str(row["mode"])] = values_text(row["measured"])
    yield from answers.same_counts(counts, named)


def _is_timed(question: Question) -> bool:
    """True if a prediction takes an interval."""
    return any(each.low is not None or each.high is not None for each in question.predictions)


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
