"""`overlaylab compare`: compares two runs of one experiment, or two suites."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.model.errors import UsageError
from experiments.cli.printed import print_parts
from experiments.cli.report import as_wrong_use, assert_run
from experiments.cli.status import FORMAT, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from experiments.show.compare import Comparison

JSON_FORMAT = 2
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@FORMAT
def compare(a: Path, b: Path, output: str) -> int:
    """Show what changed from run A to run B; two suites: experiment by experiment.

    Refused if machines, settings or questions differ.  Exit status: 0 compared; 2 refused; 3 compared,
    but a run is unreliable.

    Example: overlaylab compare results/reference/walk results/reference/walk
    """
    from experiments.core.results import reporting_damage

    with as_wrong_use(), reporting_damage(f"{a} and {b}"):
        found, alone = _compared(a, b)
        parts = [_json(found, alone)] if output == "json" else list(_text(found, alone))
        is_doubted = any(each.doubts for each in found)
    if output == "json":
        print(*parts)
    else:
        print_parts(parts, width=80)
    return Status.UNRELIABLE if is_doubted else Status.DONE


def _json(found: "list[Comparison]", alone: "dict[str, list[str]]") -> str:
    from experiments.show.compare_text import to_json

    report = {"comparisons": [to_json(each) for each in found], **alone}
    return json.dumps({"format": JSON_FORMAT, **report}, indent=2, ensure_ascii=False)


def _text(found: "list[Comparison]", alone: "dict[str, list[str]]") -> "Iterator[str | Table]":
    from experiments.show.compare_text import to_text

    for each in found:
        yield from to_text(each)
    for side, names in alone.items():
        if names:
            yield f"Only in {side[-1].upper()}: {', '.join(names)}"


def _compared(a: Path, b: Path) -> "tuple[list[Comparison], dict[str, list[str]]]":
    """Every experiment that both have, and the names of those that only one has."""
    from experiments.core.results import read
    from experiments.show.compare import compare as compare_runs

    one, other = _runs(a), _runs(b)
    if (set(one) == {""}) != (set(other) == {""}):
        raise UsageError(
            "one is a suite, the other a run",
            where=f"{a} and {b}",
            allowed="two runs, or two suites",
            do="Give the folder of one experiment in the suite.",
        )
    both = [name for name in one if name in other]
    if not both:
        raise UsageError(
            f"{', '.join(one) or 'nothing'} in A, {', '.join(other) or 'nothing'} in B",
            where=f"{a} and {b}",
            allowed="an experiment that both have",
            do="Give two others.",
        )
    alone = {
        "only_in_a": [n for n in one if n not in both],
        "only_in_b": [n for n in other if n not in both],
    }
    return [compare_runs(read(one[name]), read(other[name])) for name in both], alone


def _runs(directory: Path) -> dict[str, Path]:
    """The folders of a suite's runs by experiment; a single run has the name ''."""
    from experiments.core.suite import is_suite, read_suite

    assert_run(directory)
    if not is_suite(directory):
        return {"": directory}
    names = read_suite(directory).names
    return {name: directory / name for name in names if (directory / name).is_dir()}
