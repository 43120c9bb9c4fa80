"""Names and addresses of a lab's nodes and interfaces.  Pure.

guests   --eth0/qvo...--  compute hosts  --underlay/host1--     underlay
                                         --management/host1--   management  --  neutron
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_network

from topologies.model import Host, Overlay, Port

NEUTRON, UNDERLAY, MANAGEMENT = "neutron", "underlay", "management"
NEUTRON_IP = IPv4Address("198.18.0.1")
OPENFLOW_PORT, OVSDB_PORT = 6633, 6640
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
    return f"host{index + 1}"


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


def vtep_address(overlay: Overlay, host: Host) -> str:
    """The VTEP's address, with a prefix that holds every other VTEP: all are on one wire.

    OVS takes a tunnel's source address from the prefix that its target is in.
    """
    first, most = int(overlay.hosts[0].local_ip), host.local_ip.max_prefixlen
    unlike = max(int(other.local_ip) ^ first for other in overlay.hosts)
    return f"{host.local_ip}/{min(ON_LINK[host.local_ip.version], most - unlike.bit_length())}"


def far_vteps(overlay: Overlay, host: Host) -> Iterator[str]:
    """VTEPs outside the usual prefix; the kernel makes no route of its own for a prefix of 0."""
    usual = ip_network((host.local_ip, ON_LINK[host.local_ip.version]), strict=False)
    return (str(remote.local_ip) for remote in overlay.hosts if remote.local_ip not in usual)


def remotes(overlay: Overlay, host: Host) -> tuple[Host, ...]:
    """The other hosts."""
    return tuple(other for other in overlay.hosts if other.name != host.name)
