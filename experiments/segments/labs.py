"""The overlays of the experiment `segments`: many networks at once, their ids at the edges.  Pure.

    tenants1: eth0 eth1 eth2 ...            tenants2: eth0 eth1 eth2 ...
               |    |    |                             |    |    |
    host1      n1   n2   n3                 host2      n1   n2   n3

A guest on each host has an interface in every network, and the same address in all of them.
Networks of type local have both on the first host, and a third, which must hear nothing, on
the second.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network
from math import exp, log

from controller.model.encap import NetworkType
from controller.model.errors import MeasureError, UsageError
from controller.model.modes import parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Network, Port, Subnet
from experiments.core.experiment import by_mode
from experiments.core.question import Point, Row
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

ALL, PEER, FOREIGN, BARRIER = "to all", "to its peer", "to a guest of the next network", "barrier"
KINDS = (ALL, PEER, FOREIGN)
ONE, OTHER, AWAY = "tenants1", "tenants2", "tenants3"  # guests; AWAY: of local networks only
CIDR = IPv4Network("10.0.0.0/24")  # of every network alike
ADDRESSES = {
    ONE: IPv4Address("10.0.0.11"),
    OTHER: IPv4Address("10.0.0.12"),
    AWAY: IPv4Address("10.0.0.13"),
}
# Ids at which a field cut short would meet another: equal in their lowest 12, 16 or 24 bits.
TWINS = (2**24 + 1, 2**24, 2**24 - 1, 2**16 + 1, 2**12 + 1, 2**12 - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """A marked frame, and who may see it."""

    network: str  # id
    sender: Port
    kind: str
    nonce: bytes
    data: bytes


def type_of(mode: str) -> NetworkType:
    """The network type that a mode puts to the test; `local` is no mode of other experiments.

    Raises:
        UsageError: the mode keeps each network's own type.
    """
    if mode == NetworkType.LOCAL:
        return NetworkType.LOCAL
    wanted = parse_mode(mode).network_type
    if wanted is None:
        raise UsageError(
            repr(mode),
            where="mode",
            allowed="a mode that names a network type",
            do="Write `gre-mesh` instead of `mesh`.",
        )
    return wanted


def narrowed(overlay: Overlay) -> Overlay:
    """The first two hosts of the scenario, without networks.

    Raises:
        MeasureError: it has but one host.
    """
    if len(overlay.hosts) < 2:
        raise MeasureError(
            f"{len(overlay.hosts)} host",
            where=f"overlay {overlay.name!r}",
            allowed="2 or more",
            do="Take another scenario.",
        )
    return replace(overlay, hosts=overlay.hosts[:2], networks=(), subnets=(), ports=(), dhcp=False)


def staged(overlay: Overlay, point: Point) -> Overlay:
    """So many networks of the mode's type, with their guests, whose addresses overlap."""
    mode, many = str(point["mode"]), int(point["networks"])
    kind = type_of(mode)
    networks = tuple(_network(kind, number, id_) for number, id_ in enumerate(ids(kind, many), 1))
    carried = _on_own_wires(overlay, networks) if not kind.is_tunnel else by_mode(overlay, point)
    places = _places(overlay, kind)
    ports = (_port(network, guest, host) for guest, host in places for network in networks)
    return replace(
        carried,
        networks=networks,
        subnets=tuple(map(_subnet, networks)),
        ports=tuple(ports),
        ranges=(),
        type_drivers=tuple(NetworkType),
    )


def _places(overlay: Overlay, kind: NetworkType) -> tuple[tuple[str, str], ...]:
    """The guests, each with its host."""
    first, second = (host.name for host in overlay.hosts)
    if kind is NetworkType.LOCAL:
        return ((ONE, first), (OTHER, first), (AWAY, second))
    return ((ONE, first), (OTHER, second))


def ids(kind: NetworkType, many: int) -> tuple[int | None, ...]:
    """The segmentation_ids that are tried: both edges, then TWINS, then draws in between.

    Draws are a hash's, the same in every run, as many between 1 and 10 as between 10 and 100.
    """
    top = kind.kind.id_max
    if not top:
        return (None,) * many
    drawn = (_drawn(kind, number, top) for number in range(10 * many))
    wanted = (1, top, *(twin for twin in TWINS if twin < top), *drawn)
    return tuple(dict.fromkeys(wanted))[:many]


def _drawn(kind: NetworkType, number: int, top: int) -> int:
    digest = blake2b(f"segments/{kind}/{number}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    return min(top, round(exp(share * log(top))))


def _network(kind: NetworkType, number: int, segmentation_id: int | None) -> Network:
    physical = {NetworkType.FLAT: f"physnet{number}", NetworkType.VLAN: "physnet1"}.get(kind)
    return Network(
        id=derived_id("segments", f"n{number}"),
        name=f"n{number}",
        network_type=kind,
        segmentation_id=segmentation_id,
        physical_network=physical,
    )


def _subnet(network: Network) -> Subnet:
    id_ = derived_id("segments", network.name, "subnet")
    return Subnet(id=id_, name=f"{network.name}-subnet", network_id=network.id, cidr=CIDR)


def _on_own_wires(overlay: Overlay, networks: Iterable[Network]) -> Overlay:
    """A provider bridge on every host for each physical network, apart from the underlay."""
    names = dict.fromkeys(net.physical_network for net in networks if net.physical_network)
    mapped = tuple((name, f"br-ex{number}") for number, name in enumerate(names, start=1))
    hosts = (replace(host, bridge_mappings=mapped, tunnel_types=()) for host in overlay.hosts)
    return replace(overlay, hosts=tuple(hosts))


def _port(network: Network, guest: str, host: str) -> Port:
    id_ = derived_id("segments", network.name, guest)
    return Port(
        id=id_,
        name=f"{network.name}-{guest}",
        network_id=network.id,
        mac_address=derived_mac(id_),
        host=host,
        device_id=guest,
        fixed_ips=(ADDRESSES[guest],),
    )


def peer(overlay: Overlay, port: Port) -> Port | None:
    """The guest that must hear it; None for one who must be heard by nobody."""
    if port.device_id == AWAY:
        return None
    there = OTHER if port.device_id == ONE else ONE
    return next(p for p in overlay.ports if (p.network_id, p.device_id) == (port.network_id, there))


def frames(overlay: Overlay, kinds: Iterable[str], seed: int) -> tuple[Frame, ...]:
    """One marked frame of each kind from every guest."""
    places = {network.id: number for number, network in enumerate(overlay.networks)}
    wanted = tuple(kinds)
    return tuple(
        _frame(overlay, port, kind, places, seed) for port in overlay.ports for kind in wanted
    )


def questions(overlay: Overlay) -> tuple[tuple[Port, Port, bytes], ...]:
    """Who asks whom, and the ARP request: but for the asker's MAC the same in every network."""
    pairs = ((port, peer(overlay, port)) for port in overlay.ports)
    return tuple((port, asked, _request(port, asked)) for port, asked in pairs if asked)


def _request(port: Port, asked: Port) -> bytes:
    sender, target = (port.mac_address, port.ipv4[0]), (NOBODY, asked.ipv4[0])
    return ethernet(BROADCAST, port.mac_address, ARP, arp_packet(REQUEST, sender, target))


def _frame(overlay: Overlay, port: Port, kind: str, places: dict[str, int], seed: int) -> Frame:
    nonce = blake2b(f"{seed}/{port.id}/{kind}".encode(), digest_size=NONCE).digest()
    found = peer(overlay, port)
    target = BROADCAST
    if kind == PEER and found:
        target = found.mac_address
    if kind == FOREIGN:
        beyond = overlay.networks[(places[port.network_id] + 1) % len(overlay.networks)].id
        target = next(
            p.mac_address
            for p in overlay.ports
            if p.network_id == beyond and p.device_id != port.device_id
        )
    data = ethernet(target, port.mac_address, LOCAL_EXPERIMENT, nonce)
    return Frame(port.network_id, port, kind, nonce, data)


def refusals(kind: NetworkType) -> tuple[Row, ...]:
    """`provider:` attributes that must be refused: an id beyond either edge, or a second network."""
    top = kind.kind.id_max
    physical = {"provider:physical_network": "physnet1"} if kind.is_provider else {}
    type_: Row = {"provider:network_type": str(kind), **physical}
    if kind is NetworkType.FLAT:
        return (type_, {**type_, "provider:segmentation_id": 1})
    if not top:
        return ({**type_, "provider:segmentation_id": 1},)
    return tuple({**type_, "provider:segmentation_id": id_} for id_ in (0, top + 1))


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell: all networks are made and apart, and nothing beyond the edges is."""
    return tuple(
        {
            **point,
            "isolated": point["networks"],
            "made": point["networks"],
            "reached": point["networks"],
            "leaks": 0,
            "labelled": point["networks"],
            "refused": len(refusals(type_of(str(point["mode"])))),
            "answered": point["networks"],
        }
        for point in points
    )
