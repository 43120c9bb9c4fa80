"""A comparison on a terminal of 80 columns, and as JSON.  Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from controller.model.wording import counted
from experiments.core.results import Run
from experiments.show.cells import keys_of, value_text, values_text
from experiments.show.comparable import Series
from experiments.show.compare import Comparison, Shift, baseline_shift
from experiments.show.levels import between, figure_text
from experiments.show.pages.text import empty_table, wrapped
from experiments.show.report import is_quick, is_trusted, reasons_of

MOST_CELLS = 40  # on a terminal; JSON has them all
SPREAD = (
    "Intervals: 95% each, by resampling the repeats of each run. The machine may have changed "
    "between the runs: a shift that all levels share is probably due to it."
)
RANGES = (
    "Ranges: of all pairs of repeats of the two runs, since there are too few repeats for an "
    "interval; a range is wider than an interval."
)


def to_text(found: Comparison) -> Iterator[str | Table]:
    """Warnings first, then the two runs, the result and the table."""
    for warning in found.doubts:
        yield wrapped(f"UNRELIABLE, {warning}")
    yield f"{found.a.question.name}: {_headline(found)}"
    yield from (wrapped(f"{name}: {_run(run)}", indent="   ") for name, run in found.runs)
    yield from _cell_table(found)
    for _, shifts in _by_series(found):
        yield _shift_table(shifts, is_only=len(found.series) == 1)
    if any(each.is_range for each in found.shifts):
        yield wrapped(RANGES)
    if _has_intervals(found):
        yield wrapped(SPREAD)
    yield from (wrapped(line) for line in _remarks(found))
    yield ""


def _headline(found: Comparison) -> str:
    parts = []
    if found.is_exact:
        equal = found.cells["is_equal"].sum()
        what = "figure" if _has_figures(found) else "cell"
        parts.append(f"{equal} of {counted(found.cells.height, what)} are the same in both runs")
    for series, shifts in _by_series(found):
        calls = [each.call for each in shifts]
        moved = calls.count("higher") + calls.count("lower")
        named = "" if len(found.series) == 1 and not found.is_exact else f"{series.figure}: "
        if not any(each.difference.interval for each in shifts):
            quick = "quick run: " if any(is_quick(run) for _, run in found.runs) else ""
            parts.append(f"{named}{quick}too few repeats for intervals, so no conclusion")
            continue
        open_ = f", {calls.count('undecided')} undecided" if "undecided" in calls else ""
        levels = counted(len(calls), "level")
        parts.append(f"{named}{moved} of {levels} moved beyond the margin{open_}")
    return "; ".join(parts)


def _by_series(found: Comparison) -> Iterator[tuple[Series, tuple[Shift, ...]]]:
    """Each figure, and its shifts."""
    for figure, series in found.series.items():
        yield series, tuple(each for each in found.shifts if each.series.figure == figure)


def _has_figures(found: Comparison) -> bool:
    """True if a cell has several."""
    return found.cells["figure"].n_unique() > 1


def _has_intervals(found: Comparison) -> bool:
    return any(each.difference.interval and not each.is_range for each in found.shifts)


def _run(run: Run) -> str:
    """Its folder, start, revision and repeats."""
    source = run.about.get("source") or {}
    revision = str(source.get("git_revision") or "revision unknown")[:10]
    changes = " with changes" if source.get("git_dirty") else ""
    repeats = counted(int(run.about.get("repeats", 0)), "repeat")
    quick = ", quick run" if is_quick(run) else ""
    return f"{run.directory} ({run.about.get('start', '')}; {revision}{changes}; {repeats}{quick})"


def _shift_table(shifts: tuple[Shift, ...], *, is_only: bool) -> Table:
    """The shifts of one figure; without the last two columns if nothing can be concluded."""
    series = shifts[0].series
    change = "B / A" if series.is_ratio else "B - A"
    level = "level" if is_only else series.figure
    between_what = "range" if any(each.is_range for each in shifts) else "95% interval"
    heads = (level, f"A [{series.unit}]", "B", change, between_what, "conclusion")
    has_any = any(each.difference.interval for each in shifts)
    shown = len(heads) if has_any else len(heads) - 2
    table = empty_table(heads[:shown], (level, "conclusion"), overflow="fold")
    within = {"no difference that matters": f"within {_limits(series)}"}
    for each in shifts:
        row = (
            each.level,
            *map(figure_text, each.medians),
            figure_text(each.difference.estimate, signed=not series.is_ratio),
            between(each.difference.interval, signed=not series.is_ratio),
            within.get(each.call, each.call),
        )
        table.add_row(*row[:shown])
    return table


def _limits(series: Series) -> str:
    """The differences that do not matter, as `±0.05`."""
    if series.high == -series.low:
        return f"±{series.high:g}"
    return f"{series.low:g} to {series.high:g}"


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
    return {
        "level": each.level,
        "figure": each.series.figure,
        "unit": each.series.unit,
        "is_ratio": each.series.is_ratio,
        **sides,
        **asdict(each.difference),
        "is_range": each.is_range,
        "call": each.call,
    }
