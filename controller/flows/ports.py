"""The ports that a compute host's bridges need, as OVSDB rows.  Pure.

Names and options are Neutron's (`OVSBridge.add_tunnel_port`, `OVSNeutronAgent.setup_*`), so that
`ovs-vsctl show` prints the same as on a real compute node.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from controller.model.agent import VXLAN_PORT
from controller.model.encap import NetworkType
from controller.model.names import int_port_name, patch_to_phys, tunnel_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

BR_INT, BR_TUN = "br-int", "br-tun"
DEAD_VLAN_TAG = 4095  # Neutron's name; no network ever gets it
IP6GRE = "ip6gre"
GRE_OVER_IPV6 = {"queens": "gre", "current": IP6GRE}  # by release; ip6gre since Neutron 18.0.0
IGMP_OPTIONS = frozenset({"current"})  # releases with the options `igmp_...`; since Neutron 16.0.0

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePort:
    """One port of one bridge; `type` "" is a plain network device.

    `when_new`: columns of its Port row that are set only when the port is created.
    """

    bridge: str
    name: str
    type: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)  # of its Port row
    when_new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """A port on br-tun towards one remote VTEP."""

    name: str
    type: NetworkType
    remote: Host
    port_type: str  # the Interface's type

    def as_port(self, local: Host) -> BridgePort:
        """Its OVSDB row; `in_key=flow` leaves the segmentation_id to the flows."""
        agent, tos = local.agent, local.agent.tos
        is_other_port = self.type is NetworkType.VXLAN and agent.vxlan_udp_port != VXLAN_PORT
        options = {
            **({"dst_port": str(agent.vxlan_udp_port)} if is_other_port else {}),
            "df_default": _flag(agent.dont_fragment),
            "remote_ip": self.remote.vtep,
            "local_ip": local.vtep,
            "in_key": "flow",
            "out_key": "flow",
            "egress_pkt_mark": "0",
            **({"csum": "true"} if agent.tunnel_csum else {}),
            **({"tos": tos} if tos else {}),
            **({"packet_type": "legacy_l2"} if self.port_type == IP6GRE else {}),
        }
        return BridgePort(bridge=BR_TUN, name=self.name, type=self.port_type, options=options)


def tunnels(overlay: Overlay, host: Host) -> tuple[Tunnel, ...]:
    """The tunnels that `host` needs, in the order in which Neutron creates them.

    Mesh: one to every other VTEP with that type, even without a shared network.
    l2population: only to hosts that share a network of the type.
    """
    return tuple(
        _tunnel(overlay.release, kind, remote)
        for kind in host.tunnel_types
        for remote in overlay.hosts
        if remote.name != host.name and kind in remote.tunnel_types
        if not host.l2_population or _share(overlay, host, remote, kind)
    )


def _tunnel(release: str, kind: NetworkType, remote: Host) -> Tunnel:
    name = tunnel_port_name(kind, remote.vtep, release)
    is_ip6gre = kind is NetworkType.GRE and remote.local_ip.version == 6
    port_type = GRE_OVER_IPV6[release] if is_ip6gre else str(kind)
    return Tunnel(name=name, type=kind, remote=remote, port_type=port_type)


def _share(overlay: Overlay, one: Host, other: Host, kind: NetworkType) -> bool:
    theirs = overlay.networks_on(other.name)
    return any(net in theirs for net in overlay.networks_on(one.name) if net.network_type is kind)


def tunnels_of(overlay: Overlay, host: Host, network: Network) -> tuple[Tunnel, ...]:
    """The tunnels that get a copy of the network's broadcasts (head-end replication).

    Mesh: every tunnel of the type.  l2population: those to the network's members.
    """
    members = overlay.members(network.id)
    return tuple(
        tunnel
        for tunnel in tunnels(overlay, host)
        if tunnel.type is network.network_type
        if not host.l2_population or tunnel.remote in members
    )


def provider_bridges(host: Host) -> tuple[str, ...]:
    """The bridges of `bridge_mappings`, each once, in their order."""
    return tuple(dict.fromkeys(bridge for _, bridge in host.bridge_mappings))


def patch_ports(host: Host, release: str) -> Iterator[BridgePort]:
    """The patch ports that connect br-int with br-tun and with the provider bridges."""
    snooping = _snooping(host, release)
    if host.tunnel_types:
        on_int, on_tun = host.agent.int_peer_patch_port, host.agent.tun_peer_patch_port
        yield _patch(BR_INT, on_int, on_tun, snooping)
        yield _patch(BR_TUN, on_tun, on_int)
    for bridge in provider_bridges(host):
        on_int, on_phys = patch_to_phys(bridge)
        yield _patch(BR_INT, on_int, on_phys, snooping)
        yield _patch(bridge, on_phys, on_int)


def _patch(
    bridge: str, name: str, peer: str, other_config: Mapping[str, str] = NOTHING
) -> BridgePort:
    options = {"peer": peer}
    return BridgePort(
        bridge=bridge, name=name, type="patch", options=options, other_config=other_config
    )


def _snooping(host: Host, release: str) -> dict[str, str]:
    """What patch ports of br-int flood while br-int snoops on IGMP (`set_igmp_snooping_flood`)."""
    if release not in IGMP_OPTIONS:
        return {}
    return {
        "mcast-snooping-flood-reports": _flag(host.agent.igmp_flood_reports),
        "mcast-snooping-flood": _flag(host.agent.igmp_flood),
    }


def bridge_columns(host: Host, release: str, bridge: str) -> dict[str, str]:
    """The columns of `bridge`'s row that the agent sets from its options.

    Source: Neutron `OVSBridge.create`, `disable_in_band` and, for br-int, `set_igmp_snooping_state`.
    """
    agent = host.agent
    columns = {
        "other_config:mac-table-size": str(agent.bridge_mac_table_size),
        "other_config:disable-in-band": "true",
    }
    if bridge == BR_INT and release in IGMP_OPTIONS:
        columns["mcast_snooping_enable"] = _flag(agent.igmp_snooping_enable)
        unregistered = _flag(not agent.igmp_flood_unregistered)
        columns["other_config:mcast-snooping-disable-flood-unregistered"] = unregistered
    return columns


def _flag(value: bool) -> str:  # noqa: FBT001
    return str(value).lower()


def guest_port(port: Port) -> BridgePort:
    """A guest's port on br-int, with the external_ids that os-vif sets for the agent.

    It starts in the dead VLAN, as in Neutron's driver (OL:414): a port without a tag would be a
    trunk of every network until the controller sets its VLAN.
    """
    ids = {"iface-id": port.id, "attached-mac": port.mac_address, "iface-status": "active"}
    dead = (f"tag={DEAD_VLAN_TAG}", "vlan_mode=trunk", f"trunks={DEAD_VLAN_TAG}")
    name = int_port_name(port.id)
    return BridgePort(bridge=BR_INT, name=name, external_ids=ids, when_new=dead)


def switch_ports(overlay: Overlay, host: Host) -> tuple[BridgePort, ...]:
    """Patch and tunnel ports of `host`: the ports that the controller creates."""
    return (*patch_ports(host, overlay.release), *(t.as_port(host) for t in tunnels(overlay, host)))


def host_ports(overlay: Overlay, host: Host) -> tuple[BridgePort, ...]:
    """Every port of `host`, in the order in which a new host gets them."""
    guests = (guest_port(port) for port in overlay.ports if port.host == host.name)
    return (*switch_ports(overlay, host), *guests)


def add_port_args(port: BridgePort, ofport: int | None) -> list[str]:
    """The part of an `ovs-vsctl` transaction that adds `port`; it starts with `--`.

    Safe to repeat: only the settings of an existing port are written again.
    """
    sets = [f"type={port.type}"] if port.type else []
    sets += [f"ofport_request={ofport}"] if ofport else []
    sets += [f"options:{key}={quoted(value)}" for key, value in port.options.items()]
    sets += [f"external_ids:{key}={quoted(value)}" for key, value in port.external_ids.items()]
    args = ["--", "--may-exist", "add-port", port.bridge, port.name, *port.when_new]
    config = [f"other_config:{key}={quoted(value)}" for key, value in port.other_config.items()]
    args += ["--", "set", "Port", port.name, *config] if config else []
    return [*args, *(["--", "set", "Interface", port.name, *sets] if sets else [])]


def del_port_args(bridge: str, name: str) -> list[str]:
    """The part of a transaction that removes a port."""
    return ["--", "--if-exists", "del-port", bridge, name]


def quoted(value: str) -> str:
    return f'"{value}"'
