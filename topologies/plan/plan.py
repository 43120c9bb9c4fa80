"""Names and addresses of a lab's nodes and interfaces.  Pure.

guests   --eth0/qvo...--  compute hosts  --underlay/host1--     underlay, or leaf1, edge1
                                         --management/host1--   management  --  neutron
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_network

from controller.model.names import UNDERLAY, VTEP_BRIDGE, underlay_mac
from controller.model.overlay import Overlay
from controller.model.parts import Address, Host, Mechanism, Port
from topologies.plan.underlays import GATEWAY, HOST_LINK, LINK_IP, host_port, wiring

NEUTRON, MANAGEMENT = "neutron", "management"
NEUTRON_IP = IPv4Address("198.18.0.1")
OPENFLOW_PORT, OVSDB_PORT = 6633, 6640
QUERY_RESPONSE_CS = 10  # hundredths of a second
ETHERNET_MTU = 1500  # bytes; of the management network
ON_LINK = {4: 24, 6: 64}  # prefix length by which a VTEP takes its neighbours as on the link


def management_ip(index: int) -> IPv4Address:
    """Where host number `index` (from 0) is managed."""
    return IPv4Address("198.18.1.1") + index


def ovsdb_of(index: int) -> str:
    """Where the OVSDB of host number `index` listens."""
    return f"tcp:{management_ip(index)}:{OVSDB_PORT}"


def switch_port(index: int) -> str:
    """The interface towards host number `index` on the underlay and management switches."""
    return host_port(index)


def below(overlay: Overlay, index: int) -> str:
    """The node that host number `index` is plugged into: the underlay's switch, or its router."""
    return wiring(overlay.underlay).edge(index)


def guest_name(port: Port) -> str:
    """The node that stands for the guest of `port`."""
    return port.device_id or f"guest-{port.id[:11]}"


def guests(overlay: Overlay) -> dict[str, tuple[Port, ...]]:
    """Guests by name, each with its bound ports in scenario order."""
    found: dict[str, tuple[Port, ...]] = {}
    for port in overlay.ports:
        if port.host:
            found[guest_name(port)] = (*found.get(guest_name(port), ()), port)
    return found


def guest_addresses(overlay: Overlay, port: Port) -> Iterator[str]:
    """The port's addresses with the prefix length of their subnet, as `ip` takes them."""
    for ip in port.fixed_ips:
        for subnet in overlay.subnets:
            if subnet.network_id == port.network_id and ip in subnet.cidr:
                yield f"{ip}/{subnet.cidr.prefixlen}"
                break


def guest_mtu(overlay: Overlay, port: Port) -> int:
    """The MTU [bytes] of the port's network."""
    return overlay.mtu_of(overlay.network_of[port.network_id])


def has_groups(overlay: Overlay) -> bool:
    """True if hosts flood by multicast, so that the underlay's switch must know who joined what."""
    return any(host.vxlan_group for host in overlay.hosts)


def snooping(bridge: str) -> tuple[str, ...]:
    """What makes the underlay's bridge copy multicast to members alone: `ip` commands, in order.

    Without a querier it would flood.  A querier first listens for another one, for as long as a
    query may be answered: 10 s, unless it was told less before.  By IGMPv3 each member
    reports for itself; by v2 one keeps silent if it hears another, and is forgotten.
    """
    return (
        f"link set {bridge} type bridge mcast_snooping 1 mcast_igmp_version 3",
        f"link set {bridge} type bridge mcast_query_response_interval {QUERY_RESPONSE_CS}",
        f"link set {bridge} type bridge mcast_querier 1",
    )


def vtep_device(host: Host) -> str:
    """The interface that carries the VTEP's address: OVS's bridge, or the wire itself."""
    return UNDERLAY if host.mechanism is Mechanism.LINUXBRIDGE else VTEP_BRIDGE


def datapath_of(overlay: Overlay, asked: str) -> str:
    """The datapath that was asked of OVS; `kernel` where there is none."""
    is_bridge = {host.mechanism for host in overlay.hosts} == {Mechanism.LINUXBRIDGE}
    return "kernel" if is_bridge else asked


def vtep_address(overlay: Overlay, host: Host) -> str:
    """The VTEP's address, with a prefix that holds every other VTEP if all are on one wire.

    OVS takes a tunnel's source address from the prefix that its target is in, unless the
    tunnel has a `local_ip`, as Neutron's have.
    """
    if overlay.underlay.shape.is_routed:
        return f"{host.local_ip}/{host.local_ip.max_prefixlen}"
    first, most = int(overlay.hosts[0].local_ip), host.local_ip.max_prefixlen
    unlike = max(int(other.local_ip) ^ first for other in overlay.hosts)
    return f"{host.local_ip}/{min(ON_LINK[host.local_ip.version], most - unlike.bit_length())}"


def far_vteps(overlay: Overlay, host: Host) -> Iterator[str]:
    """VTEPs outside the usual prefix; the kernel makes no route of its own for a prefix of 0."""
    usual = ip_network((host.local_ip, ON_LINK[host.local_ip.version]), strict=False)
    return (str(remote.local_ip) for remote in overlay.hosts if remote.local_ip not in usual)


def vtep_ways(overlay: Overlay, host: Host, device: str) -> list[str]:
    """What `ip -batch` is told: the VTEP's address on `device`, the ways to all others, and
    the MACs on that wire.  The VTEP's own MAC is `underlay_mac` of its address, whatever has it.
    """
    nodad = " nodad" if host.local_ip.version == 6 else ""
    told = [f"addr replace {vtep_address(overlay, host)} dev {device}{nodad}"]
    if overlay.underlay.shape.is_routed:
        told += [
            f"addr replace {LINK_IP}/{HOST_LINK.prefixlen} dev {device}",
            f"route replace default via {GATEWAY} dev {device} src {host.local_ip}",
        ]
    else:
        told += [f"route replace {vtep} dev {device}" for vtep in far_vteps(overlay, host)]
    for ip, mac in next_hops(overlay, host).items():
        told.append(f"neigh replace {ip} lladdr {mac} dev {device} nud permanent")
    return told


def next_hops(overlay: Overlay, host: Host) -> dict[Address, str]:
    """Whose MAC a host has to know: every other VTEP, or its router, if there is one."""
    if overlay.underlay.shape.is_routed:
        return {GATEWAY: underlay_mac(GATEWAY)}
    return {other.local_ip: underlay_mac(other.local_ip) for other in remotes(overlay, host)}


def remotes(overlay: Overlay, host: Host) -> tuple[Host, ...]:
    """The other hosts."""
    return tuple(other for other in overlay.hosts if other.name != host.name)
