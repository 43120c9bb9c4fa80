"""The experiment `walk`: one packet from site to site, header by header, and what the tunnel is worth."""

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
from experiments.walk.reach import Asker, path_mtu, reach, round_trips

MANY, FEW = Requests(count=20), Requests(count=10)


def as_they_are(sites: Sites, _point: Point) -> Sites:
    """The two sites; there is nothing to vary."""
    return sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Follows a ping, then tries what the tunnel gives and what it lets others do."""

    wait_s: float = 0.25  # for the answers to a few pings of one size
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
                where="what is raised",
                allowed="two sites",
                do="Take the scenario `home-office`.",
            )
        context.say("following one ping")
        checks, more = walk(lab, sites, context)
        context.say("reaching the far site, with packets how large")
        asker = Asker(lab=lab, sites=sites, context=context, wait_s=self.wait_s)
        checks += [*reach(asker), *path_mtu(asker)]
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
                "pings": tuple(asker.tried),
            },
            lost=sum(row["rtt_ms"] is None for row in rtts),
        )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Walk(),
    quick=Walk(each=FEW, batches=4),
    thresholds=Thresholds(cpu_steal_max=0.1, lost_upcalls_max=0, lost_max=0),
    of=Sites,
    stage=as_they_are,
    predict=predicted,
    watches=True,
    scenario="home-office",
)
