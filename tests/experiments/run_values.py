"""Runs as values: rows in, a `Run` with frames out, without files."""

from dataclasses import replace

import polars as pl

from experiments.core.results import Run, frame


def run_of_rows(directory, question, about, tables):
    """A run whose tables have these rows; a table may be a frame already."""
    return with_tables(Run(directory, question, about, {}), tables)


def with_tables(run, tables, **changes):
    """The run with these tables (rows or frames), and with other changes to its fields."""
    run = replace(run, **changes)
    columns = run.question.tables()
    return replace(
        run,
        tables={
            name: rows if isinstance(rows, pl.DataFrame) else frame(rows, columns[name])
            for name, rows in tables.items()
        },
    )
