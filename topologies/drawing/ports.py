"""The bridges and ports of a host as a drawing shows them: as planned, or as read from a host.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.flows.binding import new_binding
from controller.flows.bridges import bridges
from controller.flows.linuxbridge import ALL, Kernel, Segment, Vxlan, segments
from controller.flows.ports import IP6GRE, host_ports
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.names import UNDERLAY, VTEP_BRIDGE, bridge_name, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Port
from controller.switches.reading import PortRow, Reading, binding_of
from topologies.plan.ovs import UNDERLAY_OFPORT, WIRE_OFPORT

TUNNELS = {**{str(kind): kind for kind in TUNNEL_TYPES}, IP6GRE: NetworkType.GRE}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPort:
    """One port of a bridge.

    Attributes:
        number: its OpenFlow port number; None on a Linux bridge, or if the switch has given none.
        encapsulation: of a tunnel port.
        remotes: the VTEPs or the multicast group to which a tunnel port sends.
        port_id: of the Neutron port that is a guest's.
    """

    name: str
    number: int | None = None
    peer: str = ""  # of a patch port
    encapsulation: NetworkType | None = None
    remotes: tuple[str, ...] = ()
    port_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPorts:
    """One host: its bridges in the order of drawing, each with its ports, and its local VLANs.

    `index` is the host's number in the lab, from 0; its router is called after it.
    """

    host: str
    index: int
    bridges: Mapping[str, tuple[DrawnPort, ...]] = field(default_factory=dict)
    local_vlans: Mapping[str, int] = field(default_factory=dict)


def planned(overlay: Overlay, host: Host) -> HostPorts:
    """The ports of a newly started host."""
    index = overlay.hosts.index(host)
    if host.mechanism is Mechanism.LINUXBRIDGE:
        return _linux_bridges(overlay, host, index, segments(overlay, host))
    binding = new_binding(overlay, host.name)
    found: dict[str, list[DrawnPort]] = {bridge: [] for bridge in _bridges(host)}
    for port in host_ports(overlay, host):
        kind = TUNNELS.get(port.type)
        found[port.bridge].append(
            DrawnPort(
                name=port.name,
                number=binding.ofport(port.bridge, port.name),
                peer=port.options.get("peer", ""),
                encapsulation=kind,
                remotes=(port.options["remote_ip"],) if kind else (),
                port_id=port.external_ids.get("iface-id", ""),
            )
        )
    for physical_network, bridge in host.bridge_mappings:
        if bridge != VTEP_BRIDGE:
            found[bridge].append(
                DrawnPort(name=provider_interface(physical_network), number=WIRE_OFPORT)
            )
    found[VTEP_BRIDGE].append(DrawnPort(name=UNDERLAY, number=UNDERLAY_OFPORT))
    return HostPorts(
        host=host.name,
        index=index,
        bridges={bridge: tuple(ports) for bridge, ports in found.items()},
        local_vlans=binding.local_vlans,
    )


def _bridges(host: Host) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*bridges(host), VTEP_BRIDGE)))


def seen(overlay: Overlay, host: Host, index: int, reading: Reading) -> HostPorts:
    """The ports of a running host with Open vSwitch, read from its database."""
    order = [bridge for bridge in _bridges(host) if bridge in reading]
    order += [bridge for bridge in reading if bridge not in order]
    found = {}
    for bridge in order:
        rows = (row for row in reading[bridge].ports.values() if row.name != bridge)
        by_number = sorted(rows, key=lambda row: (row.ofport or 0, row.name))
        found[bridge] = tuple(_seen_port(row) for row in by_number)
    vlans = binding_of(overlay, host.name, reading).local_vlans
    return HostPorts(host=host.name, index=index, bridges=found, local_vlans=vlans)


def _seen_port(row: PortRow) -> DrawnPort:
    kind = TUNNELS.get(row.type)
    return DrawnPort(
        name=row.name,
        number=row.ofport,
        peer=row.options.get("peer", ""),
        encapsulation=kind,
        remotes=(row.options.get("remote_ip", "?"),) if kind else (),
        port_id=row.iface_id,
    )


def seen_kernel(overlay: Overlay, host: Host, index: int, kernel: Kernel) -> HostPorts:
    """The same of a running host with Linux bridges."""
    found = []
    for network in overlay.networks_on(host.name):
        bridge = bridge_name(network.id)
        members = [name for name, master in kernel.devices.items() if master == bridge]
        vxlans = [kernel.vxlans[name] for name in members if name in kernel.vxlans]
        taps = frozenset(name for name in members if name not in kernel.vxlans)
        if bridge in kernel.devices:
            found.append(Segment(bridge=bridge, taps=taps, vxlan=vxlans[0] if vxlans else None))
    return _linux_bridges(overlay, host, index, tuple(found))


def _linux_bridges(
    overlay: Overlay, host: Host, index: int, found: tuple[Segment, ...]
) -> HostPorts:
    by_device = {host.device_of(port.id): port for port in overlay.ports if port.host == host.name}
    bridged = {each.bridge: tuple(_members(each, by_device)) for each in found}
    return HostPorts(host=host.name, index=index, bridges=bridged)


def _members(segment: Segment, by_device: Mapping[str, Port]) -> Iterator[DrawnPort]:
    for tap in sorted(segment.taps):
        port = by_device.get(tap)
        yield DrawnPort(name=tap, port_id=port.id if port else "")
    if segment.vxlan:
        yield DrawnPort(
            name=segment.vxlan.name,
            encapsulation=NetworkType.VXLAN,
            remotes=_flooded_to(segment.vxlan),
        )


def _flooded_to(vxlan: Vxlan) -> tuple[str, ...]:
    """The group, or the VTEPs of its FDB."""
    if vxlan.group:
        return (vxlan.group,)
    return tuple(sorted(vtep for mac, vtep in vxlan.fdb if mac == ALL))
