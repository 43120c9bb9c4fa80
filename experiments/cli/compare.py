"""`overlaylab compare`: two runs of one experiment, or two suites, held against each other."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from experiments.cli.report import assert_run
from topologies.errors import MeasureError, UsageError

if TYPE_CHECKING:
    from experiments.compare import Comparison
    from experiments.results import Run

JSON_FORMAT = 1
DONE, NOT_TRUSTED = 0, 3
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="What is printed: a table for people, or one JSON document.",
)  # fmt: skip
def compare(a: Path, b: Path, output: str) -> int:
    """Show what changed from run A to run B; two suites: experiment by experiment.

    Refused if the machines, settings or questions are not alike.  Exit status: 0 compared, whatever
    was found; 2 refused; 3 compared, but one run is not to be trusted.
    """
    from experiments.compare_text import to_json, to_text

    found, alone = _compared(a, b)
    if output == "json":
        document = {
            "format": JSON_FORMAT,
            "comparisons": [to_json(each) for each in found],
            **alone,
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(part for each in found for part in to_text(each))
        _print(
            f"Only in {side[-1].upper()}: {', '.join(names)}"
            for side, names in alone.items()
            if names
        )
    return NOT_TRUSTED if any(each.doubts for each in found) else DONE


commands = (compare,)


def _compared(a: Path, b: Path) -> "tuple[list[Comparison], dict[str, list[str]]]":
    """Every experiment that both have, and the names of those that only one has."""
    from experiments.compare import compare as compare_runs

    one, other = _runs(a), _runs(b)
    if (set(one) == {""}) != (set(other) == {""}):
        raise UsageError(
            "one is a suite, the other a run", where=f"{a} and {b}", allowed="two runs, or two suites",
            do="Name the experiment's own folder in the suite.",
        )  # fmt: skip
    both = [name for name in one if name in other]
    if not both:
        raise UsageError(
            f"{', '.join(one) or 'nothing'} in A, {', '.join(other) or 'nothing'} in B",
            where=f"{a} and {b}", allowed="an experiment that both have", do="Name two others.",
        )  # fmt: skip
    alone = {
        "only_in_a": [n for n in one if n not in both],
        "only_in_b": [n for n in other if n not in both],
    }
    return [compare_runs(_read(one[name]), _read(other[name])) for name in both], alone


def _runs(directory: Path) -> dict[str, Path]:
    """The folders of a suite's runs by experiment; of a single run, itself without a name."""
    from experiments.suite import is_suite, read_suite

    assert_run(directory)
    if not is_suite(directory):
        return {"": directory}
    try:
        names = read_suite(directory).names
    except MeasureError as error:
        raise _refused(error) from error
    return {name: directory / name for name in names if (directory / name).is_dir()}


def _read(directory: Path) -> "Run":
    from experiments.results import read

    try:
        return read(directory)
    except MeasureError as error:
        raise _refused(error) from error


def _refused(error: MeasureError) -> UsageError:
    """What cannot be read is wrong input here: nothing was measured."""
    return UsageError(error.found, where=error.where, allowed=error.allowed, do=error.do)


def _print(parts: object) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=80)
    for part in parts:  # type: ignore[attr-defined]
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
