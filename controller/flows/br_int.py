"""The flows of the integration bridge and of provider bridges.  Pure.

Source: Neutron `openflow/native/br_int.py` and `br_phys.py`; each function names its method.
"""

from collections.abc import Iterable, Iterator

from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import Action, Goto, Normal, Output, PopVlan, Resubmit, SetField, tag
from controller.flows.binding import Binding
from controller.flows.pipeline import (
    NEIGHBOUR_ADVERTISEMENT,
    UNICAST,
    Bridge,
    Flow,
    Int,
    Match,
    Phys,
    Priority,
    match,
    pipeline_of,
)
from controller.flows.ports import BR_INT, provider_bridges
from controller.model.encap import NetworkType
from controller.model.names import int_port_name, link_local, patch_to_phys
from controller.model.overlay import Overlay
from controller.model.parts import Address, Host, Network, Port

UNTAGGED = "0x0000/0x1fff"


def br_int_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-int."""
    bridge = Bridge(BR_INT, overlay.release)
    yield from bridge.always()
    for name in sorted(binding.dead & binding.ofports.get(BR_INT, {}).keys()):
        yield _dropped(bridge, name)
    for provider_bridge in provider_bridges(host):
        on_int, _ = patch_to_phys(provider_bridge)
        yield _dropped(bridge, on_int)
    for network in overlay.networks_on(host.name):
        yield from _from_provider(bridge, host, binding, network)
    has_table = Int.LOCAL_MAC_DIRECT in pipeline_of(BR_INT, overlay.release)
    is_direct = has_table and host.agent.explicitly_egress_direct
    if is_direct:
        yield from _direct(bridge, host)
    for port in overlay.ports:
        name = int_port_name(port.id)
        if port.host == host.name and port.is_active and binding.ofport(BR_INT, name) is not None:
            yield from _guest(bridge, port, name)
            if is_direct:
                network = overlay.network_of[port.network_id]
                vlan = binding.local_vlans[network.id]
                yield from _guest_direct(bridge, host, network, vlan, port)


def _dropped(bridge: Bridge, port: str) -> Flow:
    """Drop frames from `port` unless a flow of higher priority admits them (`drop_port`)."""
    return bridge.flow(Int.LOCAL_SWITCHING, Priority.STATED, match(in_port=port))


def _guest(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Let a guest use only its own MAC, and only its own addresses in ARP and advertisements.

    The network's own ports, such as a DHCP server's, are trusted (`setup_arp_spoofing_protection`).
    """
    if port.port_security_enabled and not port.device_owner.startswith("network:"):
        yield from _arp(bridge, port, name)
        yield from _advertisements(bridge, port, name)
        yield from _macs(bridge, port, name)


def _arp(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """ARP for its own IPv4 addresses only (`install_arp_spoofing_protection`).

    A pair with prefix length 0 allows every address.  Neutron then also removes the flow for
    neighbour advertisements (`delete_arp_spoofing_protection`): see `_advertisements`.
    """
    if _allows_all(port, 4):
        return
    sent, check = match(proto="arp", in_port=name), Int.ARP_SPOOF_TABLE
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, sent, Goto(check))
    for ip in _allowed(port, 4, port.ipv4):
        own = match(proto="arp", in_port=name, arp_spa=ip)
        yield bridge.flow(check, Priority.STATED, own, Goto(Int.MAC_SPOOF_TABLE))


def _advertisements(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Neighbour advertisements for its own IPv6 addresses only, the one formed from its MAC
    included (`install_icmpv6_na_spoofing_protection`).  The source MAC is not checked.
    """
    if _allows_all(port, 4) or _allows_all(port, 6):
        return
    kind, check = NEIGHBOUR_ADVERTISEMENT, Int.ARP_SPOOF_TABLE
    announced = match(proto="icmp6", in_port=name, icmp_type=kind)
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, announced, Goto(check))
    for address in _allowed(port, 6, (*map(link_local, _own_macs(port)), *port.ipv6)):
        own = match(proto="icmp6", in_port=name, icmp_type=kind, nd_target=address)
        yield bridge.flow(check, Priority.STATED, own, bridge.accept(check))


def _allowed(port: Port, version: int, own: Iterable[Address]) -> Iterator[str]:
    """The addresses of one IP version that the port may use: its own and those of its pairs."""
    pairs = (pair.text for pair in port.allowed_address_pairs if pair.ip_address.version == version)
    return iter(dict.fromkeys((*map(str, own), *pairs)))


def _allows_all(port: Port, version: int) -> bool:
    pairs = (pair.ip_address for pair in port.allowed_address_pairs)
    return any(ip.version == version and ip.prefixlen == 0 for ip in pairs)


def _own_macs(port: Port) -> Iterator[str]:
    """Its own MAC, and those of its pairs."""
    pairs = (pair.mac_address for pair in port.allowed_address_pairs if pair.mac_address)
    return iter(dict.fromkeys((port.mac_address, *pairs)))


def _macs(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Frames from its own MAC and those of its pairs only (`set_allowed_macs_for_port`)."""
    check = Int.MAC_SPOOF_TABLE
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST, match(in_port=name), Goto(check))
    for mac in _own_macs(port):
        own = match(in_port=name, dl_src=mac)
        yield bridge.flow(check, Priority.STATED, own, bridge.accept(check))


def _direct(bridge: Bridge, host: Host) -> Iterator[Flow]:
    """What comes from other hosts goes straight to its guest (`install_ingress_direct_goto_flows`)."""
    patches = [patch_to_phys(provider_bridge)[0] for provider_bridge in provider_bridges(host)]
    patches += [host.agent.int_peer_patch_port] if host.tunnel_types else []
    for name in patches:
        yield bridge.flow(
            Int.TRANSIENT_TABLE, Priority.PROVIDER, match(in_port=name), Goto(Int.LOCAL_MAC_DIRECT)
        )
    yield bridge.flow(Int.LOCAL_MAC_DIRECT, Priority.MISS, (), Goto(Int.TRANSIENT_EGRESS_TABLE))


def _guest_direct(
    bridge: Bridge, host: Host, network: Network, local_vlan: int, port: Port
) -> Iterator[Flow]:
    """Unicast of and for a guest without switching by MAC (`install_accepted_egress_direct_flow`).

    reg6 has the local VLAN, since frames of guests are not tagged yet.
    """
    name, mac = int_port_name(port.id), port.mac_address
    sent = match(in_port=name, dl_src=mac)
    keep = SetField("reg6", local_vlan), Resubmit(Int.LOCAL_MAC_DIRECT)
    yield bridge.flow(Int.TRANSIENT_TABLE, Priority.GUEST, sent, *keep)
    table, to = Int.LOCAL_MAC_DIRECT, Output(name)
    tagged = match(dl_vlan=local_vlan, dl_dst=mac)
    yield bridge.flow(table, Priority.DIRECT, tagged, PopVlan(), to)
    yield bridge.flow(table, Priority.DIRECT, match(reg6=local_vlan, dl_dst=mac), to)
    if patch := _patch_of(host, network):
        unicast = match(in_port=name, dl_src=mac, dl_dst=UNICAST)
        out = *tag(local_vlan), Output(patch)
        yield bridge.flow(Int.TRANSIENT_EGRESS_TABLE, Priority.DIRECT_OUT, unicast, *out)


def _patch_of(host: Host, network: Network) -> str | None:
    """The port that leads to the network's other hosts; Neutron has none here for flat networks."""
    if network.network_type.is_tunnel:
        return host.agent.int_peer_patch_port
    if network.network_type is not NetworkType.VLAN:
        return None
    provider_bridge = host.bridge_of(network.physical_network)
    return patch_to_phys(provider_bridge)[0] if provider_bridge else None


def _from_provider(
    bridge: Bridge, host: Host, binding: Binding, network: Network
) -> Iterator[Flow]:
    """Give frames of a flat or vlan network their local VLAN (br-int `provision_local_vlan`)."""
    provider_bridge = host.bridge_of(network.physical_network)
    if not network.network_type.is_provider or provider_bridge is None:
        return
    on_int, _ = patch_to_phys(provider_bridge)
    local_vlan = binding.local_vlans[network.id]
    matched: Match = match(in_port=on_int, vlan_tci=UNTAGGED)
    write: tuple[Action, ...] = tag(local_vlan)
    if network.segmentation_id is not None:  # already tagged: only the id changes
        matched, write = match(in_port=on_int, dl_vlan=network.segmentation_id), write[1:]
    table = Int.LOCAL_SWITCHING
    yield bridge.flow(table, Priority.TRANSLATE, matched, *write, bridge.accept(table))


def br_phys_flows(overlay: Overlay, host: Host, binding: Binding, name: str) -> Iterator[Flow]:
    """Every flow of the provider bridge `name` (br-phys `provision_local_vlan`)."""
    bridge, table = Bridge(name, overlay.release), Phys.LOCAL_SWITCHING
    _, on_phys = patch_to_phys(name)
    yield from bridge.always()
    yield bridge.flow(table, Priority.STATED, match(in_port=on_phys))
    for network in overlay.networks_on(host.name):
        if not network.network_type.is_provider or host.bridge_of(network.physical_network) != name:
            continue
        matched = match(in_port=on_phys, dl_vlan=binding.local_vlans[network.id])
        outside = network.segmentation_id
        write = PopVlan() if outside is None else SetField("vlan_vid", outside | PRESENT)
        yield bridge.flow(table, Priority.PROVIDER, matched, write, Normal())
