"""Create, update and delete by Neutron's rules; each function returns a new overlay.  Pure.

Each function takes the request body unparsed.  The caller chooses ids (`new_id`), so the result
depends on the arguments only.

Every function raises:
    NeutronError: the body is invalid, a resource is missing or in use, or the model refuses the
        new overlay; an error of the model is shown as Neutron's error for it, if there is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from ipaddress import ip_address, ip_network
from itertools import count
from typing import Any, TypeVar

from controller.api import addressing, segments
from controller.api.attributes import parse_body
from controller.api.errors import as_neutron, conflict, invalid, not_found
from controller.model.addresses import default_gateway, default_pools
from controller.model.check_server import server_errors
from controller.model.dhcp import server_of
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, raise_all
from controller.model.names import derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import AddressPair, Host, Mechanism, Network, Port, Subnet

V = TypeVar("V", Network, Subnet, Port)
Body = object


def found(kind: str, values: Iterable[V], id_: str) -> V:
    """The value with this id; Neutron's 404 for `kind` if there is none."""
    value = next((value for value in values if value.id == id_), None)
    if value is None:
        raise not_found(kind, id_)
    return value


def _changed(overlay: Overlay, **parts: Any) -> Overlay:
    """`overlay` with other parts; what the model refuses becomes Neutron's error."""
    try:
        return replace(overlay, **parts)
    except ModelError as error:
        raise as_neutron(error) from error


def _swapped(values: tuple[V, ...], new: V) -> tuple[V, ...]:
    return tuple(new if value.id == new.id else value for value in values)


def _without(values: tuple[V, ...], id_: str) -> tuple[V, ...]:
    return tuple(value for value in values if value.id != id_)


def _renamed(given: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Neutron's attributes in `given` under the names of the model's fields."""
    return {field: given[name] for name, field in fields.items() if name in given}


# --- networks


def create_network(overlay: Overlay, body: Body, *, new_id: str) -> Overlay:
    """`overlay` with a new network; without `provider:` attributes its segment is allocated."""
    given = parse_body("network", "create", body)
    network = Network(
        id=new_id,
        name=given.get("name", ""),
        mtu=int(given.get("mtu", 0)),
        **segments.wanted(overlay, given),
    )
    segments.check_free(overlay, network)
    _assert_allowed(overlay, network)
    return _changed(overlay, networks=(*overlay.networks, network))


def _assert_allowed(overlay: Overlay, network: Network) -> None:
    """Refuse what Neutron's server refuses."""
    try:
        raise_all(server_errors(overlay, network))
    except ModelError as error:
        raise as_neutron(error) from error


def update_network(overlay: Overlay, id_: str, body: Body) -> Overlay:
    """`overlay` with the network's name or MTU changed; its segment cannot change."""
    network = found("network", overlay.networks, id_)
    given = parse_body("network", "update", body)
    new = replace(
        network, name=given.get("name", network.name), mtu=int(given.get("mtu", network.mtu))
    )
    _assert_allowed(overlay, new)
    return _changed(overlay, networks=_swapped(overlay.networks, new))


def delete_network(overlay: Overlay, id_: str) -> Overlay:
    """`overlay` without the network and its subnets; it must have no port."""
    found("network", overlay.networks, id_)
    if any(port.network_id == id_ for port in overlay.ports):
        raise conflict("NetworkInUse", network=id_)
    kept = tuple(subnet for subnet in overlay.subnets if subnet.network_id != id_)
    return _changed(overlay, networks=_without(overlay.networks, id_), subnets=kept)


# --- subnets


def create_subnet(overlay: Overlay, body: Body, *, new_id: str) -> Overlay:
    """`overlay` with a new subnet; by default its gateway is the first address, its pools the rest."""
    given = parse_body("subnet", "create", body)
    network = found("network", overlay.networks, given["network_id"])
    cidr = ip_network(given["cidr"])
    if given.get("enable_dhcp"):
        # A lab has the DHCP servers that its scenario makes.
        raise invalid("enable_dhcp must be false: a subnet of the API has no DHCP server")
    if given.get("ip_version", cidr.version) != cidr.version:
        raise invalid(f"ip_version {given['ip_version']} does not match cidr {cidr}")
    new = _subnet(Subnet(id=new_id, name="", network_id=network.id, cidr=cidr), given)
    if "gateway_ip" not in given:
        new = replace(new, gateway_ip=default_gateway(cidr))
    if "allocation_pools" not in given:
        new = replace(new, pools=default_pools(cidr, new.gateway_ip))
    return _changed(overlay, subnets=(*overlay.subnets, new))


def _subnet(subnet: Subnet, given: Mapping[str, Any]) -> Subnet:
    """`subnet` with the values of `given`."""
    new = _renamed(given, {"name": "name"})
    if "gateway_ip" in given:
        gateway = given["gateway_ip"]
        new["gateway_ip"] = None if gateway is None else ip_address(gateway)
    if "allocation_pools" in given:
        pools = given["allocation_pools"]
        new["pools"] = tuple((ip_address(p["start"]), ip_address(p["end"])) for p in pools)
    return replace(subnet, **new)


def update_subnet(overlay: Overlay, id_: str, body: Body) -> Overlay:
    """`overlay` with the subnet's name, gateway or pools changed; ports keep their addresses."""
    subnet = found("subnet", overlay.subnets, id_)
    given = parse_body("subnet", "update", body)
    has_dhcp = overlay.dhcp and server_of(overlay, subnet) is not None
    if given.get("enable_dhcp", has_dhcp) != has_dhcp:
        raise invalid(f"enable_dhcp must stay {str(has_dhcp).lower()}")
    new = _subnet(subnet, given)
    return _changed(overlay, subnets=_swapped(overlay.subnets, new))


def delete_subnet(overlay: Overlay, id_: str) -> Overlay:
    """`overlay` without the subnet; no port may have an address of it."""
    subnet = found("subnet", overlay.subnets, id_)
    ports = (port for port in overlay.ports if port.network_id == subnet.network_id)
    if any(ip in subnet.cidr for port in ports for ip in port.fixed_ips):
        raise conflict("SubnetInUse", subnet=id_)
    return _changed(overlay, subnets=_without(overlay.subnets, id_))


# --- ports

PORT_FIELDS = {
    "name": "name",
    "binding:host_id": "host",
    "device_id": "device_id",
    "admin_state_up": "admin_state_up",
    "port_security_enabled": "port_security_enabled",
}


def create_port(overlay: Overlay, body: Body, *, new_id: str) -> Overlay:
    """`overlay` with a new port, DOWN until its host has plugged it."""
    given = parse_body("port", "create", body)
    network_id = found("network", overlay.networks, given["network_id"]).id
    values = {"name": "", **_renamed(given, PORT_FIELDS)}
    port = Port(
        id=new_id,
        network_id=network_id,
        mac_address=given.get("mac_address", "").lower() or _free_mac(overlay, network_id, new_id),
        fixed_ips=addressing.addresses(overlay, network_id, given.get("fixed_ips")),
        allowed_address_pairs=_pairs(given),
        status="DOWN",
        **values,
    )
    _check(overlay, port, given)
    return _changed(overlay, ports=(*overlay.ports, port))


def _pairs(given: Mapping[str, Any]) -> tuple[AddressPair, ...]:
    return tuple(
        AddressPair(
            ip_address=ip_network(pair["ip_address"]),
            mac_address=pair.get("mac_address", "").lower(),
        )
        for pair in given.get("allowed_address_pairs", ())
    )


def _free_mac(overlay: Overlay, network_id: str, port_id: str) -> str:
    taken = _macs(overlay, network_id)
    candidates = (derived_mac(f"{port_id}/{turn}" if turn else port_id) for turn in count())
    return next(mac for mac in candidates if mac not in taken)


def _macs(overlay: Overlay, network_id: str, *, without: str = "") -> set[str]:
    ports = (port for port in overlay.ports if port.network_id == network_id)
    return {port.mac_address for port in ports if port.id != without}


def update_port(overlay: Overlay, id_: str, body: Body) -> Overlay:
    """`overlay` with the port changed; a port that moves is DOWN until its new host has plugged it."""
    port = found("port", overlay.ports, id_)
    given = parse_body("port", "update", body)
    mac = given.get("mac_address", port.mac_address).lower()
    if mac != port.mac_address and port.host:
        raise conflict("PortBound", port=id_, old=port.mac_address, new=mac)
    values = _renamed(given, PORT_FIELDS)
    if "allowed_address_pairs" in given:
        values["allowed_address_pairs"] = _pairs(given)
    if "fixed_ips" in given:
        wanted = given["fixed_ips"]
        values["fixed_ips"] = addressing.addresses(overlay, port.network_id, wanted, port_id=id_)
    moved = values.get("host", port.host) != port.host
    new = replace(port, mac_address=mac, status="DOWN" if moved else port.status, **values)
    _check(overlay, new, given)
    return _changed(overlay, ports=_swapped(overlay.ports, new))


def _check(overlay: Overlay, port: Port, given: Mapping[str, Any]) -> None:
    """Refuse a MAC that another port has, and a device_owner that does not follow from device_id."""
    if port.mac_address in _macs(overlay, port.network_id, without=port.id):
        raise conflict("MacAddressInUse", network=port.network_id, mac=port.mac_address)
    wanted = given.get("device_owner", port.device_owner)
    if wanted != port.device_owner:
        allowed = f"device_owner must be {port.device_owner!r} with device_id {port.device_id!r}"
        raise invalid(f"{allowed}, not {wanted!r}")


def delete_port(overlay: Overlay, id_: str) -> Overlay:
    """`overlay` without the port."""
    found("port", overlay.ports, id_)
    return _changed(overlay, ports=_without(overlay.ports, id_))


# --- hosts (agents)

HOST_FIELDS = {
    "l2_population": "l2_population",
    "arp_responder_enabled": "arp_responder",
    "ovs_hybrid_plug": "hybrid_plug",
}
OTHER_NAMES = dict.fromkeys(("local_ip", "written_ip"), "tunneling_ip")  # in an agent's options


def host_from(name: str, configurations: Mapping[str, Any], known: Host | None = None) -> Host:
    """The host that an agent's `configurations` describe; defaults are those of `known`."""
    new = _renamed(configurations, HOST_FIELDS)
    if "tunneling_ip" in configurations:
        text = configurations["tunneling_ip"]
        new["local_ip"] = ip_address(text)
        new["written_ip"] = "" if text == str(new["local_ip"]) else text
    if "tunnel_types" in configurations:
        new["tunnel_types"] = tuple(map(NetworkType, configurations["tunnel_types"]))
    if "mechanism" in configurations:
        new["mechanism"] = Mechanism(configurations["mechanism"])
    if "vxlan_group" in configurations:
        new["vxlan_group"] = ip_network(configurations["vxlan_group"])
    if "bridge_mappings" in configurations:
        new["bridge_mappings"] = tuple(configurations["bridge_mappings"].items())
    return replace(known, **new) if known else Host(name=name, **new)


def with_new_host(overlay: Overlay, host: Host) -> Overlay:
    """`overlay` with a new host; a known one must have the same options."""
    known = overlay.host_of.get(host.name)
    if known is not None and known != host:
        shown = {field: name for name, field in HOST_FIELDS.items()} | OTHER_NAMES
        names = [each.name for each in fields(host)]
        differing = [name for name in names if getattr(known, name) != getattr(host, name)]
        texts = dict.fromkeys(shown.get(name, name) for name in differing)
        raise conflict("AgentExists", host=host.name, names=", ".join(texts))
    return with_host(overlay, host)


def with_host(overlay: Overlay, host: Host) -> Overlay:
    """`overlay` with a new host, or with new options for a known one."""
    for other in overlay.hosts:
        if other.local_ip == host.local_ip and other.name != host.name:
            value = {"name": "tunneling_ip", "value": host.local_ip, "other": other.name}
            raise conflict("AgentAddressInUse", host=host.name, **value)
    if host.name not in overlay.host_of:
        return _changed(overlay, hosts=(*overlay.hosts, host))
    kept = tuple(host if host.name == other.name else other for other in overlay.hosts)
    return _changed(overlay, hosts=kept)


def update_host(overlay: Overlay, name: str, configurations: Mapping[str, Any]) -> Overlay:
    """`overlay` with those options of a host changed that `configurations` has."""
    known = overlay.host_of.get(name)
    if known is None:
        raise not_found("agent", name)
    return with_host(overlay, host_from(name, configurations, known))


def without_host(overlay: Overlay, name: str) -> Overlay:
    """`overlay` without the host; no port may be bound there."""
    if name not in overlay.host_of:
        raise not_found("agent", name)
    bound = sum(port.host == name for port in overlay.ports)
    if bound:
        raise conflict("AgentInUse", host=name, ports=bound)
    return _changed(overlay, hosts=tuple(host for host in overlay.hosts if host.name != name))
