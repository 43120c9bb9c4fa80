"""Allocates the addresses of ports, by the rules of Neutron's IPAM.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from controller.api.errors import bad_request, conflict, invalid
from controller.model.addresses import (
    free_address,
    is_usable,
    one_of_each_version,
    taken_addresses,
)
from controller.model.overlay import Overlay
from controller.model.parts import Address, Subnet


def subnets_of(overlay: Overlay, network_id: str) -> tuple[Subnet, ...]:
    """The network's subnets, oldest first."""
    return overlay.subnets_of.get(network_id, ())


def addresses(
    overlay: Overlay,
    network_id: str,
    wanted: Sequence[Mapping[str, Any]] | None,
    *,
    port_id: str = "",
) -> tuple[Address, ...]:
    """The addresses for a port whose request has `wanted` as `fixed_ips`.

    None means one address of each IP version that the network has.  `port_id` is the port, if it
    exists already; it keeps the addresses it has where it can.

    Raises:
        NeutronError: an address is taken or invalid, or none is left.
    """
    subnets = subnets_of(overlay, network_id)
    taken = taken_addresses(overlay, network_id, without=port_id)
    if wanted is None:
        return tuple(_one_of_each_version(subnets, taken))
    explicit = [_explicit(one, subnets) for one in wanted if "ip_address" in one]
    for ip, subnet in explicit:
        if ip in taken:
            raise conflict("IpAddressAlreadyAllocated", ip=ip, subnet=subnet.id)
        taken.add(ip)
    named = iter([ip for ip, _ in explicit])
    mine = overlay.port_of[port_id].fixed_ips if port_id else ()
    return tuple(
        next(named) if "ip_address" in one else _allotted(one["subnet_id"], subnets, taken, mine)
        for one in wanted
    )


def _one_of_each_version(subnets: Sequence[Subnet], taken: set[Address]) -> Iterator[Address]:
    for ip in one_of_each_version(subnets, taken).values():
        if ip is None:
            raise conflict("IpAddressGenerationFailure", network=subnets[0].network_id)
        yield ip


def _explicit(wanted: Mapping[str, Any], subnets: Sequence[Subnet]) -> tuple[Address, Subnet]:
    ip = ip_address(wanted["ip_address"])
    if "subnet_id" in wanted:
        subnet = _named(wanted["subnet_id"], subnets)
        if not is_usable(ip, subnet.cidr):
            raise bad_request("InvalidIpForSubnet", ip=ip)
        return ip, subnet
    found = next((subnet for subnet in subnets if is_usable(ip, subnet.cidr)), None)
    if found is None:
        raise bad_request("InvalidIpForNetwork", ip=ip)
    return ip, found


def _named(subnet_id: str, subnets: Sequence[Subnet]) -> Subnet:
    found = next((subnet for subnet in subnets if subnet.id == subnet_id), None)
    if found is None:
        raise invalid(f"Subnet {subnet_id} is not one of the port's network")
    return found


def _allotted(
    subnet_id: str, subnets: Sequence[Subnet], taken: set[Address], mine: Sequence[Address]
) -> Address:
    """An address of the subnet, now taken: one that the port has already, or the first free one."""
    subnet = _named(subnet_id, subnets)
    kept = (ip for ip in mine if ip in subnet.cidr and ip not in taken)
    ip = next(kept, None) or free_address(subnet, taken)
    if ip is None:
        raise conflict("IpAddressGenerationFailure", network=subnet.network_id)
    taken.add(ip)
    return ip
