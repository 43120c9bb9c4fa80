"""The experiment `aa`: the same mode against itself, to see how often nothing is called something."""

from dataclasses import dataclass

from controller.model.errors import MeasureError
from experiments.aa.question import QUESTION, WARM, WARMUP
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point
from experiments.latency.question import THRESHOLDS
from experiments.measure.ping import Pinged, Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPings:
    """Ping from guest to guest: a few times to warm up, then for the record."""

    warmup: Requests
    warm: Requests

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: not one reply came while warm, or ping could not be read.
        """
        warmup = _pinged(lab, context, WARMUP, self.warmup)
        with context.watch():
            warm = _pinged(lab, context, WARM, self.warm)
        if warm.lost == len(warm.replies):
            raise _silent(point)
        phases = ((WARMUP, self.warmup, warmup), (WARM, self.warm, warm))
        rows = (
            {"phase": phase, **row} for phase, asked, found in phases for row in asked.rows(found)
        )
        return Measured(rows=tuple(rows), lost=warm.lost, duplicates=warm.duplicates)


def _pinged(lab: Lab, context: Context, phase: str, asked: Requests) -> Pinged:
    """One run of ping, kept raw."""
    source, target = guests(lab.overlay)
    argv = asked.argv(target.ipv4[0])
    # Exit status 1 is ping's word for loss, which is a result here.
    done = lab.attempt(source.device_id, *argv, timeout_s=asked.timeout_s)
    context.keep(
        f"ping-{phase}.txt", f"# {source.device_id}: {' '.join(argv)}\n{done.stdout}{done.stderr}"
    )
    return asked.read(done.stdout)


def _silent(point: Point) -> MeasureError:
    return MeasureError(
        "not one reply",
        where=f"ping from guest to guest ({dict(point)})",
        allowed="replies",
        do="Raise the same lab with `overlaylab up` and look; raw/ has ping's output.",
    )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=WarmPings(warmup=Requests(count=5), warm=Requests(count=30)),
    quick=WarmPings(warmup=Requests(count=3), warm=Requests(count=15)),
    thresholds=THRESHOLDS,
    watches=True,
    repeats=24,
    narrow=narrowed,
)
