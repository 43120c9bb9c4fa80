"""What is raised for the experiment `state`, what is counted there, and what theory foretells.  Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from controller.model.parts import Host
from experiments.core.groups import grouped
from experiments.core.question import Point, Row
from experiments.measure.learned import is_kernel
from experiments.measure.packets import Packet
from experiments.state.report import (
    AFTER,
    ARP,
    ASKED,
    BEFORE,
    COLD,
    CONNTRACK,
    FIRST,
    IGMP,
    KEPT_S,
    LEARNED,
    LISTENERS,
    NEIGHBOURS,
    OTHERS,
    PORTS,
    SET_UP,
    SOCKETS,
    TUNNEL,
    UDP,
)

IPV4 = 4  # the version of IP
HOSTS = 3  # so that what there is for each peer is told from what there is once
PEERS = HOSTS - 1
PROTOCOLS = "frame.protocols"
TUNNELS = ("gre", "vxlan", "geneve")
LEARNED_S = 300  # Neutron's table 10, and the kernel's VXLAN
ETHERNET = ("eth", "ethertype")  # how tshark's word for any packet begins
OPERATION, TARGET = "arp.opcode", "arp.dst.proto_ipv4"
FIELDS = (PROTOCOLS, OPERATION, TARGET)
REQUEST = "1"  # RFC 826, ar$op
PACKETS = (TUNNEL, ARP, ASKED, IGMP, OTHERS)


def speaking_ipv4(overlay: Overlay) -> Overlay:
    """The scenario as it is.

    Raises:
        MeasureError: VTEPs speak IPv6: then hosts speak of themselves, and ask by ND, not by ARP.
    """
    found = [host.name for host in overlay.hosts if host.local_ip.version != IPV4]
    if found:
        raise MeasureError(
            f"IPv6 VTEPs ({', '.join(found)})",
            where=f"overlay {overlay.name!r}",
            allowed="IPv4 VTEPs: an IPv6 host sends MLD and ND of its own, which no tunnel asks for",
            do="Take another scenario.",
        )
    return overlay


def staged(overlay: Overlay, point: Point) -> Overlay:
    """Three hosts, a guest of one network on each."""
    return grouped(overlay, {**point, "hosts": HOSTS}, (tuple(range(HOSTS)),))


def counts(packets: Iterable[Packet]) -> Mapping[str, int]:
    """How many of each kind there are, and for how many addresses ARP asks."""
    found = [(kind(packet), packet) for packet in packets]
    asked = {
        packet[TARGET] for what, packet in found if what == ARP and packet[OPERATION] == REQUEST
    }
    return {**Counter(what for what, _ in found), ASKED: len(asked)}


def kind(packet: Packet) -> str:
    """What is outermost after Ethernet."""
    layers = [each for each in packet[PROTOCOLS].split(":") if each not in ETHERNET]
    if any(each in TUNNELS for each in layers[:3]):  # IP, perhaps UDP, then it
        return TUNNEL
    return {"arp": ARP}.get(layers[0], IGMP if "igmp" in layers[:2] else OTHERS)


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell, before any is measured."""
    return tuple(
        {**point, "what": what, "moment": moment, "count": count}
        for point in points
        for (what, moment), count in _cells(staged(overlay, point))
    )


Cells = Iterator[tuple[tuple[str, str], int]]


def is_tunnelled(started: Overlay) -> bool:
    """True if a tunnel carries the guests' network."""
    return all(each.network_type.is_tunnel for each in started.networks)


def _cells(started: Overlay) -> Cells:
    host = started.hosts[0]
    yield from _packets(host, has_tunnels=is_tunnelled(started)).items()
    if is_tunnelled(started):
        for what, (before, after) in _kept(host).items():
            yield (what, BEFORE), before
            yield (what, AFTER), after
        if not _states_all(host):
            yield (KEPT_S, AFTER), LEARNED_S


def _packets(host: Host, *, has_tunnels: bool) -> Mapping[tuple[str, str], int]:
    """What passes the first host's wire."""
    if not has_tunnels:
        return {
            (TUNNEL, SET_UP): 0,
            (ARP, SET_UP): 0,
            (OTHERS, SET_UP): 0,
            (TUNNEL, FIRST): 0,
            (ARP, FIRST): 0,
            (OTHERS, FIRST): 1,
        }
    group, in_kernel = host.vxlan_group is not None, is_kernel(host)
    copies = _copies(host)
    found = {
        (TUNNEL, SET_UP): 0,
        (ARP, SET_UP): 0,
        (OTHERS, SET_UP): 0,
        (TUNNEL, FIRST): copies,
        (ARP, FIRST): 0,
        (OTHERS, FIRST): 0,
        # The kernel keeps a packet until its neighbour has answered; OVS in user space drops it.
        (TUNNEL, COLD): 2 * copies if in_kernel else copies,
        # Not how often: OVS asks at each look at its rules until it knows.
        (ASKED, COLD): 0 if group else PEERS,
    }
    return found if group else {**found, (IGMP, SET_UP): 0}  # a group is joined, and asked for


def _copies(host: Host) -> int:
    """Packets of one broadcast."""
    return 1 if host.vxlan_group else PEERS


def _kept(host: Host) -> Mapping[str, tuple[int, int]]:
    """What stands on the first host, before and after the first packet; learned: on the second."""
    in_kernel = is_kernel(host)
    ports = 1 if in_kernel else PEERS
    # Packets of the kernel's pass netfilter, those of a switch in user space do not.
    tracked = _copies(host) if in_kernel else 0
    return {
        PORTS: (ports, ports),
        LISTENERS: (0, 0) if in_kernel else (1, 1),
        UDP: (1, 1) if in_kernel else (0, 0),
        SOCKETS: (0, 0),
        CONNTRACK: (0, tracked),
        NEIGHBOURS: (PEERS, PEERS),
        LEARNED: (0, 0) if _states_all(host) else (0, 1),
    }


def _states_all(host: Host) -> bool:
    """True if a host learns nothing: in the kernel, l2population tells it all there is."""
    return is_kernel(host) and host.l2_population
