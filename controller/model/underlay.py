"""The network between the hosts: its shape, its limits, delay and loss.  Pure."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network

LINKS = IPv4Network("198.19.0.0/16")  # between routers; reserved for benchmarks (RFC 2544)
SPINES_MAX = 8
HASH_POLICIES = {
    0: "addresses",
    1: "addresses and ports",
    2: "addresses of the inner packet, if there is one",
}  # Linux, Documentation/networking/ip-sysctl.rst: fib_multipath_hash_policy
TRANSITS = 2  # routers in a row across a WAN


class Shape(str, Enum):
    """The topology of the underlay."""

    SWITCH = "switch"  # one Ethernet
    LEAF_SPINE = "leaf-spine"  # one router per host, each linked to every spine; equal-cost paths
    WAN = "wan"  # one router per host, and routers between them

    @property
    def is_routed(self) -> bool:
        """True if there are routers between the hosts."""
        return self is not Shape.SWITCH

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlay:
    """The network between the hosts; its MTU is the overlay's `underlay_mtu`.

    `spines` and `hash_policy` apply to a leaf-spine only, `wan_mtu` to a WAN only.
    """

    shape: Shape = Shape.SWITCH
    spines: int = 2
    hash_policy: int = 1  # net.ipv4.fib_multipath_hash_policy: 0 L3, 1 L4, 2 L3 or inner L3
    wan_mtu: int = 0  # bytes, between the routers in a row; 0: the same as elsewhere
    delay_ms: float = 0.0  # added to each packet that leaves a host
    loss_percent: float = 0.0  # of the packets that leave a host

    @property
    def is_impaired(self) -> bool:
        """True if packets are delayed or lost on purpose."""
        return bool(self.delay_ms or self.loss_percent)


SWITCHED = Underlay()  # the default
EDGES = {Shape.LEAF_SPINE: "leaf", Shape.WAN: "edge"}
CORES = {Shape.LEAF_SPINE: "spine", Shape.WAN: "transit"}


def edge_name(shape: Shape, index: int) -> str:
    """The router that host number `index`, from 0, is connected to."""
    return f"{EDGES[shape]}{index + 1}"


def core_names(underlay: Underlay) -> tuple[str, ...]:
    """The routers between the edge routers."""
    many = {Shape.LEAF_SPINE: underlay.spines, Shape.WAN: TRANSITS}[underlay.shape]
    return tuple(f"{CORES[underlay.shape]}{number}" for number in range(1, many + 1))
