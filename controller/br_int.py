"""The integration bridge's flows, release queens, and a provider bridge's.  Pure.

Source: Neutron 12 `openflow/native/br_int.py`, `br_phys.py`, whose method each function names.
"""

from collections.abc import Iterator

from controller.actions import OFPVID_PRESENT as PRESENT
from controller.actions import Action, Goto, Normal, PopVlan, SetField, tag
from controller.binding import Binding
from controller.pipeline import Flow, Int, Match, Phys, Priority, match
from controller.ports import BR_INT
from topologies.model import Host, Network, Overlay, Port
from topologies.names import int_port_name, link_local, patch_to_phys

NEIGHBOUR_ADVERTISEMENT = 136  # RFC 4861, 4.4
UNTAGGED = "0x0000/0x1fff"
# Queens matches 4095 without OFPVID_PRESENT, so no tagged frame ever hits it: a known slip,
# mended in Neutron 20.  The dead VLAN isolates by its tag alone.
DEAD_VLAN = "0x0fff/0x1fff"


def br_int_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-int."""
    yield _flow(Int.LOCAL_SWITCHING, Priority.DEAD, match(vlan_tci=DEAD_VLAN))
    yield _flow(Int.LOCAL_SWITCHING, Priority.MISS, (), Goto(Int.TRANSIENT_TABLE))
    yield _flow(Int.CANARY_TABLE, Priority.MISS, ())
    yield _flow(Int.ARP_SPOOF_TABLE, Priority.MISS, ())
    yield _flow(Int.TRANSIENT_TABLE, Priority.TRANSLATE, (), Normal())
    for name in sorted(binding.dead & binding.ofports.get(BR_INT, {}).keys()):
        yield _flow(Int.LOCAL_SWITCHING, Priority.STATED, match(in_port=name))
    for _, bridge in dict.fromkeys(host.bridge_mappings):
        on_int, _ = patch_to_phys(bridge)
        yield _flow(Int.LOCAL_SWITCHING, Priority.STATED, match(in_port=on_int))
    for network in overlay.networks_on(host.name):
        yield from _from_provider(host, binding, network)
    for port in overlay.ports:
        name = int_port_name(port.id)
        if port.host == host.name and port.is_active and binding.ofport(BR_INT, name) is not None:
            yield from _guest(port, name)


def _guest(port: Port, name: str) -> Iterator[Flow]:
    """Let a guest speak only for its own MAC and addresses (`install_arp_spoofing_protection`,
    `install_icmpv6_na_spoofing_protection`, `set_allowed_macs_for_port`).
    """
    if not port.port_security_enabled:
        return
    advertises: dict[str, str | int] = {
        "proto": "icmp6",
        "in_port": name,
        "icmp_type": NEIGHBOUR_ADVERTISEMENT,
    }
    first, check = Int.LOCAL_SWITCHING, Int.ARP_SPOOF_TABLE
    yield _flow(first, Priority.GUEST_ADDRESS, match(proto="arp", in_port=name), Goto(check))
    yield _flow(first, Priority.GUEST_ADDRESS, match(**advertises), Goto(check))
    yield _flow(first, Priority.GUEST, match(in_port=name), Goto(Int.MAC_SPOOF_TABLE))
    for ip in port.ipv4:
        yield _flow(check, Priority.STATED, match(proto="arp", in_port=name, arp_spa=str(ip)),
                    Goto(Int.MAC_SPOOF_TABLE))  # fmt: skip
    for address in dict.fromkeys((link_local(port.mac_address), *port.ipv6)):
        yield _flow(check, Priority.STATED, match(**advertises, nd_target=str(address)),
                    Goto(Int.TRANSIENT_TABLE))  # fmt: skip
    yield _flow(Int.MAC_SPOOF_TABLE, Priority.STATED,
                match(in_port=name, dl_src=port.mac_address), Goto(Int.TRANSIENT_TABLE))  # fmt: skip


def _from_provider(host: Host, binding: Binding, network: Network) -> Iterator[Flow]:
    """Give frames of a flat or vlan network their local VLAN (br-int `provision_local_vlan`)."""
    bridge = host.bridge_of(network.physical_network)
    if network.network_type.is_tunnel or bridge is None:
        return
    on_int, _ = patch_to_phys(bridge)
    local_vlan = binding.local_vlans[network.id]
    seen: Match = match(in_port=on_int, vlan_tci=UNTAGGED)
    write: tuple[Action, ...] = tag(local_vlan)
    if network.segmentation_id is not None:  # tagged already: only another id
        seen, write = match(in_port=on_int, dl_vlan=network.segmentation_id), write[1:]
    yield _flow(Int.LOCAL_SWITCHING, Priority.TRANSLATE, seen, *write, Goto(Int.TRANSIENT_TABLE))


def br_phys_flows(overlay: Overlay, host: Host, binding: Binding, bridge: str) -> Iterator[Flow]:
    """Every flow of the provider bridge `bridge` (br-phys `provision_local_vlan`)."""
    _, on_phys = patch_to_phys(bridge)
    yield Flow(bridge, Phys.LOCAL_SWITCHING, Priority.MISS, (), (Normal(),))
    yield Flow(bridge, Phys.LOCAL_SWITCHING, Priority.STATED, match(in_port=on_phys))
    for network in overlay.networks_on(host.name):
        if network.network_type.is_tunnel or host.bridge_of(network.physical_network) != bridge:
            continue
        seen = match(in_port=on_phys, dl_vlan=binding.local_vlans[network.id])
        outside = network.segmentation_id
        write = PopVlan() if outside is None else SetField("vlan_vid", outside | PRESENT)
        yield Flow(bridge, Phys.LOCAL_SWITCHING, Priority.PROVIDER, seen, (write, Normal()))


def _flow(table: Int, priority: Priority, match: Match, *actions: Action) -> Flow:
    return Flow(BR_INT, table, priority, match, actions)
