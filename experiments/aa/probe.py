"""The experiment `aa`: the same mode against itself, to see how often nothing is called something."""

from dataclasses import dataclass

from controller.model.errors import MeasureError
from experiments.aa.check import ALLOWED, DRAWS, PER_DRAW, chance_of_more
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Prediction, Question
from experiments.latency.question import THRESHOLDS
from experiments.measure.ping import Pinged, Requests

WARMUP, WARM = "warmup", "warm"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPings:
    """Ping from guest to guest: a few times to warm up, then for the record."""

    warmup: Requests
    warm: Requests

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: not one reply came while warm, or ping could not be read.
        """
        warmup = _pinged(bench, tools, WARMUP, self.warmup)
        with tools.watch():
            warm = _pinged(bench, tools, WARM, self.warm)
        if warm.lost == len(warm.replies):
            raise _silent(point)
        phases = ((WARMUP, self.warmup, warmup), (WARM, self.warm, warm))
        rows = (
            {"phase": phase, **row} for phase, asked, found in phases for row in asked.rows(found)
        )
        return Measured(rows=tuple(rows), lost=warm.lost, duplicates=warm.duplicates)


def _pinged(bench: Bench, tools: Tools, phase: str, asked: Requests) -> Pinged:
    """One run of ping, kept raw."""
    source, target = guests(bench.overlay)
    argv = asked.argv(target.ipv4[0])
    # Exit status 1 is ping's word for loss, which is a result here.
    done = bench.attempt(source.device_id, *argv, timeout_s=asked.timeout_s)
    tools.keep(
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


AA = Experiment(
    question=Question(
        name="aa",
        asks="How often is a mode called different from itself, by what compares modes?",
        unit="ms",
        value="rtt_ms",
        factors={"mode": ("vxlan-l2pop",), "label": ("a", "b")},
        compared={"phase": WARM},
        teller="aa",
        predictions=(
            Prediction(
                of="itself",
                says=(
                    f"of {DRAWS} draws of {PER_DRAW} blocks at most {ALLOWED} are called different"
                ),
                because=(
                    "intervals of 95% leave out the truth one time in twenty, and more than "
                    f"{ALLOWED} of {DRAWS} has a chance of {chance_of_more():.1%} (binomial)"
                ),
            ),
        ),
        columns={
            "mode": "how the overlay is carried, the same in all labs",
            "label": "a or b: labs of a block differ in nothing else; their order is drawn",
            "phase": "warmup: thrown away; warm: compared",
            "interval_ms": "interval asked of ping; it keeps a longer one",
            "payload_bytes": "ICMP payload; the IP packet has 28 bytes more",
            "seq": "ICMP sequence number within its phase, from 1",
            "received_s": "Unix time at which ping read the reply; empty if lost",
            "rtt_ms": "round-trip time as ping printed it (3 digits); empty if lost",
            "copies": "replies beyond the first",
        },
    ),
    probe=WarmPings(warmup=Requests(count=5), warm=Requests(count=30)),
    quick=WarmPings(warmup=Requests(count=3), warm=Requests(count=15)),
    thresholds=THRESHOLDS,
    watches=True,
    blocks=24,
    narrow=narrowed,
)
