"""The parts of two sites joined by a tunnel, as frozen values that are not checked yet.  Pure."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from itertools import chain

from controller.model.parts import Mechanism

LAN_MTU = 1500  # bytes; Ethernet's
PPPOE_MTU = 1492  # bytes: 1500 less PPPoE's 8 (RFC 2516)
GRE_OVERHEAD = 24  # bytes: IPv4 20, GRE without key or checksum 4 (RFC 2784)
TUNNEL, WAN, LAN, ETH = "gre1", "wan", "lan", "eth0"  # interfaces: of edge routers, of stations
POINT_TO_POINT = 30  # prefix length of a wire between two routers
CORE = IPv4Network("198.51.100.0/24")  # RFC 5737: wires between transit routers


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
        """The other end of that wire: the way to everywhere."""
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
    """An edge router as those see it who look at hosts alone."""

    name: str
    mechanism: Mechanism = Mechanism.OPENVSWITCH


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesParts:
    """Two sites, the routers in a row between them, and an attacker, before they are checked."""

    name: str
    sites: tuple[Site, ...]
    routers: tuple[str, ...]  # from the first site to the second
    attacker: Attacker
    underlay_mtu: int = PPPOE_MTU  # bytes, of every wire between the edge routers
    release: str = ""  # no Neutron is in it

    @property
    def near(self) -> Site:
        """The site that calls."""
        return self.sites[0]

    @property
    def far(self) -> Site:
        """The site that is called."""
        return self.sites[1]

    @property
    def stations(self) -> tuple[Station, ...]:
        """Every machine with one interface, the attacker last."""
        own = chain.from_iterable(site.stations for site in self.sites)
        return (*own, Station(name=self.attacker.name, ip=self.attacker.ip))


def wire_of(ip: IPv4Address) -> IPv4Network:
    """The network of a wire with two ends, one of which has `ip`."""
    return IPv4Network((ip, POINT_TO_POINT), strict=False)
