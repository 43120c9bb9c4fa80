"""The labs of `state`, how packets are counted there, and the predicted counts.  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from controller.model.parts import Host
from experiments.core.groups import grouped
from experiments.core.question import Point, Row
from experiments.measure.learned import is_kernel
from experiments.measure.packets import Packet
from experiments.state import words

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
PACKETS = (words.TUNNEL, words.ARP, words.ARP_TARGETS, words.IGMP, words.OTHERS)


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
        packet[TARGET]
        for what, packet in found
        if what == words.ARP and packet[OPERATION] == REQUEST
    }
    return {**Counter(what for what, _ in found), words.ARP_TARGETS: len(targets)}


def kind(packet: Packet) -> str:
    """The kind of a packet, by its outermost protocol after Ethernet."""
    layers = [each for each in packet[PROTOCOLS].split(":") if each not in ETHERNET]
    if any(each in TUNNELS for each in layers[:3]):  # behind IP, or behind IP and UDP
        return words.TUNNEL
    if layers[0] == "arp":
        return words.ARP
    return words.IGMP if "igmp" in layers[:2] else words.OTHERS


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted count of every cell."""
    return tuple(
        {**point, "what": what, "moment": moment, "count": count}
        for point in points
        for (what, moment), count in _counts(staged(overlay, point)).items()
    )


def _counts(overlay: Overlay) -> Mapping[tuple[str, str], int]:
    """The counts by what is counted and when: packets on the first host's wire, then state."""
    host, copies = overlay.hosts[0], _copies(overlay.hosts[0])
    packets = {
        (what, moment): 0
        for moment in (words.SET_UP, words.FIRST)
        for what in (words.TUNNEL, words.ARP, words.OTHERS)
    }
    if not is_tunnelled(overlay):
        return {**packets, (words.OTHERS, words.FIRST): 1}
    packets |= {
        (words.TUNNEL, words.FIRST): copies,
        # The kernel queues a packet until its neighbour has answered; OVS in user space drops it.
        (words.TUNNEL, words.UNKNOWN): 2 * copies if is_kernel(host) else copies,
        # The number of requests is not predicted: OVS repeats them until it has an answer.
        (words.ARP_TARGETS, words.UNKNOWN): 0 if host.vxlan_group else PEERS,
        **({} if host.vxlan_group else {(words.IGMP, words.SET_UP): 0}),
    }
    state = {
        (what, moment): count
        for what, counts in _state(host).items()
        for moment, count in zip((words.BEFORE, words.AFTER), counts, strict=True)
    }
    lifetime = {} if _learns_nothing(host) else {(words.LIFETIME_S, words.AFTER): LEARNED_S}
    return packets | state | lifetime


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
        words.PORTS: (ports, ports),
        words.LISTENERS: (0, 0) if in_kernel else (1, 1),
        words.UDP_SOCKETS: (1, 1) if in_kernel else (0, 0),
        words.RAW_SOCKETS: (0, 0),
        words.CONNTRACK: (0, tracked),
        words.NEIGHBOURS: (PEERS, PEERS),
        words.LEARNED: (0, 0) if _learns_nothing(host) else (0, 1),
    }


def _learns_nothing(host: Host) -> bool:
    """True if l2population writes all entries of the kernel's VXLAN devices."""
    return is_kernel(host) and host.l2_population
