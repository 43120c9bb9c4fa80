"""The rules for an overlay; each error says how to correct it.  Pure."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from ipaddress import IPv4Network
from typing import TypeVar

from controller.model.check_segments import (
    NAME,
    bridge_errors,
    physical_network_errors,
    range_errors,
    segment_errors,
    wire_id,
)
from controller.model.check_underlay import router_names, underlay_errors
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, limit_errors
from controller.model.names import UNDERLAY, int_port_name
from controller.model.parts import Cidr, Host, Mechanism, Network, OverlayParts, Port

T = TypeVar("T")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
MTU_MIN = 576  # bytes; every IPv4 host accepts them (RFC 791)
MTU_MAX = 65521  # bytes; the limit of a Linux tap: 65535 less 14 of Ethernet
HOSTS_MAX = 16  # the largest lab that is tested
MANAGEMENT_NETWORK = IPv4Network("198.18.0.0/16")  # of every lab; RFC 2544
RESERVED = frozenset({"neutron", UNDERLAY, "management"})  # nodes that every lab has
BRIDGE = Mechanism.LINUXBRIDGE
NOT_SNOOPED = IPv4Network("224.0.0.0/24")  # RFC 4541, section 2.1.2: forwarded on all ports
SUPPORTED = (NetworkType.VXLAN, NetworkType.LOCAL)
WHY_NOT = {
    NetworkType.VLAN: "its tags need the kernel's 8021q module, which labs do not use",
    NetworkType.FLAT: "the interface that would join the bridge has the VTEP's address",
    NetworkType.GRE: "Neutron's linuxbridge agent supports VXLAN tunnels only",
    NetworkType.GENEVE: "Neutron's linuxbridge agent supports VXLAN tunnels only",
}


def overlay_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every contradiction in `overlay`, in reading order."""
    yield from _host_errors(overlay)
    yield from underlay_errors(overlay)
    yield from _linuxbridge_errors(overlay)
    yield from _network_errors(overlay)
    yield from physical_network_errors(overlay, RESERVED.union(router_names(overlay)))
    yield from range_errors(overlay.ranges)
    yield from _subnet_errors(overlay)
    yield from _port_errors(overlay)


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
    yield from _name_errors(host.name, where=where)
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
        yield from segment_errors(network)
        if network.mtu:
            yield from _mtu_errors(network.mtu, where=network.where)


def _subnet_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    yield from _twice(overlay.subnets, lambda subnet: subnet.id, "subnets", "id")
    for subnet in overlay.subnets:
        where = f"subnet {subnet.name!r}"
        if subnet.network_id not in overlay.network_of:
            yield _unknown(where, "network", subnet.network_id, overlay.network_of)
        for low, high in subnet.pools:
            if low not in subnet.cidr or high not in subnet.cidr or int(low) > int(high):
                yield ModelError(
                    f"allocation pool {low}-{high}",
                    where=where,
                    allowed=f"an ascending range inside {subnet.cidr}",
                    do="Correct `start` and `end`.",
                )


def _port_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    yield from _twice(overlay.ports, lambda port: port.id, "ports", "id")
    bound = [port for port in overlay.ports if port.host]
    yield from _twice(bound, lambda port: (port.host, int_port_name(port.id)), "ports", "device")
    yield from _twice(overlay.ports, lambda p: (p.network_id, p.mac_address), "ports", "MAC")
    fixed = [(port.network_id, ip) for port in overlay.ports for ip in port.fixed_ips]
    yield from _twice(fixed, lambda pair: pair, "ports", "fixed ip")
    for port in overlay.ports:
        yield from _one_port_errors(overlay, port)


def _one_port_errors(overlay: OverlayParts, port: Port) -> Iterator[ModelError]:
    where = f"port {port.name or port.id!r}"
    if port.device_id:
        yield from _name_errors(port.device_id, where=where)
        if port.device_id in overlay.host_of:
            yield _clash(where, port.device_id)
    if not MAC.fullmatch(port.mac_address) or int(port.mac_address[:2], 16) & 1:
        yield ModelError(
            f"mac_address {port.mac_address!r}",
            where=where,
            allowed="six lower-case octets, the first even (unicast)",
            do="Write it like fa:16:3e:7a:f5:1d.",
        )
    network = overlay.network_of.get(port.network_id)
    if network is None:
        yield _unknown(where, "network", port.network_id, overlay.network_of)
        return
    cidrs = [subnet.cidr for subnet in overlay.subnets if subnet.network_id == port.network_id]
    for ip in port.fixed_ips:
        if not any(ip in cidr for cidr in cidrs):
            yield ModelError(
                f"fixed ip {ip}",
                where=where,
                allowed=", ".join(map(str, cidrs)) or "none (its network has no subnet)",
                do="Pick an address of its network's subnet.",
            )
    if port.host:
        yield from _binding_errors(overlay, port, network, where)


def _binding_errors(
    overlay: OverlayParts, port: Port, network: Network, where: str
) -> Iterator[ModelError]:
    host = overlay.host_of.get(port.host)
    if host is None:
        yield _unknown(where, "host", port.host, overlay.host_of)
    elif network.network_type.is_tunnel and network.network_type not in host.tunnel_types:
        yield ModelError(
            f"a {network.network_type} network",
            where=f"{where} on host {host.name!r}",
            allowed=", ".join(map(str, host.tunnel_types)) or "none (tunnel_types is empty)",
            do=f"Add {network.network_type} to the host's [agent] tunnel_types.",
        )
    elif network.network_type.is_provider and not host.bridge_of(network.physical_network):
        yield ModelError(
            f"physical network {network.physical_network!r}",
            where=f"{where} on host {host.name!r}",
            allowed=", ".join(name for name, _ in host.bridge_mappings) or "none",
            do="Add it to the host's [ovs] bridge_mappings.",
        )


def _twice(
    things: Iterable[T], key: Callable[[T], Hashable], where: str, what: str
) -> Iterator[ModelError]:
    for found, count in Counter(map(key, things)).items():
        if count > 1:
            parts = found if isinstance(found, tuple) else (found,)
            shown = " ".join(str(part) for part in parts if part != "")
            yield ModelError(
                f"{what} {shown} is used {count} times",
                where=where,
                allowed="once",
                do=f"Give each its own {what}.",
            )


def _name_errors(name: str, *, where: str) -> Iterator[ModelError]:
    if name in RESERVED:
        yield _clash(where, name)
    if not NAME.fullmatch(name):
        yield ModelError(
            f"name {name!r}",
            where=where,
            allowed="a letter, then up to 39 letters, digits, '_', '.' or '-'",
            do="Rename it.",
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
        do=f"Name an existing {what}.",
    )


def _linuxbridge_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every contradiction of `mechanism` and `vxlan_group`, in reading order."""
    where = f"overlay {overlay.name!r}"
    if len({host.mechanism for host in overlay.hosts}) > 1:
        yield ModelError(
            "openvswitch and linuxbridge mixed",
            where=where,
            allowed="one mechanism for all hosts",
            do="Set `mechanism` under `agent`, not for single hosts.",
        )
    if len({host.vxlan_group for host in overlay.hosts}) > 1:
        yield ModelError(
            "hosts with different `vxlan_group`",
            where=where,
            allowed="one for all hosts",
            do="Set `vxlan_group` under `agent`: a host outside the group gets no broadcasts.",
        )
    for host in overlay.hosts:
        yield from _mechanism_errors(host)
    if any(host.mechanism is BRIDGE for host in overlay.hosts):
        do = "Make it vxlan, or remove `mechanism: linuxbridge`."
        for network in overlay.networks:
            if network.network_type in WHY_NOT:
                yield _cannot(network.network_type, where=network.where, do=do)


def _mechanism_errors(host: Host) -> Iterator[ModelError]:
    where = f"host {host.name!r}"
    if host.vxlan_group is not None:
        yield from _group_errors(host, host.vxlan_group)
    if host.mechanism is not BRIDGE:
        return
    if host.local_ip.version == 6:
        yield ModelError(
            f"local_ip {host.local_ip}",
            where=where,
            allowed=f"IPv4 with mechanism {BRIDGE}",
            do="Pick an IPv4 address.",
        )
    for kind in host.tunnel_types:
        if kind in WHY_NOT and kind.is_tunnel:
            yield _cannot(kind, where=f"{where} tunnel_types", do="Remove it.")
    for option, is_set in (
        ("bridge_mappings", host.bridge_mappings),
        ("plug: hybrid", host.hybrid_plug),
    ):
        if is_set:
            yield ModelError(
                option,
                where=where,
                allowed=f"none with mechanism {BRIDGE}",
                do="Remove it: it is for Open vSwitch.",
            )


def _group_errors(host: Host, group: Cidr) -> Iterator[ModelError]:
    is_fit = group.version == 4 and group.is_multicast
    reasons = {
        f"none of {NOT_SNOOPED}, which switches always flood": is_fit
        and NOT_SNOOPED.overlaps(IPv4Network(group)),
        f"IPv4 multicast, as 239.0.0.0/8 (found {group})": not is_fit,
        f"none without mechanism {BRIDGE}: Open vSwitch sends copies": host.mechanism is not BRIDGE,
        "none with l2_population, which floods to members by itself": host.l2_population,
    }
    for allowed, is_wrong in reasons.items():
        if is_wrong:
            found, do = f"vxlan_group {group}", "Correct it, or leave vxlan_group out."
            yield ModelError(found, where=f"host {host.name!r}", allowed=allowed, do=do)


def _cannot(kind: NetworkType, *, where: str, do: str) -> ModelError:
    return ModelError(
        f"{kind} with mechanism {BRIDGE}: {WHY_NOT[kind]}",
        where=where,
        allowed=", ".join(map(str, SUPPORTED)),
        do=do,
    )
