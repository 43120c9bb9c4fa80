"""Two sites joined by a GRE tunnel across an internet, and what makes them impossible.  Pure.

A scenario is either an `Overlay`, whose compute hosts a controller configures, or `Sites`,
whose edge routers are configured once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from itertools import chain, combinations
from typing import TypeVar

from controller.model.addresses import ONE_MACHINE, unusable, unusable_cidr
from controller.model.errors import ModelError, limit_errors, raise_all
from controller.model.names import segment_bridge
from controller.model.near import did_you_mean
from controller.model.parts import Mechanism

T = TypeVar("T", str, IPv4Address)
LAN_MTU = 1500  # bytes; Ethernet's
PPPOE_MTU = 1492  # bytes: 1500 less PPPoE's 8 (RFC 2516)
GRE_OVERHEAD = 24  # bytes: IPv4 20, GRE without key or checksum 4 (RFC 2784)
TUNNEL, WAN, LAN, ETH = "gre1", "wan", "lan", "eth0"  # interfaces: of edge routers, of stations
POINT_TO_POINT = 30  # prefix length of a wire between two routers
CORE = IPv4Network("198.51.100.0/24")  # RFC 5737: wires between transit routers
# Interfaces are named after their neighbours, so names stay below IFNAMSIZ.
NAME = re.compile(r"[a-z][a-z0-9-]{0,13}")
SITE_NAME = re.compile(r"[a-z][a-z0-9]{0,6}")  # `<name>-router` is an interface, too
MTU_LOWEST, MTU_HIGHEST = 600, 9216  # bytes: 576 of IPv4 and the tunnel's 24
ROUTERS_LEAST, ROUTERS_MOST = 2, 8


class Snat(str, Enum):
    """Where an edge router puts its own address in place of the sender's."""

    TUNNEL = "tunnel"  # on the way into the tunnel: the tunnel's address
    LAN = "lan"  # on the way out of the tunnel into the LAN: the gateway's address
    NONE = "none"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A machine with one interface."""

    name: str
    ip: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A LAN behind an edge router that has a public address and one end of the tunnel."""

    name: str
    lan: IPv4Network
    gateway_ip: IPv4Address  # the edge router's, in the LAN
    public_ip: IPv4Address
    tunnel_ip: IPv4Address
    snat: Snat
    stations: tuple[Station, ...]  # the first is the one that pings or is pinged

    @property
    def router(self) -> str:
        """The node that is its edge router."""
        return f"{self.name}-router"

    @property
    def switch(self) -> str:
        """The node that is its LAN's switch."""
        return f"{self.name}-lan"

    @property
    def uplink(self) -> IPv4Network:
        """The wire to the provider."""
        return wire_of(self.public_ip)

    @property
    def provider_ip(self) -> IPv4Address:
        """The other end of that wire, the edge router's default gateway."""
        return next(ip for ip in self.uplink.hosts() if ip != self.public_ip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacker:
    """A host of the internet that belongs to neither site."""

    name: str
    ip: IPv4Address
    router: str  # the transit router whose segment it is on

    @property
    def network(self) -> IPv4Network:
        """Its segment."""
        return IPv4Network((self.ip, 24), strict=False)

    @property
    def gateway_ip(self) -> IPv4Address:
        """The transit router on its segment."""
        return next(ip for ip in self.network.hosts() if ip != self.ip)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeHost:
    """An edge router, with what code for compute hosts reads."""

    name: str
    mechanism: Mechanism = Mechanism.OPENVSWITCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Two sites, the routers in a row between them, and an attacker.

    Raises:
        ModelError: they contradict each other; `ModelErrors` if in several ways.
    """

    name: str
    sites: tuple[Site, ...]
    routers: tuple[str, ...]  # from the first site to the second
    attacker: Attacker
    underlay_mtu: int = PPPOE_MTU  # bytes, of every wire between the edge routers
    release: str = ""  # there is no Neutron in it

    def __post_init__(self) -> None:
        raise_all(_errors(self))

    @property
    def near(self) -> Site:
        """The site whose first station pings."""
        return self.sites[0]

    @property
    def far(self) -> Site:
        """The site whose first station is pinged."""
        return self.sites[1]

    @property
    def stations(self) -> tuple[Station, ...]:
        """Every machine with one interface, the attacker last."""
        own = chain.from_iterable(site.stations for site in self.sites)
        return (*own, Station(name=self.attacker.name, ip=self.attacker.ip))

    @property
    def tunnel_mtu(self) -> int:
        """The largest packet [bytes] that fits into the tunnel."""
        return self.underlay_mtu - GRE_OVERHEAD

    @property
    def hosts(self) -> tuple[EdgeHost, ...]:
        """The edge routers, at the ends of the tunnel."""
        return tuple(EdgeHost(name=site.router) for site in self.sites)

    @property
    def host_of(self) -> dict[str, EdgeHost]:
        """The edge routers by name."""
        return {host.name: host for host in self.hosts}

    def other(self, site: Site) -> Site:
        """The site at the tunnel's other end."""
        return self.far if site.name == self.near.name else self.near


def wire_of(ip: IPv4Address) -> IPv4Network:
    """The network of a wire with two ends, one of which has `ip`."""
    return IPv4Network((ip, POINT_TO_POINT), strict=False)


def _errors(sites: Sites) -> Iterator[ModelError]:
    """Every contradiction in `sites`."""
    yield from _names(sites)
    yield from _counts(sites)
    yield from _addresses(sites)
    yield from _networks(sites)
    for site in sites.sites:
        yield from _site(site)
    if len(sites.sites) == 2:
        yield from _tunnel(sites)


def _names(sites: Sites) -> Iterator[ModelError]:
    for site in sites.sites:
        if not SITE_NAME.fullmatch(site.name):
            allowed = "1 to 7 lower-case letters and digits, a letter first"
            yield _wrong(f"site {site.name!r}", f"name {site.name!r}", allowed, "Pick another.")
    nodes = [*sites.routers, *(station.name for station in sites.stations)]
    for name in nodes:
        if not NAME.fullmatch(name):
            allowed = "1 to 14 lower-case letters, digits and -, a letter first"
            yield _wrong(f"node {name!r}", f"name {name!r}", allowed, "Pick another.")
    for name in sorted({"lo", *(segment_bridge(site.switch) for site in sites.sites)} & {*nodes}):
        yield _wrong(
            f"node {name!r}",
            f"name {name!r} is taken",
            "not the name of an existing interface",
            "Pick another: interfaces are named after the nodes they lead to.",
        )
    nodes += [name for site in sites.sites for name in (site.router, site.switch)]
    for name in sorted(_repeated(nodes)):
        yield _wrong(
            f"node {name!r}",
            f"name {name!r} twice",
            "each name once",
            "Rename one of them; a site makes the nodes NAME-router and NAME-lan.",
        )


def _counts(sites: Sites) -> Iterator[ModelError]:
    if len(sites.sites) != 2:
        yield _wrong(
            "sites",
            f"a list of {len(sites.sites)}",
            "2",
            "A tunnel has two ends: name the site that pings, then the other.",
        )
    if not ROUTERS_LEAST <= len(sites.routers) <= ROUTERS_MOST:
        found = f"routers: {len(sites.routers)} of them"
        allowed = f"{ROUTERS_LEAST}..{ROUTERS_MOST}"
        yield _wrong("wan", found, allowed, "Add some or remove some.")
    do = "Pick another; PPPoE leaves 1492."
    yield from limit_errors("mtu", sites.underlay_mtu, MTU_LOWEST, MTU_HIGHEST, where="wan", do=do)
    if sites.attacker.router not in sites.routers:
        found, allowed = f"router {sites.attacker.router!r}", ", ".join(sites.routers)
        do = did_you_mean(sites.attacker.router, sites.routers, "Name one of them.")
        yield _wrong("attacker", found, allowed, do)


def _addresses(sites: Sites) -> Iterator[ModelError]:
    """Addresses that no machine can have; `_site` has the error for one at an end of its network."""
    for site in sites.sites:
        where = f"site {site.name!r}"
        if why := unusable_cidr(site.lan):
            do = "Pick another prefix."
            yield _wrong(where, f"lan {site.lan} is {why}", "unicast addresses", do)
        named = [("public_ip", site.public_ip), ("tunnel_ip", site.tunnel_ip)]
        if not why:
            named += [("gateway_ip", site.gateway_ip)]
            named += [(f"station {each.name!r}", each.ip) for each in site.stations]
        for what, ip in named:
            if why := unusable(ip):
                yield _wrong(where, f"{what} {ip} is {why}", ONE_MACHINE, "Pick another.")
    ip, network = sites.attacker.ip, sites.attacker.network
    if why := unusable(ip):
        yield _wrong("attacker", f"ip {ip} is {why}", ONE_MACHINE, "Pick another.")
    elif ip in _ends(network):
        allowed = f"not the first or last of {network}"
        yield _wrong("attacker", f"ip {ip}", allowed, "Its segment is a /24: pick one within it.")


def _site(site: Site) -> Iterator[ModelError]:
    where = f"site {site.name!r}"
    if not site.stations:
        yield _wrong(where, "stations: none", "at least one", "Name the machine that pings.")
    inside = [("gateway_ip", site.gateway_ip)]
    inside += [(f"station {station.name!r}", station.ip) for station in site.stations]
    ends = _ends(site.lan)
    for what, ip in inside:
        if ip not in site.lan or ip in ends:
            allowed = f"an address of a host in lan {site.lan}"
            yield _wrong(where, f"{what} {ip}", allowed, "Move it, or change `lan`.")
    for twice in _repeated(ip for _, ip in inside):
        yield _wrong(where, f"stations: {twice} twice", "each address once", "Change one of them.")
    if site.public_ip in _ends(site.uplink) and not unusable(site.public_ip):
        yield _wrong(
            where,
            f"public_ip {site.public_ip}",
            f"not the first or last of {site.uplink}",
            "The wire to the provider is a /30: pick an address within it.",
        )


def _tunnel(sites: Sites) -> Iterator[ModelError]:
    near, far = sites.near.tunnel_ip, sites.far.tunnel_ip
    wire = wire_of(near)
    if far not in wire or near == far or {near, far} & _ends(wire):
        yield _wrong(
            f"site {sites.far.name!r}",
            f"tunnel_ip {far}",
            f"the other host of the tunnel's /30 ({wire}, with {near} at the near end)",
            "Take two addresses such as 172.16.16.1 and 172.16.16.2.",
        )


def _networks(sites: Sites) -> Iterator[ModelError]:
    named = [(f"lan of site {site.name!r}", site.lan) for site in sites.sites]
    named += [(f"uplink of site {site.name!r}", site.uplink) for site in sites.sites]
    named += [("the attacker's segment", sites.attacker.network), ("wires between routers", CORE)]
    if sites.sites:
        named += [("the tunnel", wire_of(sites.near.tunnel_ip))]
    for (one, first), (other, second) in combinations(named, 2):
        if first.overlaps(second):
            found = f"{one} ({first}) overlaps {other} ({second})"
            yield _wrong("sites", found, "networks apart from each other", "Change one of them.")


def _ends(network: IPv4Network) -> set[object]:
    """The network's own address and its broadcast address."""
    return {network.network_address, network.broadcast_address}


def _repeated(values: Iterable[T]) -> list[T]:
    return [value for value, count in Counter(values).items() if count > 1]


def _wrong(where: str, found: str, allowed: str, do: str) -> ModelError:
    return ModelError(found, where=where, allowed=allowed, do=do)
