"""`overlaylab run`: measure, judge, draw."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from experiments.catalogue import EXPERIMENTS
from experiments.cli.doctor import assert_host_ready
from topologies.errors import HostError, MeasureError, ModelError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from experiments.experiment import Bench, Experiment
    from experiments.report import Told
    from experiments.results import Recorder
    from experiments.runner import Request
    from topologies.model import Overlay

RESULTS = Path(__file__).resolve().parents[2] / "results"
JSON_FORMAT = 1
DONE, NOT_TRUSTED = 0, 3
SEED_MAX = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command line."""

    scenario: str
    modes: str | None
    hosts: int | None
    repeats: int | None
    seed: int | None
    quick: bool
    out: Path
    app: str
    datapath: str
    output: str


@click.command()
@click.argument("experiment", nargs=-1)
@click.option("--scenario", default="article", show_default=True, help="A name, or a .yaml file.")
@click.option("--modes", help="Such as flat,gre-mesh,vxlan-l2pop; `overlaylab list` shows them.")
@click.option("--hosts", type=click.IntRange(min=2), help="Compute hosts, the scenario's and more.")
@click.option("--repeats", type=click.IntRange(min=1), help="Blocks: all modes, freshly raised.")
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
def run(experiment: tuple[str, ...], **options: object) -> int:
    """Measure EXPERIMENTs (default: all) on freshly raised labs; needs root.

    Exit status: 0 done and trusted, 1 an expectation failed, 3 done but not to be trusted.
    """
    asked = Asked(**options)  # type: ignore[arg-type]  # click has checked them
    requests = [_request(name, asked) for name in _names(experiment)]
    assert_host_ready()
    results = [_perform(request, asked) for request in requests]
    if asked.output == "json":
        _print_json(results)
    return DONE if all(told.trusted for told, _ in results) else NOT_TRUSTED


commands = (run,)


def _names(asked: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(name for name, _ in EXPERIMENTS)
    for name in asked:
        if name not in known:
            raise UsageError(
                repr(name), where="experiment", allowed=", ".join(known), do="Pick one of them."
            )
    return tuple(dict.fromkeys(asked)) or known


def _request(name: str, asked: Asked) -> "Request":
    """What the command line asks of one experiment; every fault in it is found before root is."""
    from experiments.find import find
    from experiments.runner import Request

    experiment = find(name)
    settings = experiment.quick if asked.quick else experiment.full
    overlay, modes = _overlay(asked), _modes(asked, experiment)
    _assert_carried(overlay, modes)
    return Request(
        experiment=experiment,
        overlay=overlay,
        modes=modes,
        settings=replace(settings, blocks=asked.repeats or settings.blocks),
        seed=_seed() if asked.seed is None else asked.seed,
        quick=asked.quick,
        lab={"datapath": asked.datapath, "app": asked.app},
        parent=asked.out,
    )


def _overlay(asked: Asked) -> "Overlay":
    """The scenario with the network that is measured and no other."""
    from experiments.latency import narrowed
    from topologies.enlarge import enlarge
    from topologies.scenario import load

    overlay = load(asked.scenario).overlay
    try:
        return narrowed(enlarge(overlay, asked.hosts) if asked.hosts else overlay)
    except MeasureError as error:
        raise UsageError(
            error.found, where=f"scenario {asked.scenario!r}", allowed=error.allowed, do=error.do
        ) from error


def _assert_carried(overlay: "Overlay", modes: tuple[str, ...]) -> None:
    from topologies.modes import parse_mode, with_mode

    for mode in modes:
        try:
            with_mode(overlay, parse_mode(mode))
        except ModelError as error:
            raise UsageError(
                f"cannot carry overlay {overlay.name!r} ({str(error).rstrip('.')})",
                where=f"mode {mode}",
                allowed="modes that can carry the scenario",
                do="Leave it out with --modes, or take another scenario.",
            ) from error


def _modes(asked: Asked, experiment: "Experiment") -> tuple[str, ...]:
    from topologies.modes import parse_mode

    if asked.modes is None:
        return tuple(map(str, experiment.factors["mode"]))
    return tuple(dict.fromkeys(str(parse_mode(text.strip())) for text in asked.modes.split(",")))


def _seed() -> int:
    return int.from_bytes(os.urandom(4), "big")


def _perform(request: "Request", asked: Asked) -> "tuple[Told, dict[str, str]]":
    from experiments.draw import redraw
    from experiments.runner import begin

    recorder = begin(request)
    with _saying(asked) as say:
        try:
            _measure(request, recorder, say)
        except BaseException:
            print(f"overlaylab: what was measured: {recorder.directory}", file=sys.stderr)
            raise
        say("drawing")
        told, files = redraw(recorder.directory, request.experiment)
    if asked.output == "text":
        _print_text(told, files)
    return told, files


def _measure(request: "Request", recorder: "Recorder", say: "Callable[[str], None]") -> None:
    from experiments.runner import perform
    from topologies.lab import raised
    from topologies.lab.signals import interrupts

    datapath, app = str(request.lab["datapath"]), str(request.lab["app"])
    # Between two labs too, SIGTERM must leave a result that says that it was interrupted.
    with interrupts():
        perform(
            request, recorder, partial(_lab, partial(raised, datapath=datapath, app=app)), say=say
        )


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
def _saying(asked: Asked) -> "Iterator[Callable[[str], None]]":
    """Shows what is going on, on standard error and only to a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(f"{asked.scenario}: {text}")


def _print_text(told: "Told", files: dict[str, str]) -> None:
    from rich.console import Console

    from experiments.report import terminal_lines, verdict_line

    console = Console(highlight=False)
    for line in terminal_lines(told):
        console.print(line, soft_wrap=isinstance(line, str), markup=False)
    console.print(f"Verdict: {verdict_line(told)}", soft_wrap=True, markup=False)
    for kind, path in files.items():
        console.print(f"{kind + ':':<10} {path}", soft_wrap=True, markup=False)


def _print_json(results: "list[tuple[Told, dict[str, str]]]") -> None:
    from experiments.report import to_json

    runs = [to_json(told, files) for told, files in results]
    print(json.dumps({"format": JSON_FORMAT, "runs": runs}, indent=2, ensure_ascii=False))
