"""`overlaylab run`: measure, judge, draw; one experiment, or a suite of them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.model.errors import HostError, OverlayError, UsageError
from experiments.cli.doctor import assert_host_ready
from experiments.cli.printed import (
    print_chapter,
    print_json,
    print_overview,
    print_paths,
    suite_document,
)
from experiments.cli.request import SEED_MAX, Asked, experiments_of, request_of

if TYPE_CHECKING:
    from experiments.core.suite import Suite
    from experiments.measure.runner import Request
    from experiments.show.pages.chapter import Chapter

RESULTS = Path(__file__).resolve().parents[2] / "results"
DONE, FAILED, NOT_TRUSTED = 0, 1, 3


@click.command()
@click.argument("experiment", nargs=-1)
@click.option(
    "--scenario",
    help="A name, or a .yaml file.  [default: the experiment's own, most often article]",
)
@click.option("--modes", help="Such as flat,gre-mesh,vxlan-l2pop; `overlaylab list` shows them.")
@click.option("--hosts", type=click.IntRange(min=2), help="Compute hosts, the scenario's and more.")
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    help="Blocks: all points, freshly raised.  [default: the experiment's own]",
)
@click.option("--seed", type=click.IntRange(0, SEED_MAX), help="Of the order; default: a new one.")
@click.option("--quick", is_flag=True, help="Seconds, for a first look: one block, no intervals.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    help="The folder in which the run's own folder is made.  [default: results/ of the project]",
)
@click.option("--app", type=click.Choice(["os-ken", "ryu"]), default="os-ken", show_default=True)
@click.option(
    "--datapath",
    type=click.Choice(["netdev", "system"]),
    default="netdev",
    show_default=True,
    help="OVS in user space, or (experimental) in the kernel.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed: a table for people, or one JSON document.",
)
def run(experiment: tuple[str, ...], **options: Any) -> int:
    """Measure EXPERIMENTs (default: latency, mtu and fanout) on freshly raised labs; needs root.

    An EXPERIMENT is a name of `overlaylab list`, `all`, or a .py file with one of your own (docs/extend.md).

    Exit status: 0 done and trusted, 1 an exact expectation failed, 3 done but not to be trusted.
    """
    from experiments.measure.environment import now

    asked = Asked(**options)
    wanted = experiments_of(experiment)
    requests = [request_of(each, asked, asked.out, each.question.name) for each in wanted]
    _assert_told_apart([request.name for request in requests])
    assert_host_ready()
    stamp = now().replace("-", "").replace(":", "")
    if len(requests) == 1:
        return _alone(replace(requests[0], name=f"{stamp}-{requests[0].name}"), asked)
    return _suite(requests, f"{stamp}-suite", asked)


commands = (run,)


def _assert_told_apart(names: Sequence[str]) -> None:
    """Each has a folder called like it."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two are called {name!r}",
                where="experiments",
                allowed="names that differ",
                do="Run them one by one, or name the Question of one otherwise.",
            )


def _alone(request: "Request", asked: Asked) -> int:
    from experiments.cli.measure import measured

    chapter = measured(request, request.question.name)
    if asked.output == "json":
        print_json((chapter,))
    else:
        print_chapter(chapter, titled=False)
        print_paths(chapter.files)
    return _exit_status((chapter,))


def _suite(requests: "Sequence[Request]", name: str, asked: Asked) -> int:
    """Measure one after the other; one that fails leaves the others to be measured."""
    from experiments.core.suite import begin_suite
    from experiments.measure.environment import argv, now
    from experiments.show.pages.redraw import bind

    names = [request.name for request in requests]
    suite = begin_suite(asked.out, name, names, argv=argv(), start=now())
    with _marking(suite):
        chapters = [
            _chapter(
                replace(request, parent=suite.directory),
                f"{request.name} ({at} of {len(names)})",
                asked,
            )
            for at, request in enumerate(requests, start=1)
        ]
    failed = [each.name for each in chapters if each.report is None]
    suite = suite.marked(status=_failed(failed) if failed else "complete", end=now())
    files = bind(suite, chapters)
    if asked.output == "json":
        print_json(chapters, suite_document(suite.status, files))
    else:
        print_overview(chapters)
        print_paths(files)
    return _exit_status(chapters)


def _failed(names: Sequence[str]) -> str:
    return f"failed: {', '.join(names)}"


def _chapter(request: "Request", title: str, asked: Asked) -> "Chapter":
    """One experiment of a suite, printed as soon as it is known."""
    from experiments.cli.measure import measured
    from experiments.show.pages.chapter import Chapter

    try:
        chapter = measured(request, title)
    except HostError:
        raise  # what this machine cannot, it cannot for the next one either
    except OverlayError as error:
        print(f"overlaylab: {request.name}: {error}", file=sys.stderr)
        directory = {"directory": str(request.parent / request.name)}
        chapter = Chapter(name=request.name, fault=str(error), files=directory)
    if asked.output == "text":
        print_chapter(chapter, titled=True)
    return chapter


@contextmanager
def _marking(suite: "Suite") -> Iterator[None]:
    """Where a suite is broken off, what was measured stays, is marked, and is told."""
    from experiments.measure.environment import now
    from experiments.show.pages.redraw import redraw_suite

    try:
        yield
    except BaseException as error:
        print(f"overlaylab: the suite: {suite.directory}", file=sys.stderr)
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {error}"
        with suppress(OverlayError):  # what broke the suite off is what is to be told
            suite.marked(status=status, end=now())
            redraw_suite(suite.directory)
        raise


def _exit_status(chapters: "Sequence[Chapter]") -> int:
    report = [chapter.report for chapter in chapters if chapter.report]
    refuted = any(each.trusted and each.is_refuted for each in report)
    if refuted or len(report) < len(chapters):
        return FAILED
    return DONE if all(each.trusted for each in report) else NOT_TRUSTED
