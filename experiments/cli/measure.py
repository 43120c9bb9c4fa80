"""Measures one experiment on real labs, shows its progress and draws its report."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from controller.model.errors import HostError, OverlayError
from experiments.cli.progress import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from controller.model.overlay import Overlay
    from controller.model.sites import Sites
    from experiments.core.experiment import Lab
    from experiments.core.results import Recorder
    from experiments.measure.runner import Request, Say
    from experiments.show.pages.chapter import Chapter


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
        return redraw(recorder.directory)


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
