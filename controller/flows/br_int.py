"""The flows of the integration bridge and of provider bridges.  Pure.

Source: Neutron `openflow/native/br_int.py` and `br_phys.py`; each function names its method.
"""

from collections.abc import Iterator

from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import Action, Goto, Normal, PopVlan, SetField, tag
from controller.flows.binding import Binding
from controller.flows.pipeline import (
    NEIGHBOUR_ADVERTISEMENT,
    Bridge,
    Flow,
    Int,
    Match,
    Phys,
    Priority,
    match,
)
from controller.flows.ports import BR_INT, provider_bridges
from controller.model.names import int_port_name, link_local, patch_to_phys
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

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
    for port in overlay.ports:
        name = int_port_name(port.id)
        if port.host == host.name and port.is_active and binding.ofport(BR_INT, name) is not None:
            yield from _guest(bridge, port, name)


def _dropped(bridge: Bridge, port: str) -> Flow:
    """Drop frames from `port` unless a flow of higher priority admits them (`drop_port`)."""
    return bridge.flow(Int.LOCAL_SWITCHING, Priority.STATED, match(in_port=port))


def _guest(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Let a guest use only its own MAC and IP addresses.

    The network's own ports, such as a DHCP server's, are trusted (`setup_arp_spoofing_protection`).
    """
    if port.port_security_enabled and not port.device_owner.startswith("network:"):
        yield from _arp(bridge, port, name)
        yield from _advertisements(bridge, port, name)
        yield from _macs(bridge, port, name)


def _arp(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """ARP for its own IPv4 addresses only (`install_arp_spoofing_protection`)."""
    sent, check = match(proto="arp", in_port=name), Int.ARP_SPOOF_TABLE
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, sent, Goto(check))
    for ip in port.ipv4:
        own = match(proto="arp", in_port=name, arp_spa=str(ip))
        yield bridge.flow(check, Priority.STATED, own, Goto(Int.MAC_SPOOF_TABLE))


def _advertisements(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Neighbour advertisements for its own IPv6 addresses only, the one formed from its MAC
    included (`install_icmpv6_na_spoofing_protection`).  The source MAC is not checked.
    """
    kind, check = NEIGHBOUR_ADVERTISEMENT, Int.ARP_SPOOF_TABLE
    announced = match(proto="icmp6", in_port=name, icmp_type=kind)
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, announced, Goto(check))
    for address in dict.fromkeys((link_local(port.mac_address), *port.ipv6)):
        own = match(proto="icmp6", in_port=name, icmp_type=kind, nd_target=str(address))
        yield bridge.flow(check, Priority.STATED, own, bridge.accept(check))


def _macs(bridge: Bridge, port: Port, name: str) -> Iterator[Flow]:
    """Frames from its own MAC only (`set_allowed_macs_for_port`)."""
    check = Int.MAC_SPOOF_TABLE
    yield bridge.flow(Int.LOCAL_SWITCHING, Priority.GUEST, match(in_port=name), Goto(check))
    own = match(in_port=name, dl_src=port.mac_address)
    yield bridge.flow(check, Priority.STATED, own, bridge.accept(check))


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
