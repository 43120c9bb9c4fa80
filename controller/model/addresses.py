"""The addresses of a subnet that guests may have, and those that are free.  Pure."""

from collections.abc import Container, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from controller.model.parts import Address, Cidr, OverlayParts, Subnet

Pool = tuple[Address, Address]
NO_HOST: dict[Cidr, str] = {  # the narrowest first
    IPv4Network("0.0.0.0/32"): "unspecified (RFC 1122)",
    IPv4Network("0.0.0.0/8"): "'this network' (RFC 1122)",
    IPv4Network("127.0.0.0/8"): "loopback (RFC 1122)",
    IPv4Network("169.254.0.0/16"): "link-local (RFC 3927)",
    IPv4Network("224.0.0.0/4"): "multicast (RFC 5771)",
    IPv4Network("255.255.255.255/32"): "limited broadcast (RFC 919)",
    IPv4Network("240.0.0.0/4"): "reserved, class E (RFC 1112)",
    IPv6Network("::/128"): "unspecified (RFC 4291)",
    IPv6Network("::1/128"): "loopback (RFC 4291)",
    IPv6Network("::ffff:0:0/96"): "IPv4-mapped (RFC 4291)",
    IPv6Network("fe80::/10"): "link-local (RFC 4291)",
    IPv6Network("ff00::/8"): "multicast (RFC 4291)",
}
ONE_MACHINE = "a unicast address that one machine can have"
LINK_LOCAL = IPv6Network("fe80::/10")


def parse_cidr(text: str) -> Cidr:
    """The prefix `text`, such as 10.1.0.0/24.

    Raises:
        ValueError: it has no prefix length in decimal digits (Neutron refuses masks), a zone, or
            host bits.
    """
    address, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdigit()) or "%" in address:
        raise ValueError(text)
    return ip_network(text)


def unusable(ip: Address) -> str:
    """Why no VTEP, guest or router can have `ip` as its address; empty if one can."""
    if getattr(ip, "scope_id", None):
        return "in a zone (RFC 4007)"
    return next((why for block, why in NO_HOST.items() if ip in block), "")


def unusable_cidr(cidr: Cidr) -> str:
    """Why no subnet can have `cidr`; empty if one can.

    Source: Neutron `_validate_subnet_cidr` (prefix length 0) and `_validate_subnet`, which refuses
    multicast, loopback, 0.0.0.0 and :: for a subnet with DHCP, the default.
    """
    if not cidr.prefixlen:
        return "of prefix length 0"
    return unusable(cidr.network_address) or unusable(cidr.broadcast_address)


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


def is_gateway(ip: Address, cidr: Cidr) -> bool:
    """True if `ip` may be the gateway of a subnet.

    Neutron's `check_gateway_invalid_in_subnet`, which also allows addresses outside: a lab has no
    router to reach them through.  An IPv6 router may have its link-local address there (RFC 4861),
    or the subnet's anycast address.
    """
    if ip.version == 6 and not getattr(ip, "scope_id", None):
        return ip in LINK_LOCAL or (ip in cidr and not unusable(ip))
    return is_usable(ip, cidr) and not unusable(ip)


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


def free_address(
    subnet: Subnet, taken: Container[Address], *, after: Address | None = None
) -> Address | None:
    """The first usable address of the subnet's pools, neither taken nor the gateway.

    With `after`, which it returned before, it continues there: those before are still taken.
    """
    pools = [(int(low), int(high)) for low, high in pools_of(subnet)]
    if after is not None:
        at = next(at for at, (low, high) in enumerate(pools) if low <= int(after) <= high)
        pools = [(int(after) + 1, pools[at][1]), *pools[at + 1 :]]
    for low, high in pools:
        for number in range(low, high + 1):
            ip = type(subnet.cidr.network_address)(number)
            if ip not in taken and ip != subnet.gateway_ip and is_usable(ip, subnet.cidr):
                return ip
    return None


def one_of_each_version(
    subnets: Sequence[Subnet], taken: Container[Address]
) -> dict[int, Address | None]:
    """For each IP version of `subnets`, the first free address in them; None if none is left.

    That is what Neutron gives a port whose request has no `fixed_ips`.
    """
    return {
        version: next(
            (
                ip
                for subnet in subnets
                if subnet.cidr.version == version
                and (ip := free_address(subnet, taken)) is not None
            ),
            None,
        )
        for version in sorted({subnet.cidr.version for subnet in subnets})
    }


def taken_addresses(overlay: OverlayParts, network_id: str, *, without: str = "") -> set[Address]:
    """The addresses that ports of the network have, other than the port with the id `without`."""
    ports = (port for port in overlay.ports if port.network_id == network_id)
    return {ip for port in ports if port.id != without for ip in port.fixed_ips}
