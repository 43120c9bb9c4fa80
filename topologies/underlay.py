"""The network between the hosts, as a value: its shape, and what it does to a packet.  Pure."""

from dataclasses import dataclass
from enum import Enum


class Shape(str, Enum):
    """How the hosts hang together below the overlay."""

    SWITCH = "switch"  # one Ethernet
    LEAF_SPINE = "leaf-spine"  # a router a host, each joined to every spine; equal-cost paths
    WAN = "wan"  # a router a host, and routers between them

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlay:
    """What joins the hosts; its MTU is the overlay's `underlay_mtu`.

    `spines` and `hash_policy` mean something to a leaf-spine alone.
    """

    shape: Shape = Shape.SWITCH
    spines: int = 2
    hash_policy: int = 1  # net.ipv4.fib_multipath_hash_policy: 0 L3, 1 L4, 2 L3 or inner L3
    delay_ms: float = 0.0  # added to each packet that leaves a host
    loss_percent: float = 0.0  # of the packets that leave a host


SWITCHED = Underlay()  # what there is unless something else is asked for
