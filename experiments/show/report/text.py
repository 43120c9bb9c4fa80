"""A told run on a terminal, and as JSON.  Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from experiments.show.report import facts
from experiments.show.report.chapter import Chapter, telling
from experiments.show.story import (
    CONFIRMED,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Grid,
    Held,
    Told,
    is_quick,
)

WIDTH = 80  # columns
STANDS = 1 + max(map(len, (CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED)))


def terminal_lines(told: Told) -> list[str | Table]:
    """What stands on a terminal at the end: findings, a table, predictions, verdict."""
    findings = [_wrapped("", line) for line in (told.doubt, *told.story.findings) if line]
    tables = [
        part
        for grid in told.story.grids[:1]
        for part in (_wrapped("", f"{grid.title}:"), terminal_table(grid))
    ]
    held = [line for each in told.story.held for line in _held(each)]
    return [
        *findings,
        *tables,
        *(["Predicted beforehand:", *held] if held else []),
        _wrapped("Verdict: ", facts.verdict(told)),
    ]


def _held(held: Held) -> Iterator[str]:
    """What became of a prediction, then what was said; what was found if it was otherwise."""
    label = f"  {held.stands:<{STANDS}}"
    yield _wrapped(label, held.says)
    if held.stands == REFUTED:
        yield _wrapped(" " * len(label), f"found: {held.found}")


def _wrapped(label: str, text: str) -> str:
    """Text of at most 80 columns, hung up at its label."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def terminal_table(grid: Grid) -> Table:
    """The columns one looks for first, without those that have nothing to tell."""
    shown = [at for at in telling(grid) if grid.heads[at] in (grid.first or grid.heads)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for at in shown:
        is_words = grid.heads[at] in grid.words
        table.add_column(grid.heads[at], justify="left" if is_words else "right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*(row[at] for at in shown))
    return table


def overview(chapters: Sequence[Chapter]) -> Table:
    """A suite at a glance: a line for each experiment, the last one stays on the screen."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for each in chapters:
        table.add_row(each.name, each.tally, each.verdict)
    return table


def paths(files: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was written, the most useful first."""
    named = [(kind, path) for kind, path in files.items() if kind != "directory"]
    pages = [each for each in named if each[0].startswith("report.")]
    return [*pages, *(each for each in named if each not in pages), ("folder", files["directory"])]


def document(chapters: Sequence[Chapter], suite: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `--format json` prints, without the number of its format."""
    told = [to_json(each.told, each.files) for each in chapters if each.told]
    faults = [{"experiment": each.name, "fault": each.fault} for each in chapters if not each.told]
    return {"suite": suite, "runs": told, "faults": faults}


def to_json(told: Told, files: Mapping[str, str]) -> dict[str, Any]:
    """One experiment of it."""
    return {
        "experiment": told.name,
        "directory": files["directory"],
        "files": {name: path for name, path in files.items() if name != "directory"},
        "headline": told.headline,
        "findings": list(told.story.findings),
        "unit": told.run.question.unit,
        "quick": is_quick(told.run),
        "verdict": told.run.about.get("verdict"),
        "predictions": [
            {"says": each.says, "stands": each.stands, "found": each.found}
            for each in told.story.held
        ],
        "summaries": [dict(each) for each in told.story.data],
    }
