"""JSON schemas of the values in requests, for `controller.api.attributes`.  Pure."""

import json
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from controller.model.addresses import parse_cidr
from controller.model.encap import TUNNEL_TYPES
from controller.model.parts import Mechanism

Schema = dict[str, Any]
FORMATS = FormatChecker(formats=())


def _is_ip(value: object) -> bool:
    return not isinstance(value, str) or "%" not in str(ip_address(value))


def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_cidr(value))


def _is_group(value: object) -> bool:
    return not isinstance(value, str) or bool(ip_network(value))


def _is_ip_or_cidr(value: object) -> bool:
    return not isinstance(value, str) or ("%" not in value and bool(ip_network(value)))


FORMATS.checks("IP address or CIDR without host bits", raises=ValueError)(_is_ip_or_cidr)
FORMATS.checks("IP address", raises=ValueError)(_is_ip)
FORMATS.checks("CIDR without host bits", raises=ValueError)(_is_cidr)
FORMATS.checks("multicast address or CIDR", raises=ValueError)(_is_group)


def _different(_: object, wanted: object, values: object, __: object) -> Iterator[ValidationError]:
    """`uniqueItems` in linear time; jsonschema compares all pairs if the types are mixed."""
    if wanted and isinstance(values, list):
        texts = [json.dumps(value, sort_keys=True) for value in values]
        if len(set(texts)) < len(texts):
            yield ValidationError(f"{values!r} has non-unique elements")


VALIDATOR: Any = validators.extend(Draft202012Validator, {"uniqueItems": _different})


def an_object(properties: Schema, *required: str) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": item, **limits}


def one_of(values: Iterable[object]) -> Schema:
    """One of these values, as text."""
    return {"enum": [str(value) for value in values]}


TEXT: Schema = {"type": "string", "maxLength": 255}
TEXT_OR_NULL: Schema = {**TEXT, "type": ["string", "null"]}
ID_OR_NULL: Schema = {"type": ["integer", "null"]}
NOT_EMPTY: Schema = {**TEXT, "minLength": 1}
FLAG: Schema = {"type": "boolean"}
SIZE: Schema = {"type": "integer", "minimum": 0}
IP: Schema = {"type": "string", "format": "IP address"}
CIDR: Schema = {"type": "string", "format": "CIDR without host bits"}
IP_OR_CIDR: Schema = {"type": "string", "format": "IP address or CIDR without host bits"}
MAC: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"}
POOLS = _list(an_object({"start": IP, "end": IP}, "start", "end"), minItems=1)
FIXED_IPS = _list({**an_object({"subnet_id": TEXT, "ip_address": IP}), "minProperties": 1})
PAIRS = _list(an_object({"ip_address": IP_OR_CIDR, "mac_address": MAC}, "ip_address"))
CONFIGURATIONS: Schema = {
    "tunneling_ip": IP,
    "tunnel_types": _list(one_of(TUNNEL_TYPES), uniqueItems=True),
    "l2_population": FLAG,
    "arp_responder_enabled": FLAG,
    "bridge_mappings": {"type": "object", "additionalProperties": NOT_EMPTY},
    "ovsdb_connection": {
        "type": "string",
        "pattern": "^((tcp|ssl|unix):[^ ]+|netns:[0-9]+:[0-9]+)$",
    },
    "mechanism": one_of(Mechanism),
    "vxlan_group": {"type": "string", "format": "multicast address or CIDR"},
}
CHANGED_HOST = an_object(CONFIGURATIONS)
# The plug type cannot be changed once guests are plugged.
NEW_HOST = an_object(
    {**CONFIGURATIONS, "ovs_hybrid_plug": FLAG}, "tunneling_ip", "ovsdb_connection"
)
