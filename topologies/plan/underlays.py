"""What joins the hosts: which routers, which cables between them, which routes.  Pure.

A cable is named at each end after what is at the other: leaf1 has `spine1` and `host1`,
spine1 has `leaf1`.  Cables have a /31 each (RFC 3021) in 198.19.0.0/16, which is set aside
for testing (RFC 2544).  Each host's own cable has the same addresses as every other's, as in
a fabric with an anycast gateway: nobody but the two ends ever sees them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

from controller.model.names import UNDERLAY, underlay_mac
from controller.model.parts import Address
from controller.model.underlay import LINKS, TRANSITS, Shape, Underlay, core_names, edge_name

GATEWAY = LINKS[1]  # the edge router, as its host sees it
LINK_IP = LINKS[2]  # the host, as its edge router sees it; tunnels come from its VTEP's address
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
        """What `router` sees of it: the interface, its own address, the far one."""
        if router == self.one:
            return self.other, self.first, self.first + 1
        return self.one, self.first + 1, self.first

    def lines(self, router: str) -> Iterator[str]:
        """What `ip -batch` is told at that end; the far MAC is known from the first packet on."""
        name, own, far = self.end(router)
        yield f"addr add {own}/31 dev {name}"
        yield f"link set {name} up"
        yield f"neigh replace {far} lladdr {underlay_mac(far)} dev {name} nud permanent"


@dataclass(frozen=True, slots=True)
class Switched:
    """One Ethernet, and every host on it: no router at all.

    node1       node2       node3
      |           |           |
    --+-----------+-----------+--   [ underlay ], a Linux bridge
    """

    underlay: Underlay

    def core(self) -> tuple[str, ...]:
        """Routers that are there whatever hosts there are."""
        return ()

    def edge(self, index: int) -> str:  # noqa: ARG002
        """What host number `index` is plugged into."""
        return UNDERLAY

    def trunks(self) -> tuple[Cable, ...]:
        """Cables between core routers."""
        return ()

    def uplinks(self, index: int) -> tuple[Cable, ...]:  # noqa: ARG002
        """Cables from the edge router of host number `index` to the core."""
        return ()

    def towards(self, core: str, index: int) -> tuple[str, IPv4Address] | None:  # noqa: ARG002
        """By which interface, and which neighbour, a core router reaches host number `index`."""
        return None


@dataclass(frozen=True, slots=True)
class LeafSpine(Switched):
    r"""A leaf router a host, each joined to every spine: as many equal paths as spines.

    [spine1]      [spine2]
     |    \       /    |
     |     \     /     |      198.19.2.0/31 and on, 198.19.4.0/31 and on, ...
     |      \   /      |
     |       \ /       |
     |        X         |
     |       / \       |
     |      /   \      |
    [leaf1]       [leaf2]     each takes a spine by the hash of the packet
       |             |        198.19.0.1 at each leaf, 198.19.0.2 at its host
     node1         node2      VTEPs: the local_ip of each host, routed as a /32
    """

    def core(self) -> tuple[str, ...]:
        """The spines."""
        return core_names(self.underlay)

    def edge(self, index: int) -> str:
        """The host's leaf."""
        return edge_name(self.underlay.shape, index)

    def uplinks(self, index: int) -> tuple[Cable, ...]:
        """One to every spine."""
        return tuple(
            Cable(one=spine, other=self.edge(index), first=_first(at, index))
            for at, spine in enumerate(self.core())
        )

    def towards(self, core: str, index: int) -> tuple[str, IPv4Address] | None:
        """Its leaf, on the cable between the two."""
        cable = self.uplinks(index)[self.core().index(core)]
        name, _, far = cable.end(core)
        return name, far


@dataclass(frozen=True, slots=True)
class Wan(Switched):
    """An edge router a host, and two transit routers in a row between them.

    node1 --[edge1]--[transit1]======[transit2]--[edge2]-- node2
                         |                |
    node3 --[edge3]------+                +------[edge4]-- node4

    Odd hosts are on the first transit router, even ones on the second: from one to the
    other a packet passes four routers.
    """

    def core(self) -> tuple[str, ...]:
        """The transit routers, in their row."""
        return core_names(self.underlay)

    def edge(self, index: int) -> str:
        """The host's edge router."""
        return edge_name(self.underlay.shape, index)

    def trunks(self) -> tuple[Cable, ...]:
        """From each transit router to the next."""
        return tuple(
            Cable(one=one, other=other, first=LINKS[TRUNKS_AT + 2 * at])
            for at, (one, other) in enumerate(pairwise(self.core()))
        )

    def uplinks(self, index: int) -> tuple[Cable, ...]:
        """One, to the transit router of its side."""
        at = index % TRANSITS
        return (Cable(one=self.core()[at], other=self.edge(index), first=_first(at, index)),)

    def towards(self, core: str, index: int) -> tuple[str, IPv4Address] | None:
        """Its edge router, or the next transit router on the way there."""
        (cable,) = self.uplinks(index)
        row, at = self.core(), self.core().index(core)
        if cable.one != core:
            onward = at if row.index(cable.one) > at else at - 1
            cable = self.trunks()[onward]
        name, _, far = cable.end(core)
        return name, far


WIRINGS: dict[Shape, type[Switched]] = {
    Shape.SWITCH: Switched,
    Shape.LEAF_SPINE: LeafSpine,
    Shape.WAN: Wan,
}


def wiring(underlay: Underlay) -> Switched:
    """How the hosts of such an underlay are joined."""
    return WIRINGS[underlay.shape](underlay)


def _first(at: int, index: int) -> IPv4Address:
    """The first address of the cable from core router `at` to the edge of host `index`, from 0."""
    return LINKS[CABLES_AT + CABLES_EACH * at + 2 * index]


def kernel(underlay: Underlay) -> tuple[str, ...]:
    """Kernel parameters of a router."""
    return (
        "net.ipv4.ip_forward=1",
        # A packet may leave by one spine and its answer come by another.
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
        f"net.ipv4.fib_multipath_hash_policy={underlay.hash_policy}",
    )


def lines(underlay: Underlay, router: str, members: Sequence[Member]) -> list[str]:
    """What `ip -batch` is told in a fresh router, for these hosts."""
    wired = wiring(underlay)
    trunks = (cable for cable in wired.trunks() if router in {cable.one, cable.other})
    told = ["link set lo up", *(line for cable in trunks for line in cable.lines(router))]
    for member in members:
        told += joining(underlay, router, member)
    return told


def joining(underlay: Underlay, router: str, member: Member) -> list[str]:
    """What a router is told of one host: the cables for it, and the way to it."""
    wired, (index, vtep) = wiring(underlay), member
    cables = [cable for cable in wired.uplinks(index) if router in {cable.one, cable.other}]
    told = [line for cable in cables for line in cable.lines(router)]
    if router == wired.edge(index):
        return [*told, *_at_edge(wired, member)]
    way = wired.towards(router, index) if router in wired.core() else None
    return [*told, f"route replace {vtep} via {way[1]} dev {way[0]}"] if way else told


def _at_edge(wired: Switched, member: Member) -> Iterator[str]:
    """Its host on one side, all others on the other, over as many paths as there are."""
    index, vtep = member
    name = host_port(index)
    yield f"addr add {GATEWAY}/{HOST_LINK.prefixlen} dev {name}"
    yield f"link set {name} up"
    yield f"neigh replace {vtep} lladdr {underlay_mac(vtep)} dev {name} nud permanent"
    yield f"route replace {vtep} dev {name}"
    ways = [cable.end(wired.edge(index)) for cable in wired.uplinks(index)]
    hops = " ".join(f"nexthop via {far} dev {uplink}" for uplink, _, far in ways)
    yield f"route replace default {hops}"


def host_port(index: int) -> str:
    """The interface towards host number `index`."""
    return f"host{index + 1}"
