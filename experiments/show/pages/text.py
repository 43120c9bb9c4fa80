"""A report on a terminal, and as JSON.  Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table as TextTable

from controller.system.files import printable
from experiments.show.pages import facts
from experiments.show.pages.chapter import Chapter
from experiments.show.report import Outcome, Report, is_quick

WIDTH = 80  # columns


def terminal_lines(chapter: Chapter, *, most: int | None = None) -> list[str]:
    """What a terminal shows at the end: findings, refuted predictions, counts, the verdict.

    Args:
        most: as many findings are shown; by default all.
    """
    report = chapter.report
    if report is None:
        return [wrapped(f"No result: {chapter.fault}")]
    said = (report.warning, *report.findings[:most])
    return [
        *(wrapped(line, indent="  ") for line in said if line),
        *(line for each in chapter.refuted for line in _refuted(each)),
        *([wrapped(chapter.tally, label="Predictions: ")] if chapter.tally else []),
        *([wrapped(report.left_out_line)] if report.left_out else []),
        wrapped(facts.verdict_line(report), label="Verdict: "),
    ]


def _refuted(each: Outcome) -> Iterator[str]:
    yield wrapped(each.claim, label="Refuted: ")
    yield wrapped(each.found, label="  measured: ")


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


def empty_table(heads: Sequence[str], words: Sequence[str], **column: Any) -> TextTable:
    """A table without rows or lines; the columns in `words` are set to the left."""
    text = TextTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        text.add_column(printable(head), justify="left" if head in words else "right", **column)
    return text


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
