"""The experiment `walk`: one packet's headers from site to site, and what the tunnel provides."""

from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.sites import Sites
from experiments.core.experiment import Context, Experiment, Lab, Measured, described
from experiments.core.question import Point
from experiments.core.verdict import Thresholds
from experiments.measure.ping import Requests
from experiments.walk.attack import injected, reads, scanned
from experiments.walk.hops import walk
from experiments.walk.labs import predicted
from experiments.walk.question import QUESTION
from experiments.walk.reach import Pinger, path_mtu, reach, round_trips

MANY, FEW = Requests(count=20), Requests(count=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Follows one ping, then checks what the tunnel provides and what it lets an attacker do."""

    wait_s: float = 0.25  # for replies to pings of one size
    each: Requests = MANY
    batches: int = 10  # of each path

    def __call__(self, lab: Lab, _point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: the lab has no sites, or not even a small packet passes.
        """
        sites = described(lab)
        if not isinstance(sites, Sites):
            raise MeasureError(
                "compute hosts",
                where="the lab",
                allowed="two sites",
                do="Take the scenario `home-office`.",
            )
        context.say("following one ping")
        checks, more = walk(lab, sites, context)
        context.say("checking reachability and packet sizes")
        pinger = Pinger(lab=lab, sites=sites, context=context, wait_s=self.wait_s)
        checks += [*reach(pinger), *path_mtu(pinger)]
        context.say("timing round trips")
        rtts = round_trips(lab, sites, context, self.each, self.batches)
        context.say("reading, scanning and injecting as an attacker")
        checks += reads(lab, sites, context)
        scan_checks, scan = scanned(lab, sites)
        inject_checks, sent = injected(lab, sites, context)
        return Measured(
            rows=(*checks, *scan_checks, *inject_checks),
            more={
                **{name: tuple(rows) for name, rows in more.items()},
                "rtts": tuple(rtts),
                "scan": tuple(scan),
                "injected": tuple(sent),
                "pings": tuple(pinger.rows),
            },
            lost=sum(row["rtt_ms"] is None for row in rtts),
        )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Walk(),
    quick=Walk(each=FEW, batches=4),
    thresholds=Thresholds(cpu_steal_max=0.1, lost_upcalls_max=0, lost_max=0),
    of=Sites,
    stage=lambda sites, _: sites,
    predict=predicted,
    watches=True,
    scenario="home-office",
)
