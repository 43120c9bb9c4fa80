"""What is raised for the experiment `fanout`, what is sent there, and what theory foretells.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network

from controller.model.encap import NetworkType
from controller.model.enlarge import enlarge
from controller.model.modes import Flooding, parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet
from experiments.core.experiment import by_mode
from experiments.core.question import Point, Row
from experiments.fanout.cells import KINDS, KNOWN, UNICAST, UNKNOWN
from experiments.measure.frames import (
    ARP,
    BROADCAST,
    LOCAL_EXPERIMENT,
    NOBODY,
    NONCE,
    REQUEST,
    arp_packet,
    ethernet,
)

SHARES = (50, 100)  # percent of the hosts that have a guest on the network; each a network


BARRIER = "barrier"  # the last frame of each network: when it has come, all before it have
STRANGER = "06:4e:6f:62:6f:64"  # locally administered, and nobody's
FIRST_ID = 1000  # segmentation_ids are this and the share; all fit a VLAN id
GUESTS_FROM = 10  # the last part of the first guest's address


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What becomes of one frame, in packets."""

    copies_sent: int
    arrived: int
    unneeded: int
    heard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One marked frame."""

    share: int
    kind: str
    number: int  # of its kind, from 1
    nonce: bytes
    data: bytes


def members(hosts: int, share: int) -> tuple[int, ...]:
    """Which hosts (from 0) have a guest: spread evenly, the first one always."""
    many = max(1, -(-hosts * share // 100))
    return tuple(each * hosts // many for each in range(many))


def staged(overlay: Overlay, point: Point) -> Overlay:
    """So many hosts, a network for each share, and a guest on each of its members."""
    wanted = int(point["hosts"])
    bare = replace(overlay, hosts=overlay.hosts[:wanted], networks=(), subnets=(), ports=())
    grown = enlarge(bare, wanted)
    placed = replace(
        grown,
        networks=tuple(map(_network, SHARES)),
        subnets=tuple(map(_subnet, SHARES)),
        ports=tuple(port for share in SHARES for port in _ports(grown.hosts, share)),
    )
    return by_mode(placed, point)


def network_id(share: int) -> str:
    """The id of the network whose members are `share` percent of the hosts."""
    return derived_id("fanout", f"share{share}")


def _network(share: int) -> Network:
    return Network(
        id=network_id(share),
        name=f"share{share}",
        network_type=NetworkType.VXLAN,
        segmentation_id=FIRST_ID + share,
    )


def _cidr(share: int) -> IPv4Network:
    return IPv4Network(f"10.{share}.0.0/24")


def _subnet(share: int) -> Subnet:
    return Subnet(
        id=derived_id("fanout", f"subnet{share}"),
        name=f"subnet{share}",
        network_id=network_id(share),
        cidr=_cidr(share),
    )


def _ports(hosts: tuple[Host, ...], share: int) -> Iterator[Port]:
    for index in members(len(hosts), share):
        name = f"s{share}g{index + 1}"
        id_ = derived_id("fanout", name)
        yield Port(
            id=id_,
            name=name,
            network_id=network_id(share),
            mac_address=derived_mac(id_),
            fixed_ips=(_cidr(share)[GUESTS_FROM + index],),
            host=hosts[index].name,
            device_id=name,
        )


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell, before any is measured."""
    return tuple(
        {**point, "share": share, "kind": kind, **_cell(point, share, kind)}
        for point in points
        for share in SHARES
        for kind in kinds(int(point["hosts"]), share)
    )


def kinds(hosts: int, share: int) -> tuple[str, ...]:
    """What can be sent: a network with one member has no other address to ask for."""
    return KINDS if len(members(hosts, share)) > 1 else KINDS[1:]


def _cell(point: Point, share: int, kind: str) -> Row:
    many = len(members(int(point["hosts"]), share))
    copies = copies_of(str(point["mode"]), int(point["hosts"]), many, kind)
    return {
        "members": many,
        "copies_sent": copies.copies_sent,
        "arrived": copies.arrived,
        "unneeded": copies.unneeded,
        "heard": copies.heard,
    }


def copies_of(mode: str, hosts: int, many: int, kind: str) -> Copies:
    """What one frame from one of `many` members comes to."""
    wanted = parse_mode(mode)
    if wanted.is_kernel:
        return _by_kernel(wanted.flooding, hosts, many, kind)
    if wanted.flooding is Flooding.L2POP_ARP and kind == KNOWN:
        return Copies(copies_sent=0, arrived=0, unneeded=0, heard=0)
    if wanted.network_type and not wanted.network_type.is_tunnel:
        # One frame on the wire; the underlay's own switch makes the copies.
        return Copies(copies_sent=1, arrived=hosts - 1, unneeded=hosts - many, heard=many - 1)
    reached = hosts - 1 if wanted.flooding is Flooding.MESH else many - 1
    return Copies(
        copies_sent=reached, arrived=reached, unneeded=reached - (many - 1), heard=many - 1
    )


def _by_kernel(flooding: Flooding | None, hosts: int, many: int, kind: str) -> Copies:
    """As `copies_of`, for Linux bridges and the kernel's VXLAN."""
    others = many - 1
    if flooding is Flooding.MULTICAST:  # one packet; the underlay's switch brings it to members
        return Copies(copies_sent=1, arrived=others, unneeded=0, heard=others)
    if flooding is Flooding.L2POP and kind in {KNOWN, UNKNOWN}:  # answered, or dropped
        return Copies(copies_sent=0, arrived=0, unneeded=0, heard=0)
    reached = hosts - 1 if flooding is Flooding.MESH else others
    return Copies(copies_sent=reached, arrived=reached, unneeded=reached - others, heard=others)


def sender(overlay: Overlay, share: int) -> Port:
    """The guest that sends: that of the first host."""
    return next(overlay.active_ports(network_id(share)))


def frames(overlay: Overlay, repeats: int, seed: int) -> tuple[Frame, ...]:
    """All marked frames, in an order that the seed draws."""
    made = (
        frame(overlay, share, kind, number, seed)
        for share in SHARES
        for kind in kinds(len(overlay.hosts), share)
        for number in range(1, repeats + 1)
    )
    return tuple(sorted(made, key=lambda each: each.nonce))


def frame(overlay: Overlay, share: int, kind: str, number: int, seed: int) -> Frame:
    """One marked frame from the sender of a network."""
    nonce = blake2b(f"{seed}/{share}/{kind}/{number}".encode(), digest_size=NONCE).digest()
    data = _data(overlay, share, kind, nonce)
    return Frame(share=share, kind=kind, number=number, nonce=nonce, data=data)


def _data(overlay: Overlay, share: int, kind: str, nonce: bytes) -> bytes:
    source, *others = overlay.active_ports(network_id(share))
    mac = source.mac_address
    if kind in {KNOWN, UNKNOWN}:
        # Behind the packet, in the padding: there it stays with the request alone.
        wanted = others[-1].ipv4[0] if kind == KNOWN else _nobodys(share)
        asked = arp_packet(REQUEST, (mac, source.ipv4[0]), (NOBODY, wanted))
        return ethernet(BROADCAST, mac, ARP, asked + nonce)
    return ethernet(STRANGER if kind == UNICAST else BROADCAST, mac, LOCAL_EXPERIMENT, nonce)


def _nobodys(share: int) -> IPv4Address:
    """An address of the subnet that no guest has."""
    return _cidr(share)[-2]
