"""`overlaylab run`: measures one experiment or a suite of them, and draws the reports."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.model.errors import HostError, OverlayError, UsageError
from experiments.cli.doctor import assert_host_ready
from experiments.cli.printed import print_chapter, print_run, print_suite
from experiments.cli.request import SEED_MAX, Options, experiments_of, request_of
from experiments.cli.status import APP, DATAPATH, FORMAT, Status

if TYPE_CHECKING:
    from experiments.core.suite import Suite
    from experiments.measure.runner import Request
    from experiments.show.pages.chapter import Chapter

ROOT = Path(__file__).resolve().parents[2]


def results_folder() -> Path:
    """Where runs are written by default: in results/ of the checkout, or else of the working directory."""
    is_checkout = (ROOT / "pyproject.toml").is_file()
    return ROOT / "results" if is_checkout else Path.cwd() / "results"


@click.command()
@click.argument("experiment", nargs=-1)
@click.option(
    "--scenario",
    help="A name, or a .yaml file.  [default: that of the experiment, mostly article]",
)
@click.option(
    "--modes",
    help="Such as gre-mesh,vxlan-l2pop: how they differ from the first is the first finding.  "
    "`overlaylab list` shows all.",
)
@click.option(
    "--hosts",
    type=click.IntRange(min=2),
    help="Compute hosts; more than the scenario has are added.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    help="Repeats; each starts every lab again.  [default: that of the experiment]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEED_MAX),
    help="Random seed for the order of labs; a new one by default.",
)
@click.option(
    "--quick", is_flag=True, help="Quick run: seconds, one repeat, no confidence intervals."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=results_folder,
    help="Where the folder of the run is made.  [default: results/ of the checkout, else ./results]",
)
@APP
@DATAPATH
@FORMAT
def run(experiment: tuple[str, ...], **given: Any) -> int:
    """Measure EXPERIMENTs (default: latency, mtu and fanout) on new labs; needs root.

    An EXPERIMENT is a name that `overlaylab list` shows, `all`, or a .py file (docs/extend.md).

    Exit status: 0 done and trusted, 1 an exact prediction was refuted, 3 done but unreliable.

    Example: sudo overlaylab run fanout --quick

    Example: sudo overlaylab run latency --modes gre-mesh,vxlan-mesh --repeats 6
    """
    from experiments.cli.measure import dated, measured

    options = Options(**given)
    wanted = experiments_of(experiment)
    requests = [request_of(each, options) for each in wanted]
    _assert_distinct([request.name for request in requests])
    assert_host_ready(tun=options.datapath == "netdev")
    if len(requests) == 1:
        (request,) = requests
        chapter = measured(replace(request, name=dated(request.name)), request.name)
        print_run(chapter, options.output)
        return _exit_status((chapter,))
    return _suite(requests, dated("suite"), options)


def _assert_distinct(names: Sequence[str]) -> None:
    """Each experiment has a folder with its name."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"{name!r} twice",
                where="experiments",
                allowed="distinct names",
                do="Run them one by one, or rename the Question of one.",
            )


def _suite(requests: "Sequence[Request]", name: str, options: Options) -> int:
    """Measure one after the other; if one fails the others are still measured."""
    from experiments.core.suite import begin_suite
    from experiments.measure.environment import argv, now
    from experiments.show.pages.redraw import write_suite

    names = [request.name for request in requests]
    suite = begin_suite(options.out, name, names, argv=argv(), start=now())
    with _marking(suite):
        chapters = [
            _chapter(
                replace(request, parent=suite.directory),
                f"{request.name} ({at} of {len(names)})",
                options,
            )
            for at, request in enumerate(requests, start=1)
        ]
    failed = [each.name for each in chapters if each.report is None]
    status = f"failed: {', '.join(failed)}" if failed else "complete"
    suite = suite.marked(status=status, end=now())
    files = write_suite(suite, chapters)
    print_suite(suite, chapters, files, options.output)
    return _exit_status(chapters)


def _chapter(request: "Request", title: str, options: Options) -> "Chapter":
    """One experiment of a suite, printed as soon as it is measured."""
    from experiments.cli.measure import measured
    from experiments.show.pages.chapter import Chapter

    try:
        chapter = measured(request, title)
    except HostError:
        raise  # the next experiment would fail as well
    except OverlayError as error:
        print(f"overlaylab: {request.name}: {error}", file=sys.stderr)
        directory = {"directory": str(request.parent / request.name)}
        chapter = Chapter(name=request.name, fault=str(error), files=directory)
    if options.output == "text":
        print_chapter(chapter, titled=True)
    return chapter


@contextmanager
def _marking(suite: "Suite") -> Iterator[None]:
    """Mark an interrupted suite, and draw what was measured."""
    from experiments.measure.environment import now
    from experiments.show.pages.redraw import redraw_suite

    try:
        yield
    except BaseException as error:
        print(f"overlaylab: incomplete suite: {suite.directory}", file=sys.stderr)
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {error}"
        with suppress(OverlayError):  # the first error is the one to report
            suite.marked(status=status, end=now())
            redraw_suite(suite.directory)
        raise


def _exit_status(chapters: "Sequence[Chapter]") -> int:
    reports = [chapter.report for chapter in chapters if chapter.report]
    refuted = any(each.trusted and each.is_refuted for each in reports)
    if refuted or len(reports) < len(chapters):
        return Status.FAILED
    return Status.DONE if all(each.trusted for each in reports) else Status.UNRELIABLE
