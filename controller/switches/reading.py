"""A host's OVSDB as a value, and the Binding read back from it.  Pure."""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.flows.binding import Binding
from controller.flows.ports import BR_INT, DEAD_VLAN_TAG
from controller.model.errors import SwitchError
from controller.model.overlay import Overlay

ACTIVE, DOWN = "ACTIVE", "DOWN"  # Neutron's port states
SECURE = "secure"  # fail_mode of a bridge that forwards nothing without flows
COLUMNS = {
    "Bridge": "name,datapath_id,datapath_type,fail_mode,ports",
    "Port": "_uuid,name,tag,other_config",
    "Interface": "name,type,ofport,options,external_ids,error",
}


def host_error(
    host: str, found: str, allowed: str, do: str = "The controller tries again shortly."
) -> SwitchError:
    """A visit to `host` found something that is not `allowed`."""
    return SwitchError(found, where=f"host {host!r}", allowed=allowed, do=do)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRow:
    """One port in OVSDB.

    Attributes:
        ofport: None while no device has this name.
        error: why ovs-vswitchd could not make it.
        is_pending: ovs-vswitchd has not numbered it yet; -1 would mean that it failed.
    """

    name: str
    type: str = ""
    ofport: int | None = None
    tag: int | None = None
    net_uuid: str = ""
    iface_id: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    is_pending: bool = False

    @property
    def config_tag(self) -> int | None:
        """`other_config:tag`, Neutron's record of the local VLAN; None if it is no VLAN."""
        return _vlan(self.other_config.get("tag", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeRow:
    """One bridge in OVSDB."""

    name: str
    dpid: int | None
    datapath_type: str = "system"
    fail_mode: str = SECURE  # empty: not set, which is `standalone`
    ports: Mapping[str, PortRow] = field(default_factory=dict)


Reading = Mapping[str, BridgeRow]


def parse_reading(text: str) -> Reading:
    """Parse `ovs-vsctl --format=json list Bridge -- list Port -- list Interface`."""
    bridges, ports, interfaces = (list(_rows(line)) for line in text.splitlines() if line.strip())
    by_name = {row["name"]: row for row in interfaces}
    port_of = {row["_uuid"]: _port(row, by_name.get(row["name"], {})) for row in ports}
    return {row["name"]: _bridge(row, port_of) for row in bridges}


def _bridge(row: dict[str, Any], port_of: Mapping[str, PortRow]) -> BridgeRow:
    dpid, uuids = row["datapath_id"], row["ports"]
    members = [port_of[uuid] for uuid in (uuids if isinstance(uuids, list) else [uuids])]
    return BridgeRow(
        name=row["name"],
        dpid=int(dpid, 16) if isinstance(dpid, str) else None,
        datapath_type=row["datapath_type"] or "system",  # empty means the default
        fail_mode=_text(row.get("fail_mode", SECURE)),
        ports={port.name: port for port in members},
    )


def _port(row: dict[str, Any], interface: dict[str, Any]) -> PortRow:
    ofport = interface.get("ofport")
    return PortRow(
        name=row["name"],
        type=interface.get("type", ""),
        ofport=ofport if isinstance(ofport, int) and ofport > 0 else None,
        tag=row["tag"] if isinstance(row["tag"], int) else None,
        other_config=row["other_config"],
        net_uuid=row["other_config"].get("net_uuid", ""),
        iface_id=interface.get("external_ids", {}).get("iface-id", ""),
        options=interface.get("options", {}),
        error=interface.get("error") or "",
        is_pending=not isinstance(ofport, int),
    )


def _text(value: Any) -> str:
    """An optional string; OVSDB has an empty set for none."""
    return value if isinstance(value, str) else ""


def _vlan(text: str) -> int | None:
    """A VLAN that a network may have, or None."""
    return int(text) if text.isdecimal() and 0 < int(text) < DEAD_VLAN_TAG else None


def _rows(line: str) -> Iterator[dict[str, Any]]:
    table = json.loads(line)
    for row in table["data"]:
        yield dict(zip(table["headings"], map(_value, row), strict=True))


def _value(cell: Any) -> Any:
    """An OVSDB value as a Python value (RFC 7047, 5.1)."""
    if isinstance(cell, list) and len(cell) == 2:
        kind, content = cell
        if kind == "uuid":
            return content
        if kind == "set":
            return [_value(item) for item in content]
        if kind == "map":
            return {_value(key): _value(value) for key, value in content}
    return cell


def plugged(reading: Reading) -> dict[str, PortRow]:
    """Guest ports on br-int that have a number, by iface-id."""
    return {row.iface_id: row for row in guest_rows(reading) if row.ofport}


def guest_rows(reading: Reading) -> list[PortRow]:
    """Guest ports on br-int, with or without a device."""
    ports = reading[BR_INT].ports.values() if BR_INT in reading else ()
    return [port for port in ports if port.iface_id]


def pending(reading: Reading, bridges: Iterable[str]) -> frozenset[str]:
    """Ports in OVSDB that ovs-vswitchd has not numbered yet."""
    rows = (reading[bridge].ports.values() for bridge in bridges if bridge in reading)
    return frozenset(port.name for ports in rows for port in ports if port.is_pending)


def binding_of(overlay: Overlay, host: str, reading: Reading) -> Binding:
    """The host's binding, read back: local VLANs from tags, ofports from interfaces."""
    alive = {port.id for port in overlay.ports if port.host == host and port.is_active}
    ofports = {
        bridge.name: {
            port.name: port.ofport
            for port in bridge.ports.values()
            if port.ofport and port.name != bridge.name
        }
        for bridge in reading.values()
    }
    return Binding(
        host=host,
        local_vlans=_vlans(reading),
        ofports=ofports,
        dead=frozenset(row.name for row in guest_rows(reading) if row.iface_id not in alive),
    )


def _vlans(reading: Reading) -> dict[str, int]:
    """Network -> tag.  If two networks have the same tag, the first keeps it.

    As in Neutron's agent, `other_config:tag` has precedence over a tag that was set by hand.
    """
    vlans: dict[str, int] = {}
    for row in guest_rows(reading):
        tag = row.config_tag or row.tag
        if row.net_uuid and tag and tag not in {DEAD_VLAN_TAG, *vlans.values()}:
            vlans.setdefault(row.net_uuid, tag)
    return vlans


def tags(reading: Reading) -> frozenset[int]:
    """Every tag on a guest port, of any network."""
    return frozenset(row.tag for row in guest_rows(reading) if row.tag)


def as_seen(overlay: Overlay, host: str, reading: Reading) -> Overlay:
    """The overlay with the port states that the host has."""
    return with_status(overlay, status_changes(overlay, host, reading))


def with_status(overlay: Overlay, statuses: Mapping[str, str]) -> Overlay:
    """The overlay with other port states: port id -> ACTIVE or DOWN."""
    if not statuses:
        return overlay
    ports = (replace(port, status=statuses.get(port.id, port.status)) for port in overlay.ports)
    return replace(overlay, ports=tuple(ports))


def status_changes(overlay: Overlay, host: str, reading: Reading) -> dict[str, str]:
    """Ports of `host` whose status is wrong: id -> ACTIVE if plugged, else DOWN.

    Empty for a host without br-int.
    """
    return wrong_statuses(overlay, host, plugged(reading)) if BR_INT in reading else {}


def wrong_statuses(overlay: Overlay, host: str, present: Container[str]) -> dict[str, str]:
    """Ports of `host` whose status is wrong: id -> ACTIVE if among `present`, else DOWN."""
    return {
        port.id: status
        for port in overlay.ports
        if port.host == host
        if port.status != (status := ACTIVE if port.id in present else DOWN)
    }
