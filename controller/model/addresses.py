"""The addresses of a subnet that guests may have, and those that are free.  Pure."""

from collections.abc import Container, Iterable

from controller.model.parts import Address, Cidr, OverlayParts, Subnet

Pool = tuple[Address, Address]


def usable(cidr: Cidr) -> Pool:
    """First and last address that a port or a gateway may have.

    IPv4 reserves the network and broadcast addresses, except in /31 and /32 (RFC 3021); IPv6 the
    Subnet-Router anycast address (RFC 4291, 2.6.1), except in /127 and /128 (RFC 6164).
    """
    has_edges = cidr.num_addresses > 2
    has_broadcast = has_edges and cidr.version == 4
    return cidr[1 if has_edges else 0], cidr[-2 if has_broadcast else -1]


def is_usable(ip: Address, cidr: Cidr) -> bool:
    """True if a port or a gateway may have `ip`."""
    first, last = usable(cidr)
    return ip.version == cidr.version and int(first) <= int(ip) <= int(last)


def default_gateway(cidr: Cidr) -> Address | None:
    """The address after the network's own, as Neutron picks it; None in a /32 or /128."""
    return cidr[1] if cidr.num_addresses > 1 else None


def default_pools(cidr: Cidr, gateway: Address | None) -> tuple[Pool, ...]:
    """Every usable address except the gateway."""
    first, last = usable(cidr)
    if gateway is None or not is_usable(gateway, cidr):
        return ((first, last),)
    # Each side only if it exists: there is no address before 0.0.0.0.
    below = ((first, gateway - 1),) if gateway != first else ()
    above = ((gateway + 1, last),) if gateway != last else ()
    return below + above


def pools_of(subnet: Subnet) -> tuple[Pool, ...]:
    """The subnet's pools, or those it has by default."""
    return subnet.pools or default_pools(subnet.cidr, subnet.gateway_ip)


def free_address(subnet: Subnet, taken: Container[Address]) -> Address | None:
    """The first usable address of the subnet's pools, neither taken nor the gateway."""
    for low, high in pools_of(subnet):
        for number in range(int(low), int(high) + 1):
            ip = type(low)(number)
            if ip not in taken and ip != subnet.gateway_ip and is_usable(ip, subnet.cidr):
                return ip
    return None


def taken_addresses(overlay: OverlayParts, network_id: str, *, without: str = "") -> set[Address]:
    """The addresses that ports of the network have, other than the port with the id `without`."""
    ports = (port for port in overlay.ports if port.network_id == network_id)
    return {ip for port in ports if port.id != without for ip in port.fixed_ips}


def next_address(used: Iterable[Address]) -> Address:
    """The address after the highest one of `used`."""
    highest = max(used, key=int)
    return type(highest)(int(highest) + 1)
