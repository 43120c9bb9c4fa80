"""Frames that a guest may send, as what their headers say.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from controller.model.names import link_local
from controller.model.overlay import Overlay
from controller.model.parts import Port

BROADCAST = "ff:ff:ff:ff:ff:ff"
IPV4_GROUP = "01:00:5e:00:00:fb"  # RFC 1112, 6.4
IPV6_ALL_NODES = "33:33:00:00:00:01"  # RFC 2464, 7
STRANGER = "fa:16:3e:ff:ff:01"  # a MAC that no port has
NOBODY = IPv4Address("172.16.166.250")  # an address that no port has
NOBODY6 = IPv6Address("fd00:166::dead")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as a guest sends it.

    Attributes:
        kind: for people; nothing is decided by it.
        sender: id of the port it comes from, whatever its headers claim.
        arp: the sender's and the wanted address, if it is an ARP request.
        advertises: the target, if it is an IPv6 neighbour advertisement.
    """

    kind: str
    sender: str = field(repr=False)
    src: str
    dst: str
    arp: tuple[IPv4Address, IPv4Address] | None = None
    advertises: IPv6Address | None = None


def frames_from(overlay: Overlay, port: Port) -> Iterator[Frame]:
    """Every frame worth sending from `port`: honest ones first, then spoofed."""
    others = [p for p in overlay.ports if p.id != port.id]
    peers = [p for p in others if p.network_id == port.network_id]
    yield from _unicast(port, peers, others)
    yield from _groups(port)
    yield from _arp(port, peers)
    yield from _spoofed(port, others)


def _unicast(port: Port, peers: list[Port], others: list[Port]) -> Iterator[Frame]:
    known = {p.mac_address for p in peers} | {port.mac_address}
    for peer in peers:
        yield Frame(f"unicast to {peer.name}", port.id, port.mac_address, peer.mac_address)
    foreign = next((p.mac_address for p in others if p.mac_address not in known), STRANGER)
    yield Frame("unicast into another network", port.id, port.mac_address, foreign)
    yield Frame("unicast to nobody", port.id, port.mac_address, STRANGER)


def _groups(port: Port) -> Iterator[Frame]:
    for kind, dst in (("broadcast", BROADCAST), ("multicast", IPV4_GROUP)):
        yield Frame(kind, port.id, port.mac_address, dst)
    for address in (link_local(port.mac_address), *port.ipv6):
        yield Frame(
            "own advertisement", port.id, port.mac_address, IPV6_ALL_NODES, advertises=address
        )


def _arp(port: Port, peers: list[Port]) -> Iterator[Frame]:
    for own in port.ipv4 or (NOBODY,):  # without an address of its own it can only lie
        wanted = [ip for peer in peers for ip in peer.ipv4]
        for target in (*wanted, NOBODY, own):
            kind = f"ARP from {own} for {target}"
            yield Frame(kind, port.id, port.mac_address, BROADCAST, arp=(own, target))
    if port.ipv4 and peers:
        yield Frame(
            "unicast ARP",
            port.id,
            port.mac_address,
            peers[0].mac_address,
            arp=(port.ipv4[0], NOBODY),
        )


def _spoofed(port: Port, others: list[Port]) -> Iterator[Frame]:
    own = port.ipv4[0] if port.ipv4 else NOBODY
    victim = next((ip for p in others for ip in p.ipv4 if ip not in port.ipv4), NOBODY)
    victim_mac = others[0].mac_address if others else STRANGER
    yield Frame("foreign source MAC", port.id, STRANGER, BROADCAST)
    yield Frame("another guest's source MAC", port.id, victim_mac, BROADCAST)
    yield Frame("ARP with a foreign source MAC", port.id, STRANGER, BROADCAST, arp=(own, NOBODY))
    yield Frame(
        "ARP with a foreign sender", port.id, port.mac_address, BROADCAST, arp=(victim, NOBODY)
    )
    yield Frame("ARP probe", port.id, port.mac_address, BROADCAST, arp=(IPv4Address(0), NOBODY))
    yield Frame(
        "foreign advertisement", port.id, port.mac_address, IPV6_ALL_NODES, advertises=NOBODY6
    )
    yield Frame(
        "own advertisement from a foreign MAC",
        port.id,
        STRANGER,
        IPV6_ALL_NODES,
        advertises=link_local(port.mac_address),
    )
