"""Where a packet passes between two sites, and what theory says of all that `walk` looks at.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from controller.model.site_parts import ETH, LAN, TUNNEL, WAN, Snat
from controller.model.sites import Sites
from experiments.core.question import Point, Row, Value
from experiments.walk.headers import GRE, ICMP, IP, Header, Stack, text_of
from experiments.walk.words import (
    ANSWERED,
    BACK,
    FILTERED,
    FORGED,
    INJECT,
    MTU,
    NOBODY,
    OWN,
    REACH,
    READS,
    SCAN,
    THERE,
    WALK,
    WIRE_LINE,
    YES,
    hop_name,
)

PINGS = 5  # of each question whether something is reachable
INJECTED = 3  # packets of each kind
PORTS = range(1, 1025)  # of the office's public address: the well-known ones
DOOR = 80  # the port of the server that the home PC uses
SECRETS = ("TCP", "UDP", "ICMP")
FAR_LAN = 254  # hosts of a /24
GRE_IPV4 = "0x0800"  # GRE's protocol type for IPv4 (RFC 2784)
UNREACHABLE = "Destination Net Unreachable"  # as ping says ICMP type 3, code 0


@dataclass(frozen=True, slots=True)
class Place:
    """An interface that the packet passes."""

    node: str
    interface: str
    is_tunnelled: bool = False  # a wire of the internet: the packet is inside another there


def places(sites: Sites) -> tuple[Place, ...]:
    """Every interface from the calling station to the one that is called."""
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
    """The headers that theory has at each of `places`."""
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
    """What tcpdump says on the WAN of the request: its own words, without the length."""
    near, far = sites.near, sites.far
    inside = near.tunnel_ip if near.snat is Snat.TUNNEL else near.stations[0].ip
    return (
        f"IP {near.public_ip} > {far.public_ip}: GREv0: IP {inside} > {far.stations[0].ip}: "
        "ICMP echo request"
    )


def predicted(sites: Sites, _points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The exact value of every check."""
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
    yield REACH, "answered", PINGS
    yield REACH, "answered, tunnel down", 0
    yield REACH, "told so by", f"{sites.near.provider_ip}: {UNREACHABLE}"
    yield REACH, "answered, tunnel up again", PINGS
    yield MTU, "largest with DF", sites.tunnel_mtu
    yield MTU, "one byte more with DF: told by", str(sites.near.gateway_ip)
    yield MTU, "one byte more with DF: told MTU", sites.tunnel_mtu
    yield MTU, "one byte more without DF: answered", PINGS
    yield MTU, "largest with DF, tunnel's MTU at 1500", sites.tunnel_mtu
    yield MTU, "one byte more then: told by", NOBODY


def _attack(sites: Sites) -> Iterator[tuple[str, str, Value]]:
    public, far = sites.far.public_ip, sites.far.stations[0].ip
    for protocol in SECRETS:
        yield READS, f"{protocol} text readable at {sites.routers[0]}", YES
    yield SCAN, f"{far} port {DOOR} from {sites.near.stations[0].name}", "open"
    yield SCAN, f"{far} port {DOOR} from {sites.attacker.name}", "unreachable"
    yield SCAN, f"{public} answers ping", YES
    yield SCAN, f"{public} TCP ports {PORTS[0]}-{PORTS[-1]} open", 0
    yield SCAN, f"{public} TCP ports {PORTS[0]}-{PORTS[-1]} closed", len(PORTS)
    yield SCAN, f"{sites.far.lan} addresses that answer", 0
    yield INJECT, OWN, 0
    yield INJECT, FILTERED, 0
    yield INJECT, FORGED, INJECTED
    yield INJECT, ANSWERED, INJECTED


def numbered(sites: Sites, way: str) -> tuple[tuple[int, Place], ...]:
    """The places in the order in which the packet passes, from 1."""
    return tuple(enumerate(ordered(places(sites), way), start=1))


def ordered(along: tuple[Any, ...], way: str) -> tuple[Any, ...]:
    """In the order of the way."""
    return along if way == THERE else along[::-1]


def bystanders(sites: Sites) -> tuple[str, ...]:
    """The machines of the called site that the ping is not for."""
    return tuple(station.name for station in sites.far.stations[1:])
