"""Measures `mtu`: the largest packet that passes, the outcomes of other sizes, and TCP."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from controller.model.parts import Mechanism
from controller.system.waiting import scaled
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.mtu_search import Found, largest_passing
from experiments.mtu import labs
from experiments.mtu.path import Path, Pings
from experiments.mtu.question import QUESTION
from experiments.mtu.tcp import Bulk, goodput, serving, tcp_row, transfer, transferring
from experiments.mtu.words import AFTER_ICMP, RIGHT, TOO_LARGE

SMALLEST = 576  # bytes; every IPv4 host accepts it (RFC 791), so every path should
ENDLESS = 10**12  # bytes: more than any transfer here sends
SEARCH = Pings(count=3, wait_s=0.06, tries=2)
CONFIRM = Pings(count=10, wait_s=0.15, tries=2)
EACH = Pings(count=5, wait_s=0.06, tries=1)  # counters show where packets are dropped
BULK = Bulk(wanted_bytes=2**18, send_s=0.8, deadline_s=0.8)  # takes 10 ms where it passes
STREAM = Bulk(wanted_bytes=ENDLESS, send_s=0.1, deadline_s=0.3)
SYSCTLS = ("net.ipv4.tcp_mtu_probing", "net.ipv4.ip_no_pmtu_disc", "net.ipv4.tcp_base_mss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Searches the largest packet, tries other sizes, and sends by TCP."""

    search: Pings = SEARCH
    confirm: Pings = CONFIRM
    each: Pings = EACH  # of the other sizes
    bulk: Bulk = BULK
    goodput_on: tuple[int, ...] = (1500,)  # underlay MTUs
    goodput_mtus: tuple[int, ...] = (576, 1000, 1280)  # of guests, in addition to those below
    goodput_round: tuple[int, ...] = (0, 8)  # bytes above the limit
    goodput_bulk: Bulk = STREAM
    transfers: int = 4  # with each MTU

    def __call__(self, lab: Lab, _point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: not even a small packet passes, or ping's output could not be read.
        """
        source, target = guests(lab.overlay)
        path = Path(lab=lab, source=source, target=target, context=context)
        staged = lab.overlay.mtu_of(lab.overlay.network_of[source.network_id])
        bulk = self.bulk.scaled()
        reports = []
        with serving(path):
            with context.counting():
                context.say("searching the largest packet")
                path.ping(SMALLEST, self.confirm, df=True, why="warm up")
                # Alone first: ICMP that the search causes would change the sender's path MTU.
                sends_icmp = lab.overlay.host(source.host).mechanism is Mechanism.LINUXBRIDGE
                if sends_icmp:
                    reports.append((TOO_LARGE, staged, transfer(path, bulk, "alone")))
                # A transfer that hangs only waits, so it does not disturb the search.
                with transferring(path, bulk, "too-large") as during:
                    found = largest_passing(
                        passing(path, self.search, "search"),
                        passing(path, self.confirm, "confirm"),
                        low=SMALLEST,
                        high=staged,
                    )
                reports.append((AFTER_ICMP if sends_icmp else TOO_LARGE, staged, during[0]))
                context.say("trying sizes above the largest")
                outcomes = self._outcomes(path, found.largest, staged, TOO_LARGE)
                path.set_guest_mtu(found.largest)
                outcomes += self._outcomes(path, found.largest, found.largest, RIGHT)
                reports.append((RIGHT, found.largest, transfer(path, bulk, "right")))
            fast = self._goodput(path, found.largest, staged)
        sysctls = lab.run(source.device_id, "sysctl", "-n", *SYSCTLS).split()
        return Measured(
            rows=(_limit_row(found, staged, path),),
            more={
                "outcomes": outcomes,
                "tcp": tuple(
                    {"guest": guest, "guest_mtu": mtu, **tcp_row(report, self.bulk)}
                    for guest, mtu, report in reports
                ),
                "goodput": fast,
                "pings": tuple(path.tried),
            },
            facts={"sysctls": dict(zip(SYSCTLS, map(int, sysctls), strict=True))},
        )

    def _outcomes(self, path: Path, limit: int, guest_mtu: int, guest: str) -> tuple[Row, ...]:
        underlay_mtu = path.lab.overlay.underlay_mtu
        named = labs.sizes(limit, underlay_mtu=underlay_mtu, guest_mtu=guest_mtu, guest=guest)
        return tuple(path.outcomes(named, limit, self.each, guest=guest, guest_mtu=guest_mtu))

    def _goodput(self, path: Path, limit: int, staged: int) -> tuple[Row, ...]:
        if path.lab.overlay.underlay_mtu not in self.goodput_on:
            return ()
        wanted = {*self.goodput_mtus, *(limit + step for step in self.goodput_round)}
        mtus = sorted(mtu for mtu in wanted if SMALLEST <= mtu <= staged)
        path.context.say("sending bulk data")
        # The time of sending is measured; only the wait for the rest grows with the machine's load.
        bulk = replace(self.goodput_bulk, deadline_s=scaled(self.goodput_bulk.deadline_s))
        with path.context.watch():
            return tuple(goodput(path, mtus, bulk, self.transfers))


def passing(path: Path, pings: Pings, why: str) -> Callable[[int], bool]:
    """Whether packets of a size pass with DF: one reply proves it, also on a busy machine."""
    return lambda ip_bytes: path.ping(ip_bytes, pings, df=True, why=why).answered > 0


def _limit_row(found: Found, staged: int, path: Path) -> Row:
    last = {row["ip_bytes"]: row for row in path.tried if row["why"] == "confirm"}
    at, over = last.get(found.largest, {}), last.get(found.largest + 1, {})
    return {
        "guest_mtu": staged,
        "largest_bytes": found.largest,
        "stopped_by": "path" if found.largest < staged else "guest's own MTU",
        "steps": found.steps,
        "resumed": found.resumed,
        "answered_at": at.get("answered"),
        "sent_at": at.get("sent"),
        "answered_above": over.get("answered"),
        "sent_above": over.get("sent"),
    }


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Sizes(),
    quick=Sizes(
        each=Pings(count=3, wait_s=0.04, tries=1),
        goodput_mtus=(576,),
        goodput_bulk=Bulk(wanted_bytes=ENDLESS, send_s=0.06, deadline_s=0.25),
        transfers=2,
    ),
    # Only goodput depends on time, and 10% of steal time cannot reverse factors of 2.
    thresholds=Thresholds(cpu_steal_max=0.1, cpu_others_max=0.2, repeats_min=1),
    watches=True,
    repeats=1,
    quick_factors={"mode": ("flat", "gre-mesh", "vxlan-l2pop"), "underlay_mtu": (1500,)},
    narrow=narrowed,
    stage=labs.with_large_guests,
    predict=labs.predicted,
)
