"""The experiment `walk`: one packet's headers from site to site, and what the tunnel provides."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.model.errors import MeasureError
from controller.model.sites import ETH, LAN, Sites
from controller.system.waiting import scaled
from experiments.core.experiment import Context, Experiment, Lab, Measured, described
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.packets import INTERFACE, NODE, Packet, all_of
from experiments.measure.ping import Requests
from experiments.walk.attack import injected, reads, scanned
from experiments.walk.headers import FIELDS, is_echo_of, stack_of, text_of
from experiments.walk.labs import Place, bystanders, places, predicted
from experiments.walk.question import QUESTION
from experiments.walk.reach import Pinger, path_mtu, reach, round_trips
from experiments.walk.words import BACK, THERE, WALK, WIRE_LINE, check, hop_name

MANY, FEW = Requests(count=20), Requests(count=10)
SEQ = 1
REPLY_S = 2.0  # for the reply to the ping that is followed
LENGTH = re.compile(r", length \d+(?=:)")
WAYS = {THERE: "8", BACK: "0"}  # ICMP echo request and reply (RFC 792)


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
        pinger = Pinger(lab=lab, sites=sites, context=context, wait_s=self.wait_s)
        with context.counting():
            context.say("following one ping")
            checks, more = walk(lab, sites, context)
            context.say("checking reachability and packet sizes")
            checks += [*reach(pinger), *path_mtu(pinger)]
        context.say("timing round trips")
        rtts = round_trips(lab, sites, context, self.each, self.batches)
        with context.counting():
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


def walk(lab: Lab, sites: Sites, context: Context) -> tuple[list[Row], Mapping[str, list[Row]]]:
    """The checks of every hop, and the tables `hops` and `heard`."""
    ident = context.seed % 0xFFFF + 1
    _forget_neighbours(lab, sites)
    where: dict[str, tuple[str, ...]] = dict.fromkeys(bystanders(sites), (ETH,))
    for place in places(sites, THERE):
        where[place.node] = (*where.get(place.node, ()), place.interface)
    with capturing(lab, where, lambda name: context.path(f"walk-{name}")) as files:
        target = str(sites.far.stations[0].ip)
        wait = f"{scaled(REPLY_S):g}"
        argv = ("ping", "-n", "-c1", "-W", wait, "-e", str(ident), target)
        context.keep("walk-ping.txt", lab.attempt(sites.near.stations[0].name, *argv).stdout)
    packets = decoded(files, FIELDS, "icmp || arp")
    echoes = [each for each in packets if is_echo_of(each, ident, SEQ)]
    hops, checks = list[Row](), list[Row]()
    for way in WAYS:
        for number, place in enumerate(places(sites, way), start=1):
            row = _hop(way, number, place, echoes)
            hops.append(row)
            # The headers of a packet that was captured once; otherwise how often it was captured.
            seen = row["stack"] if row["packets"] == 1 else f"{row['packets']} packets"
            checks.append(check(WALK, hop_name(way, number, place.node, place.interface), seen))
    heard = list(_heard(sites, packets, echoes))
    checks.append(check(WALK, WIRE_LINE, _line(lab, sites, files[sites.routers[0]], context)))
    checks += [
        check(WALK, f"{row['node']} hears the {row['what']}", row["packets"])
        for row in heard
        if row["node"] in bystanders(sites)
    ]
    return checks, {"hops": hops, "heard": heard}


def _forget_neighbours(lab: Lab, sites: Sites) -> None:
    """Empty the ARP caches of both LANs, as at the article's first packet."""
    for site in sites.sites:
        lab.run(site.router, "ip", "neigh", "flush", "dev", LAN)
        for station in site.stations:
            lab.run(station.name, "ip", "neigh", "flush", "dev", ETH)


def _hop(way: str, number: int, place: Place, echoes: Sequence[Packet]) -> Row:
    wanted = (place.node, place.interface, WAYS[way])
    here = [each for each in echoes if (each[NODE], each[INTERFACE], each["icmp.type"]) == wanted]
    first = here[0] if here else None
    return {
        "way": way,
        "hop": number,
        "node": place.node,
        "interface": place.interface,
        "packets": len(here),
        "stack": text_of(stack_of(first)) if first else None,
        "frame_bytes": int(first["frame.len"]) if first else None,
        "ttl": " ".join(all_of(first, "ip.ttl")) if first else None,
        "eth_source": first["eth.src"] if first else None,
        "eth_target": first["eth.dst"] if first else None,
    }


def _heard(sites: Sites, packets: list[Packet], echoes: list[Packet]) -> Iterator[Row]:
    """ARP requests for the called station, and pings, captured at each station of its LAN."""
    wanted = ("1", str(sites.far.stations[0].ip))
    requests = [
        each for each in packets if (each["arp.opcode"], each["arp.dst.proto_ipv4"]) == wanted
    ]
    for station in sites.far.stations:
        for what, captured in (("ARP request", requests), ("ping", echoes)):
            found = [each for each in captured if each[NODE] == station.name]
            targets = ", ".join(dict.fromkeys(each["eth.dst"] for each in found))
            yield {
                "node": station.name,
                "what": what,
                "target": targets or None,
                "packets": len(found),
            }


def _line(lab: Lab, sites: Sites, file: Path, context: Context) -> str | None:
    """The line that tcpdump prints for the first GRE packet, without its length."""
    printed = lab.run(sites.routers[0], "tcpdump", "-n", "-Z", "root", "-r", str(file), "proto gre")
    context.keep("walk-tcpdump.txt", printed)
    lines = [line.partition(" ")[2] for line in printed.splitlines()]
    return LENGTH.sub("", lines[0]).split(", id ")[0] if lines else None
