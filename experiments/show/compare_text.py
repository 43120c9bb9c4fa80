"""A comparison on a terminal of 80 columns, and as JSON.  Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from experiments.core.results import Run
from experiments.show.cells import keys_of, value_text, values_text
from experiments.show.compare import Comparison, Shift, baseline_shift
from experiments.show.levels import between, figure_text
from experiments.show.pages.text import empty_table, wrapped
from experiments.show.report import counted, is_quick, is_trusted, reasons_of

MOST_CELLS = 40  # on a terminal; JSON has them all
SPREAD = (
    "Intervals: 95% each, by resampling the repeats of each run. The machine may have changed "
    "between the runs: a shift that all levels share is probably due to it."
)


def to_text(found: Comparison) -> Iterator[str | Table]:
    """Warnings first, then the two runs, the result and the table."""
    for warning in found.doubts:
        yield wrapped(f"UNRELIABLE, {warning}")
    yield f"{found.a.question.name}: {_headline(found)}"
    yield from (wrapped(f"{name}: {_run(run)}", indent="   ") for name, run in found.runs)
    if found.is_exact:
        yield from _cell_table(found)
    else:
        yield _shift_table(found)
        if _has_intervals(found):
            yield wrapped(SPREAD)
    yield from (wrapped(line) for line in _remarks(found))
    yield ""


def _headline(found: Comparison) -> str:
    if found.is_exact:
        equal = found.cells["is_equal"].sum()
        what = "figure" if _has_figures(found) else "cell"
        return f"{equal} of {counted(found.cells.height, what)} are the same in both runs"
    if not _has_intervals(found):
        return "quick run: too few repeats for intervals, so no conclusion"
    calls = [each.call for each in found.shifts]
    moved = calls.count("higher") + calls.count("lower")
    open_ = f", {calls.count('undecided')} undecided" if "undecided" in calls else ""
    return f"{moved} of {counted(len(calls), 'level')} moved beyond the margin{open_}"


def _has_figures(found: Comparison) -> bool:
    """True if a cell has several."""
    return found.cells["figure"].n_unique() > 1


def _has_intervals(found: Comparison) -> bool:
    return all(each.difference.interval for each in found.shifts)


def _run(run: Run) -> str:
    """Its folder, start, revision and repeats."""
    source = run.about.get("source") or {}
    revision = str(source.get("git_revision") or "revision unknown")[:10]
    changes = " with changes" if source.get("git_dirty") else ""
    repeats = counted(int(run.about.get("repeats", 0)), "repeat")
    quick = ", quick run" if is_quick(run) else ""
    return f"{run.directory} ({run.about.get('start', '')}; {revision}{changes}; {repeats}{quick})"


def _shift_table(found: Comparison) -> Table:
    unit = found.a.question.unit
    heads = ("level", f"A [{unit}]", "B", "B - A", "95% interval", "conclusion")
    shown = len(heads) if _has_intervals(found) else len(heads) - 2
    table = empty_table(heads[:shown], ("level", "conclusion"), overflow="fold")
    within = {"no difference that matters": f"within ±{_margin(found):g}"}
    for each in found.shifts:
        row = (
            each.level,
            *map(figure_text, each.medians),
            figure_text(each.difference.estimate, signed=True),
            between(each.difference.interval, signed=True),
            within.get(each.call, each.call),
        )
        table.add_row(*row[:shown])
    return table


def _margin(found: Comparison) -> float:
    return min(found.a.question.margin, found.b.question.margin)


def _cell_table(found: Comparison) -> Iterator[Table | str]:
    mismatches = found.mismatches
    if mismatches.is_empty():
        return
    heads = (*keys_of(mismatches), *(("figure",) if _has_figures(found) else ()))
    table = empty_table((*heads, "A", "B"), heads, overflow="fold")
    for row in mismatches.head(MOST_CELLS).rows(named=True):
        place = (value_text(row[name]) for name in heads)
        table.add_row(*place, values_text(row["a"]), values_text(row["b"]))
    yield table
    if mismatches.height > MOST_CELLS:
        yield f"and {mismatches.height - MOST_CELLS} more (--format json has all)"


def _remarks(found: Comparison) -> Iterator[str]:
    if found.is_itself:
        yield "A and B are the same measurement: the intervals show only how precise such a comparison is."
    moved = baseline_shift(found)
    if moved:
        yield (
            f"The baseline, {moved.level}, is itself {moved.call} by "
            f"{abs(moved.difference.estimate):.3f} {found.a.question.unit}: check the machine first."
        )
    for name, only in (("A", found.only_a), ("B", found.only_b)):
        if only:
            yield f"Only in {name}, not compared: {', '.join(only)}."


def to_json(found: Comparison) -> dict[str, Any]:
    """One experiment of the document that `--format json` prints."""
    return {
        "experiment": found.a.question.name,
        "unit": found.a.question.unit,
        "margin": _margin(found),
        "runs": {
            name.lower(): {
                "directory": str(run.directory),
                "start": run.about.get("start"),
                "repeats": run.about.get("repeats"),
                "trusted": is_trusted(run),
                "reasons": list(reasons_of(run)),
                "source": run.about.get("source"),
            }
            for name, run in found.runs
        },
        "levels": [_shift_json(each) for each in found.shifts],
        "cells": [
            {
                "cell": {name: row[name] for name in keys_of(found.cells)},
                "figure": row["figure"],
                "a": row["a"],
                "b": row["b"],
                "equal": row["is_equal"],
            }
            for row in found.cells.rows(named=True)
        ],
        "only_in_a": list(found.only_a),
        "only_in_b": list(found.only_b),
    }


def _shift_json(each: Shift) -> dict[str, Any]:
    sides = {
        name: {"median": median, "repeats": repeats, "samples": samples}
        for name, median, repeats, samples in zip(
            ("a", "b"), each.medians, each.repeats, each.samples, strict=True
        )
    }
    return {"level": each.level, **sides, **asdict(each.difference), "call": each.call}
