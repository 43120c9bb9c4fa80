"""Copies of marked frames, counted in decoded captures.  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from experiments.core.groups import network_id
from experiments.core.question import Row
from experiments.fanout.labs import Frame, receivers, sender
from experiments.fanout.words import MISDELIVERED
from experiments.measure.frames import REQUEST
from experiments.measure.packets import INTERFACE, NODE, NONCE_IN, Packet, all_of, marked_packets
from topologies.plan.plan import guest_name

OUTER = (("ip.src", "ip.dst"), ("ipv6.src", "ipv6.dst"))
FIELDS = ("arp.opcode", *NONCE_IN, *(name for pair in OUTER for name in pair))
# What a captured packet is: on the underlay, and on the port of a guest.
COPY_SENT, ARRIVED = "copy sent", "arrived"
ENTERED, DELIVERED, ANSWER = "entered", "delivered", "answer"

Counts = Mapping[Frame, Mapping[tuple[str, str], int]]  # by frame, then by host and what


def counted(overlay: Overlay, frames: Sequence[Frame], packets: Iterable[Packet]) -> Counts:
    """The packets of each frame, by host and by what they are; other packets are ignored."""
    counts = {frame: Counter[tuple[str, str]]() for frame in frames}
    for frame, packet in marked_packets(packets, frames):
        is_underlay = packet[INTERFACE] == UNDERLAY
        what = (_on_underlay if is_underlay else _at_guest)(overlay, frame, packet)
        counts[frame][packet[NODE], what] += 1
    return counts


def _on_underlay(overlay: Overlay, frame: Frame, packet: Packet) -> str:
    """A copy that leaves the sender's host, one that arrives where it was sent, or neither."""
    network = overlay.network_of[network_id(frame.share)]
    here, origin = overlay.host(packet[NODE]), overlay.host(sender(overlay, frame.share).host)
    outer = _outer(packet)
    if network.network_type.is_tunnel is not (outer is not None):
        return MISDELIVERED
    if outer is None:
        return COPY_SENT if here == origin else ARRIVED
    source, target = outer
    if source != str(origin.local_ip):
        return MISDELIVERED
    if here == origin:
        return COPY_SENT
    own = {str(here.local_ip), str(here.group_of(network))}
    return ARRIVED if target in own else MISDELIVERED


def _outer(packet: Packet) -> tuple[str, str] | None:
    """Source and target of the tunnel header; None if there is none."""
    pairs = ((all_of(packet, source), all_of(packet, target)) for source, target in OUTER)
    return next(((source[0], target[0]) for source, target in pairs if source), None)


def _at_guest(overlay: Overlay, frame: Frame, packet: Packet) -> str:
    """Sent by the sender, answered to it by its switch, or delivered to another guest."""
    is_sender = packet[INTERFACE] == overlay.device_of(sender(overlay, frame.share))
    if packet["arp.opcode"] in {"", str(REQUEST)}:
        return ENTERED if is_sender else DELIVERED
    return ANSWER if is_sender else MISDELIVERED


def frame_rows(overlay: Overlay, counts: Counts) -> tuple[Row, ...]:
    """A row for each frame."""
    return tuple(_frame_row(overlay, frame, seen) for frame, seen in counts.items())


def _frame_row(overlay: Overlay, frame: Frame, seen: Mapping[tuple[str, str], int]) -> Row:
    inside = {host.name for host in overlay.members(network_id(frame.share))}
    total = Counter[str]()
    for (_, what), number in seen.items():
        total[what] += number
    # Every time but the first the frame has come back to its sender.
    came_back = max(0, total[ENTERED] - 1)
    return {
        "share": frame.share,
        "members": len(inside),
        "kind": frame.kind,
        "frame": frame.number,
        "copies_sent": total[COPY_SENT],
        "arrived": total[ARRIVED],
        "unneeded": total[ARRIVED] - sum(seen.get((host, ARRIVED), 0) for host in inside),
        "delivered": total[DELIVERED],
        "answered": total[ANSWER],
        MISDELIVERED: total[MISDELIVERED] + came_back,
    }


def unsent(counts: Counts) -> tuple[Frame, ...]:
    """Frames that were never seen at their own sender, so their counts mean nothing."""
    return tuple(
        frame for frame, seen in counts.items() if ENTERED not in {what for _, what in seen}
    )


def reached(overlay: Overlay, counts: Counts) -> frozenset[str]:
    """Guests that have received a frame."""
    return frozenset(
        guest_name(port)
        for frame, seen in counts.items()
        for port in receivers(overlay, frame.share)
        if seen.get((port.host, DELIVERED))
    )


def vtep_rows(overlay: Overlay, counts: Counts) -> tuple[Row, ...]:
    """A row for each frame and host."""
    return tuple(
        {
            "share": frame.share,
            "kind": frame.kind,
            "frame": frame.number,
            "host": host.name,
            "is_member": int(host in overlay.members(network_id(frame.share))),
            "copies_sent": seen.get((host.name, COPY_SENT), 0),
            "arrived": seen.get((host.name, ARRIVED), 0),
            "delivered": seen.get((host.name, DELIVERED), 0),
        }
        for frame, seen in counts.items()
        for host in overlay.hosts
    )
