"""The tunnel bridge's flows.  Pure.

Source: Neutron `openflow/native/br_tun.py`; each function names its method.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from controller.flows.actions import Action, Goto, InPort, Move, Output, PopVlan, SetField, tag
from controller.flows.binding import Binding
from controller.flows.pipeline import (
    BROADCAST,
    TUN_TO_LV,
    Bridge,
    Flow,
    Priority,
    Tun,
    match,
)
from controller.flows.ports import BR_TUN, Tunnel, tunnels, tunnels_of
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

ARP_REPLY = 2  # RFC 826, ar$op


@dataclass(frozen=True, slots=True)
class _BrTun:
    """Builds the flows of br-tun on one host."""

    overlay: Overlay
    host: Host
    binding: Binding
    bridge: Bridge

    def flows(self) -> Iterator[Flow]:
        yield from self.bridge.always()
        if self.host.is_arp_responder:
            yield from self._arp_lookup()
        for tunnel in tunnels(self.overlay, self.host):
            if self._is_there(tunnel):
                matched, to = match(in_port=tunnel.name), Goto(TUN_TO_LV[tunnel.type])
                yield self.bridge.flow(Tun.LOCAL_SWITCHING, Priority.MATCH, matched, to)
        for network in self.overlay.networks_on(self.host.name):
            # The model has a segmentation_id for every network of a tunnel type.
            if network.network_type.is_tunnel and network.segmentation_id is not None:
                yield from self._network(network, network.segmentation_id)

    def _is_there(self, tunnel: Tunnel) -> bool:
        return self.binding.ofport(BR_TUN, tunnel.name) is not None

    def _arp_lookup(self) -> Iterator[Flow]:
        """Look up ARP requests before flooding them (`setup_default_table`)."""
        asked, table = match(proto="arp", dl_dst=BROADCAST), Tun.ARP_RESPONDER
        yield self.bridge.flow(Tun.PATCH_LV_TO_TUN, Priority.MATCH, asked, Goto(table))
        yield self.bridge.flow(table, Priority.MISS, (), Goto(Tun.FLOOD_TO_TUN))

    def _network(self, network: Network, key: int) -> Iterator[Flow]:
        """The flows of one tenant network on this host (`provision_local_vlan`)."""
        local_vlan, table = self.binding.local_vlans[network.id], TUN_TO_LV[network.network_type]
        received, learn = match(tun_id=key), Goto(Tun.LEARN_FROM_TUN)
        yield self.bridge.flow(table, Priority.MATCH, received, *tag(local_vlan), learn)
        found = filter(self._is_there, tunnels_of(self.overlay, self.host, network))
        # Sorted by ofport, so that the same overlay always gives the same text.
        copies = sorted(found, key=lambda tunnel: self.binding.ofport(BR_TUN, tunnel.name) or 0)
        if copies:
            flooded, actions = match(dl_vlan=local_vlan), _send_into(key, *copies)
            yield self.bridge.flow(Tun.FLOOD_TO_TUN, Priority.MATCH, flooded, *actions)
        if self.host.l2_population:
            tunnel_to = {tunnel.remote.name: tunnel for tunnel in copies}
            yield from self._announced(network.id, key, local_vlan, tunnel_to)

    def _announced(
        self, network_id: str, key: int, local_vlan: int, tunnel_to: Mapping[str, Tunnel]
    ) -> Iterator[Flow]:
        """The flows to remote ports announced by l2population (`install_unicast_to_tun`).

        Neutron announces one FDB entry per address.  A port without address gets none: frames to
        it are flooded until its MAC is learned.
        """
        for port in self.overlay.active_ports(network_id):
            if port.host in tunnel_to and port.fixed_ips:
                known = match(dl_vlan=local_vlan, dl_dst=port.mac_address)
                actions = _send_into(key, tunnel_to[port.host])
                yield self.bridge.flow(Tun.UCAST_TO_TUN, Priority.STATED, known, *actions)
                if self.host.is_arp_responder:
                    yield from self._arp_replies(local_vlan, port)

    def _arp_replies(self, local_vlan: int, port: Port) -> Iterator[Flow]:
        """Turn an ARP request for a known address into the reply and send it back.

        As in Neutron, arp_op is not matched, and IPv6 is never answered (`install_arp_responder`).
        """
        for ip in port.ipv4:
            yield self.bridge.flow(
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


def br_tun_flows(overlay: Overlay, host: Host, binding: Binding) -> Iterator[Flow]:
    """Every flow of br-tun except learned ones."""
    bridge = Bridge(BR_TUN, overlay.release, host.agent.tun_peer_patch_port)
    return _BrTun(overlay, host, binding, bridge).flows()


def _send_into(key: int, *tunnels: Tunnel) -> tuple[Action, ...]:
    """Strip the local VLAN, write the segmentation_id, send a copy into each tunnel.

    The tag is removed once, before the first output, and so for all copies.
    """
    return PopVlan(), SetField("tun_id", key), *(Output(tunnel.name) for tunnel in tunnels)
