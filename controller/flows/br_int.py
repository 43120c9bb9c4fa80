"""The integration bridge's flows, and a provider bridge's.  Pure.

Source: Neutron `openflow/native/br_int.py`, `br_phys.py`, whose method each function names.
"""

from collections.abc import Iterator

from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import Action, Goto, Normal, PopVlan, SetField, tag
from controller.flows.binding import Binding
from controller.flows.pipeline import (
    NEIGHBOUR_ADVERTISEMENT,
    Flow,
    Int,
    Match,
    Phys,
    Priority,
    always,
    match,
    pipeline_of,
)
from controller.flows.ports import BR_INT, provider_bridges
from controller.model.names import int_port_name, link_local, patch_to_phys
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

UNTAGGED = "0x0000/0x1fff"


def br_int_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-int."""
    release = overlay.release
    yield from always(BR_INT, release)
    for name in sorted(binding.dead & binding.ofports.get(BR_INT, {}).keys()):
        yield _dropped(release, name)
    for bridge in provider_bridges(host):
        on_int, _ = patch_to_phys(bridge)
        yield _dropped(release, on_int)
    for network in overlay.networks_on(host.name):
        yield from _from_provider(release, host, binding, network)
    for port in overlay.ports:
        name = int_port_name(port.id)
        if port.host == host.name and port.is_active and binding.ofport(BR_INT, name) is not None:
            yield from _guest(release, port, name)


def _dropped(release: str, port: str) -> Flow:
    """Drop frames from `port` unless a flow of higher priority admits them (`drop_port`)."""
    return _flow(release, Int.LOCAL_SWITCHING, Priority.STATED, match(in_port=port))


def _guest(release: str, port: Port, name: str) -> Iterator[Flow]:
    """Let a guest use only its own MAC and IP addresses.

    The network's own ports, such as a DHCP server's, are trusted (`setup_arp_spoofing_protection`).
    """
    if port.port_security_enabled and not port.device_owner.startswith("network:"):
        yield from _arp(release, port, name)
        yield from _advertisements(release, port, name)
        yield from _macs(release, port, name)


def _arp(release: str, port: Port, name: str) -> Iterator[Flow]:
    """ARP for its own IPv4 addresses only (`install_arp_spoofing_protection`)."""
    said, check = match(proto="arp", in_port=name), Int.ARP_SPOOF_TABLE
    yield _flow(release, Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, said, Goto(check))
    for ip in port.ipv4:
        own = match(proto="arp", in_port=name, arp_spa=str(ip))
        yield _flow(release, check, Priority.STATED, own, Goto(Int.MAC_SPOOF_TABLE))


def _advertisements(release: str, port: Port, name: str) -> Iterator[Flow]:
    """Neighbour advertisements for its own IPv6 addresses only, the one formed from its MAC
    included (`install_icmpv6_na_spoofing_protection`).  The source MAC is not checked.
    """
    kind, check = NEIGHBOUR_ADVERTISEMENT, Int.ARP_SPOOF_TABLE
    said = match(proto="icmp6", in_port=name, icmp_type=kind)
    yield _flow(release, Int.LOCAL_SWITCHING, Priority.GUEST_ADDRESS, said, Goto(check))
    for address in dict.fromkeys((link_local(port.mac_address), *port.ipv6)):
        own = match(proto="icmp6", in_port=name, icmp_type=kind, nd_target=str(address))
        yield _flow(release, check, Priority.STATED, own, _onward(release, check))


def _macs(release: str, port: Port, name: str) -> Iterator[Flow]:
    """Frames from its own MAC only (`set_allowed_macs_for_port`)."""
    check = Int.MAC_SPOOF_TABLE
    yield _flow(release, Int.LOCAL_SWITCHING, Priority.GUEST, match(in_port=name), Goto(check))
    own = match(in_port=name, dl_src=port.mac_address)
    yield _flow(release, check, Priority.STATED, own, _onward(release, check))


def _onward(release: str, table: Int) -> Goto:
    """The jump for frames that `table` accepts."""
    passed = pipeline_of(BR_INT, release)[table].passed
    assert passed is not None  # stated for each table that checks or translates  # noqa: S101
    return Goto(passed)


def _from_provider(release: str, host: Host, binding: Binding, network: Network) -> Iterator[Flow]:
    """Give frames of a flat or vlan network their local VLAN (br-int `provision_local_vlan`)."""
    bridge = host.bridge_of(network.physical_network)
    if not network.network_type.is_provider or bridge is None:
        return
    on_int, _ = patch_to_phys(bridge)
    local_vlan = binding.local_vlans[network.id]
    seen: Match = match(in_port=on_int, vlan_tci=UNTAGGED)
    write: tuple[Action, ...] = tag(local_vlan)
    if network.segmentation_id is not None:  # already tagged: only the id changes
        seen, write = match(in_port=on_int, dl_vlan=network.segmentation_id), write[1:]
    table = Int.LOCAL_SWITCHING
    yield _flow(release, table, Priority.TRANSLATE, seen, *write, _onward(release, table))


def br_phys_flows(overlay: Overlay, host: Host, binding: Binding, bridge: str) -> Iterator[Flow]:
    """Every flow of the provider bridge `bridge` (br-phys `provision_local_vlan`)."""
    release, table = overlay.release, Phys.LOCAL_SWITCHING
    _, on_phys = patch_to_phys(bridge)
    yield from always(bridge, release)
    yield Flow(bridge, table, Priority.STATED, match(in_port=on_phys), release=release)
    for network in overlay.networks_on(host.name):
        if not _crosses(host, network, bridge):
            continue
        seen = match(in_port=on_phys, dl_vlan=binding.local_vlans[network.id])
        outside = network.segmentation_id
        write = PopVlan() if outside is None else SetField("vlan_vid", outside | PRESENT)
        yield Flow(bridge, table, Priority.PROVIDER, seen, (write, Normal()), release)


def _crosses(host: Host, network: Network, bridge: str) -> bool:
    """True if the network leaves `host` by the provider bridge `bridge`."""
    return network.network_type.is_provider and host.bridge_of(network.physical_network) == bridge


def _flow(release: str, table: Int, priority: Priority, match: Match, *actions: Action) -> Flow:
    return Flow(BR_INT, table, priority, match, actions, release)
