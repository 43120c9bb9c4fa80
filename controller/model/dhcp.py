"""DHCP: the server of a subnet, the options of dnsmasq, and the client of a guest.  Pure.

As with Neutron's DHCP agent, the server has a port of the network (device_owner network:dhcp, so no
anti-spoofing), gives each port its own fixed address and the MTU of the network (option 26), and
answers no other client.  One dnsmasq serves one IPv4 subnet.  IPv6 addresses are set directly:
Neutron's DHCPv6 and router advertisements are not supported.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from controller.model.addresses import free_address, taken_addresses
from controller.model.check import RESERVED
from controller.model.check_segments import NAME
from controller.model.errors import ModelError
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Port, Subnet

LEASE_S = 86400  # Neutron's dhcp_lease_duration
ETHERNET_MTU = 1500  # bytes; of a guest's interface before it has a lease
TRIES, TRY_S = 20, 1
DEADLINE_S = 30.0  # for the whole run of a client
PROGRAMS = {"dnsmasq": "dnsmasq-base", "udhcpc": "udhcpc"}  # each with its Debian package


def with_servers(overlay: Overlay) -> Overlay:
    """`overlay` with a server's port for each IPv4 subnet that guests have addresses of.

    The port is on the host of the subnet's first guest.  Without `dhcp` nothing is added;
    a subnet that has a server keeps it.

    Raises:
        ModelError: a subnet has no address left for its server.
    """
    for subnet in overlay.subnets if overlay.dhcp else ():
        if server_of(overlay, subnet) is None:
            asking = next(_guests_of(overlay, subnet), None)
            if asking:
                added = _server(overlay, subnet, asking.host)
                overlay = replace(overlay, ports=(*overlay.ports, added))
    return overlay


def _guests_of(overlay: Overlay, subnet: Subnet) -> Iterator[Port]:
    """The bound ports of guests with an IPv4 address of the subnet, in scenario order."""
    for port in overlay.ports:
        is_here = port.network_id == subnet.network_id and port.host and not port.is_dhcp_server
        if is_here and any(ip in subnet.cidr for ip in port.ipv4):
            yield port


def _server(overlay: Overlay, subnet: Subnet, host: str) -> Port:
    address = free_address(subnet, taken_addresses(overlay, subnet.network_id))
    if address is None:
        raise ModelError(
            "no free address for the DHCP server",
            where=f"subnet {subnet.name!r}",
            allowed="an address of its allocation_pools that no guest has",
            do="Widen the pools, or leave `dhcp` out.",
        )
    id_, name = derived_id("dhcp", subnet.id), server_name(overlay, subnet)
    return Port(
        id=id_,
        name=name,
        network_id=subnet.network_id,
        mac_address=derived_mac(id_),
        host=host,
        fixed_ips=(address,),
        device_id=name,
        port_security_enabled=False,
        is_dhcp_server=True,
    )


def server_name(overlay: Overlay, subnet: Subnet) -> str:
    """`dhcp-` and the network's name, or the subnet's id if that is no valid name of a node."""
    name = f"dhcp-{overlay.network_of[subnet.network_id].name}"
    taken = {*overlay.host_of, *(port.device_id for port in overlay.ports), *RESERVED}
    is_fit = NAME.fullmatch(name) and name not in taken and name != "dhcp-"
    return name if is_fit else f"dhcp-{subnet.id[:11]}"


def server_of(overlay: Overlay, subnet: Subnet) -> Port | None:
    """The port of the subnet's server, or None if it has none."""
    ports = (
        port
        for port in overlay.ports
        if port.is_dhcp_server and port.network_id == subnet.network_id
    )
    return next((port for port in ports if any(ip in subnet.cidr for ip in port.ipv4)), None)


def served(overlay: Overlay) -> Iterator[tuple[Subnet, Port]]:
    """Every subnet that has a server on a host, with the server's port."""
    for subnet in overlay.subnets if overlay.dhcp else ():
        server = server_of(overlay, subnet)
        if server is not None and server.host:
            yield subnet, server


def leased(overlay: Overlay, port: Port) -> IPv4Address | None:
    """The address that the port gets by DHCP, if any: its first one of a subnet with a server."""
    if port.is_dhcp_server:
        return None
    cidrs = [subnet.cidr for subnet, _ in served(overlay) if port.network_id == subnet.network_id]
    return next((ip for ip in port.ipv4 if any(ip in cidr for cidr in cidrs)), None)


def hosts_file(overlay: Overlay, subnet: Subnet) -> str:
    """The `dhcp-hostsfile` of dnsmasq; a client that is not in it gets no answer."""
    known = ((port.mac_address, leased(overlay, port)) for port in _guests_of(overlay, subnet))
    return "".join(f"{mac},{ip}\n" for mac, ip in known if ip and ip in subnet.cidr)


def server_argv(overlay: Overlay, subnet: Subnet, *, hosts: str, leases: str) -> tuple[str, ...]:
    """The command of a subnet's dnsmasq; `hosts` and `leases` are its files.

    Source: Neutron `agent/linux/dhcp.py`, `Dnsmasq._build_cmdline`.
    """
    mtu = overlay.mtu_of(overlay.network_of[subnet.network_id])
    # With an empty option, since without one dnsmasq offers itself.
    router = f",{subnet.gateway_ip}" if subnet.gateway_ip else ""
    return (
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file",
        "--user=root",
        "--group=root",
        "--log-facility=-",
        "--log-dhcp",
        "--port=0",
        "--no-hosts",
        "--no-resolv",
        "--interface=eth0",
        "--except-interface=lo",
        "--bind-interfaces",
        f"--dhcp-range={subnet.cidr.network_address},static,{subnet.cidr.netmask},{LEASE_S}s",
        f"--dhcp-lease-max={min(subnet.cidr.num_addresses, 2**24)}",
        f"--dhcp-hostsfile={hosts}",
        f"--dhcp-leasefile={leases}",
        f"--dhcp-option=option:router{router}",
        f"--dhcp-option-force=option:mtu,{mtu}",
    )


def client_argv(interface: str, script: str) -> tuple[str, ...]:
    """The command that gets one lease and exits; the address stays, since the server keeps it."""
    options = f"-f -n -q -t {TRIES} -T {TRY_S} -O mtu"
    return ("udhcpc", "-i", interface, *options.split(), "-s", script)
