"""The rules for an overlay; each error says how to correct it.  Pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import TypeVar

from controller.model.check_addresses import (
    address_errors,
    mtu_errors,
    subnet_errors,
    vtep_errors,
)
from controller.model.check_agent import agent_errors
from controller.model.check_linuxbridge import linuxbridge_errors
from controller.model.check_pairs import pair_errors
from controller.model.check_segments import (
    NAME,
    bridge_errors,
    physical_network_errors,
    range_errors,
    segment_errors,
    wire_id,
)
from controller.model.check_underlay import router_names, underlay_errors
from controller.model.errors import ModelError, limit_errors
from controller.model.names import UNDERLAY, int_port_name
from controller.model.near import did_you_mean
from controller.model.parts import Host, Mechanism, Network, OverlayParts, Port, Subnet

T = TypeVar("T")
MTU_MIN = 576  # bytes; every IPv4 host accepts them (RFC 791)
MTU_MAX = 65521  # bytes; the limit of a Linux tap: 65535 less 14 of Ethernet
NAME_MAX = 255  # neutron_lib NAME_FIELD_SIZE
LOCAL_VLAN_MAX = 4094  # 4095 is DEAD_VLAN_TAG
HOSTS_MIN, HOSTS_MAX = 2, 16  # of a scenario; the largest lab that is tested has 16
MANAGEMENT_NETWORK = IPv4Network("198.18.0.0/16")  # of every lab; RFC 2544
RESERVED = frozenset({"neutron", UNDERLAY, "management"})  # nodes that every lab has


def overlay_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every contradiction in `overlay`, in reading order."""
    yield from _host_errors(overlay)
    yield from underlay_errors(overlay)
    yield from linuxbridge_errors(overlay)
    yield from agent_errors(overlay)
    yield from _network_errors(overlay)
    yield from physical_network_errors(overlay, RESERVED.union(router_names(overlay)))
    yield from range_errors(overlay.ranges)
    yield from _subnet_errors(overlay)
    yield from mtu_errors(overlay)
    yield from _port_errors(overlay)
    yield from _local_vlan_errors(overlay)


def _host_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    if len(overlay.hosts) > HOSTS_MAX:
        yield ModelError(
            f"{len(overlay.hosts)} hosts",
            where=f"overlay {overlay.name!r}",
            allowed=f"1..{HOSTS_MAX}",
            do="Remove some.",
        )
    yield from _twice(overlay.hosts, lambda host: host.name, "hosts", "name")
    yield from _twice(overlay.hosts, lambda host: host.local_ip, "hosts", "local_ip")
    yield from _mtu_errors(overlay.underlay_mtu, where="underlay")
    if overlay.path_mtu:
        yield from limit_errors(
            "path_mtu",
            overlay.path_mtu,
            MTU_MIN,
            MTU_MAX,
            where="underlay",
            do="Pick one in that range, or leave [ml2] path_mtu out.",
            unit=" bytes, or 0 for no limit",
        )
    versions = {host.local_ip.version for host in overlay.hosts}
    if len(versions) > 1:
        yield ModelError(
            "IPv4 and IPv6 `local_ip` mixed",
            where=f"overlay {overlay.name!r}",
            allowed="one IP version for all VTEPs (Neutron AG:2010)",
            do="Give every host an address of the same version.",
        )
    for host in overlay.hosts:
        yield from _one_host_errors(host)


def _one_host_errors(host: Host) -> Iterator[ModelError]:
    where = f"host {host.name!r}"
    yield from name_errors(host.name, where=where)
    yield from vtep_errors(host)
    if host.local_ip in MANAGEMENT_NETWORK:
        yield ModelError(
            f"local_ip {host.local_ip}",
            where=where,
            allowed=f"any address outside {MANAGEMENT_NETWORK}",
            do="Pick another: this is a lab's management network.",
        )
    for network_type in host.tunnel_types:
        if not network_type.is_tunnel:
            yield ModelError(
                f"tunnel_types has {network_type}",
                where=where,
                allowed="gre, vxlan, geneve",
                do="Remove it; flat and vlan need `bridge_mappings`.",
            )
    # One bridge for each physical network, as in Neutron (`parse_mappings`).
    where = f"{where} bridge_mappings"
    yield from _twice(host.bridge_mappings, lambda pair: pair[0], where, "physical network")
    yield from _twice(host.bridge_mappings, lambda pair: pair[1], where, "bridge")
    yield from bridge_errors(host)


def _network_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    yield from _twice(overlay.networks, lambda net: net.id, "networks", "id")
    named = (net for net in overlay.networks if net.name)  # the API makes some without a name
    yield from _twice(named, lambda net: net.name, "networks", "name")
    yield from _twice(overlay.networks, wire_id, "networks", "segment")
    for network in overlay.networks:
        yield from _long_name_errors(network.name, where="a network", about=network)
        yield from segment_errors(network)
        if network.mtu:
            yield from _mtu_errors(network.mtu, where=network.where)


def _subnet_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    yield from _twice(overlay.subnets, lambda subnet: subnet.id, "subnets", "id")
    for subnet in overlay.subnets:
        where = f"subnet {subnet.name!r}"
        yield from _long_name_errors(subnet.name, where="a subnet", about=subnet)
        if subnet.network_id not in overlay.network_of:
            yield _unknown(where, "network", subnet.network_id, overlay.network_of)
    yield from subnet_errors(overlay)


def _port_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    yield from _twice(overlay.ports, lambda port: port.id, "ports", "id")
    bound = [port for port in overlay.ports if port.host]
    yield from _twice(bound, lambda port: (port.host, int_port_name(port.id)), "ports", "device")
    yield from _shared(overlay, "MAC", lambda port: (port.mac_address,))
    yield from _shared(overlay, "fixed ip", lambda port: port.fixed_ips)
    subnets: defaultdict[str, list[Subnet]] = defaultdict(list)
    for subnet in overlay.subnets:
        subnets[subnet.network_id].append(subnet)
    for port in overlay.ports:
        yield from _one_port_errors(overlay, port, subnets[port.network_id])


def _one_port_errors(
    overlay: OverlayParts, port: Port, subnets: Sequence[Subnet]
) -> Iterator[ModelError]:
    where = f"port {port.name or port.id!r}"
    if port.device_id:
        yield from name_errors(port.device_id, where=where)
        if port.device_id in overlay.host_of:
            yield _clash(where, port.device_id)
    yield from _long_name_errors(port.name, where="a port", about=port)
    network = overlay.network_of.get(port.network_id)
    if network is None:
        yield _unknown(where, "network", port.network_id, overlay.network_of)
        return
    yield from address_errors(port, subnets, where)
    yield from pair_errors(port, where)
    if port.host:
        yield from _binding_errors(overlay, port, network, where)


def _binding_errors(
    overlay: OverlayParts, port: Port, network: Network, where: str
) -> Iterator[ModelError]:
    host = overlay.host_of.get(port.host)
    if host is None:
        yield _unknown(where, "host", port.host, overlay.host_of)
    elif host.can_have(network):
        return
    elif network.network_type.is_tunnel:
        yield ModelError(
            f"a {network.network_type} network",
            where=f"{where} on host {host.name!r}",
            allowed=", ".join(map(str, host.tunnel_types)) or "none (tunnel_types is empty)",
            do=f"Add {network.network_type} to the host's [agent] tunnel_types.",
        )
    else:
        yield ModelError(
            f"physical network {network.physical_network!r}",
            where=f"{where} on host {host.name!r}",
            allowed=", ".join(name for name, _ in host.bridge_mappings) or "none",
            do="Add it to the host's [ovs] bridge_mappings.",
        )


def _local_vlan_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Hosts with more networks than br-int has VLANs: each has a local VLAN there."""
    networks: defaultdict[str, set[str]] = defaultdict(set)
    for port in overlay.ports:
        if port.host and port.admin_state_up:
            networks[port.host].add(port.network_id)
    for host in overlay.hosts:
        count = len(networks[host.name])
        if count > LOCAL_VLAN_MAX and host.mechanism is Mechanism.OPENVSWITCH:
            yield ModelError(
                f"ports of {count} networks",
                where=f"host {host.name!r}",
                allowed=f"{LOCAL_VLAN_MAX} networks on one host: each has a local VLAN on br-int",
                do="Move its ports to another host.",
            )


def _twice(
    things: Iterable[T], key: Callable[[T], Hashable], where: str, what: str
) -> Iterator[ModelError]:
    groups: defaultdict[Hashable, list[T]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    for found, same in groups.items():
        if len(same) > 1:
            parts = found if isinstance(found, tuple) else (found,)
            shown = " ".join(str(part) for part in parts if part != "")
            yield ModelError(
                f"{what} {shown} is used {len(same)} times",
                where=where,
                allowed="once",
                do=f"Give each its own {what}.",
                about=same[-1],
            )


def _shared(
    overlay: OverlayParts, what: str, addresses: Callable[[Port], Iterable[Hashable]]
) -> Iterator[ModelError]:
    """Addresses that several ports of one network have."""
    users: defaultdict[tuple[str, Hashable], list[Port]] = defaultdict(list)
    for port in overlay.ports:
        for address in addresses(port):
            users[port.network_id, address].append(port)
    for (network_id, address), ports in users.items():
        if len(ports) > 1:
            network = overlay.network_of.get(network_id)
            name = network.name if network and network.name else network_id
            yield ModelError(
                f"{what} {address} of network {name!r} is used {len(ports)} times",
                where="ports",
                allowed="once",
                do=f"Give each its own {what}.",
                about=ports[-1],
            )


def name_errors(name: str, *, where: str) -> Iterator[ModelError]:
    if name in RESERVED:
        yield _clash(where, name)
    if not NAME.fullmatch(name):
        yield ModelError(
            f"name {name!r}",
            where=where,
            allowed="a letter, then up to 39 letters, digits, '_', '.' or '-'",
            do="Rename it.",
        )


def _long_name_errors(name: str, *, where: str, about: object) -> Iterator[ModelError]:
    if len(name) > NAME_MAX:
        yield ModelError(
            f"name {name[:20]!r}... of {len(name)} characters",
            where=where,
            allowed=f"up to {NAME_MAX}, as in Neutron's API",
            do="Shorten it.",
            about=about,
        )


def _mtu_errors(mtu: int, *, where: str) -> Iterator[ModelError]:
    do = "Pick one in that range; 1500 is Ethernet's."
    yield from limit_errors("mtu", mtu, MTU_MIN, MTU_MAX, unit=" bytes", where=where, do=do)


def _clash(where: str, name: str) -> ModelError:
    return ModelError(
        f"name {name!r} is taken",
        where=where,
        allowed=f"not a compute host's name, and none of {', '.join(sorted(RESERVED))}",
        do="Rename it.",
    )


def _unknown(where: str, what: str, found: str, known: Iterable[str]) -> ModelError:
    return ModelError(
        f"{what} {found!r} does not exist",
        where=where,
        allowed=", ".join(known) or "none (there are none)",
        do=did_you_mean(found, known, f"Name an existing {what}."),
    )
