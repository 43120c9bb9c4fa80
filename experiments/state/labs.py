"""The labs of `state`, how packets are counted there, and the predicted counts.  Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from controller.model.parts import Host
from experiments.core.groups import grouped
from experiments.core.question import Point, Row
from experiments.measure.learned import is_kernel
from experiments.measure.packets import Packet
from experiments.state.words import (
    AFTER,
    ARP,
    ARP_TARGETS,
    BEFORE,
    CONNTRACK,
    FIRST,
    IGMP,
    LEARNED,
    LIFETIME_S,
    LISTENERS,
    NEIGHBOURS,
    OTHERS,
    PORTS,
    RAW_SOCKETS,
    SET_UP,
    TUNNEL,
    UDP_SOCKETS,
    UNKNOWN,
)

IPV4 = 4  # the version of IP
HOSTS = 3  # with two peers, what is kept for each peer differs from what is kept once
PEERS = HOSTS - 1
PROTOCOLS = "frame.protocols"
TUNNELS = ("gre", "vxlan", "geneve")
LEARNED_S = 300  # Neutron's table 10, and the kernel's VXLAN
ETHERNET = ("eth", "ethertype")  # tshark's first protocols of any frame
OPERATION, TARGET = "arp.opcode", "arp.dst.proto_ipv4"
FIELDS = (PROTOCOLS, OPERATION, TARGET)
REQUEST = "1"  # RFC 826, ar$op
PACKETS = (TUNNEL, ARP, ARP_TARGETS, IGMP, OTHERS)


def with_ipv4_vteps(overlay: Overlay) -> Overlay:
    """The scenario as it is.

    Raises:
        MeasureError: it has IPv6 VTEPs; IPv6 hosts send MLD and ND unasked, and use ND, not ARP.
    """
    found = [host.name for host in overlay.hosts if host.local_ip.version != IPV4]
    if found:
        raise MeasureError(
            f"IPv6 VTEPs ({', '.join(found)})",
            where=f"overlay {overlay.name!r}",
            allowed="IPv4 VTEPs: an IPv6 host sends MLD and ND that no tunnel causes",
            do="Take another scenario.",
        )
    return overlay


def staged(overlay: Overlay, point: Point) -> Overlay:
    """Three hosts, each with one guest of the same network."""
    return grouped(overlay, {**point, "hosts": HOSTS}, {0: tuple(range(HOSTS))})


def is_tunnelled(overlay: Overlay) -> bool:
    """True if the guests' network is a tunnel network."""
    return all(network.network_type.is_tunnel for network in overlay.networks)


def counts(packets: Iterable[Packet]) -> Mapping[str, int]:
    """The number of packets of each kind, and of addresses that ARP requests ask for."""
    found = [(kind(packet), packet) for packet in packets]
    targets = {
        packet[TARGET] for what, packet in found if what == ARP and packet[OPERATION] == REQUEST
    }
    return {**Counter(what for what, _ in found), ARP_TARGETS: len(targets)}


def kind(packet: Packet) -> str:
    """The kind of a packet, by its outermost protocol after Ethernet."""
    layers = [each for each in packet[PROTOCOLS].split(":") if each not in ETHERNET]
    if any(each in TUNNELS for each in layers[:3]):  # behind IP, or behind IP and UDP
        return TUNNEL
    return {"arp": ARP}.get(layers[0], IGMP if "igmp" in layers[:2] else OTHERS)


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted count of every cell."""
    return tuple(
        {**point, "what": what, "moment": moment, "count": count}
        for point in points
        for (what, moment), count in _counts(staged(overlay, point))
    )


def _counts(overlay: Overlay) -> Iterator[tuple[tuple[str, str], int]]:
    host = overlay.hosts[0]
    if not is_tunnelled(overlay):
        yield from {(what, SET_UP): 0 for what in (TUNNEL, ARP, OTHERS)}.items()
        yield from {(TUNNEL, FIRST): 0, (ARP, FIRST): 0, (OTHERS, FIRST): 1}.items()
        return
    yield from _packets(host).items()
    for what, (before, after) in _state(host).items():
        yield (what, BEFORE), before
        yield (what, AFTER), after
    if not _learns_nothing(host):
        yield (LIFETIME_S, AFTER), LEARNED_S


def _packets(host: Host) -> Mapping[tuple[str, str], int]:
    """Packets on the first host's wire."""
    copies = _copies(host)
    found = {
        (TUNNEL, SET_UP): 0,
        (ARP, SET_UP): 0,
        (OTHERS, SET_UP): 0,
        (TUNNEL, FIRST): copies,
        (ARP, FIRST): 0,
        (OTHERS, FIRST): 0,
        # The kernel queues a packet until its neighbour has answered; OVS in user space drops it.
        (TUNNEL, UNKNOWN): 2 * copies if is_kernel(host) else copies,
        # The number of requests is not predicted: OVS repeats them until it has an answer.
        (ARP_TARGETS, UNKNOWN): 0 if host.vxlan_group else PEERS,
    }
    return found if host.vxlan_group else {**found, (IGMP, SET_UP): 0}


def _copies(host: Host) -> int:
    """Packets of one broadcast."""
    return 1 if host.vxlan_group else PEERS


def _state(host: Host) -> Mapping[str, tuple[int, int]]:
    """Counts on the first host (learned entries: on the second), before and after the first frame."""
    in_kernel = is_kernel(host)
    ports = 1 if in_kernel else PEERS
    # Packets that the kernel sends pass netfilter, those of a switch in user space do not.
    tracked = _copies(host) if in_kernel else 0
    return {
        PORTS: (ports, ports),
        LISTENERS: (0, 0) if in_kernel else (1, 1),
        UDP_SOCKETS: (1, 1) if in_kernel else (0, 0),
        RAW_SOCKETS: (0, 0),
        CONNTRACK: (0, tracked),
        NEIGHBOURS: (PEERS, PEERS),
        LEARNED: (0, 0) if _learns_nothing(host) else (0, 1),
    }


def _learns_nothing(host: Host) -> bool:
    """True if l2population writes all entries of the kernel's VXLAN devices."""
    return is_kernel(host) and host.l2_population
