"""The interfaces that a packet passes between two sites, and the prediction of every check.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from controller.model.sites import ETH, LAN, TUNNEL, WAN, Sites, Snat
from experiments.core.question import Point, Row, Value
from experiments.walk.headers import GRE, ICMP, IP, Header, Stack, text_of
from experiments.walk.words import (
    ANSWERED,
    BACK,
    DOWN,
    DOWN_ERROR,
    FILTERED,
    FORGED,
    INJECT,
    LARGEST,
    LARGEST_1500,
    MTU,
    NOBODY,
    OPEN,
    OVER_1500_FROM,
    OVER_FROM,
    OVER_MTU,
    OVER_WITHOUT_DF,
    OWN,
    REACH,
    READS,
    SCAN,
    THERE,
    UNREACHABLE,
    UP,
    UP_AGAIN,
    WALK,
    WIRE_LINE,
    YES,
    hop_name,
)

T = TypeVar("T")
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


def places(sites: Sites) -> tuple[Place, ...]:
    """Every interface from the calling to the called station, in order."""
    near, far, routers = sites.near, sites.far, sites.routers
    between = [near.router, *routers, far.router]
    wires = [
        Place(node, interface, is_tunnelled=True)
        for at, node in enumerate(routers, start=1)
        for interface in (between[at - 1], between[at + 1])
    ]
    return (
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


def predicted_stacks(sites: Sites, way: str) -> tuple[str, ...]:
    """The predicted headers at each of `places`, in their order."""
    near, far, along = sites.near, sites.far, places(sites)
    caller, called = near.stations[0].ip, far.stations[0].ip
    inside = near.tunnel_ip if near.snat is Snat.TUNNEL else caller
    arriving = far.gateway_ip if far.snat is Snat.LAN else inside
    first_tunnel = along.index(Place(near.router, TUNNEL))
    last_tunnel = along.index(Place(far.router, TUNNEL))
    outer = (near.public_ip, far.public_ip)
    found = []
    for at, place in enumerate(along):
        seen_as = caller if at < first_tunnel else inside if at <= last_tunnel else arriving
        found.append(_text(way, (seen_as, called), outer if place.is_tunnelled else None))
    return tuple(found)


Ends = tuple[IPv4Address, IPv4Address]


def _text(way: str, ends: Ends, outer: Ends | None) -> str:
    echo = Header(ICMP, more="echo request" if way == THERE else "echo reply")
    around = (_ip(way, outer), Header(GRE, more=GRE_IPV4)) if outer else ()
    stack: Stack = (*around, _ip(way, ends), echo)
    return text_of(stack)


def _ip(way: str, ends: Ends) -> Header:
    source, target = ends if way == THERE else ends[::-1]
    return Header(IP, str(source), str(target))


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
    return tuple(
        {"about": about, "check": check, "seen": seen} for about, check, seen in _checks(sites)
    )


def _checks(sites: Sites) -> Iterator[tuple[str, str, Value]]:
    for way in (THERE, BACK):
        stacks = predicted_stacks(sites, way)
        for (number, place), stack in zip(numbered(sites, way), ordered(stacks, way), strict=True):
            yield WALK, hop_name(way, number, place.node, place.interface), stack
    yield WALK, WIRE_LINE, wire_line(sites)
    for station in bystanders(sites):
        yield WALK, f"{station} hears the ARP request", 1
        yield WALK, f"{station} hears the ping", 0
    yield from _reach(sites)
    yield from _attack(sites)


def _reach(sites: Sites) -> Iterator[tuple[str, str, Value]]:
    yield REACH, UP, PINGS
    yield REACH, DOWN, 0
    yield REACH, DOWN_ERROR, f"{sites.near.provider_ip}: {NET_UNREACHABLE}"
    yield REACH, UP_AGAIN, PINGS
    yield MTU, LARGEST, sites.tunnel_mtu
    yield MTU, OVER_FROM, str(sites.near.gateway_ip)
    yield MTU, OVER_MTU, sites.tunnel_mtu
    yield MTU, OVER_WITHOUT_DF, PINGS
    yield MTU, LARGEST_1500, sites.tunnel_mtu
    yield MTU, OVER_1500_FROM, NOBODY


def _attack(sites: Sites) -> Iterator[tuple[str, str, Value]]:
    public, far = sites.far.public_ip, sites.far.stations[0].ip
    for protocol in PROTOCOLS:
        yield READS, f"{protocol} text readable at {sites.routers[0]}", YES
    yield SCAN, f"{far} port {SERVER_PORT} from {sites.near.stations[0].name}", OPEN
    yield SCAN, f"{far} port {SERVER_PORT} from {sites.attacker.name}", UNREACHABLE
    yield SCAN, f"{public} answers ping", YES
    yield SCAN, f"{public} TCP ports {PORTS[0]}-{PORTS[-1]} open", 0
    yield SCAN, f"{public} TCP ports {PORTS[0]}-{PORTS[-1]} closed", len(PORTS)
    yield SCAN, f"{sites.far.lan} addresses that answer", 0
    yield INJECT, OWN, 0
    yield INJECT, FILTERED, 0
    yield INJECT, FORGED, INJECTED
    yield INJECT, ANSWERED, INJECTED


def numbered(sites: Sites, way: str) -> tuple[tuple[int, Place], ...]:
    """The places in the order of passing, numbered from 1."""
    return tuple(enumerate(ordered(places(sites), way), start=1))


def ordered(along: tuple[T, ...], way: str) -> tuple[T, ...]:
    """`along`, reversed for the way back."""
    return along if way == THERE else along[::-1]


def bystanders(sites: Sites) -> tuple[str, ...]:
    """The other stations of the called site."""
    return tuple(station.name for station in sites.far.stations[1:])
