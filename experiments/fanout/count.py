"""Copies of marked frames, counted in what tshark told of captures.  Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from controller.model.overlay import Overlay
from experiments.core.question import Row
from experiments.fanout.labs import Frame, network_id, sender
from experiments.measure.frames import REQUEST
from experiments.measure.packets import INTERFACE, NODE, Packet, all_of

WIRE = "underlay"  # a host's interface to the underlay
# Where tshark shows what it cannot read.
NONCE_IN = ("eth.trailer", "eth.padding", "vlan.trailer", "data.data")
# Of the nonce in hexadecimal: the last bytes of a trailer may be taken for a checksum.
NONCE_DIGITS = 24
OUTER = (("ip.src", "ip.dst"), ("ipv6.src", "ipv6.dst"))
FIELDS = ("arp.opcode", *NONCE_IN, *(name for pair in OUTER for name in pair))
SENT, ARRIVED, STRAY, HEARD, ENTERED, ANSWERED = "sent", "arrived", "stray", "heard", "in", "answer"


@dataclass(frozen=True, slots=True)
class Seen:
    """A marked frame at one place."""

    frame: Frame
    host: str
    what: str


@dataclass(frozen=True, slots=True)
class Counted:
    """All sightings of one frame."""

    frame: Frame
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)  # by host and what

    def total(self, what: str) -> int:
        """How many of these there were, on all hosts."""
        return sum(many for (_, each), many in self.seen.items() if each == what)


def counted(
    overlay: Overlay, frames: Sequence[Frame], packets: Iterable[Packet]
) -> tuple[Counted, ...]:
    """Every frame with what was seen of it; a packet without its nonce is none of it."""
    found = {each.nonce: Counted(each) for each in frames}
    for seen in sightings(overlay, frames, packets):
        found[seen.frame.nonce].seen[seen.host, seen.what] += 1
    return tuple(found.values())


def sightings(
    overlay: Overlay, frames: Sequence[Frame], packets: Iterable[Packet]
) -> Iterator[Seen]:
    """Each packet that carries a nonce, and what it is there."""
    by_nonce = {each.nonce.hex()[:NONCE_DIGITS]: each for each in frames}
    for packet in packets:
        frame = by_nonce.get(_nonce(packet, by_nonce))
        if frame:
            is_wire = packet[INTERFACE] == WIRE
            what = (_on_wire if is_wire else _at_guest)(overlay, frame, packet)
            yield Seen(frame, packet[NODE], what)


def _nonce(packet: Packet, known: Mapping[str, Frame]) -> str:
    """The nonce that the packet carries, if any, as `known` has it."""
    values = (value for name in NONCE_IN for value in all_of(packet, name))
    return next((value[:NONCE_DIGITS] for value in values if value[:NONCE_DIGITS] in known), "")


def _on_wire(overlay: Overlay, frame: Frame, packet: Packet) -> str:
    """Leaving the sender, arriving where it was sent to, or neither."""
    host, origin = overlay.host(packet[NODE]), sender(overlay, frame.share).host
    outer = _outer(packet)
    is_tunnel = overlay.network_of[network_id(frame.share)].network_type.is_tunnel
    if is_tunnel is not (outer is not None):
        return STRAY
    if outer is None:
        return SENT if host.name == origin else ARRIVED
    source, target = outer
    if source != str(overlay.host(origin).local_ip):
        return STRAY
    if host.name == origin:
        return SENT
    group = host.group_of(overlay.network_of[network_id(frame.share)])
    return ARRIVED if target in {str(host.local_ip), str(group)} else STRAY


def _outer(packet: Packet) -> tuple[str, str] | None:
    """Source and target of the tunnel's header; none if the frame is bare."""
    pairs = ((all_of(packet, source), all_of(packet, target)) for source, target in OUTER)
    return next(((source[0], target[0]) for source, target in pairs if source), None)


def _at_guest(overlay: Overlay, frame: Frame, packet: Packet) -> str:
    """Sent by the guest, answered to it by the switch, or heard by another."""
    own = packet[INTERFACE] == overlay.device_of(sender(overlay, frame.share))
    is_request = not packet["arp.opcode"] or packet["arp.opcode"] == str(REQUEST)
    if not is_request:
        return ANSWERED if own else STRAY
    return ENTERED if own else HEARD


def rows(overlay: Overlay, counts: Iterable[Counted]) -> tuple[Row, ...]:
    """A row per frame."""
    return tuple(_row(overlay, each) for each in counts)


def _row(overlay: Overlay, each: Counted) -> Row:
    inside = {host.name for host in overlay.members(network_id(each.frame.share))}
    unneeded = sum(
        many for (host, what), many in each.seen.items() if what == ARRIVED and host not in inside
    )
    return {
        "share": each.frame.share,
        "members": len(inside),
        "kind": each.frame.kind,
        "frame": each.frame.number,
        "copies_sent": each.total(SENT),
        "arrived": each.total(ARRIVED),
        "unneeded": unneeded,
        "heard": each.total(HEARD),
        "answered": each.total(ANSWERED),
        "misdelivered": each.total(STRAY) + _again(each),
    }


def _again(each: Counted) -> int:
    """Times that the frame came back to the guest that had sent it."""
    return max(0, each.total(ENTERED) - 1)


def unsent(counts: Iterable[Counted]) -> tuple[Frame, ...]:
    """Frames that never came out of their guest: of them nothing can be said."""
    return tuple(each.frame for each in counts if not each.total(ENTERED))


def at_vteps(overlay: Overlay, counts: Iterable[Counted]) -> tuple[Row, ...]:
    """A row per frame and host."""
    return tuple(
        {
            "share": each.frame.share,
            "kind": each.frame.kind,
            "frame": each.frame.number,
            "host": host.name,
            "is_member": int(host in overlay.members(network_id(each.frame.share))),
            **{
                name: each.seen[host.name, what]
                for name, what in (("copies_sent", SENT), ("arrived", ARRIVED), ("heard", HEARD))
            },
        }
        for each in counts
        for host in overlay.hosts
    )
