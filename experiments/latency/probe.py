"""The experiment `latency`: what a tunnel, and the flooding mode, cost a ping."""

from dataclasses import dataclass, replace

from controller.model.parts import Port
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed, with_neighbour
from experiments.core.question import Point
from experiments.latency.caches import Scene, absent, first_pings
from experiments.latency.pings import (
    Pinger,
    guest_path,
    keeping,
    no_reply,
    same_host_path,
    veth_path,
    vtep_path,
)
from experiments.latency.question import MAIN, QUESTION, THRESHOLDS
from experiments.latency.stages import stage_rows
from experiments.latency.words import WARM, WARMUP
from experiments.measure.ping import ADAPTIVE, Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Ping from guest to guest: first in a new lab, warm, on the baselines, with one cache empty.

    Only the first ping and the warm-up come before what is compared; what stops traffic is last.
    """

    pings: int  # of the main condition, whose effects are judged
    warmup_pings: int
    conditions: tuple[Requests, ...]  # beside the main one
    baseline_pings: int  # on each other path, in the main condition
    baselines_in: str = "flat"  # the mode in whose labs they are measured
    cache_repeats: int  # with each cache empty but the next
    vtep_repeats: int = 1  # each waits for a lost packet
    stages_in: tuple[str, ...] = ("flat", "gre-mesh", "vxlan-l2pop")  # modes
    stage_pings: int = 20
    main: Requests = MAIN  # but for its count

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: every warm ping was lost, or ping's output could not be read.
        """
        pair, mode = guests(lab.overlay), point.get("mode")
        guest, one = guest_path(pair), self._of(1)
        with keeping(lab, context) as pinger:
            scene = Scene(pinger, *pair)
            known_at_start = scene.known_at_start()
            pinger.ping_once(guest, scene.new_lab, 1, one)
            pinger.ping(guest, WARMUP, self._of(self.warmup_pings))
            with context.watch():
                warm = pinger.ping(guest, WARM, self._of(self.pings))
            if warm.lost == self.pings:
                raise no_reply(guest, point)
            for condition in self.conditions:
                pinger.ping(guest, WARM, condition)
            others = self._baselines(pinger, pair) if mode == self.baselines_in else {}
            more = {}
            if mode in self.stages_in:  # not in all modes: captures delay the pings
                more["stages"] = stage_rows(lab, pair, context, pings=self.stage_pings)
            flushed = first_pings(
                scene, one, self.cache_repeats, self.vtep_repeats, turn=context.seed
            )
        return Measured(
            rows=tuple(pinger.rows),
            more=more,
            facts={
                "who_pinged_whom": {guest.name: guest.ends, **others},
                "known_at_start": known_at_start,
                "flushed": {**flushed, **absent(scene)},
                "kept_interval_ms": pinger.kept_interval_ms,
            },
            lost=warm.lost,
            duplicates=warm.duplicates,
        )

    def _of(self, count: int) -> Requests:
        return replace(self.main, count=count)

    def _baselines(self, pinger: Pinger, pair: tuple[Port, Port]) -> dict[str, str]:
        """Ping on each of the other paths; which node pinged which, by path."""
        with veth_path(pinger.lab, pair) as veth:
            paths = (veth, same_host_path(pinger.lab, pair), vtep_path(pinger.lab, pair))
            for path in paths:
                pinger.ping(path, WARMUP, self._of(self.warmup_pings))
                pinger.ping(path, WARM, self._of(self.baseline_pings))
        return {path.name: path.ends for path in paths}


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Pings(
        pings=80,
        warmup_pings=10,
        conditions=(
            Requests(count=15, payload_bytes=512),
            Requests(count=15, payload_bytes=1400),
            Requests(count=20, interval_ms=2),
            Requests(count=4, interval_ms=100),
            Requests(count=100, interval_ms=ADAPTIVE),
        ),
        baseline_pings=40,
        cache_repeats=3,
    ),
    quick=Pings(
        pings=50,
        warmup_pings=6,
        conditions=(
            Requests(count=8, payload_bytes=512),
            Requests(count=8, payload_bytes=1400),
            Requests(count=12, interval_ms=2),
            Requests(count=3, interval_ms=100),
            Requests(count=50, interval_ms=ADAPTIVE),
        ),
        baseline_pings=15,
        cache_repeats=1,
    ),
    thresholds=THRESHOLDS,
    watches=True,
    narrow=narrowed,
    stage=with_neighbour,
)
