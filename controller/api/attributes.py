"""The attributes of Neutron's resources: how each is shown, and what a request may set.  Pure.

One row per attribute, as in neutron_lib/api/definitions.  An attribute that this project does not
support takes only the value that it always has here (`shared: false`), so that no other value is
accepted and ignored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from controller.api.addressing import subnets_of
from controller.api.converters import converted
from controller.api.errors import NeutronError, invalid
from controller.api.schemas import (
    CHANGED_HOST,
    CIDR,
    FIXED_IPS,
    FLAG,
    FORMATS,
    ID_OR_NULL,
    IP,
    MAC,
    NEW_HOST,
    NOT_EMPTY,
    PAIRS,
    POOLS,
    SIZE,
    TEXT,
    TEXT_OR_NULL,
    VALIDATOR,
    Schema,
    an_object,
    one_of,
)
from controller.model.addresses import pools_of
from controller.model.dhcp import server_of
from controller.model.encap import NetworkType
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port, Subnet
from controller.switches.backend import AgentState

View = dict[str, Any]
Get = Callable[[Overlay, Any], object]
ERROR_MAX = 300  # characters of one error; a schema error may quote the whole body
ERRORS_MAX = 20  # in one answer
BRIDGE = Mechanism.LINUXBRIDGE
REPORTED = ("datapath_type", "wired", "alarm", "corrected")  # of configurations: what it reports
AGENTS = {  # Neutron's agent_type and binary
    Mechanism.OPENVSWITCH: ("Open vSwitch agent", "neutron-openvswitch-agent"),
    Mechanism.LINUXBRIDGE: ("Linux bridge agent", "neutron-linuxbridge-agent"),
}


def agent_id(host: str) -> str:
    """The id of a host's agent, derived from the host's name."""
    return derived_id("agent", host)


def _field(name: str) -> Get:
    return lambda _, value: getattr(value, name)


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


def _pairs(_: Overlay, port: Port) -> list[View]:
    return [
        {"ip_address": pair.text, "mac_address": pair.mac_address or port.mac_address}
        for pair in port.allowed_address_pairs
    ]


def _pools(_: Overlay, subnet: Subnet) -> list[View]:
    return [{"start": str(low), "end": str(high)} for low, high in pools_of(subnet)]


def _configurations(overlay: Overlay, state: AgentState) -> View:
    """A host's options; `ovsdb_connection`, `mechanism` and REPORTED are additions to Neutron's."""
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
        **({"mechanism": str(host.mechanism)} if host.mechanism is BRIDGE else {}),
        **({"vxlan_group": str(host.vxlan_group)} if host.vxlan_group else {}),
        "wired": state.wired,
        "alarm": state.alarm,
        "corrected": list(state.corrected),
    }


# --- the resources


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a resource.

    Attributes:
        get: its value in a response.
        create: the schema of its value in a POST; None: a POST cannot set it.
        update: the same for a PUT.
        is_filter: whether a list can be filtered by it.
    """

    get: Get
    create: Schema | None = None
    update: Schema | None = None
    is_filter: bool = True


def _settable(get: Get, schema: Schema) -> Attribute:
    return Attribute(get, schema, schema)


def _constant(value: object) -> Attribute:
    return _settable(lambda *_: value, {"const": value})


def _read_only(value: object, *, is_filter: bool = True) -> Attribute:
    return Attribute(lambda *_: value, is_filter=is_filter)


def _always_empty() -> Attribute:
    return Attribute(lambda *_: [], {"const": []}, {"const": []}, is_filter=False)


OWNER = dict.fromkeys(("tenant_id", "project_id"), _constant(""))  # a lab has no tenants
NETWORK = {
    "id": Attribute(_field("id")),
    "name": _settable(_field("name"), TEXT),
    "mtu": _settable(lambda overlay, network: overlay.mtu_of(network), SIZE),
    "status": _read_only("ACTIVE"),
    "subnets": Attribute(lambda overlay, network: [s.id for s in subnets_of(overlay, network.id)]),
    "provider:network_type": Attribute(_field("network_type"), one_of(NetworkType)),
    "provider:segmentation_id": Attribute(_field("segmentation_id"), ID_OR_NULL),
    "provider:physical_network": Attribute(_field("physical_network"), TEXT_OR_NULL),
    **dict.fromkeys(("admin_state_up", "port_security_enabled"), _constant(value=True)),
    **dict.fromkeys(("shared", "router:external"), _constant(value=False)),
    **OWNER,
}
SUBNET = {
    "id": Attribute(_field("id")),
    "name": _settable(_field("name"), TEXT),
    "network_id": Attribute(_field("network_id"), TEXT),
    "cidr": Attribute(lambda _, subnet: str(subnet.cidr), CIDR),
    "ip_version": Attribute(lambda _, subnet: subnet.cidr.version, {"enum": [4, 6]}),
    "gateway_ip": _settable(
        lambda _, subnet: str(subnet.gateway_ip) if subnet.gateway_ip else None,
        {**IP, "type": ["string", "null"]},
    ),
    "allocation_pools": Attribute(_pools, POOLS, POOLS, is_filter=False),
    "enable_dhcp": _settable(
        lambda overlay, subnet: overlay.dhcp and server_of(overlay, subnet) is not None,
        FLAG,
    ),
    **dict.fromkeys(("dns_nameservers", "host_routes"), _always_empty()),
    # Neutron has no `allow_put` for these two.
    **dict.fromkeys(
        ("ipv6_ra_mode", "ipv6_address_mode"), Attribute(lambda *_: None, {"const": None})
    ),
    **OWNER,
}
PORT = {
    "id": Attribute(_field("id")),
    "name": _settable(_field("name"), TEXT),
    "network_id": Attribute(_field("network_id"), TEXT),
    "mac_address": _settable(_field("mac_address"), MAC),
    "fixed_ips": _settable(_fixed_ips, FIXED_IPS),
    "status": Attribute(lambda _, port: "ACTIVE" if port.is_active else "DOWN"),
    "admin_state_up": _settable(_field("admin_state_up"), FLAG),
    "device_id": _settable(_field("device_id"), TEXT),
    "device_owner": _settable(
        _field("device_owner"), {"enum": ["", "compute:nova", "network:dhcp"]}
    ),
    "binding:host_id": _settable(_field("host"), TEXT),
    "binding:vif_type": Attribute(_vif_type),
    "binding:vnic_type": _constant("normal"),
    "port_security_enabled": _settable(_field("port_security_enabled"), FLAG),
    "allowed_address_pairs": Attribute(_pairs, PAIRS, PAIRS, is_filter=False),
    "security_groups": _always_empty(),
    **OWNER,
}
AGENT = {
    "id": Attribute(lambda _, state: agent_id(state.host)),
    "agent_type": Attribute(lambda overlay, state: AGENTS[overlay.host(state.host).mechanism][0]),
    "binary": Attribute(lambda overlay, state: AGENTS[overlay.host(state.host).mechanism][1]),
    "host": Attribute(_field("host"), NOT_EMPTY),
    "topic": _read_only("N/A"),
    "alive": Attribute(_field("alive")),
    "admin_state_up": _read_only(value=True),
    "heartbeat_timestamp": Attribute(_field("heartbeat"), is_filter=False),
    "configurations": Attribute(_configurations, NEW_HOST, CHANGED_HOST, is_filter=False),
}
ATTRIBUTES: Mapping[str, Mapping[str, Attribute]] = {
    "network": NETWORK,
    "subnet": SUBNET,
    "port": PORT,
    "agent": AGENT,
}
# Neutron's attributes that are not shown, with the values of a resource that does not use them.
EVERYWHERE: Schema = {"description": {"const": ""}, "tags": {"const": []}}
QOS: Schema = {"qos_policy_id": {"const": None}, "dns_domain": {"const": ""}}
NEUTRAL: Mapping[str, Schema] = {
    "network": {
        **EVERYWHERE,
        **QOS,
        "availability_zone_hints": {"const": []},
        "is_default": {"const": False},
        "vlan_transparent": {"enum": [False, None]},
    },
    "subnet": {
        **EVERYWHERE,
        "subnetpool_id": {"const": None},
        "use_default_subnetpool": {"const": False},
        "segment_id": {"const": None},
        "service_types": {"const": []},
        "dns_publish_fixed_ip": {"const": False},
    },
    "port": {
        **EVERYWHERE,
        **QOS,
        "binding:profile": {"enum": [{}, None]},
        "extra_dhcp_opts": {"const": []},
        "dns_name": {"const": ""},
        "numa_affinity_policy": {"const": None},
    },
    "agent": {},
}
REQUIRED = {  # in a POST
    "network": (),
    "subnet": ("network_id", "cidr"),
    "port": ("network_id",),
    "agent": ("host", "configurations"),
}


@cache
def _validator(kind: str, action: str) -> Any:
    schemas = {name: getattr(each, action) for name, each in ATTRIBUTES[kind].items()}
    settable = {name: schema for name, schema in schemas.items() if schema is not None}
    required = REQUIRED[kind] if action == "create" else ()
    envelope = an_object({kind: an_object({**NEUTRAL[kind], **settable}, *required)}, kind)
    return VALIDATOR(envelope, format_checker=FORMATS)


def parse_body(kind: str, action: str, body: object) -> dict[str, Any]:
    """The attributes inside the body's envelope, after validation; `action` is create or update.

    Raises:
        NeutronError: the body is invalid; the message has its errors, at most ERRORS_MAX.
    """
    if isinstance(body, dict) and kind in body:
        body = {**body, kind: _without_reports(kind, converted(body[kind]))}
    errors = sorted(
        _validator(kind, action).iter_errors(body), key=lambda e: list(map(str, e.path))
    )
    if errors:
        more = len(errors) - ERRORS_MAX
        texts = [*map(_error_text, errors[:ERRORS_MAX]), *([f"{more} more"] if more > 0 else [])]
        raise invalid("; ".join(texts))
    inner: dict[str, Any] = dict(body[kind])  # type: ignore[index]  # the schema has checked it
    return inner


def _without_reports(kind: str, given: Any) -> Any:
    """The attributes of an agent without what it reports: GET shows that, and no request sets it."""
    configurations = given.get("configurations") if isinstance(given, dict) else None
    if kind != "agent" or not isinstance(configurations, dict):
        return given
    kept = {name: value for name, value in configurations.items() if name not in REPORTED}
    return {**given, "configurations": kept}


def _error_text(error: Any) -> str:
    path, message = ".".join(map(str, error.absolute_path)), error.message
    short = message if len(message) <= ERROR_MAX else message[:ERROR_MAX] + "..."
    return f"{path}: {short}" if path else short


def view(kind: str, overlay: Overlay, value: object) -> View:
    """A network, a subnet, a port or the state of an agent as Neutron shows it."""
    return {name: each.get(overlay, value) for name, each in ATTRIBUTES[kind].items()}


def filters(kind: str) -> list[str]:
    """The attributes by which a list can be filtered."""
    return [name for name, each in ATTRIBUTES[kind].items() if each.is_filter]


def selected(
    views: Iterable[View], query: Sequence[tuple[str, str]], known: Iterable[str]
) -> list[View]:
    """The views that match all filters of `query`, reduced to its `fields`.

    A filter given several times matches any of its values.  `fixed_ips=ip_address=10.0.0.5` and
    `fixed_ips=subnet_id=...` match one key of a fixed ip.

    Raises:
        NeutronError: a filter is not in `known`.
    """
    wanted: dict[str, set[str]] = {}
    for name, value in query:
        wanted.setdefault(name, set()).add(value)
    fields = wanted.pop("fields", set())
    unknown = sorted(wanted.keys() - set(known))
    if unknown:
        message = f"{unknown} is invalid attribute for filtering"
        raise NeutronError(400, "HTTPBadRequest", message)
    return [
        {name: value for name, value in each.items() if not fields or name in fields}
        for each in views
        if all(_is_one(each[name], texts) for name, texts in wanted.items())
    ]


def _is_one(shown: object, wanted: set[str]) -> bool:
    """Whether a shown value matches one of the texts of a filter."""
    if isinstance(shown, bool):
        return any(text.lower() in (("true", "1") if shown else ("false", "0")) for text in wanted)
    if isinstance(shown, list):
        return any(_is_one(item, wanted) for item in shown)
    if isinstance(shown, dict):
        return any(f"{key}={value}" in wanted for key, value in shown.items())
    return ("" if shown is None else str(shown)) in wanted
