"""The experiment `aa`: compares a mode with itself, to count false positives."""

from dataclasses import dataclass
from functools import partial

from experiments.aa.question import QUESTION
from experiments.aa.words import WARM, WARMUP
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point
from experiments.latency.pings import guest_path, no_reply, ping
from experiments.latency.question import THRESHOLDS
from experiments.measure.ping import Pinged, Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPings:
    """Ping from guest to guest: a warm-up, then the samples."""

    warmup: Requests
    warm: Requests

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: every warm ping was lost, or ping's output could not be read.
        """
        path = guest_path(guests(lab.overlay))

        def pinged(phase: str, asked: Requests) -> Pinged:
            return ping(lab, path, asked, partial(context.keep, f"ping-{phase}.txt"))

        warmup = pinged(WARMUP, self.warmup)
        with context.watch():
            warm = pinged(WARM, self.warm)
        if warm.lost == len(warm.replies):
            raise no_reply(path, point)
        phases = ((WARMUP, self.warmup, warmup), (WARM, self.warm, warm))
        rows = (
            {"phase": phase, **row} for phase, asked, found in phases for row in asked.rows(found)
        )
        return Measured(rows=tuple(rows), lost=warm.lost, duplicates=warm.duplicates)


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=WarmPings(warmup=Requests(count=5), warm=Requests(count=30)),
    quick=WarmPings(warmup=Requests(count=3), warm=Requests(count=15)),
    thresholds=THRESHOLDS,
    watches=True,
    repeats=24,
    narrow=narrowed,
)
