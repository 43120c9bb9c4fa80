"""The network between the hosts: its routers, the cables between them, and their routes.  Pure.

An interface has the name of the node at the other end of its cable: leaf1 has `spine1` and
`host1`, spine1 has `leaf1`.  Each cable between routers has a /31 (RFC 3021) in 198.19.0.0/16,
which is reserved for testing (RFC 2544).  The cables to the hosts all have the same addresses, as
in a fabric with an anycast gateway; they are not routed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

from controller.model.names import UNDERLAY, underlay_mac
from controller.model.parts import Address
from controller.model.underlay import LINKS, TRANSITS, Shape, Underlay, core_names, edge_name

GATEWAY = LINKS[1]  # the edge router, on the cable to its host
LINK_IP = LINKS[2]  # the host, on that cable; tunnels use its VTEP's address
HOST_LINK = IPv4Network((GATEWAY - 1, 30))
CABLES_AT = 512  # addresses from the first of LINKS: those of the first core router's cables
CABLES_EACH = 512  # addresses a core router
TRUNKS_AT = 2**15

Member = tuple[int, Address]  # a host's number, from 0, and its VTEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A cable between two routers; `first` is the address of `one`, the next one `other`'s."""

    one: str
    other: str
    first: IPv4Address

    def end(self, router: str) -> tuple[str, IPv4Address, IPv4Address]:
        """At `router`: the interface, its address, the address at the other end."""
        if router == self.one:
            return self.other, self.first, self.first + 1
        return self.one, self.first + 1, self.first

    def lines(self, router: str) -> Iterator[str]:
        """The `ip` commands for that end, with a permanent neighbour entry for the other one."""
        name, own, far = self.end(router)
        yield f"addr add {own}/31 dev {name}"
        yield f"link set {name} up"
        yield f"neigh replace {far} lladdr {underlay_mac(far)} dev {name} nud permanent"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The routers of an underlay and the cables between them; a switch has neither.

    `topologies.nodes.topo` has the drawings.
    """

    underlay: Underlay

    def core(self) -> tuple[str, ...]:
        """The routers that are not the edge router of a host."""
        return core_names(self.underlay) if self.underlay.shape.is_routed else ()

    def edge(self, index: int) -> str:
        """The node that host number `index`, from 0, is plugged into."""
        shape = self.underlay.shape
        return edge_name(shape, index) if shape.is_routed else UNDERLAY

    def trunks(self) -> tuple[Cable, ...]:
        """Cables between core routers: the transit routers of a WAN are in a row."""
        row = self.core() if self.underlay.shape is Shape.WAN else ()
        return tuple(
            Cable(one=one, other=other, first=LINKS[TRUNKS_AT + 2 * at])
            for at, (one, other) in enumerate(pairwise(row))
        )

    def uplinks(self, index: int) -> tuple[Cable, ...]:
        """Cables from the edge router of host number `index`: to every spine, or to one transit."""
        core = self.core()
        linked = (index % TRANSITS,) if self.underlay.shape is Shape.WAN else range(len(core))
        return tuple(
            Cable(
                one=core[at],
                other=self.edge(index),
                first=LINKS[CABLES_AT + CABLES_EACH * at + 2 * index],
            )
            for at in linked
        )

    def towards(self, core: str, index: int) -> Cable:
        """The cable by which a core router reaches host number `index`."""
        uplinks = {cable.one: cable for cable in self.uplinks(index)}
        if core in uplinks:
            return uplinks[core]
        (transit,), row = uplinks, self.core()
        at = row.index(core)
        return self.trunks()[at if row.index(transit) > at else at - 1]


def kernel(underlay: Underlay) -> tuple[str, ...]:
    """Kernel parameters of a router."""
    return (
        "net.ipv4.ip_forward=1",
        # A reply may take another spine than the request.
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
        f"net.ipv4.fib_multipath_hash_policy={underlay.hash_policy}",
    )


def lines(underlay: Underlay, router: str, members: Sequence[Member]) -> list[str]:
    """The `ip` commands of a new router, for these hosts."""
    found = ["link set lo up", *_cable_lines(Wiring(underlay).trunks(), router)]
    for member in members:
        found += joining(underlay, router, member)
    return found


def joining(underlay: Underlay, router: str, member: Member) -> list[str]:
    """The `ip` commands of a router for one more host: its cables, and the route to it."""
    wired, (index, vtep) = Wiring(underlay), member
    found = list(_cable_lines(wired.uplinks(index), router))
    if router == wired.edge(index):
        found += _edge_lines(wired, member)
    elif router in wired.core():
        name, _, far = wired.towards(router, index).end(router)
        found.append(f"route replace {vtep} via {far} dev {name}")
    return found


def _cable_lines(cables: Iterable[Cable], router: str) -> Iterator[str]:
    for cable in cables:
        if router in {cable.one, cable.other}:
            yield from cable.lines(router)


def _edge_lines(wired: Wiring, member: Member) -> Iterator[str]:
    """The route to its host, and equal-cost default routes to all others."""
    index, vtep = member
    name = host_port(index)
    yield f"addr add {GATEWAY}/{HOST_LINK.prefixlen} dev {name}"
    yield f"link set {name} up"
    yield f"neigh replace {vtep} lladdr {underlay_mac(vtep)} dev {name} nud permanent"
    yield f"route replace {vtep} dev {name}"
    ends = [cable.end(wired.edge(index)) for cable in wired.uplinks(index)]
    hops = " ".join(f"nexthop via {far} dev {uplink}" for uplink, _, far in ends)
    yield f"route replace default {hops}"


def host_port(index: int) -> str:
    """The interface towards host number `index`."""
    return f"host{index + 1}"
