"""Measures one experiment on real labs, shows its progress and draws its report."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from controller.model.errors import HostError, OverlayError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from controller.model.overlay import Overlay
    from controller.model.sites import Sites
    from experiments.core.experiment import Lab
    from experiments.core.results import Recorder
    from experiments.measure.runner import Request, Say
    from experiments.show.pages.chapter import Chapter

REFRESH_HZ = 4
MINUTE_S = 60


def dated(name: str) -> str:
    """The name of a new folder: the time, so that folders sort by it, and `name`."""
    from experiments.measure.environment import now

    return f"{now().replace('-', '').replace(':', '')}-{name}"


def measured(request: "Request", title: str) -> "Chapter":
    """Measure and draw; an incomplete run is drawn too, if it has enough samples.

    Raises:
        OverlayError: the run is incomplete; its folder is printed on stderr.
    """
    from experiments.measure.runner import begin
    from experiments.show.pages.redraw import redraw

    recorder = begin(request)
    with shown(title, time.monotonic) as say:
        try:
            _perform(request, recorder, say)
        except BaseException:
            print(f"overlaylab: incomplete run: {recorder.directory}", file=sys.stderr)
            with suppress(OverlayError):  # it may have too few samples
                redraw(recorder.directory)
            raise
        rounds = request.repeats * len(request.question.points())
        say(rounds, rounds, "drawing")
        with suppress(OverlayError):  # `redraw` reports what is wrong with the files
            _settle(recorder.directory)
        return redraw(recorder.directory)


def _settle(directory: "Path") -> None:
    """Record that the run is not trusted if a prediction was refuted while a control failed."""
    from experiments.core.results import read, write_about
    from experiments.core.verdict import settled
    from experiments.show.reports import report_on

    run = read(directory)
    recorded = run.about["verdict"]
    if recorded["doubts"]:
        verdict = settled(recorded, is_refuted=report_on(run).is_refuted)
        write_about(directory, {**run.about, "verdict": verdict})


def _perform(request: "Request", recorder: "Recorder", say: "Say") -> None:
    from experiments.measure.runner import perform
    from topologies.lab import started
    from topologies.lab.signals import interrupts

    lab = partial(started, datapath=str(request.lab["datapath"]), app=str(request.lab["app"]))
    # Between two labs too, SIGTERM must leave a run marked as interrupted.
    with interrupts():
        perform(request, recorder, partial(_lab, lab), say=say)


@contextmanager
def _lab(
    started: "Callable[[Overlay | Sites], AbstractContextManager[Lab]]",
    overlay: "Overlay | Sites",
) -> "Iterator[Lab]":
    """A lab; an exit of Mininet, which would end the program, becomes a HostError."""
    with ExitStack() as stack:
        try:
            lab = stack.enter_context(started(overlay))
        except SystemExit as end:
            raise HostError(
                f"Mininet exited with status {end.code}",
                where="this machine",
                allowed="a host on which Mininet can make nodes and links",
                do="`overlaylab doctor` shows what is missing.",
            ) from end
        yield lab


@dataclass(slots=True)
class Pace:
    """The time that the finished rounds took, and an estimate for the others."""

    clock: Callable[[], float]
    started_s: float = field(init=False)
    done: int = 0
    done_s: float = 0.0  # when the last round ended, since the start

    def __post_init__(self) -> None:
        self.started_s = self.clock()

    @property
    def elapsed_s(self) -> float:
        """The time since the start."""
        return self.clock() - self.started_s

    def reach(self, done: int) -> None:
        """Note how many rounds are done."""
        if done != self.done:
            self.done, self.done_s = done, self.elapsed_s

    def left_s(self, rounds: int) -> float | None:
        """The time left at the mean pace so far; None before the first round ends."""
        if not self.done:
            return None
        return max(0.0, self.done_s / self.done * rounds - self.elapsed_s)

    def forecast(self, rounds: int) -> str:
        """`, about 2 min left`; empty before the first round ends, and once the estimate is used up."""
        left = self.left_s(rounds)
        return f", about {left_text(left)} left" if left else ""


def left_text(seconds: float) -> str:
    """`40 s`, `2 min`, `1 h 20 min`: rounded up, since it is an estimate."""
    if seconds <= MINUTE_S:
        return f"{max(1, ceil(seconds / 10)) * 10} s"
    minutes = ceil(seconds / MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def clock_text(seconds: float) -> str:
    """`1:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def shown(title: str, clock: Callable[[], float]) -> "Iterator[Say]":
    """Show which lab is measured, and the time elapsed and left.

    Without a terminal: a line on stderr when a lab is started, and one for what comes after them.
    """
    if not sys.stderr.isatty():
        yield _Lines(title, Pace(clock)).say
        return
    live = _Live(title, Pace(clock))
    with Live(
        console=Console(stderr=True),
        get_renderable=live.parts,
        transient=True,
        refresh_per_second=REFRESH_HZ,
    ):
        yield live.say


@dataclass(slots=True)
class _Lines:
    """One line for each lab, for logs."""

    title: str
    pace: Pace
    last: int = -1

    def say(self, done: int, labs: int, now: str, doing: str = "") -> None:
        del doing
        self.pace.reach(done)
        if done != self.last:
            self.last = done
            print(f"{self.title}: {now}{self.pace.forecast(labs)}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class _Live:
    """Two lines: the lab with the times, and what is measured in it."""

    title: str
    pace: Pace
    labs: int = 0
    now: str = "starting"
    doing: str = ""

    def say(self, done: int, labs: int, now: str, doing: str = "") -> None:
        self.pace.reach(done)
        self.labs, self.now, self.doing = labs, now, doing

    def parts(self) -> RenderableType:
        elapsed = clock_text(self.pace.elapsed_s)
        line = f"{self.title}: {self.now}{self.pace.forecast(self.labs)} ({elapsed})"
        parts = (
            Text(text, style=style, overflow="ellipsis", no_wrap=True)
            for text, style in ((line, ""), (f"  {self.doing}" if self.doing else "", "dim"))
        )
        return Group(*parts)
