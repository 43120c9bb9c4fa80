"""`overlaylab run`: measure, judge, draw."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.cli.ask import SEED_MAX, Asked, experiments_of, request_of
from experiments.cli.doctor import assert_host_ready
from topologies.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from experiments.experiment import Bench
    from experiments.results import Recorder
    from experiments.runner import Request, Say
    from experiments.story import Told
    from topologies.model import Overlay

RESULTS = Path(__file__).resolve().parents[2] / "results"
JSON_FORMAT = 1
DONE, FAILED, NOT_TRUSTED = 0, 1, 3


@click.command()
@click.argument("experiment", nargs=-1)
@click.option("--scenario", default="article", show_default=True, help="A name, or a .yaml file.")
@click.option("--modes", help="Such as flat,gre-mesh,vxlan-l2pop; `overlaylab list` shows them.")
@click.option("--hosts", type=click.IntRange(min=2), help="Compute hosts, the scenario's and more.")
@click.option("--repeats", type=click.IntRange(min=1), help="Blocks: all points, freshly raised.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), help="Of the order; default: a new one.")
@click.option("--quick", is_flag=True, help="Seconds, for a first look: one block, no intervals.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS,
    help="The folder in which the run's own folder is made.  [default: results/ of the project]",
)  # fmt: skip
@click.option("--app", type=click.Choice(["os-ken", "ryu"]), default="os-ken", show_default=True)
@click.option(
    "--datapath", type=click.Choice(["netdev", "system"]), default="netdev", show_default=True,
    help="OVS in user space, or (experimental) in the kernel.",
)  # fmt: skip
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="What is printed: a table for people, or one JSON document.",
)  # fmt: skip
def run(experiment: tuple[str, ...], **options: Any) -> int:
    """Measure EXPERIMENTs (default: latency, mtu and fanout) on freshly raised labs; needs root.

    Exit status: 0 done and trusted, 1 an exact expectation failed, 3 done but not to be trusted.
    """
    asked = Asked(**options)
    results = _measured(_requests(experiment, asked), asked)
    if asked.output == "json":
        _print_json(results)
    if not all(told.trusted for told, _ in results):
        return NOT_TRUSTED
    return FAILED if any(told.story.is_refuted for told, _ in results) else DONE


commands = (run,)


def _requests(names: tuple[str, ...], asked: Asked) -> "list[Request]":
    """A folder for the run; in it a folder for each experiment if there are several."""
    from experiments.instruments.environment import now

    stamp = now().replace("-", "").replace(":", "")
    wanted = experiments_of(names)
    if len(wanted) == 1:
        only = wanted[0].question.name
        return [request_of(wanted[0], asked, asked.out, f"{stamp}-{only}")]
    suite = asked.out / f"{stamp}-suite"
    return [request_of(each, asked, suite, each.question.name) for each in wanted]


def _measured(requests: "list[Request]", asked: Asked) -> "list[tuple[Told, dict[str, str]]]":
    assert_host_ready()
    return [_perform(request, asked) for request in requests]


def _perform(request: "Request", asked: Asked) -> "tuple[Told, dict[str, str]]":
    from experiments.report.redraw import redraw
    from experiments.runner import begin

    recorder = begin(request)
    with _saying(request) as say:
        try:
            _measure(request, recorder, say)
        except BaseException:
            print(f"overlaylab: what was measured: {recorder.directory}", file=sys.stderr)
            raise
        told, files = redraw(recorder.directory)
    if asked.output == "text":
        _print_text(told, files)
    return told, files


def _measure(request: "Request", recorder: "Recorder", say: "Say") -> None:
    from experiments.runner import perform
    from topologies.lab import raised
    from topologies.lab.signals import interrupts

    lab = partial(raised, datapath=str(request.lab["datapath"]), app=str(request.lab["app"]))
    # Between two labs too, SIGTERM must leave a result that says that it was interrupted.
    with interrupts():
        perform(request, recorder, partial(_lab, lab), say=say)


@contextmanager
def _lab(
    raised: "Callable[[Overlay], AbstractContextManager[Bench]]", overlay: "Overlay"
) -> "Iterator[Bench]":
    """A lab; where Mininet finds the host lacking it would end the whole program."""
    with ExitStack() as stack:
        try:
            lab = stack.enter_context(raised(overlay))
        except SystemExit as end:
            raise HostError(
                f"Mininet gave up (exit status {end.code})",
                where="this machine",
                allowed="a host on which Mininet can make nodes and links",
                do="`overlaylab doctor` tells what is missing.",
            ) from end
        yield lab


@contextmanager
def _saying(request: "Request") -> "Iterator[Say]":
    """Shows what is going on, on standard error and only to a terminal."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda done, rounds, now: status.update(
            f"{request.question.name} {done}/{rounds}: {now}"
        )


def _print_text(told: "Told", files: dict[str, str]) -> None:
    from rich.console import Console

    from experiments.report.text import terminal_lines

    console = Console(highlight=False)
    for line in terminal_lines(told):
        console.print(line, soft_wrap=isinstance(line, str), markup=False)
    console.print(f"Verdict: {told.verdict}", soft_wrap=True, markup=False)
    for kind, path in files.items():
        console.print(f"{kind + ':':<10} {path}", soft_wrap=True, markup=False)


def _print_json(results: "list[tuple[Told, dict[str, str]]]") -> None:
    from experiments.report.text import to_json

    runs = [to_json(told, files) for told, files in results]
    print(json.dumps({"format": JSON_FORMAT, "runs": runs}, indent=2, ensure_ascii=False))
