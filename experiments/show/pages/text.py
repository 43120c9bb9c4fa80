"""A report on a terminal, and as JSON.  Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table as TextTable

from controller.system.files import printable
from experiments.show.pages import facts
from experiments.show.pages.chapter import Chapter, shown_columns
from experiments.show.report import (
    CONFIRMED,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Report,
    Table,
    is_quick,
)

WIDTH = 80  # columns
OUTCOME = 1 + max(map(len, (CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED)))


def terminal_lines(report: Report) -> list[str | TextTable]:
    """What a terminal shows at the end: findings, a table, predictions, the verdict."""
    findings = [wrapped(line) for line in (report.warning, *report.findings) if line]
    tables = [
        part
        for table in report.tables[:1]
        for part in (wrapped(f"{table.title}:"), terminal_table(table))
    ]
    outcomes = [line for each in report.outcomes for line in _outcome(each)]
    return [
        *findings,
        *tables,
        *(["Predictions made before the run:", *outcomes] if outcomes else []),
        *([wrapped(report.left_out_line)] if report.left_out else []),
        wrapped(facts.verdict(report), label="Verdict: "),
    ]


def _outcome(each: Outcome) -> Iterator[str]:
    """The outcome of a prediction and its claim; what was measured unless it is confirmed."""
    label = f"  {each.outcome:<{OUTCOME}}"
    yield wrapped(each.claim, label=label)
    if each.outcome != CONFIRMED and each.found:
        yield wrapped(f"measured: {each.found}", label=" " * len(label))


def wrapped(text: str, *, label: str = "", indent: str = "") -> str:
    """Text of at most 80 columns after its label; further lines begin with `indent`, or below it."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=indent or " " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def terminal_table(table: Table) -> TextTable:
    """The main columns of a table, without empty ones."""
    shown = [at for at in shown_columns(table) if table.heads[at] in (table.first or table.heads)]
    text = empty_table([table.heads[at] for at in shown], table.words, no_wrap=True)
    for row in table.rows:
        text.add_row(*(printable(row[at]) for at in shown))
    return text


def empty_table(heads: Sequence[str], words: Sequence[str], **column: Any) -> TextTable:
    """A table without rows or lines; the columns in `words` are set to the left."""
    text = TextTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        text.add_column(printable(head), justify="left" if head in words else "right", **column)
    return text


def overview(chapters: Sequence[Chapter]) -> TextTable:
    """The summary of a suite: a line for each experiment."""
    text = TextTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for each in chapters:
        text.add_row(*map(printable, (each.name, each.tally, each.verdict)))
    return text


def paths(files: Mapping[str, str]) -> list[tuple[str, str]]:
    """The files written, the most useful first."""
    named = [(kind, path) for kind, path in files.items() if kind != "directory"]
    pages = [each for each in named if each[0].startswith("report.")]
    return [*pages, *(each for each in named if each not in pages), ("folder", files["directory"])]


def document(chapters: Sequence[Chapter], suite: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `--format json` prints, without the number of its format."""
    runs = [to_json(each.report, each.files) for each in chapters if each.report]
    faults = [
        {"experiment": each.name, "fault": each.fault} for each in chapters if not each.report
    ]
    return {"suite": suite, "runs": runs, "faults": faults}


def to_json(report: Report, files: Mapping[str, str]) -> dict[str, Any]:
    """One experiment of the document."""
    return {
        "experiment": report.name,
        "directory": files["directory"],
        "files": {name: path for name, path in files.items() if name != "directory"},
        "headline": report.headline,
        "findings": list(report.findings),
        "unit": report.run.question.unit,
        "quick": is_quick(report.run),
        "verdict": report.run.about.get("verdict"),
        "predictions": [
            {"claim": each.claim, "outcome": each.outcome, "found": each.found}
            for each in report.outcomes
        ],
        "predictions_left_out": report.left_out,
        "summaries": [dict(each) for each in report.data],
    }
