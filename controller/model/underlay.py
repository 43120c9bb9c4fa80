"""The network between the hosts, as a value: its shape, and what it does to a packet.  Pure."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network

LINKS = IPv4Network("198.19.0.0/16")  # between routers; set aside for testing (RFC 2544)
SPINES_MAX = 8
HASH_POLICIES = {
    0: "addresses",
    1: "addresses and ports",
    2: "addresses of the inner packet, if there is one",
}  # Linux, Documentation/networking/ip-sysctl.rst: fib_multipath_hash_policy
TRANSITS = 2  # routers in a row across a WAN


class Shape(str, Enum):
    """How the hosts hang together below the overlay."""

    SWITCH = "switch"  # one Ethernet
    LEAF_SPINE = "leaf-spine"  # a router a host, each joined to every spine; equal-cost paths
    WAN = "wan"  # a router a host, and routers between them

    @property
    def is_routed(self) -> bool:
        """True if there are routers between the hosts."""
        return self is not Shape.SWITCH

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlay:
    """What joins the hosts; its MTU is the overlay's `underlay_mtu`.

    `spines` and `hash_policy` mean something to a leaf-spine alone, `wan_mtu` to a WAN.
    """

    shape: Shape = Shape.SWITCH
    spines: int = 2
    hash_policy: int = 1  # net.ipv4.fib_multipath_hash_policy: 0 L3, 1 L4, 2 L3 or inner L3
    wan_mtu: int = 0  # bytes, between the routers in a row; 0: as everywhere
    delay_ms: float = 0.0  # added to each packet that leaves a host
    loss_percent: float = 0.0  # of the packets that leave a host

    @property
    def is_impaired(self) -> bool:
        """True if packets are delayed or lost on purpose."""
        return bool(self.delay_ms or self.loss_percent)


SWITCHED = Underlay()  # what there is unless something else is asked for
EDGES = {Shape.LEAF_SPINE: "leaf", Shape.WAN: "edge"}
CORES = {Shape.LEAF_SPINE: "spine", Shape.WAN: "transit"}


def edge_name(shape: Shape, index: int) -> str:
    """The router that host number `index`, from 0, is plugged into."""
    return f"{EDGES[shape]}{index + 1}"


def core_names(underlay: Underlay) -> tuple[str, ...]:
    """The routers between the edges."""
    many = {Shape.LEAF_SPINE: underlay.spines, Shape.WAN: TRANSITS}[underlay.shape]
    return tuple(f"{CORES[underlay.shape]}{number}" for number in range(1, many + 1))
