"""Marked frames: which guests received them, and their id on the wire.  Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from controller.model.encap import NetworkType
from controller.model.names import UNDERLAY, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Network
from experiments.core.question import Row
from experiments.measure.packets import INTERFACE, NONCE_IN, Packet, all_of, marked_packets
from experiments.segments.labs import AWAY, END, FOREIGN, Frame, peer

ID_FIELDS = {
    NetworkType.VLAN: "vlan.id",
    NetworkType.GRE: "gre.key",
    NetworkType.VXLAN: "vxlan.vni",
    NetworkType.GENEVE: "geneve.vni",
}
FIELDS = (*NONCE_IN, *ID_FIELDS.values())
NOT_ON_WIRE = "none"
Received = Collection[tuple[str, bytes]]  # (port id, nonce)
Replies = Collection[tuple[str, str]]  # (id of the port that sent a request, MAC that replied)


def network_rows(
    overlay: Overlay,
    frames: Sequence[Frame],
    received: Received,
    packets: Iterable[Packet],
    replies: Replies,
) -> tuple[Row, ...]:
    """A row for each network."""
    ids = wire_ids(overlay, frames, packets)
    leaked = _leaks(overlay, frames, received)
    is_answered = answered(overlay, replies)
    return tuple(
        {
            "network": network.name,
            "segmentation_id": network.segmentation_id,
            "reached": int(all(each in received for each in awaited(overlay, frames, network.id))),
            "leaks": leaked.count(network.id),
            "on_wire": ", ".join(sorted(ids[network.id])) or NOT_ON_WIRE,
            "labelled": int(ids[network.id] == expected_ids(network)),
            "answered": int(is_answered[network.id]),
        }
        for network in overlay.networks
    )


def answered(overlay: Overlay, replies: Replies) -> Mapping[str, bool]:
    """By network: True if each guest received a reply from its peer, and no other reply."""
    found: dict[str, set[str]] = {port.id: set() for port in overlay.ports}
    for port_id, mac in replies:
        found[port_id].add(mac)
    right = dict.fromkeys((network.id for network in overlay.networks), True)
    for port in overlay.ports:
        other = peer(overlay, port)
        right[port.network_id] &= found[port.id] == ({other.mac_address} if other else set())
    return right


def awaited(
    overlay: Overlay, frames: Iterable[Frame], network_id: str | None = None
) -> tuple[tuple[str, bytes], ...]:
    """Port id and nonce of every frame that must be received, on one network or on all."""
    wanted = (
        (peer(overlay, frame.sender), frame)
        for frame in frames
        if frame.kind != FOREIGN and network_id in {None, frame.network}
    )
    return tuple((port.id, frame.nonce) for port, frame in wanted if port is not None)


def _leaks(overlay: Overlay, frames: Iterable[Frame], received: Received) -> list[str]:
    """The network of each frame received in another one or, of type local, on another host."""
    frame_of = {frame.nonce: frame for frame in frames}
    found = []
    for port_id, nonce in received:
        frame, port = frame_of[nonce], overlay.port_of[port_id]
        is_other_host = AWAY in {port.device_id, frame.sender.device_id}
        if port.network_id != frame.network or is_other_host:
            found.append(frame.network)
    return found


def expected_ids(network: Network) -> set[str]:
    """What `wire_ids` must find: the segmentation id, the provider interface, or nothing."""
    if network.network_type is NetworkType.LOCAL:
        return set()
    if network.network_type is NetworkType.FLAT:
        return {provider_interface(str(network.physical_network))}
    return {str(network.segmentation_id)}


def wire_ids(
    overlay: Overlay, frames: Iterable[Frame], packets: Iterable[Packet]
) -> Mapping[str, set[str]]:
    """The ids of the frames of each network on any wire."""
    found: dict[str, set[str]] = {network.id: set() for network in overlay.networks}
    for frame, packet in marked_packets(packets, frames):
        if frame.kind != END:
            found[frame.network].add(_wire_id(packet))
    return found


def _wire_id(packet: Packet) -> str:
    """The id of a packet; the name of the interface if it has none."""
    found = ((kind, all_of(packet, name)) for kind, name in ID_FIELDS.items())
    kind, values = next(((kind, each) for kind, each in found if each), (None, ()))
    if not values or (kind is NetworkType.VLAN and packet[INTERFACE] == UNDERLAY):
        return " ".join((*values, packet[INTERFACE]))  # no VLAN tag belongs on the underlay
    return str(int(values[0], 0))
