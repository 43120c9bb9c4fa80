"""What Neutron shows of a value: its JSON, and the filters of a list.  Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from controller.api.addressing import subnets_of
from controller.api.errors import NeutronError
from controller.model.addresses import pools_of
from controller.model.dhcp import server_of
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Network, Port, Subnet
from controller.switches.backend import AgentState

View = dict[str, Any]
NOBODY = {"tenant_id": "", "project_id": ""}  # a lab has no tenants
AGENTS = {  # Neutron's agent_type and binary
    Mechanism.OPENVSWITCH: ("Open vSwitch agent", "neutron-openvswitch-agent"),
    Mechanism.LINUXBRIDGE: ("Linux bridge agent", "neutron-linuxbridge-agent"),
}


def network_view(overlay: Overlay, network: Network) -> View:
    """A network as Neutron shows it; `mtu` [bytes] is what its guests get."""
    return {
        "id": network.id,
        "name": network.name,
        "mtu": overlay.mtu_of(network),
        "status": "ACTIVE",
        "admin_state_up": True,
        "subnets": [subnet.id for subnet in subnets_of(overlay, network.id)],
        "provider:network_type": network.network_type.value,
        "provider:segmentation_id": network.segmentation_id,
        "provider:physical_network": network.physical_network,
        "shared": False,
        "router:external": False,
        "port_security_enabled": True,
        **NOBODY,
    }


def subnet_view(overlay: Overlay, subnet: Subnet) -> View:
    """A subnet as Neutron shows it."""
    return {
        "id": subnet.id,
        "name": subnet.name,
        "network_id": subnet.network_id,
        "cidr": str(subnet.cidr),
        "ip_version": subnet.cidr.version,
        "gateway_ip": None if subnet.gateway_ip is None else str(subnet.gateway_ip),
        "allocation_pools": [
            {"start": str(low), "end": str(high)} for low, high in pools_of(subnet)
        ],
        "enable_dhcp": overlay.dhcp and server_of(overlay, subnet) is not None,
        "dns_nameservers": [],
        "host_routes": [],
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        **NOBODY,
    }


def port_view(overlay: Overlay, port: Port) -> View:
    """A port as Neutron shows it; ACTIVE only while frames can pass."""
    return {
        "id": port.id,
        "name": port.name,
        "network_id": port.network_id,
        "mac_address": port.mac_address,
        "fixed_ips": _fixed_ips(overlay, port),
        "status": "ACTIVE" if port.is_active else "DOWN",
        "admin_state_up": port.admin_state_up,
        "device_id": port.device_id,
        "device_owner": port.device_owner,
        "binding:host_id": port.host,
        "binding:vif_type": _vif_type(overlay, port),
        "binding:vnic_type": "normal",
        "port_security_enabled": port.port_security_enabled,
        "allowed_address_pairs": [],
        "security_groups": [],
        **NOBODY,
    }


def _vif_type(overlay: Overlay, port: Port) -> str:
    """How its host plugs it, in Neutron's words."""
    if not port.host:
        return "unbound"
    is_bridge = overlay.host(port.host).mechanism is Mechanism.LINUXBRIDGE
    return "bridge" if is_bridge else "ovs"


def _fixed_ips(overlay: Overlay, port: Port) -> list[View]:
    subnets = subnets_of(overlay, port.network_id)
    return [
        {"subnet_id": subnet.id, "ip_address": str(ip)}
        for ip in port.fixed_ips
        for subnet in subnets
        if ip in subnet.cidr
    ]


def agent_id(host: str) -> str:
    """The id of a host's agent; a host has one, so its name is enough."""
    return derived_id("agent", host)


def agent_view(overlay: Overlay, state: AgentState) -> View:
    """An agent as Neutron shows it; `ovsdb_connection`, `wired` and `alarm` are ours."""
    host = overlay.host(state.host)
    agent_type, binary = AGENTS[host.mechanism]
    return {
        "id": agent_id(host.name),
        "agent_type": agent_type,
        "binary": binary,
        "host": host.name,
        "topic": "N/A",
        "alive": state.alive,
        "admin_state_up": True,
        "heartbeat_timestamp": state.heartbeat,
        "configurations": {
            "tunnel_types": [kind.value for kind in host.tunnel_types],
            "tunneling_ip": host.vtep,
            "l2_population": host.l2_population,
            "arp_responder_enabled": host.is_arp_responder,
            "bridge_mappings": dict(host.bridge_mappings),
            "datapath_type": state.datapath_type,
            "ovsdb_connection": state.ovsdb,
            **({"ovs_hybrid_plug": True} if host.hybrid_plug else {}),
            "wired": state.wired,
            "alarm": state.alarm,
        },
    }


_BASE = frozenset({"id", *NOBODY})
NETWORK_ATTRIBUTES = _BASE | {
    "name",
    "mtu",
    "status",
    "admin_state_up",
    "subnets",
    "shared",
    "router:external",
    "provider:network_type",
    "provider:segmentation_id",
    "provider:physical_network",
    "port_security_enabled",
}
SUBNET_ATTRIBUTES = _BASE | {
    "name",
    "network_id",
    "cidr",
    "ip_version",
    "gateway_ip",
    "enable_dhcp",
    "ipv6_ra_mode",
    "ipv6_address_mode",
}
PORT_ATTRIBUTES = _BASE | {
    "name",
    "network_id",
    "mac_address",
    "fixed_ips",
    "status",
    "admin_state_up",
    "device_id",
    "device_owner",
    "binding:host_id",
    "binding:vif_type",
    "binding:vnic_type",
    "port_security_enabled",
}
AGENT_ATTRIBUTES = frozenset(
    {"id", "agent_type", "binary", "host", "topic", "alive", "admin_state_up"}
)


def selected(
    views: Iterable[View], query: Sequence[tuple[str, str]], known: Iterable[str]
) -> list[View]:
    """Those views that `query` asks for, cut to its `fields`.

    A name given twice means any of its values; different names must all hold.
    `fixed_ips=ip_address=10.0.0.5` and `fixed_ips=subnet_id=...` look inside.

    Raises:
        NeutronError: a name is none of `known`, the attributes to filter by.
    """
    wanted: dict[str, list[str]] = {}
    for name, value in query:
        wanted.setdefault(name, []).append(value)
    fields = wanted.pop("fields", [])
    unknown = sorted(wanted.keys() - set(known))
    if unknown:
        said = f"{unknown} is invalid attribute for filtering"
        raise NeutronError(400, "HTTPBadRequest", said)
    chosen = (view for view in views if all(_has(view, *item) for item in wanted.items()))
    return [_cut(view, fields) for view in chosen]


def _cut(view: View, fields: Sequence[str]) -> View:
    return {name: view[name] for name in view if not fields or name in fields}


def _has(view: View, name: str, values: Sequence[str]) -> bool:
    return any(_is(view[name], value) for value in values)


def _is(shown: object, asked: str) -> bool:
    if isinstance(shown, bool):
        return asked.lower() in (("true", "1") if shown else ("false", "0"))
    if isinstance(shown, list):
        return any(_is(item, asked) for item in shown)
    if isinstance(shown, dict):
        key, _, value = asked.partition("=")
        return str(shown.get(key)) == value
    return asked == ("" if shown is None else str(shown))
