"""Names and addresses of a lab's nodes and interfaces.  Pure.

guests   --eth0/qvo...--  compute hosts  --underlay/host1--       underlay, or leaf1, edge1
                                         --management/host1--     management  --  neutron
                                         --ext-physnet1/host1--   physnet1

Each physical network is an Ethernet (a Linux bridge that lets VLAN tags pass), separate from the
underlay.  A host without a bridge for it has no wire to it.  A physical network whose bridge is
br-vtep is the underlay itself: the modes `flat` and `vlan` use that.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_address, ip_network

from controller.model.additions import VTEP_PREFIX
from controller.model.addresses import is_usable
from controller.model.errors import UsageError
from controller.model.names import UNDERLAY, VTEP_BRIDGE, underlay_mac
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Address, Cidr, Host, Mechanism, Port
from controller.model.sites import Sites
from topologies.plan.underlays import GATEWAY, HOST_LINK, LINK_IP

NEUTRON, MANAGEMENT = "neutron", "management"
NEUTRON_IP = IPv4Address("198.18.0.1")
OPENFLOW_PORT, OVSDB_PORT = 6633, 6640
QUERY_RESPONSE_CS = 10  # maximum response time of IGMP queries, in hundredths of a second
ETHERNET_MTU = 1500  # bytes; of the management network


def management_ip(index: int) -> IPv4Address:
    """The address of host number `index`, from 0, on the management network."""
    return IPv4Address("198.18.1.1") + index


def guest_name(port: Port) -> str:
    """The node that is the guest of `port`."""
    return port.device_id or f"guest-{port.id[:11]}"


def guests(overlay: Overlay) -> dict[str, tuple[Port, ...]]:
    """Guests by name, each with its bound ports in scenario order."""
    found: dict[str, tuple[Port, ...]] = {}
    for port in overlay.ports:
        if port.host:
            found[guest_name(port)] = (*found.get(guest_name(port), ()), port)
    return found


def address_of(overlay: Overlay, target: str) -> Address:
    """The first address of a guest, or the IP address in `target`.

    Raises:
        UsageError: it is neither.
    """
    of_guest = {
        name: [ip for port in ports for ip in port.fixed_ips]
        for name, ports in guests(overlay).items()
    }
    addresses = {name: ips[0] for name, ips in of_guest.items() if ips}
    try:
        return addresses.get(target) or ip_address(target)
    except ValueError:
        raise UsageError(
            f"no guest {target!r}",
            where=f"overlay {overlay.name!r}",
            allowed=", ".join(addresses),
            do=did_you_mean(
                target, addresses, "Name a guest with an address, or give an IP address."
            ),
        ) from None


def guest_addresses(overlay: Overlay, port: Port) -> Iterator[str]:
    """The port's addresses, each with the prefix length of its subnet."""
    for ip in port.fixed_ips:
        for subnet in overlay.subnets:
            if subnet.network_id == port.network_id and ip in subnet.cidr:
                yield f"{ip}/{subnet.cidr.prefixlen}"
                break


def guest_mtu(overlay: Overlay, port: Port) -> int:
    """The MTU [bytes] of the port's network."""
    return overlay.mtu_of(overlay.network_of[port.network_id])


def mapped(host: Host) -> tuple[tuple[str, str], ...]:
    """The physical networks that the host is wired to, each with its bridge."""
    return tuple(pair for pair in host.bridge_mappings if pair[1] != VTEP_BRIDGE)


def physical_networks(hosts: Iterable[Host]) -> tuple[str, ...]:
    """The physical networks that are separate Ethernets, in scenario order."""
    return tuple(dict.fromkeys(name for host in hosts for name, _ in mapped(host)))


def has_groups(overlay: Overlay) -> bool:
    """True if hosts flood by multicast, so that the underlay's switch has to snoop IGMP."""
    return any(host.vxlan_group for host in overlay.hosts)


def snooping(bridge: str) -> tuple[str, ...]:
    """`ip` commands after which the underlay's bridge sends multicast to group members only.

    Without a querier it would flood.  A querier first waits for another one, for the maximum
    response time: 10 s, unless it is set before.  With IGMPv3 every member reports its groups; with
    v2 a member that receives the report of another one sends none, and its entry expires.
    """
    return (
        f"link set {bridge} type bridge mcast_snooping 1 mcast_igmp_version 3",
        f"link set {bridge} type bridge mcast_query_response_interval {QUERY_RESPONSE_CS}",
        f"link set {bridge} type bridge mcast_querier 1",
    )


def vtep_device(host: Host) -> str:
    """The interface with the VTEP's address: OVS's bridge, or the interface to the underlay."""
    return UNDERLAY if host.mechanism is Mechanism.LINUXBRIDGE else VTEP_BRIDGE


def datapath_of(overlay: Overlay, of_ovs: str) -> str:
    """The datapath of the hosts: that of Open vSwitch, or `kernel` if no host has one."""
    is_bridge = {host.mechanism for host in overlay.hosts} == {Mechanism.LINUXBRIDGE}
    return "kernel" if is_bridge else of_ovs


def uses_tun(overlay: Overlay | Sites, of_ovs: str) -> bool:
    """Whether a lab has OVS in user space, which needs tap devices and packet sockets."""
    datapath = datapath_of(overlay, of_ovs) if isinstance(overlay, Overlay) else of_ovs
    return datapath == "netdev"


def vtep_address(overlay: Overlay, host: Host) -> str:
    """The VTEP's address; on a switch, with a prefix that contains every other VTEP.

    For a tunnel without `local_ip` OVS uses the source address whose prefix contains the target.
    Neutron's tunnels have a `local_ip`.
    """
    if overlay.underlay.shape.is_routed:
        return f"{host.local_ip}/{host.local_ip.max_prefixlen}"
    first, bits = int(overlay.hosts[0].local_ip), host.local_ip.max_prefixlen
    differing = max(int(other.local_ip) ^ first for other in overlay.hosts)
    length = min(VTEP_PREFIX[host.local_ip.version], bits - differing.bit_length())
    # Nobody can reach the network's own address or its broadcast address.
    while length and any(
        not is_usable(each.local_ip, _around(each, length)) for each in overlay.hosts
    ):
        length -= 1
    return f"{host.local_ip}/{length}"


def _around(host: Host, length: int) -> Cidr:
    return ip_network((host.local_ip, length), strict=False)


def vtep_ways(overlay: Overlay, host: Host, device: str) -> list[str]:
    """`ip` commands for the VTEP's address on `device`, the routes to all others, and the MACs of
    the next hops.  The MAC of a VTEP is `underlay_mac` of its address.
    """
    version = host.local_ip.version
    nodad = " nodad" if version == 6 else ""
    lines = [f"addr replace {vtep_address(overlay, host)} dev {device}{nodad}"]
    if overlay.underlay.shape.is_routed:
        lines += [
            f"addr replace {LINK_IP}/{HOST_LINK.prefixlen} dev {device}",
            f"route replace default via {GATEWAY} dev {device} src {host.local_ip}",
        ]
    else:
        # The kernel makes no route for a prefix of length 0.
        on_link = ip_network((host.local_ip, VTEP_PREFIX[version]), strict=False)
        vteps = (other.local_ip for other in overlay.hosts if other.local_ip not in on_link)
        lines += [f"route replace {vtep} dev {device}" for vtep in vteps]
    for ip, mac in next_hops(overlay, host).items():
        lines.append(f"neigh replace {ip} lladdr {mac} dev {device} nud permanent")
    return lines


def next_hops(overlay: Overlay, host: Host) -> dict[Address, str]:
    """The MACs of the next hops: every other VTEP, or the router if the underlay has one."""
    if overlay.underlay.shape.is_routed:
        return {GATEWAY: underlay_mac(GATEWAY)}
    vteps = (other.local_ip for other in overlay.hosts if other.name != host.name)
    return {vtep: underlay_mac(vtep) for vtep in vteps}
