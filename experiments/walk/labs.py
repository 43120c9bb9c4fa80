"""The interfaces that a packet passes between two sites, and the prediction of every check.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from controller.model.sites import ETH, LAN, TUNNEL, WAN, Sites, Snat
from experiments.core.question import Point, Row
from experiments.walk import words
from experiments.walk.headers import GRE, ICMP, IP, Header, text_of
from experiments.walk.words import check, hop_name

PINGS = 5  # for each check of reachability
INJECTED = 3  # packets of each kind
PORTS = range(1, 1025)  # scanned at the office's public address: the well-known ports
SERVER_PORT = 80  # of the server that the home PC uses
PROTOCOLS = ("TCP", "UDP", "ICMP")
GRE_IPV4 = "0x0800"  # GRE's protocol type for IPv4 (RFC 2784)
NET_UNREACHABLE = "Destination Net Unreachable"  # ping's words for ICMP type 3, code 0


@dataclass(frozen=True, slots=True)
class Place:
    """An interface that the packet passes."""

    node: str
    interface: str
    is_tunnelled: bool = False  # on a wire of the internet: the packet is inside another


def places(sites: Sites, way: str) -> tuple[Place, ...]:
    """Every interface between the calling and the called station, in the order of passing."""
    near, far, routers = sites.near, sites.far, sites.routers
    between = [near.router, *routers, far.router]
    wires = [
        Place(node, interface, is_tunnelled=True)
        for at, node in enumerate(routers, start=1)
        for interface in (between[at - 1], between[at + 1])
    ]
    along = (
        Place(near.stations[0].name, ETH),
        Place(near.router, LAN),
        Place(near.router, TUNNEL),
        Place(near.router, WAN, is_tunnelled=True),
        *wires,
        Place(far.router, WAN, is_tunnelled=True),
        Place(far.router, TUNNEL),
        Place(far.router, LAN),
        Place(far.stations[0].name, ETH),
    )
    return along if way == words.THERE else along[::-1]


def predicted_stacks(sites: Sites, way: str) -> tuple[str, ...]:
    """The predicted headers at each of `places`, in their order."""
    near, far, along = sites.near, sites.far, places(sites, way)
    caller, called = near.stations[0].ip, far.stations[0].ip
    inside = near.tunnel_ip if near.snat is Snat.TUNNEL else caller
    arriving = far.gateway_ip if far.snat is Snat.LAN else inside
    # In both LANs the packet passes two interfaces: of the station and of the router.
    sources = (caller, caller, *[inside] * (len(along) - 4), arriving, arriving)
    turn = 1 if way == words.THERE else -1
    outer = _ip_header(*(near.public_ip, far.public_ip)[::turn])
    tunnel = (outer, Header(GRE, more=GRE_IPV4))
    echo = Header(ICMP, more="echo request" if way == words.THERE else "echo reply")
    return tuple(
        text_of(
            (*(tunnel if place.is_tunnelled else ()), _ip_header(*(source, called)[::turn]), echo)
        )
        for source, place in zip(sources[::turn], along, strict=True)
    )


def _ip_header(*ends: IPv4Address) -> Header:
    return Header(IP, *map(str, ends))


def wire_line(sites: Sites) -> str:
    """The line that tcpdump prints for the request on the WAN, without its length."""
    near, far = sites.near, sites.far
    inside = near.tunnel_ip if near.snat is Snat.TUNNEL else near.stations[0].ip
    return (
        f"IP {near.public_ip} > {far.public_ip}: GREv0: IP {inside} > {far.stations[0].ip}: "
        "ICMP echo request"
    )


def predicted(sites: Sites, _points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted value of every check."""
    return (*_walk(sites), *_reach(sites), *_attack(sites))


def _walk(sites: Sites) -> Iterator[Row]:
    for way in (words.THERE, words.BACK):
        hops = zip(places(sites, way), predicted_stacks(sites, way), strict=True)
        for number, (place, stack) in enumerate(hops, start=1):
            yield check(words.WALK, hop_name(way, number, place.node, place.interface), stack)
    yield check(words.WALK, words.WIRE_LINE, wire_line(sites))
    for station in bystanders(sites):
        yield check(words.WALK, f"{station} hears the ARP request", 1)
        yield check(words.WALK, f"{station} hears the ping", 0)


def _reach(sites: Sites) -> Iterator[Row]:
    yield check(words.REACH, words.UP, PINGS)
    yield check(words.REACH, words.DOWN, 0)
    yield check(words.REACH, words.DOWN_ERROR, f"{sites.near.provider_ip}: {NET_UNREACHABLE}")
    yield check(words.REACH, words.UP_AGAIN, PINGS)
    yield check(words.MTU, words.LARGEST, sites.tunnel_mtu)
    yield check(words.MTU, words.OVER_FROM, str(sites.near.gateway_ip))
    yield check(words.MTU, words.OVER_MTU, sites.tunnel_mtu)
    yield check(words.MTU, words.OVER_WITHOUT_DF, PINGS)
    yield check(words.MTU, words.LARGEST_1500, sites.tunnel_mtu)
    yield check(words.MTU, words.OVER_1500_FROM, words.NOBODY)


def _attack(sites: Sites) -> Iterator[Row]:
    public, server = sites.far.public_ip, f"{sites.far.stations[0].ip} port {SERVER_PORT}"
    ports = f"{public} TCP ports {PORTS[0]}-{PORTS[-1]}"
    for protocol in PROTOCOLS:
        yield check(words.READS, f"{protocol} text readable at {sites.routers[0]}", words.YES)
    yield check(words.SCAN, f"{server} from {sites.near.stations[0].name}", words.OPEN)
    yield check(words.SCAN, f"{server} from {sites.attacker.name}", words.UNREACHABLE)
    yield check(words.SCAN, f"{public} answers ping", words.YES)
    yield check(words.SCAN, f"{ports} open", 0)
    yield check(words.SCAN, f"{ports} closed", len(PORTS))
    yield check(words.SCAN, f"{sites.far.lan} addresses that answer", 0)
    yield check(words.INJECT, words.OWN, 0)
    yield check(words.INJECT, words.FILTERED, 0)
    yield check(words.INJECT, words.FORGED, INJECTED)
    yield check(words.INJECT, words.ANSWERED, INJECTED)


def bystanders(sites: Sites) -> tuple[str, ...]:
    """The other stations of the called site."""
    return tuple(station.name for station in sites.far.stations[1:])
