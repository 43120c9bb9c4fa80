"""What became of marked frames: heard where, and under which id on the wire.  Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.model.encap import NetworkType
from controller.model.names import provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Network
from experiments.core.question import Row
from experiments.fanout.count import NONCE_DIGITS, NONCE_IN
from experiments.measure.packets import INTERFACE, Packet, all_of
from experiments.segments.labs import AWAY, BARRIER, FOREIGN, Frame, peer

WIRE = "underlay"
ID_FIELDS = {
    NetworkType.VLAN: "vlan.id",
    NetworkType.GRE: "gre.key",
    NetworkType.VXLAN: "vxlan.vni",
    NetworkType.GENEVE: "geneve.vni",
}
FIELDS = (*NONCE_IN, *ID_FIELDS.values())
NOTHING = "none"
Heard = Collection[tuple[str, bytes]]  # (port id, nonce)


def rows(
    overlay: Overlay, frames: Sequence[Frame], heard: Heard, packets: Iterable[Packet]
) -> tuple[Row, ...]:
    """A row per network: was its pair reached, did a frame of it leak, what it was called."""
    names = labels(overlay, frames, packets)
    leaked = _leaks(overlay, frames, heard)
    return tuple(
        {
            "network": network.name,
            "segmentation_id": network.segmentation_id,
            "reached": int(_is_reached(overlay, network, frames, heard)),
            "leaks": leaked.count(network.id),
            "on_wire": ", ".join(sorted(names[network.id])) or NOTHING,
            "labelled": int(names[network.id] == wanted_labels(network)),
        }
        for network in overlay.networks
    )


def answered(overlay: Overlay, answers: Collection[tuple[str, str]]) -> Mapping[str, bool]:
    """By network: did each who asked hear its own peer's MAC, and no other?

    `answers`: (id of the port that asked, MAC that said it has the address).
    """
    pairs = ((port, peer(overlay, port)) for port in overlay.ports)
    right = {port.id: {asked.mac_address} for port, asked in pairs if asked}
    found: dict[str, set[str]] = {port.id: set() for port in overlay.ports}
    for port_id, mac in answers:
        found[port_id].add(mac)
    return {
        network.id: all(
            found[p.id] == right.get(p.id, set())
            for p in overlay.ports
            if p.network_id == network.id
        )
        for network in overlay.networks
    }


def _is_reached(overlay: Overlay, network: Network, frames: Iterable[Frame], heard: Heard) -> bool:
    """True if each of the pair heard all that the other sent to it."""
    return all(pair in heard for pair in awaited(overlay, frames, of=network.id))


def awaited(
    overlay: Overlay, frames: Iterable[Frame], *, of: str | None = None
) -> tuple[tuple[str, bytes], ...]:
    """Who must hear what: (port id, nonce).  Frames to strangers are owed to nobody."""
    meant = (f for f in frames if f.kind != FOREIGN)
    wanted = ((peer(overlay, f.sender), f) for f in meant if of in {None, f.network})
    return tuple((port.id, f.nonce) for port, f in wanted if port is not None)


def _leaks(overlay: Overlay, frames: Iterable[Frame], heard: Heard) -> list[str]:
    """The network of each frame that was heard where it must not be, once each time."""
    by_nonce = {frame.nonce: frame for frame in frames}
    found = []
    for port_id, nonce in heard:
        frame, port = by_nonce[nonce], overlay.port_of[port_id]
        is_apart = AWAY in {port.device_id, frame.sender.device_id}  # another host's, of local
        if port.network_id != frame.network or is_apart:
            found.append(frame.network)
    return found


def wanted_labels(network: Network) -> set[str]:
    """What frames of the network must be called on a wire: its id, its Ethernet, or nothing."""
    if network.network_type is NetworkType.LOCAL:
        return set()
    if network.network_type is NetworkType.FLAT:
        return {provider_interface(str(network.physical_network))}
    return {str(network.segmentation_id)}


def labels(
    overlay: Overlay, frames: Iterable[Frame], packets: Iterable[Packet]
) -> Mapping[str, set[str]]:
    """What marked frames of each network were called on any wire."""
    by_nonce = {frame.nonce.hex()[:NONCE_DIGITS]: frame for frame in frames}
    found: dict[str, set[str]] = {network.id: set() for network in overlay.networks}
    for packet in packets:
        frame = next(filter(None, (by_nonce.get(word) for word in _nonces(packet))), None)
        if frame and frame.kind != BARRIER:
            found[frame.network].add(_label(packet))
    return found


def _nonces(packet: Packet) -> Iterable[str]:
    return (value[:NONCE_DIGITS] for name in NONCE_IN for value in all_of(packet, name))


def _label(packet: Packet) -> str:
    """The id that the frame bears; bare frames go by the name of the interface."""
    found = ((kind, all_of(packet, name)) for kind, name in ID_FIELDS.items())
    kind, values = next(((kind, each) for kind, each in found if each), (None, ()))
    if not values or (kind is NetworkType.VLAN and packet[INTERFACE] == WIRE):
        return " ".join((*values, packet[INTERFACE]))  # a tag has no business on the underlay
    return str(int(values[0], 0))
