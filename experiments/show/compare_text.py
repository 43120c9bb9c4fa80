"""A comparison on a terminal of 80 columns, and as JSON.  Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from experiments.core.question import Value
from experiments.core.results import Run
from experiments.show.compare import CellPair, Comparison, Shift, baseline_shift
from experiments.show.report import NONE, counted, is_quick, is_trusted

WIDTH = 80
MOST_CELLS = 40  # on a terminal; JSON has them all
SPREAD = (
    "Intervals: 95%, each by itself, from the blocks of each run resampled. Two runs are also two "
    "times of day: a shift that all levels share is likely the machine's."
)


def to_text(found: Comparison) -> Iterator[str | Table]:
    """Doubts first, then the two runs, what was found, and the table."""
    for warning in found.doubts:
        yield _wrapped(f"NOT TO BE TRUSTED, {warning}")
    yield f"{found.a.question.name}: {_headline(found)}"
    yield from (_wrapped(f"{name}: {_run(run)}", "   ") for name, run in _runs(found))
    if found.is_exact:
        yield from _cell_table(found)
    else:
        yield _shift_table(found)
        if _has_intervals(found):
            yield _wrapped(SPREAD)
    yield from (_wrapped(line) for line in _remarks(found))
    yield ""


def _headline(found: Comparison) -> str:
    if found.is_exact:
        equal = len(found.cells) - len(found.mismatches)
        what = "figure" if _has_figures(found) else "cell"
        return f"{equal} of {counted(len(found.cells), what)} are the same in both runs"
    if not _has_intervals(found):
        return "a first look: too few blocks for intervals, so nothing is called"
    calls = [each.call for each in found.shifts]
    moved = calls.count("higher") + calls.count("lower")
    open_ = f", {calls.count('undecided')} undecided" if "undecided" in calls else ""
    return f"{moved} of {counted(len(calls), 'level')} moved beyond the margin{open_}"


def _has_figures(found: Comparison) -> bool:
    """True if a cell has several."""
    return len({cell.figure for cell in found.cells}) > 1


def _has_intervals(found: Comparison) -> bool:
    return all(each.difference.interval for each in found.shifts)


def _runs(found: Comparison) -> tuple[tuple[str, Run], ...]:
    return (("A", found.a), ("B", found.b))


def _run(run: Run) -> str:
    """Which it was: folder, start, revision, blocks."""
    source = run.about.get("source") or {}
    revision = str(source.get("git_revision") or "revision unknown")[:10]
    dirt = " with changes" if source.get("git_dirty") else ""
    repeats = counted(int(run.about.get("repeats", 0)), "repeat")
    quick = ", a first look" if is_quick(run) else ""
    return f"{run.directory} ({run.about.get('start', '')}; {revision}{dirt}; {repeats}{quick})"


def _shift_table(found: Comparison) -> Table:
    unit = found.a.question.unit
    heads = ("level", f"A [{unit}]", "B", "B - A", "95% interval", "call")
    shown = len(heads) if _has_intervals(found) else len(heads) - 2
    table = _table(heads[:shown], words=(0, 5))
    for each in found.shifts:
        table.add_row(*_shift(each, _margin(found))[:shown])
    return table


def _shift(each: Shift, margin: float) -> tuple[str, ...]:
    interval = each.difference.interval
    a, b = each.medians
    call = {"no difference that matters": f"within ±{margin:g}"}.get(each.call, each.call)
    return (
        each.level,
        f"{a:.3f}",
        f"{b:.3f}",
        f"{each.difference.estimate:+.3f}",
        f"{interval.low:+.3f} to {interval.high:+.3f}" if interval else NONE,
        call if interval else NONE,
    )


def _margin(found: Comparison) -> float:
    return min(found.a.question.margin, found.b.question.margin)


def _cell_table(found: Comparison) -> Iterator[Table | str]:
    if not found.mismatches:
        return
    keys = tuple(found.mismatches[0].key)
    figure = _has_figures(found)
    heads = (*keys, "figure") if figure else keys
    table = _table((*heads, "A", "B"), words=range(len(heads)))
    for cell in found.mismatches[:MOST_CELLS]:
        report = (*cell.key.values(), cell.figure) if figure else cell.key.values()
        table.add_row(*map(_value, report), _values(cell.a), _values(cell.b))
    yield table
    if len(found.mismatches) > MOST_CELLS:
        yield f"and {len(found.mismatches) - MOST_CELLS} more (--format json has all)"


def _table(heads: Sequence[str], words: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for at, head in enumerate(heads):
        table.add_column(head, justify="left" if at in words else "right", overflow="fold")
    return table


def _remarks(found: Comparison) -> Iterator[str]:
    if found.is_itself:
        yield "A and B are the same measurement: this shows only what two such runs could tell apart."
    moved = baseline_shift(found)
    if moved:
        yield (
            f"The baseline, {moved.level}, is itself {moved.call} by "
            f"{abs(moved.difference.estimate):.3f} {found.a.question.unit}: look at the machine first."
        )
    for name, only in (("A", found.only_a), ("B", found.only_b)):
        if only:
            yield f"Only in {name}, not compared: {', '.join(only)}."


def _values(values: tuple[Value, ...]) -> str:
    return ", ".join(map(_value, values))


def _value(value: Value) -> str:
    return NONE if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def to_json(found: Comparison) -> dict[str, Any]:
    """One experiment of the document that `--format json` prints."""
    return {
        "experiment": found.a.question.name,
        "unit": found.a.question.unit,
        "margin": _margin(found),
        "runs": {name.lower(): _run_json(run) for name, run in _runs(found)},
        "levels": [_shift_json(each) for each in found.shifts],
        "cells": [_cell_json(each) for each in found.cells],
        "only_in_a": list(found.only_a),
        "only_in_b": list(found.only_b),
    }


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "directory": str(run.directory),
        "start": run.about.get("start"),
        "repeats": run.about.get("repeats"),
        "trusted": is_trusted(run),
        "reasons": list((run.about.get("verdict") or {}).get("reasons", ())),
        "source": run.about.get("source"),
    }


def _shift_json(each: Shift) -> dict[str, Any]:
    sides = {
        name: {"median": median, "repeats": repeats, "samples": samples}
        for name, median, repeats, samples in zip(
            ("a", "b"), each.medians, each.repeats, each.samples, strict=True
        )
    }
    return {"level": each.level, **sides, **asdict(each.difference), "call": each.call}


def _cell_json(each: CellPair) -> Mapping[str, Any]:
    return {
        "cell": each.key,
        "figure": each.figure,
        "a": each.a,
        "b": each.b,
        "equal": each.is_equal,
    }
