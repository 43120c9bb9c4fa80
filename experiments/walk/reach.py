"""What the tunnel provides: which addresses answer, the largest packet, and the round trip."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from controller.model.errors import WaitError
from controller.model.sites import LAN_MTU, TUNNEL, Sites
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.measure.mtu_search import largest_passing
from experiments.measure.ping import Requests, SizedPings, parse_sized, sized_ping_argv
from experiments.walk import words
from experiments.walk.labs import PINGS
from experiments.walk.words import check
from topologies.plan.sites_plan import tunnel_lines

SMALLEST = 576  # bytes; every IPv4 host accepts it (RFC 791)
ICMP_ERROR = re.compile(r"From (\S+) icmp_seq=\d+ (.+)")
MTU_S = 5.0  # for a switch to change the MTU of its port
PATIENT_S = 1.0  # for replies on which a check depends
TRIES = 3  # of pings that should all be answered
UP_S = 10.0  # for a switch to notice that its tunnel port is up again


@dataclass(slots=True, kw_only=True)
class Pinger:
    """Sends pings from the calling station, and keeps a row and ping's output for each call."""

    lab: Lab
    sites: Sites
    context: Context
    wait_s: float  # for replies to the packets of a search, whose result is confirmed
    rows: list[Row] = field(default_factory=list)

    def ping(
        self, why: str, ip_bytes: int = 84, *, df: bool = False, wait_s: float = PATIENT_S
    ) -> tuple[SizedPings, str]:
        """Ping the far server with packets of one size; also return the ICMP error, or NOBODY.

        Args:
            wait_s: for replies, on an idle machine.
        """
        target = str(self.sites.far.stations[0].ip)
        argv = sized_ping_argv(target, ip_bytes, df=df, count=PINGS, wait_s=scaled(wait_s))
        done = self.lab.attempt(self.sites.near.stations[0].name, *argv)
        output = done.stdout + done.stderr
        self.context.keep(f"ping-{len(self.rows) + 1:03}-{ip_bytes}.txt", output)
        pinged, error = parse_sized(output), ICMP_ERROR.search(output)
        self.rows.append(
            {
                "why": why,
                "ip_bytes": ip_bytes,
                "df": int(df),
                "sent": pinged.sent,
                "answered": pinged.answered,
                "icmp_from": error[1] if error else None,
            }
        )
        return pinged, f"{error[1]}: {error[2]}" if error else words.NOBODY

    def answered(self, why: str, ip_bytes: int = 84) -> int:
        """How many of PINGS are answered, tried again while some are not: a machine may stall."""
        found = 0
        for _ in range(TRIES):
            found = self.ping(why, ip_bytes)[0].answered
            if found == PINGS:
                break
        return found

    def await_answer(self) -> None:
        """Wait for one answer, at most UP_S: what is counted next must not depend on its moment."""
        target = str(self.sites.far.stations[0].ip)
        once = ("ping", "-n", "-q", "-c1", "-W1", target)
        with suppress(WaitError):  # then there is none, and the count says so
            wait_for(
                lambda: self.lab.attempt(self.sites.near.stations[0].name, *once).returncode == 0,
                UP_S,
                what="an answer of the far server",
            )

    def forget_mtu(self) -> None:
        """Make the calling station forget the path MTU that it has learned."""
        self.lab.run(self.sites.near.stations[0].name, "ip", "route", "flush", "cache")

    def largest(self, why: str) -> int:
        """The largest packet that passes with DF."""

        def passes(ip_bytes: int) -> bool:
            return self.ping(why, ip_bytes, df=True, wait_s=self.wait_s)[0].answered > 0

        def is_confirmed(ip_bytes: int) -> bool:
            return any(self.ping(why, ip_bytes, df=True)[0].answered for _ in range(2))

        found = largest_passing(passes, is_confirmed, low=SMALLEST, high=LAN_MTU)
        return found.largest


def reach(pinger: Pinger) -> Iterator[Row]:
    """Check reachability with the tunnel, without it, and with it again."""
    lab, near = pinger.lab, pinger.sites.near
    yield check(words.REACH, words.UP, pinger.answered("tunnel up"))
    lab.run(near.router, "ip", "link", "set", TUNNEL, "down")  # removes its routes as well
    try:
        pinged, error = pinger.ping("tunnel down")
        yield check(words.REACH, words.DOWN, pinged.answered)
        yield check(words.REACH, words.DOWN_ERROR, error)
    finally:
        for line in tunnel_lines(pinger.sites, near):
            lab.run(near.router, "ip", *line.split())
    pinger.await_answer()
    yield check(words.REACH, words.UP_AGAIN, pinger.answered("tunnel up again"))


def path_mtu(pinger: Pinger) -> Iterator[Row]:
    """Find the largest packet, who sends ICMP for a larger one, and the same with too large an MTU."""
    largest = pinger.largest("search")
    yield check(words.MTU, words.LARGEST, largest)
    pinger.forget_mtu()
    over, _ = pinger.ping("over", largest + 1, df=True)
    yield check(words.MTU, words.OVER_FROM, over.icmp_from or words.NOBODY)
    yield check(words.MTU, words.OVER_MTU, over.icmp_mtu)
    pinger.forget_mtu()
    yield check(words.MTU, words.OVER_WITHOUT_DF, pinger.answered("over", largest + 1))
    _set_tunnel_mtu(pinger.lab, pinger.sites, LAN_MTU)
    try:
        pinger.forget_mtu()
        unlimited = pinger.largest("search, tunnel MTU 1500")
        yield check(words.MTU, words.LARGEST_1500, unlimited)
        pinger.forget_mtu()
        over, _ = pinger.ping("over, tunnel MTU 1500", unlimited + 1, df=True)
        yield check(words.MTU, words.OVER_1500_FROM, over.icmp_from or words.NOBODY)
    finally:
        _set_tunnel_mtu(pinger.lab, pinger.sites, pinger.sites.tunnel_mtu)
    pinger.forget_mtu()


def _set_tunnel_mtu(lab: Lab, sites: Sites, mtu: int) -> None:
    """Request an MTU from both switches and wait for it; they would undo `ip link set mtu`."""
    for site in sites.sites:
        wanted = f"mtu_request={mtu}"
        lab.run(site.router, "ovs-vsctl", "set", "Interface", TUNNEL, wanted)
    file = f"/sys/class/net/{TUNNEL}/mtu"
    wait_for(
        lambda: all(int(lab.run(site.router, "cat", file)) == mtu for site in sites.sites),
        MTU_S,
        what=f"{mtu} bytes as the MTU of {TUNNEL}",
    )


def round_trips(
    lab: Lab, sites: Sites, context: Context, each: Requests, batches: int
) -> list[Row]:
    """Ping by each path in turns, so that changes of the machine affect all paths."""
    targets = {
        words.PUBLIC: sites.far.public_ip,
        words.TUNNEL: sites.far.tunnel_ip,
        words.SERVER: sites.far.stations[0].ip,
    }
    caller, rows = sites.near.stations[0].name, list[Row]()
    warm = replace(each, count=5)
    for target in targets.values():
        lab.run(caller, *warm.argv(target), timeout_s=warm.timeout_s)
    with context.watch():
        for batch in range(1, batches + 1):
            for path, target in targets.items():
                done = lab.attempt(caller, *each.argv(target), timeout_s=each.timeout_s)
                context.keep(f"rtt-{path}-{batch:02}.txt", done.stdout)
                rows += [
                    {"path": path, "batch": batch, "seq": reply.seq, "rtt_ms": reply.rtt_ms}
                    for reply in each.read(done.stdout).replies
                ]
    return rows
