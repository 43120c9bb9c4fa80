"""Who should hear whom, from the overlay alone.

It knows nothing of flows, tables, local VLANs or ports of a switch: what Neutron
promises, said once more in other words, for switches that have learned nothing yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address

from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port
from tests.oracle.frames import BROADCAST, Frame


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """One encapsulated copy on the underlay."""

    sender: str  # host names
    receiver: str
    network_type: str
    segmentation_id: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one frame; every tuple is sorted and shows what comes twice.

    Attributes:
        hears: ids of the ports whose guests the frame reaches.
        copies: what crosses the underlay.
        outside: VLAN ids with which the frame leaves for the provider network; None: untagged.
        answer: the ARP answer that comes straight back, as `172.16.166.5 is-at fa:16:...`.
    """

    hears: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    outside: tuple[int | None, ...] = ()
    answer: str | None = None


def expected(overlay: Overlay, frame: Frame) -> Outcome:
    """What must become of `frame` while no switch has learned anything."""
    sender = overlay.port_of[frame.sender]
    if not _works(sender) or not _honest(sender, frame):
        return Outcome()
    network = overlay.network_of[sender.network_id]
    everyone = [p for p in overlay.ports if p.network_id == network.id and _works(p)]
    here = overlay.host_of[sender.host]
    answerer = _answerer(here, network, everyone, frame)
    vteps = [] if answerer else _vteps(overlay, here, network, everyone, frame)
    plain = network.network_type.is_provider
    reached = overlay.hosts if plain else [here, *vteps]  # a local network ends where it is
    return Outcome(
        hears=_sorted(p.id for p in everyone if p is not sender and _on(p, reached)),
        copies=_sorted(_copy(here, vtep, network) for vtep in vteps),
        outside=(network.segmentation_id,) if plain else (),
        answer=f"{_wanted(frame)} is-at {answerer.mac_address}" if answerer else None,
    )


def _works(port: Port) -> bool:
    return bool(port.host) and port.admin_state_up


def _on(port: Port, hosts: Iterable[Host]) -> bool:
    return port.host in {host.name for host in hosts}


def _honest(sender: Port, frame: Frame) -> bool:
    """True if port security lets the frame out of the guest.

    An advertisement is judged by its target alone, as Neutron does (table 24 skips 25).
    """
    if not sender.port_security_enabled:
        return True
    if frame.advertises:
        return frame.advertises in (_formed_from(sender.mac_address), *sender.fixed_ips)
    if frame.arp and frame.arp[0] not in sender.fixed_ips:
        return False
    return frame.src == sender.mac_address


def _answerer(here: Host, network: Network, everyone: list[Port], frame: Frame) -> Port | None:
    """The remote port in whose name the host itself answers a broadcast ARP request."""
    if not (here.l2_population and here.arp_responder and network.network_type.is_tunnel):
        return None
    if frame.dst != BROADCAST or not frame.arp:
        return None
    remote = (port for port in everyone if port.host != here.name)
    return next((port for port in remote if _wanted(frame) in port.fixed_ips), None)


def _vteps(
    overlay: Overlay, here: Host, network: Network, everyone: list[Port], frame: Frame
) -> list[Host]:
    """The hosts that get an encapsulated copy."""
    if not network.network_type.is_tunnel:
        return []
    others = [host for host in overlay.hosts if host.name != here.name]
    if not here.l2_population:
        return [host for host in others if network.network_type in host.tunnel_types]
    # The server tells MACs together with addresses: who has none stays unknown.
    homes = {port.host for port in everyone if port.mac_address == frame.dst and port.fixed_ips}
    members = {port.host for port in everyone}
    stated = [host for host in others if host.name in homes]
    return stated or [host for host in others if host.name in members]


def _copy(here: Host, vtep: Host, network: Network) -> Copy:
    return Copy(here.name, vtep.name, str(network.network_type), network.segmentation_id or 0)


def _wanted(frame: Frame) -> object:
    return frame.arp[1] if frame.arp else None


def _formed_from(mac: str) -> object:
    """The link-local address with the MAC's EUI-64 (RFC 4291, appendix A)."""
    octets = [int(part, 16) for part in mac.split(":")]
    eui64 = [octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]
    return IPv6Address(0xFE80 << 112 | int.from_bytes(bytes(eui64), "big"))


def _sorted(things: Iterable) -> tuple:
    return tuple(sorted(things))
