"""Converts the values of a request as Neutron does before it checks them.  Pure.

A value that cannot be converted stays as it is, so that the schema refuses it.

Source: neutron_lib/api/converters.py; oslo_utils/strutils.py for truth values.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

TRUE, FALSE = ("1", "t", "true", "on", "y", "yes"), ("0", "f", "false", "off", "n", "no")
WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
MAC_FORMS = re.compile(
    r"[0-9a-f]{12}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}|[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\2[0-9a-f]{1,2}){4}"
)
Convert = Callable[[Any], Any]


def boolean(value: Any) -> Any:
    """True or false for the words and numbers that mean it."""
    if not isinstance(value, str | int):
        return value
    word = str(value).strip().lower()
    return True if word in TRUE else False if word in FALSE else value


def whole(value: Any) -> Any:
    """An integer for its decimal digits, or for a number without a fraction."""
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def empty_list(value: Any) -> Any:
    """An empty list for null."""
    return [] if value is None else value


def empty_text(value: Any) -> Any:
    """An empty text for null."""
    return "" if value is None else value


def mac(value: Any) -> Any:
    """A MAC as six octets in lower case with colons between them."""
    text = value.lower() if isinstance(value, str) else ""
    if not MAC_FORMS.fullmatch(text):
        return value
    parts = re.split("[:-]", text)
    if len(parts) == 1:
        digits = text.replace(".", "")
        parts = [digits[at : at + 2] for at in range(0, 12, 2)]
    return ":".join(part.zfill(2) for part in parts)


CONVERTERS: Mapping[str, Convert] = {
    **dict.fromkeys(
        ("admin_state_up", "shared", "router:external", "port_security_enabled", "enable_dhcp"),
        boolean,
    ),
    **dict.fromkeys(
        ("is_default", "use_default_subnetpool", "propagate_uplink_status", "vlan_transparent"),
        boolean,
    ),
    **dict.fromkeys(("mtu", "provider:segmentation_id", "ip_version"), whole),
    **dict.fromkeys(
        ("dns_nameservers", "host_routes", "allowed_address_pairs", "security_groups"), empty_list
    ),
    **dict.fromkeys(("extra_dhcp_opts",), empty_list),
    "binding:host_id": empty_text,
    "mac_address": mac,
}


def converted(given: object) -> object:
    """The attributes of a request with the values that Neutron would check."""
    if not isinstance(given, dict):
        return given
    return {name: CONVERTERS.get(name, lambda same: same)(value) for name, value in given.items()}
