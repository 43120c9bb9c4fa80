"""JSON schemas of request bodies; all errors of a body are reported at once.  Pure.

An attribute that this project does not support takes only the value that it always has here
(`shared: false`), so that no other value is accepted and ignored.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from controller.api.errors import invalid
from controller.api.views import NETWORK_CONSTANTS, NO_OWNER
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.parts import Mechanism

Schema = dict[str, Any]
ERROR_MAX = 300  # characters of one error; a schema error may quote the whole body
FORMATS = FormatChecker(formats=())

TEXT: Schema = {"type": "string", "maxLength": 255}
FLAG: Schema = {"type": "boolean"}
IP: Schema = {"type": "string", "format": "IP address"}
MAC: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"}


def _is_ip(value: object) -> bool:
    return not isinstance(value, str) or "%" not in str(ip_address(value))


def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or ("/" in value and bool(ip_network(value)))


FORMATS.checks("IP address", raises=ValueError)(_is_ip)
FORMATS.checks("CIDR without host bits", raises=ValueError)(_is_cidr)


def _object(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": item, **limits}


def _constants(values: Mapping[str, object]) -> Schema:
    return {name: {"const": value} for name, value in values.items()}


POOLS = _list(_object({"start": IP, "end": IP}, "start", "end"), minItems=1)
FIXED_IPS = _list({**_object({"subnet_id": TEXT, "ip_address": IP}), "minProperties": 1})
OWNER: Schema = _constants(NO_OWNER)
NETWORK: Schema = {
    "name": TEXT,
    "mtu": {"type": "integer", "minimum": 0},
    **_constants(NETWORK_CONSTANTS),
}
PROVIDER: Schema = {
    "provider:network_type": {"enum": [str(kind) for kind in NetworkType]},
    "provider:segmentation_id": {"type": ["integer", "null"]},
    "provider:physical_network": {**TEXT, "type": ["string", "null"]},
}
SUBNET: Schema = {
    "name": TEXT,
    "gateway_ip": {**IP, "type": ["string", "null"]},
    "allocation_pools": POOLS,
    "enable_dhcp": {"const": False},
    **OWNER,
}
CIDR: Schema = {"type": "string", "format": "CIDR without host bits"}
PORT: Schema = {
    "name": TEXT,
    "mac_address": MAC,
    "fixed_ips": FIXED_IPS,
    "binding:host_id": TEXT,
    "binding:vnic_type": {"const": "normal"},
    "device_id": TEXT,
    "device_owner": {"enum": ["", "compute:nova"]},
    "admin_state_up": FLAG,
    "port_security_enabled": FLAG,
    **OWNER,
}
CONFIGURATIONS: Schema = {
    "tunneling_ip": IP,
    "tunnel_types": _list({"enum": [str(kind) for kind in TUNNEL_TYPES]}, uniqueItems=True),
    "l2_population": FLAG,
    "arp_responder_enabled": FLAG,
    "bridge_mappings": {"type": "object", "additionalProperties": {**TEXT, "minLength": 1}},
    "ovsdb_connection": {
        "type": "string",
        "pattern": "^((tcp|ssl|unix):[^ ]+|netns:[0-9]+:[0-9]+)$",
    },
    "mechanism": {"enum": [str(each) for each in Mechanism]},
    "vxlan_group": CIDR,
}
# The plug type cannot be changed once guests are plugged.
NEW_HOST: Schema = {**CONFIGURATIONS, "ovs_hybrid_plug": FLAG}
AGENT: Schema = {"configurations": _object(NEW_HOST, "tunneling_ip", "ovsdb_connection")}


def _validator(kind: str, properties: Schema, *required: str) -> Draft202012Validator:
    schema = _object({kind: _object(properties, *required)}, kind)
    return Draft202012Validator(schema, format_checker=FORMATS)


# (kind, action) -> the validator of the whole body.
BODIES: Mapping[tuple[str, str], Draft202012Validator] = MappingProxyType(
    {
        ("network", "create"): _validator("network", {**NETWORK, **PROVIDER}),
        ("network", "update"): _validator("network", NETWORK),
        ("subnet", "create"): _validator(
            "subnet",
            {**SUBNET, "network_id": TEXT, "cidr": CIDR, "ip_version": {"enum": [4, 6]}},
            "network_id",
            "cidr",
        ),
        ("subnet", "update"): _validator("subnet", SUBNET),
        ("port", "create"): _validator("port", {**PORT, "network_id": TEXT}, "network_id"),
        ("port", "update"): _validator("port", PORT),
        ("agent", "create"): _validator(
            "agent", {**AGENT, "host": {**TEXT, "minLength": 1}}, "host", "configurations"
        ),
        ("agent", "update"): _validator("agent", {"configurations": _object(CONFIGURATIONS)}),
    }
)


def attributes(kind: str, action: str, body: object) -> dict[str, Any]:
    """The attributes inside the body's envelope, after validation.

    Raises:
        NeutronError: the body is invalid; the message has all errors.
    """
    errors = sorted(BODIES[kind, action].iter_errors(body), key=lambda e: list(map(str, e.path)))
    if errors:
        raise invalid("; ".join(map(_error_text, errors)))
    inner: dict[str, Any] = dict(body[kind])  # type: ignore[index]  # the schema has checked it
    return inner


def _error_text(error: Any) -> str:
    path, message = ".".join(map(str, error.absolute_path)), error.message
    short = message if len(message) <= ERROR_MAX else message[:ERROR_MAX] + "..."
    return f"{path}: {short}" if path else short
