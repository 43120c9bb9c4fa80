"""Tellers: a run's files in, its story out.  Pure, and no lab is needed."""

from importlib import import_module

from controller.model.errors import MeasureError
from experiments.core.results import Run
from experiments.show.story import Story, Told

# By the name that a question gives: `tell(run)` of the module.
NAMES = (
    "levels",
    "cells",
    "latency",
    "mtu",
    "fanout",
    "aa",
    "ecmp",
    "filter",
    "segments",
    "tunnels",
    "mactable",
    "state",
    "migration",
    "throughput",
    "walk",
)
SHARED = ("levels", "cells")
TELLERS = {
    name: f"experiments.show.{name}" if name in SHARED else f"experiments.{name}.report"
    for name in NAMES
}


def told(run: Run) -> Told:
    """The run with its story.

    Raises:
        MeasureError: its question names a teller that there is not, or the samples are not usable.
    """
    name = run.question.teller
    if name not in TELLERS:
        raise MeasureError(
            f"teller {name!r}",
            where=str(run.directory / "run.json"),
            allowed=", ".join(TELLERS),
            do="Name one of them in the experiment's Question.",
        )
    story: Story = import_module(TELLERS[name]).tell(run)
    return Told(run=run, story=story)
