"""Neutron's JSON for a network, subnet, port or agent, and the filters of a list.  Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from controller.api.addressing import subnets_of
from controller.api.errors import NeutronError
from controller.model.addresses import pools_of
from controller.model.dhcp import server_of
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Network, Port, Subnet
from controller.switches.backend import AgentState

T = TypeVar("T")
View = dict[str, Any]
Attributes = Mapping[str, Callable[[Overlay, T], object]]  # name -> how to get the value
NO_OWNER = {"tenant_id": "", "project_id": ""}  # a lab has no tenants
# Attributes with the only value that this project supports.
NETWORK_CONSTANTS = {
    "admin_state_up": True,
    "shared": False,
    "router:external": False,
    "port_security_enabled": True,
    **NO_OWNER,
}
AGENTS = {  # Neutron's agent_type and binary
    Mechanism.OPENVSWITCH: ("Open vSwitch agent", "neutron-openvswitch-agent"),
    Mechanism.LINUXBRIDGE: ("Linux bridge agent", "neutron-linuxbridge-agent"),
}
NOT_FILTERS = {  # attributes that Neutron cannot filter a list by
    *("allocation_pools", "dns_nameservers", "host_routes"),
    *("allowed_address_pairs", "security_groups"),
    *("heartbeat_timestamp", "configurations"),
}


def _constants(values: Mapping[str, object]) -> Attributes[Any]:
    return {name: lambda *_, value=value: value for name, value in values.items()}


def _vif_type(overlay: Overlay, port: Port) -> str:
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
    """The id of a host's agent, derived from the host's name."""
    return derived_id("agent", host)


def _configurations(overlay: Overlay, state: AgentState) -> View:
    host = overlay.host(state.host)
    return {
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
    }


NETWORK: Attributes[Network] = {
    "id": lambda _, network: network.id,
    "name": lambda _, network: network.name,
    "mtu": lambda overlay, network: overlay.mtu_of(network),
    "status": lambda *_: "ACTIVE",
    "subnets": lambda overlay, network: [s.id for s in subnets_of(overlay, network.id)],
    "provider:network_type": lambda _, network: network.network_type.value,
    "provider:segmentation_id": lambda _, network: network.segmentation_id,
    "provider:physical_network": lambda _, network: network.physical_network,
    **_constants(NETWORK_CONSTANTS),
}
SUBNET: Attributes[Subnet] = {
    "id": lambda _, subnet: subnet.id,
    "name": lambda _, subnet: subnet.name,
    "network_id": lambda _, subnet: subnet.network_id,
    "cidr": lambda _, subnet: str(subnet.cidr),
    "ip_version": lambda _, subnet: subnet.cidr.version,
    "gateway_ip": lambda _, subnet: str(subnet.gateway_ip) if subnet.gateway_ip else None,
    "allocation_pools": lambda _, subnet: [
        {"start": str(low), "end": str(high)} for low, high in pools_of(subnet)
    ],
    "enable_dhcp": lambda overlay, subnet: overlay.dhcp and server_of(overlay, subnet) is not None,
    "dns_nameservers": lambda *_: [],
    "host_routes": lambda *_: [],
    **_constants({"ipv6_ra_mode": None, "ipv6_address_mode": None, **NO_OWNER}),
}
PORT: Attributes[Port] = {
    "id": lambda _, port: port.id,
    "name": lambda _, port: port.name,
    "network_id": lambda _, port: port.network_id,
    "mac_address": lambda _, port: port.mac_address,
    "fixed_ips": _fixed_ips,
    "status": lambda _, port: "ACTIVE" if port.is_active else "DOWN",
    "admin_state_up": lambda _, port: port.admin_state_up,
    "device_id": lambda _, port: port.device_id,
    "device_owner": lambda _, port: port.device_owner,
    "binding:host_id": lambda _, port: port.host,
    "binding:vif_type": _vif_type,
    "binding:vnic_type": lambda *_: "normal",
    "port_security_enabled": lambda _, port: port.port_security_enabled,
    "allowed_address_pairs": lambda *_: [],
    "security_groups": lambda *_: [],
    **_constants(NO_OWNER),
}
AGENT: Attributes[AgentState] = {
    "id": lambda _, state: agent_id(state.host),
    "agent_type": lambda overlay, state: AGENTS[overlay.host(state.host).mechanism][0],
    "binary": lambda overlay, state: AGENTS[overlay.host(state.host).mechanism][1],
    "host": lambda _, state: state.host,
    "topic": lambda *_: "N/A",
    "alive": lambda _, state: state.alive,
    "admin_state_up": lambda *_: True,
    "heartbeat_timestamp": lambda _, state: state.heartbeat,
    "configurations": _configurations,
}
# The attributes by which a list can be filtered.
FILTERS = {
    kind: frozenset(attributes) - NOT_FILTERS
    for kind, attributes in (
        ("network", NETWORK),
        ("subnet", SUBNET),
        ("port", PORT),
        ("agent", AGENT),
    )
}


def network_view(overlay: Overlay, network: Network) -> View:
    """A network as Neutron shows it; `mtu` [bytes] is the MTU of its guests."""
    return {name: get(overlay, network) for name, get in NETWORK.items()}


def subnet_view(overlay: Overlay, subnet: Subnet) -> View:
    """A subnet as Neutron shows it."""
    return {name: get(overlay, subnet) for name, get in SUBNET.items()}


def port_view(overlay: Overlay, port: Port) -> View:
    """A port as Neutron shows it; ACTIVE only while frames can pass."""
    return {name: get(overlay, port) for name, get in PORT.items()}


def agent_view(overlay: Overlay, state: AgentState) -> View:
    """An agent as Neutron shows it; `ovsdb_connection`, `wired` and `alarm` are additions."""
    return {name: get(overlay, state) for name, get in AGENT.items()}


def selected(
    views: Iterable[View], query: Sequence[tuple[str, str]], known: Iterable[str]
) -> list[View]:
    """The views that match all filters of `query`, reduced to its `fields`.

    A filter given several times matches any of its values.  `fixed_ips=ip_address=10.0.0.5` and
    `fixed_ips=subnet_id=...` match one key of a fixed ip.

    Raises:
        NeutronError: a filter is not in `known`.
    """
    filters: dict[str, list[str]] = {}
    for name, value in query:
        filters.setdefault(name, []).append(value)
    fields = filters.pop("fields", [])
    unknown = sorted(filters.keys() - set(known))
    if unknown:
        message = f"{unknown} is invalid attribute for filtering"
        raise NeutronError(400, "HTTPBadRequest", message)
    chosen = (view for view in views if all(_has(view, *item) for item in filters.items()))
    return [_cut(view, fields) for view in chosen]


def _cut(view: View, fields: Sequence[str]) -> View:
    return {name: view[name] for name in view if not fields or name in fields}


def _has(view: View, name: str, values: Sequence[str]) -> bool:
    return any(_is(view[name], value) for value in values)


def _is(shown: object, wanted: str) -> bool:
    if isinstance(shown, bool):
        return wanted.lower() in (("true", "1") if shown else ("false", "0"))
    if isinstance(shown, list):
        return any(_is(item, wanted) for item in shown)
    if isinstance(shown, dict):
        key, _, value = wanted.partition("=")
        return str(shown.get(key)) == value
    return wanted == ("" if shown is None else str(shown))
