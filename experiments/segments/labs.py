"""The labs of `segments`: many networks at once, with the least and the greatest ids.  Pure.

    tenants1: eth0 eth1 eth2 ...            tenants2: eth0 eth1 eth2 ...
               |    |    |                             |    |    |
    host1      n1   n2   n3                 host2      n1   n2   n3

A guest on each host has an interface in every network, with the same address in all of them.
With networks of type local both guests are on the first host, and a third guest on the second
host, which must receive nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from math import exp, log

from controller.model.encap import NetworkType
from controller.model.errors import MeasureError, UsageError
from controller.model.modes import parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Network, Port, Subnet
from experiments.core.experiment import by_mode
from experiments.core.question import Point, Row
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, arp_request, ethernet, nonce_of

ALL, PEER, FOREIGN = "to all", "to its peer", "to a guest of the next network"
KINDS = (ALL, PEER, FOREIGN)
END = "end of test"  # the last frame of a guest: all frames before it have arrived when it has
ONE, OTHER, AWAY = "tenants1", "tenants2", "tenants3"  # guests; AWAY: only with local networks
CIDR = IPv4Network("10.0.0.0/24")  # of every network
ADDRESSES = {
    ONE: IPv4Address("10.0.0.11"),
    OTHER: IPv4Address("10.0.0.12"),
    AWAY: IPv4Address("10.0.0.13"),
}
# Ids that are equal in their lowest 12, 16 or 24 bits: a field that is too short mixes them.
TWINS = (2**24 + 1, 2**24, 2**24 - 1, 2**16 + 1, 2**12 + 1, 2**12 - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame with a nonce that identifies it."""

    network: str  # id
    sender: Port
    kind: str
    nonce: bytes
    data: bytes


def type_of(mode: str) -> NetworkType:
    """The network type of a mode; here `local` is a mode, too.

    Raises:
        UsageError: the mode does not name a network type.
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
        MeasureError: it has only one host.
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
    """The number of networks of the point, of the mode's type, whose guests have equal addresses."""
    mode, many = str(point["mode"]), int(point["networks"])
    kind = type_of(mode)
    networks = tuple(_network(kind, number, id_) for number, id_ in enumerate(ids(kind, many), 1))
    transported = by_mode(overlay, point) if kind.is_tunnel else _on_providers(overlay, networks)
    first, second = (host.name for host in overlay.hosts)
    places = {ONE: first, OTHER: second}
    if kind is NetworkType.LOCAL:
        places = {ONE: first, OTHER: first, AWAY: second}
    ports = (_port(network, guest, host) for guest, host in places.items() for network in networks)
    return replace(
        transported,
        networks=networks,
        subnets=tuple(map(_subnet, networks)),
        ports=tuple(ports),
        ranges=(),
        type_drivers=tuple(NetworkType),
    )


def ids(kind: NetworkType, many: int) -> tuple[int | None, ...]:
    """The segmentation_ids to try: the least, the greatest, TWINS, then ids between them.

    The latter are drawn by a hash, the same in every run, evenly on a logarithmic scale.
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


def _on_providers(overlay: Overlay, networks: Iterable[Network]) -> Overlay:
    """A provider bridge on every host for each physical network, separate from the underlay."""
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
    """The guest that must receive its frames; None if no guest must."""
    if port.device_id == AWAY:
        return None
    there = OTHER if port.device_id == ONE else ONE
    return next(p for p in overlay.ports if (p.network_id, p.device_id) == (port.network_id, there))


def frames(overlay: Overlay, kinds: Iterable[str], seed: int) -> tuple[Frame, ...]:
    """One marked frame of each kind from every guest."""
    return tuple(_frame(overlay, port, kind, seed) for port, kind in product(overlay.ports, kinds))


def arp_requests(overlay: Overlay) -> tuple[tuple[Port, Port, bytes], ...]:
    """Sender, target and frame of an ARP request from each guest for the address of its peer."""
    pairs = ((port, peer(overlay, port)) for port in overlay.ports)
    return tuple(
        (port, other, arp_request(port.mac_address, port.ipv4[0], other.ipv4[0]))
        for port, other in pairs
        if other
    )


def _frame(overlay: Overlay, port: Port, kind: str, seed: int) -> Frame:
    nonce = nonce_of(seed, port.id, kind)
    other = peer(overlay, port)
    target = BROADCAST
    if kind == PEER and other:
        target = other.mac_address
    if kind == FOREIGN:
        at = overlay.networks.index(overlay.network_of[port.network_id]) + 1
        foreign = overlay.networks[at % len(overlay.networks)].id
        others = (each for each in overlay.ports if each.device_id != port.device_id)
        target = next(each.mac_address for each in others if each.network_id == foreign)
    data = ethernet(target, port.mac_address, LOCAL_EXPERIMENT, nonce)
    return Frame(port.network_id, port, kind, nonce, data)


def refusals(kind: NetworkType) -> tuple[Row, ...]:
    """`provider:` attributes that the API must refuse: ids out of range, ids where there are none."""
    top = kind.kind.id_max
    physical = {"provider:physical_network": "physnet1"} if kind.is_provider else {}
    type_: Row = {"provider:network_type": str(kind), **physical}
    if kind is NetworkType.FLAT:
        return (type_, {**type_, "provider:segmentation_id": 1})
    if not top:
        return ({**type_, "provider:segmentation_id": 1},)
    return tuple({**type_, "provider:segmentation_id": id_} for id_ in (0, top + 1))


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted figures: all networks are made and isolated, and no wrong id is accepted."""
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
