"""What the tunnel is worth: who is reached with it and without, by packets how large, how fast."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from controller.model.errors import MeasureError
from controller.model.site_parts import LAN_MTU, Site
from controller.model.site_parts import TUNNEL as TUNNEL_DEVICE
from controller.model.sites import Sites
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row, Value
from experiments.measure.mtu_ping import Pinged, parse_sized, ping_argv
from experiments.measure.mtu_search import largest_passing
from experiments.measure.ping import Requests
from experiments.walk.labs import PINGS
from experiments.walk.words import MTU, NOBODY, PUBLIC, REACH, SERVER, TUNNEL
from topologies.plan.sites_plan import tunnel_lines

SMALLEST = 576  # bytes; every IPv4 host takes it (RFC 791)
TOLD = re.compile(r"From (\S+) icmp_seq=\d+ (.+)")
MTU_S = 5.0  # for a switch to give its port another MTU
POLL_S = 0.02


@dataclass(slots=True, kw_only=True)
class Asker:
    """Pings from the calling station; keeps all that ping said."""

    lab: Lab
    sites: Sites
    context: Context
    wait_s: float
    tried: list[Row] = field(default_factory=list)

    def ping(self, why: str, ip_bytes: int = 84, *, df: bool = False) -> tuple[Pinged, str]:
        """Pings of one size to the far server; what became of them, and what an error said."""
        target = str(self.sites.far.stations[0].ip)
        argv = ping_argv(target, ip_bytes, df=df, count=PINGS, wait_s=self.wait_s)
        done = self.lab.attempt(self.sites.near.stations[0].name, *argv)
        said = done.stdout + done.stderr
        self.context.keep(f"ping-{len(self.tried) + 1:03}-{ip_bytes}.txt", said)
        pinged, report = parse_sized(said), TOLD.search(said)
        self.tried.append(
            {
                "why": why,
                "ip_bytes": ip_bytes,
                "df": int(df),
                "sent": pinged.sent,
                "answered": pinged.answered,
                "told_by": report[1] if report else None,
            }
        )
        return pinged, f"{report[1]}: {report[2]}" if report else NOBODY

    def forget_mtu(self) -> None:
        """Make the calling station forget which sizes it was told."""
        self.lab.run(self.sites.near.stations[0].name, "ip", "route", "flush", "cache")

    def largest(self, why: str) -> int:
        """The largest packet that passes with DF."""

        def passes(ip_bytes: int, doubt: int = 1) -> bool:
            return any(self.ping(why, ip_bytes, df=True)[0].is_whole for _ in range(doubt))

        found = largest_passing(passes, lambda size: passes(size, 2), low=SMALLEST, high=LAN_MTU)
        return found.largest


def reach(asker: Asker) -> Iterator[Row]:
    """Through the tunnel, without it, and through it again."""

    def check(check: str, seen: Value) -> Row:
        return {"about": REACH, "check": check, "seen": seen}

    yield check("answered", asker.ping("tunnel up")[0].answered)
    with _tunnel_down(asker.lab, asker.sites):
        pinged, report = asker.ping("tunnel down")
        yield check("answered, tunnel down", pinged.answered)
        yield check("told so by", report)
    yield check("answered, tunnel up again", asker.ping("tunnel up again")[0].answered)


@contextmanager
def _tunnel_down(lab: Lab, sites: Sites) -> Iterator[None]:
    """The calling end of the tunnel switched off; its routes are gone with it."""
    near = sites.near
    lab.run(near.router, "ip", "link", "set", TUNNEL_DEVICE, "down")
    try:
        yield
    finally:
        for line in tunnel_lines(sites, near):
            lab.run(near.router, "ip", *line.split())


def path_mtu(asker: Asker) -> Iterator[Row]:
    """The largest packet, who refuses the next, and what a tunnel does that was told too much."""

    def check(check: str, seen: Value) -> Row:
        return {"about": MTU, "check": check, "seen": seen}

    largest = asker.largest("search")
    yield check("largest with DF", largest)
    asker.forget_mtu()
    over, _ = asker.ping("over", largest + 1, df=True)
    yield check("one byte more with DF: told by", over.told_by or NOBODY)
    yield check("one byte more with DF: told MTU", over.told_mtu)
    asker.forget_mtu()
    plain, _ = asker.ping("over", largest + 1)
    yield check("one byte more without DF: answered", plain.answered)
    with _tunnel_mtu(asker.lab, asker.sites, LAN_MTU):
        asker.forget_mtu()
        unlimited = asker.largest("search, tunnel told 1500")
        yield check("largest with DF, tunnel's MTU at 1500", unlimited)
        asker.forget_mtu()
        silent, _ = asker.ping("over, tunnel told 1500", unlimited + 1, df=True)
        yield check("one byte more then: told by", silent.told_by or NOBODY)
    asker.forget_mtu()


@contextmanager
def _tunnel_mtu(lab: Lab, sites: Sites, mtu: int) -> Iterator[None]:
    """Both ends of the tunnel believe in an MTU [bytes] for the time of the block."""
    _set_tunnel_mtu(lab, sites, mtu)
    try:
        yield
    finally:
        _set_tunnel_mtu(lab, sites, sites.tunnel_mtu)


def _set_tunnel_mtu(lab: Lab, sites: Sites, mtu: int) -> None:
    """The switch sets its port's MTU itself, a moment later; `ip link` would be undone."""
    for site in sites.sites:
        wanted = f"mtu_request={mtu}"
        lab.run(site.router, "ovs-vsctl", "set", "Interface", TUNNEL_DEVICE, wanted)
    deadline = time.monotonic() + MTU_S
    while any(_mtu(lab, site) != mtu for site in sites.sites):
        if time.monotonic() > deadline:
            raise MeasureError(
                f"not {mtu} bytes after {MTU_S:g} s",
                where=f"MTU of {TUNNEL_DEVICE}",
                allowed="a switch that sets its port's MTU",
                do="Read its log in that node.",
            )
        time.sleep(POLL_S)


def _mtu(lab: Lab, site: Site) -> int:
    return int(lab.run(site.router, "cat", f"/sys/class/net/{TUNNEL_DEVICE}/mtu"))


def round_trips(
    lab: Lab, sites: Sites, context: Context, each: Requests, batches: int
) -> list[Row]:
    """Pings by each path in turns, so that what befalls the machine befalls all."""
    targets = {
        PUBLIC: sites.far.public_ip,
        TUNNEL: sites.far.tunnel_ip,
        SERVER: sites.far.stations[0].ip,
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
