"""The experiment `latency`: what a tunnel, and its way of flooding, cost a ping."""

from dataclasses import dataclass, replace

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed, with_neighbour
from experiments.core.question import Point, Row
from experiments.latency.cold import FirstPings, Scene, absent
from experiments.latency.paths import Path, guest_path, same_host_path, veth_path, vtep_path
from experiments.latency.pings import WARM, WARMUP, Pinger, keeping
from experiments.latency.question import MAIN, QUESTION, THRESHOLDS
from experiments.latency.stages_probe import stage_rows
from experiments.measure.ping import ADAPTIVE, Requests

__all__ = ["EXPERIMENT", "Pings", "guests", "narrowed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Ping from guest to guest: cold as raised, warm, along the baselines, and with one thing cold.

    What stops the traffic comes last; what is compared comes before all but the warm-up.
    """

    pings: int  # of the main condition, which effects are judged on
    warmup_pings: int
    table: tuple[Requests, ...]  # the other conditions
    baseline_pings: int  # along each other path, in the main condition
    baselines_in: str = "flat"  # the mode whose labs have them
    cold_repeats: int  # of each level but the next
    vtep_repeats: int = 1  # each a lost packet to wait for
    stages_in: tuple[str, ...] = (
        "flat",
        "gre-mesh",
        "vxlan-l2pop",
    )  # modes whose time is followed hop by hop
    stage_pings: int = 20
    main: Requests = MAIN  # but for its count

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one pinger.

        Raises:
            MeasureError: not one reply came while warm, or ping could not be read.
        """
        with keeping(lab, context) as pinger:
            return self._measured(pinger, point, context)

    def _measured(self, pinger: Pinger, point: Point, context: Context) -> Measured:
        source, target = pair = guests(pinger.lab.overlay)
        guest = guest_path(pair)
        scene = Scene(lab=pinger.lab, source=source, target=target, look=pinger.look)
        as_raised = scene.as_raised()
        pinger.ping_once(guest, scene.first, 1, self._of(1))
        pinger.ping(guest, WARMUP, self._of(self.warmup_pings))
        with context.watch():
            warm = pinger.ping(guest, WARM, self._of(self.pings))
        if warm.lost == self.pings:
            raise _silent(guest, point)
        for condition in self.table:
            pinger.ping(guest, WARM, condition)
        is_asked = point.get("mode") == self.baselines_in
        others = self._baselines(pinger, pair) if is_asked else {}
        staged = self._stages(pinger.lab, pair, point, context)
        flushed = FirstPings(pinger, guest, scene, self._of(1)).each_level(
            self.cold_repeats, self.vtep_repeats, turn=context.seed
        )
        return Measured(
            rows=tuple(pinger.rows),
            more={"stages": staged} if staged else {},
            facts={
                "who_pinged_whom": {guest.name: guest.claim, **others},
                "cold_as_raised": as_raised,
                "flushed": {**flushed, **absent(scene)},
                "kept_interval_ms": pinger.kept_interval_ms,
            },
            lost=warm.lost,
            duplicates=warm.duplicates,
        )

    def _of(self, count: int) -> Requests:
        return replace(self.main, count=count)

    def _baselines(self, pinger: Pinger, pair: tuple[Port, Port]) -> dict[str, str]:
        """Ping along each; who pinged whom, by path."""
        with veth_path(pinger.lab, pair) as veth:
            paths = (veth, same_host_path(pinger.lab, pair), vtep_path(pinger.lab, pair))
            for path in paths:
                pinger.ping(path, WARMUP, self._of(self.warmup_pings))
                pinger.ping(path, WARM, self._of(self.baseline_pings))
        return {path.name: path.claim for path in paths}

    def _stages(
        self, lab: Lab, pair: tuple[Port, Port], point: Point, context: Context
    ) -> tuple[Row, ...]:
        """Where the time goes, in some modes: captures cost time, and disturb what is captured."""
        if point.get("mode") not in self.stages_in:
            return ()
        return stage_rows(lab, pair, context, pings=self.stage_pings)


def _silent(path: Path, point: Point) -> MeasureError:
    return MeasureError(
        "not one reply",
        where=f"ping from {path.node} to {path.far} ({dict(point)})",
        allowed="replies",
        do="Raise the same lab with `overlaylab up` and look; raw/ has ping's output.",
    )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Pings(
        pings=80,
        warmup_pings=10,
        table=(
            Requests(count=15, payload_bytes=512),
            Requests(count=15, payload_bytes=1400),
            Requests(count=20, interval_ms=2),
            Requests(count=4, interval_ms=100),
            Requests(count=100, interval_ms=ADAPTIVE),
        ),
        baseline_pings=40,
        cold_repeats=3,
    ),
    quick=Pings(
        pings=50,
        warmup_pings=6,
        table=(
            Requests(count=8, payload_bytes=512),
            Requests(count=8, payload_bytes=1400),
            Requests(count=12, interval_ms=2),
            Requests(count=3, interval_ms=100),
            Requests(count=50, interval_ms=ADAPTIVE),
        ),
        baseline_pings=15,
        cold_repeats=1,
    ),
    thresholds=THRESHOLDS,
    watches=True,
    narrow=narrowed,
    stage=with_neighbour,
)
