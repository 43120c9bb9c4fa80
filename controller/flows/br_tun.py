"""The tunnel bridge's flows.  Pure.

Source: Neutron `openflow/native/br_tun.py`, whose method each function names.
"""

from collections.abc import Iterator

from controller.flows.actions import Action, Goto, InPort, Move, Output, PopVlan, SetField, tag
from controller.flows.binding import Binding
from controller.flows.pipeline import (
    BROADCAST,
    TUN_TO_LV,
    Flow,
    Match,
    Priority,
    Tun,
    always,
    match,
)
from controller.flows.ports import BR_TUN, Tunnel, tunnels, tunnels_of
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

ARP_REPLY = 2  # RFC 826, ar$op


def br_tun_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-tun except learned ones."""
    release = overlay.release
    yield from always(BR_TUN, release)
    if host.is_arp_responder:
        yield from _arp_lookup(release)
    for tunnel in tunnels(overlay, host):
        if binding.ofport(BR_TUN, tunnel.name) is not None:
            yield _flow(
                release,
                Tun.LOCAL_SWITCHING,
                Priority.MATCH,
                match(in_port=tunnel.name),
                Goto(TUN_TO_LV[tunnel.type]),
            )
    for network in overlay.networks_on(host.name):
        if network.network_type.is_tunnel:
            yield from _network(overlay, host, binding, network)


def _arp_lookup(release: str) -> Iterator[Flow]:
    """Look up ARP requests before flooding them (`setup_default_table`)."""
    asked = match(proto="arp", dl_dst=BROADCAST)
    yield _flow(release, Tun.PATCH_LV_TO_TUN, Priority.MATCH, asked, Goto(Tun.ARP_RESPONDER))
    yield _flow(release, Tun.ARP_RESPONDER, Priority.MISS, (), Goto(Tun.FLOOD_TO_TUN))


def _network(overlay: Overlay, host: Host, binding: Binding, network: Network) -> Iterator[Flow]:
    """The flows of one tenant network on this host (`provision_local_vlan`)."""
    local_vlan = binding.local_vlans[network.id]
    assert network.segmentation_id is not None  # the model guarantees it for tunnel types  # noqa: S101
    yield _flow(
        overlay.release,
        TUN_TO_LV[network.network_type],
        Priority.MATCH,
        match(tun_id=network.segmentation_id),
        *tag(local_vlan),
        Goto(Tun.LEARN_FROM_TUN),
    )
    copies = [
        tunnel
        for tunnel in tunnels_of(overlay, host, network)
        if binding.ofport(BR_TUN, tunnel.name) is not None
    ]
    if copies:
        yield _flow(
            overlay.release,
            Tun.FLOOD_TO_TUN,
            Priority.MATCH,
            match(dl_vlan=local_vlan),
            *_into(network, *_by_ofport(binding, copies)),
        )
    if host.l2_population:
        yield from _stated(overlay, host, network, local_vlan, copies)


def _stated(
    overlay: Overlay, host: Host, network: Network, local_vlan: int, copies: list[Tunnel]
) -> Iterator[Flow]:
    """The flows to remote ports announced by l2population (`install_unicast_to_tun`).

    Neutron announces one FDB entry per address.  A port without address gets none: frames to it
    are flooded until its MAC is learned.
    """
    towards = {tunnel.remote.name: tunnel for tunnel in copies}
    for port in overlay.active_ports(network.id):
        if port.host not in towards or not port.fixed_ips:
            continue
        yield _flow(
            overlay.release,
            Tun.UCAST_TO_TUN,
            Priority.STATED,
            match(dl_vlan=local_vlan, dl_dst=port.mac_address),
            *_into(network, towards[port.host]),
        )
        if host.is_arp_responder:
            yield from _arp_answers(overlay.release, local_vlan, port)


def _arp_answers(release: str, local_vlan: int, port: Port) -> Iterator[Flow]:
    """Turn an ARP request for a known address into the reply and send it back.

    As in Neutron, arp_op is not matched, and IPv6 is never answered (`install_arp_responder`).
    """
    for ip in port.ipv4:
        yield _flow(
            release,
            Tun.ARP_RESPONDER,
            Priority.MATCH,
            match(proto="arp", dl_vlan=local_vlan, arp_tpa=str(ip)),
            SetField("arp_op", ARP_REPLY),
            Move("NXM_NX_ARP_SHA", "NXM_NX_ARP_THA", 48),
            Move("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA", 32),
            SetField("arp_sha", port.mac_address),
            SetField("arp_spa", str(ip)),
            Move("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST", 48),
            SetField("eth_src", port.mac_address),
            InPort(),
        )


def _into(network: Network, *towards: Tunnel) -> tuple[Action, ...]:
    """Strip the local VLAN, write the segmentation_id, send a copy into each tunnel.

    The tag is removed once, before the first output, and so for all copies.
    """
    assert network.segmentation_id is not None  # noqa: S101  as above
    outputs = (Output(tunnel.name) for tunnel in towards)
    return (PopVlan(), SetField("tun_id", network.segmentation_id), *outputs)


def _by_ofport(binding: Binding, tunnels: list[Tunnel]) -> list[Tunnel]:
    """Sorted by ofport, so that the same overlay always gives the same text."""
    return sorted(tunnels, key=lambda tunnel: binding.ofport(BR_TUN, tunnel.name) or 0)


def _flow(release: str, table: Tun, priority: Priority, match: Match, *actions: Action) -> Flow:
    return Flow(BR_TUN, table, priority, match, actions, release)
