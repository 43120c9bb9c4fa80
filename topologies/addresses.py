"""Which addresses of a subnet are for guests, and which of them are free.  Pure."""

from collections.abc import Container, Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from topologies.model import Address, Subnet

Pool = tuple[Address, Address]


def default_gateway(cidr: IPv4Network | IPv6Network) -> Address | None:
    """The first address after the network's own, as Neutron picks it; None in a /32 or /128."""
    return cidr[1] if cidr.num_addresses > 1 else None


def default_pools(cidr: IPv4Network | IPv6Network, gateway: Address | None) -> tuple[Pool, ...]:
    """Every address for guests: all but the network's own, the broadcast and the gateway."""
    reserved = 1 if cidr.num_addresses > 2 else 0  # /31, /32: none (RFC 3021)
    last = int(cidr[-1]) - (reserved if isinstance(cidr, IPv4Network) else 0)
    taken = [int(gateway)] if gateway is not None and gateway in cidr else []
    return tuple(_between(int(cidr[0]) + reserved, last, taken, make=type(cidr[0])))


def _between(first: int, last: int, taken: Iterable[int], *, make: type[Address]) -> Iterator[Pool]:
    for hole in taken:
        if first <= hole <= last:
            if first < hole:
                yield make(first), make(hole - 1)
            first = hole + 1
    if first <= last:
        yield make(first), make(last)


def free_address(subnet: Subnet, taken: Container[Address]) -> Address | None:
    """The first address of the subnet's pools that is neither taken nor the gateway."""
    for low, high in subnet.pools:
        for number in range(int(low), int(high) + 1):
            address = type(low)(number)
            if address not in taken and address != subnet.gateway_ip:
                return address
    return None


def next_address(used: Iterable[Address]) -> Address:
    """The address after the highest one of `used`."""
    highest = max(used, key=int)
    return type(highest)(int(highest) + 1)
