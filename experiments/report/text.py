"""A told run on a terminal, and as JSON.  Pure."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from experiments.story import Grid, Told, is_quick


def terminal_lines(told: Told) -> list[str | Table]:
    """What stands on a terminal at the end, none of it wider than 80 columns."""
    tables = [terminal_table(grid) for grid in told.story.grids[:1]]
    held = [line for each in told.story.held for line in
            (f"Predicted: {each.says}", f"Found:     {each.found} ({each.stands})")]  # fmt: skip
    return [*told.headline.split("; "), *tables, *held]


def terminal_table(grid: Grid) -> Table:
    """The columns one looks for first, without those that have nothing to tell."""
    shown = [
        at
        for at, head in enumerate(grid.heads)
        if head in (grid.first or grid.heads) and any(row[at] != "-" for row in grid.rows)
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for at in shown:
        is_words = grid.heads[at] in grid.words
        table.add_column(grid.heads[at], justify="left" if is_words else "right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*(row[at] for at in shown))
    return table


def to_json(told: Told, files: Mapping[str, str]) -> dict[str, Any]:
    """One experiment of the document that `--format json` prints."""
    return {
        "experiment": told.name,
        "directory": files["directory"],
        "files": {name: path for name, path in files.items() if name != "directory"},
        "headline": told.headline,
        "unit": told.run.question.unit,
        "quick": is_quick(told.run),
        "verdict": told.run.about.get("verdict"),
        "predictions": [
            {"says": each.says, "stands": each.stands, "found": each.found}
            for each in told.story.held
        ],
        "summaries": [dict(each) for each in told.story.data],
    }
