"""Which guests of an overlay can ping each other: those on one network, by an address there.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from controller.model.overlay import Overlay
from controller.model.parts import Address, Port


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping from one guest's interface to an address of another guest."""

    source: str
    interface: str
    target: str
    address: Address
    network: str


def pings(overlay: Overlay, plugged: Mapping[str, tuple[str, int]]) -> Iterator[Ping]:
    """Every guest to every other one, on each network of both.

    Several networks may use the same addresses, so only the interface says which guest is meant.

    Args:
        plugged: the guest and the interface number of each port that has an interface, by its id.
    """
    known = [port for port in overlay.ports if port.id in plugged]
    for one, other in permutations(known, 2):
        (source, number), (target, _) = plugged[one.id], plugged[other.id]
        if source != target and one.network_id == other.network_id:
            address = _common(overlay, one, other)
            if address:
                network = overlay.network_of[one.network_id].name
                yield Ping(source, f"eth{number}", target, address, network)


def _common(overlay: Overlay, one: Port, other: Port) -> Address | None:
    """The first address of `other` in a subnet where `one` has an address too; IPv4 before IPv6."""
    subnets = [each for each in overlay.subnets if each.network_id == one.network_id]
    shared = [
        ip
        for ip in other.fixed_ips
        for subnet in subnets
        if ip in subnet.cidr and any(own in subnet.cidr for own in one.fixed_ips)
    ]
    return min(shared, key=lambda ip: ip.version, default=None)
