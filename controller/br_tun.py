"""The tunnel bridge's flows, release queens.  Pure: values in, flows out; a driver sends them.

Source: Neutron 12 `openflow/native/br_tun.py`, whose method each function names.
"""

from collections.abc import Iterator

from controller.actions import (
    Action,
    Goto,
    InPort,
    LearnReturnPath,
    Move,
    Output,
    PopVlan,
    SetField,
    tag,
)
from controller.binding import Binding
from controller.pipeline import TUN_TO_LV, Flow, Match, Priority, Tun, match
from controller.ports import BR_TUN, PATCH_INT, Tunnel, tunnels, tunnels_of
from topologies.model import Host, Network, Overlay, Port

UNICAST = "00:00:00:00:00:00/01:00:00:00:00:00"
MULTICAST = "01:00:00:00:00:00/01:00:00:00:00:00"
BROADCAST = "ff:ff:ff:ff:ff:ff"
LEARNED_S = 300  # a learned flow's hard_timeout
ARP_REPLY = 2  # RFC 826, ar$op


def br_tun_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-tun, but for those it learns itself."""
    yield from _fixed(arp_responder=host.is_arp_responder)
    for tunnel in tunnels(overlay, host):
        if binding.ofport(BR_TUN, tunnel.name) is not None:
            yield _flow(Tun.LOCAL_SWITCHING, Priority.MATCH, match(in_port=tunnel.name),
                        Goto(TUN_TO_LV[tunnel.type]))  # fmt: skip
    for network in overlay.networks_on(host.name):
        if network.network_type.is_tunnel:
            yield from _network(overlay, host, binding, network)


def _fixed(*, arp_responder: bool) -> Iterator[Flow]:
    """What every br-tun has from the start (`setup_default_table`)."""
    yield _flow(Tun.LOCAL_SWITCHING, Priority.MATCH, match(in_port=PATCH_INT),
                Goto(Tun.PATCH_LV_TO_TUN))  # fmt: skip
    yield _flow(Tun.LOCAL_SWITCHING, Priority.MISS, ())
    if arp_responder:
        yield _flow(Tun.PATCH_LV_TO_TUN, Priority.MATCH, match(proto="arp", dl_dst=BROADCAST),
                    Goto(Tun.ARP_RESPONDER))  # fmt: skip
        yield _flow(Tun.ARP_RESPONDER, Priority.MISS, (), Goto(Tun.FLOOD_TO_TUN))
    yield _flow(Tun.PATCH_LV_TO_TUN, Priority.MISS, match(dl_dst=UNICAST), Goto(Tun.UCAST_TO_TUN))
    yield _flow(Tun.PATCH_LV_TO_TUN, Priority.MISS, match(dl_dst=MULTICAST), Goto(Tun.FLOOD_TO_TUN))
    for table in TUN_TO_LV.values():  # all three, whatever tunnel_types says
        yield _flow(table, Priority.MISS, ())
    learn = LearnReturnPath(Tun.UCAST_TO_TUN, LEARNED_S, Priority.MATCH)
    yield _flow(Tun.LEARN_FROM_TUN, Priority.MATCH, (), learn, Output(PATCH_INT))
    yield _flow(Tun.UCAST_TO_TUN, Priority.MISS, (), Goto(Tun.FLOOD_TO_TUN))
    yield _flow(Tun.FLOOD_TO_TUN, Priority.MISS, ())


def _network(overlay: Overlay, host: Host, binding: Binding, network: Network) -> Iterator[Flow]:
    """What one tenant network adds on this host (`provision_local_vlan`)."""
    local_vlan = binding.local_vlans[network.id]
    assert network.segmentation_id is not None  # the model holds it for tunnel types  # noqa: S101
    yield _flow(TUN_TO_LV[network.network_type], Priority.MATCH,
                match(tun_id=network.segmentation_id), *tag(local_vlan),
                Goto(Tun.LEARN_FROM_TUN))  # fmt: skip
    copies = [
        tunnel
        for tunnel in tunnels_of(overlay, host, network)
        if binding.ofport(BR_TUN, tunnel.name) is not None
    ]
    if copies:
        yield _flow(Tun.FLOOD_TO_TUN, Priority.MATCH, match(dl_vlan=local_vlan),
                    *_into(network, *_by_ofport(binding, copies)))  # fmt: skip
    if host.l2_population:
        yield from _stated(overlay, host, network, local_vlan, copies)


def _stated(
    overlay: Overlay, host: Host, network: Network, local_vlan: int, copies: list[Tunnel]
) -> Iterator[Flow]:
    """What l2population says of the network's remote ports (`install_unicast_to_tun`)."""
    towards = {tunnel.remote.name: tunnel for tunnel in copies}
    for port in overlay.active_ports(network.id):
        if port.host not in towards:
            continue
        yield _flow(Tun.UCAST_TO_TUN, Priority.STATED,
                    match(dl_vlan=local_vlan, dl_dst=port.mac_address),
                    *_into(network, towards[port.host]))  # fmt: skip
        if host.is_arp_responder:
            yield from _arp_answers(local_vlan, port)


def _arp_answers(local_vlan: int, port: Port) -> Iterator[Flow]:
    """Turn an ARP request for a known address into its answer and send it back.

    As in Neutron, arp_op is not matched, and IPv6 is never answered (`install_arp_responder`).
    """
    for ip in port.ipv4:
        yield _flow(Tun.ARP_RESPONDER, Priority.MATCH,
                    match(proto="arp", dl_vlan=local_vlan, arp_tpa=str(ip)),
                    SetField("arp_op", ARP_REPLY),
                    Move("NXM_NX_ARP_SHA", "NXM_NX_ARP_THA", 48),
                    Move("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA", 32),
                    SetField("arp_sha", port.mac_address), SetField("arp_spa", str(ip)),
                    Move("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST", 48),
                    SetField("eth_src", port.mac_address), InPort())  # fmt: skip


def _into(network: Network, *towards: Tunnel) -> tuple[Action, ...]:
    """Strip the local VLAN, write the segmentation_id, send a copy into each tunnel.

    Stripped once, before the first copy: every output shares the frame as it is then.
    """
    assert network.segmentation_id is not None  # noqa: S101  as above
    outputs = (Output(tunnel.name) for tunnel in towards)
    return (PopVlan(), SetField("tun_id", network.segmentation_id), *outputs)


def _by_ofport(binding: Binding, tunnels: list[Tunnel]) -> list[Tunnel]:
    """In ofport order, so that the same overlay always reads the same."""
    return sorted(tunnels, key=lambda tunnel: binding.ofport(BR_TUN, tunnel.name) or 0)


def _flow(table: Tun, priority: Priority, match: Match, *actions: Action) -> Flow:
    return Flow(BR_TUN, table, priority, match, actions)
