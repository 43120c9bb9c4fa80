"""An overlay as JSON and back, without loss.  Pure: dicts and text, no files.

The state file of a lab's controller is written here: its format version, the overlay,
and where each host's OVSDB listens.  A field the reader does not know is an error; a
field with a default may be missing, so that older files can still be read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any, TypeVar

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network, Port, SegmentRange, Subnet
from controller.model.underlay import Shape, Underlay

T = TypeVar("T")
M = TypeVar("M", Host, Network, Subnet, Port, Overlay, Underlay, SegmentRange)
Reader = Callable[[Any, str], Any]
FORMAT = 1


def overlay_to_json(overlay: Overlay) -> dict[str, Any]:
    """`overlay` in dicts, lists, strings and numbers, ready for `json.dumps`."""
    return {field.name: _plain(getattr(overlay, field.name)) for field in fields(overlay)}


def overlay_from_json(data: Mapping[str, Any]) -> Overlay:
    """The overlay that `overlay_to_json` made `data` from.

    Raises:
        ModelError: `data` is no overlay, or one that contradicts itself.
    """
    return _dataclass(Overlay)(data, "overlay")


def dump_state(overlay: Overlay, ovsdb: Mapping[str, str]) -> str:
    """The text of a state file; `ovsdb` maps a host to its OVSDB, as `tcp:198.18.1.1:6640`."""
    state = {"format": FORMAT, "overlay": overlay_to_json(overlay), "ovsdb": dict(ovsdb)}
    return json.dumps(state, indent=1) + "\n"


def load_state(text: str) -> tuple[Overlay, dict[str, str]]:
    """The overlay and the OVSDB addresses in the text of a state file.

    Raises:
        ModelError: it is not JSON, of another format, or not an overlay.
    """
    try:
        state = _object(json.loads(text), "state file")
    except ValueError as error:
        raise _wrong("state file", f"no JSON ({error})", "what `dump_state` writes") from None
    found = state.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise _wrong("state file", f"format {found}", f"{FORMAT} (the one this version reads)")
    ovsdb = _object(state.get("ovsdb"), "ovsdb")
    addresses = {host: _text(address, f"ovsdb.{host}") for host, address in ovsdb.items()}
    return overlay_from_json(_object(state.get("overlay"), "overlay")), addresses


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
        return str(value)
    return value


def _wrong(where: str, found: str, allowed: str) -> ModelError:
    return ModelError(
        found, where=where, allowed=allowed, do="Raise the lab anew, or mend the file by hand."
    )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, repr(value), "an object")
    return value


def _only(kind: type[T], word: str) -> Callable[[Any, str], T]:
    """Takes a value of exactly this type, since JSON's true is an int to Python."""

    def read(value: Any, where: str) -> T:
        if type(value) is not kind:
            raise _wrong(where, repr(value), word)
        return value

    return read


_text, _number, _flag = _only(str, "text"), _only(int, "an integer"), _only(bool, "true or false")


def _real(value: Any, where: str) -> float:
    if type(value) not in {int, float}:
        raise _wrong(where, repr(value), "a number")
    return float(value)


def _parsed(parse: Callable[[str], T], word: str) -> Callable[[Any, str], T]:
    """Takes text that `parse` understands."""

    def read(value: Any, where: str) -> T:
        try:
            return parse(_text(value, where))
        except ValueError:
            raise _wrong(where, repr(value), word) from None

    return read


def _optional(item: Reader) -> Reader:
    return lambda value, where: None if value is None else item(value, where)


def _many(item: Reader) -> Reader:
    def read(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _wrong(where, repr(value), "a list")
        return tuple(item(one, f"{where}[{number}]") for number, one in enumerate(value))

    return read


def _pair(item: Reader) -> Reader:
    def read(value: Any, where: str) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise _wrong(where, repr(value), "a list of two")
        return item(value[0], f"{where}[0]"), item(value[1], f"{where}[1]")

    return read


def _dataclass(kind: type[M]) -> Callable[[Any, str], M]:
    def read(value: Any, where: str) -> M:
        given, known = _object(value, where), {field.name: field for field in fields(kind)}
        for name in given.keys() - known.keys():
            raise _wrong(where, f"unknown field {name!r}", ", ".join(known))
        for name in _needed(fields(kind)):
            if name not in given:
                raise _wrong(where, f"no field {name!r}", ", ".join(known))
        readers: dict[str, Reader] = {name: _READERS[kind].get(name, _text) for name in given}
        return kind(**{name: readers[name](given[name], f"{where}.{name}") for name in given})

    return read


def _needed(known: Iterable[Field[Any]]) -> list[str]:
    """Names of the fields without a default."""
    return [field.name for field in known if field.default is MISSING]


_ip = _parsed(ip_address, "an IP address")
_network_type = _parsed(NetworkType, ", ".join(NetworkType))
# How to read each field; what is not named here is text.
_READERS: Mapping[type[Any], Mapping[str, Reader]] = MappingProxyType(
    {
        Host: {
            "local_ip": _ip,
            "tunnel_types": _many(_network_type),
            "l2_population": _flag,
            "arp_responder": _flag,
            "bridge_mappings": _many(_pair(_text)),
            "mechanism": _parsed(Mechanism, ", ".join(Mechanism)),
            "hybrid_plug": _flag,
            "vxlan_group": _optional(_parsed(ip_network, "a CIDR without host bits")),
        },
        Network: {
            "network_type": _network_type,
            "segmentation_id": _optional(_number),
            "physical_network": _optional(_text),
            "mtu": _number,
        },
        Subnet: {
            "cidr": _parsed(ip_network, "a CIDR without host bits"),
            "pools": _many(_pair(_ip)),
            "gateway_ip": _optional(_ip),
        },
        Port: {
            "fixed_ips": _many(_ip),
            "port_security_enabled": _flag,
            "admin_state_up": _flag,
            "is_dhcp_server": _flag,
        },
        Underlay: {
            "shape": _parsed(Shape, ", ".join(Shape)),
            "spines": _number,
            "hash_policy": _number,
            "wan_mtu": _number,
            "delay_ms": _real,
            "loss_percent": _real,
        },
        SegmentRange: {"network_type": _network_type, "first": _number, "last": _number},
        Overlay: {
            "hosts": _many(_dataclass(Host)),
            "networks": _many(_dataclass(Network)),
            "subnets": _many(_dataclass(Subnet)),
            "ports": _many(_dataclass(Port)),
            "underlay_mtu": _number,
            "path_mtu": _number,
            "underlay": _dataclass(Underlay),
            "dhcp": _flag,
            "ranges": _many(_dataclass(SegmentRange)),
            "tenant_network_types": _many(_network_type),
            "type_drivers": _many(_network_type),
        },
    }
)
