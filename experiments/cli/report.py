"""`overlaylab report`: draws a run or a suite again from its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from controller.model.errors import MeasureError, UsageError
from experiments.cli.printed import print_chapter, print_run, print_suite
from experiments.cli.status import FORMAT


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@FORMAT
def report(directory: Path, output: str) -> None:
    """Draw the run or the suite in DIR again from its files; needs neither root nor OVS.

    Exit status: 0 drawn, whatever the verdict; 2 DIR has no run that can be drawn.

    Example: overlaylab report results/reference/walk
    """
    from experiments.core.suite import is_suite
    from experiments.show.pages.redraw import redraw

    assert_run(directory)
    with as_wrong_use():
        if is_suite(directory):
            _suite(directory, output)
        else:
            print_run(redraw(directory), output)


@contextmanager
def as_wrong_use() -> Iterator[None]:
    """Turn errors in the files of a run into wrong use, since nothing is measured here."""
    try:
        yield
    except MeasureError as error:
        raise UsageError(
            error.found, where=error.where, allowed=error.allowed, do=error.do
        ) from error


def assert_run(directory: Path) -> None:
    """Check that the folder is that of a run or a suite.

    Raises:
        UsageError: it is not.
    """
    try:
        is_there = (directory / "run.json").is_file()
        found = "no run.json in it" if directory.is_dir() else "no such folder"
    except OSError as error:  # no permission, or too long a name
        is_there, found = False, error.strerror or str(error)
    if not is_there:
        raise UsageError(
            found,
            where=str(directory),
            allowed="the folder of a run, or of a suite of them",
            do="`overlaylab run` prints the folder of a run; most are in results/.",
        )


def _suite(directory: Path, output: str) -> None:
    from experiments.show.pages.redraw import redraw_suite

    suite, chapters, files = redraw_suite(directory)
    for each in chapters if output == "text" else ():
        print_chapter(each, titled=True)
    print_suite(suite, chapters, files, output)
    missing = [each for each in chapters if each.report is None]
    if suite.status == "complete" and missing:  # files were damaged after the run
        raise UsageError(
            f"no report of {', '.join(each.name for each in missing)} ({missing[0].fault.rstrip('.')})",
            where=str(directory),
            allowed="a suite with all of its runs",
            do="The others are drawn; restore the missing files.",
        )
