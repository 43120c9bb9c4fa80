"""The rules for addresses: of VTEPs, subnets and ports.  Pure; called by `check`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from controller.model.addresses import (
    LINK_LOCAL,
    ONE_MACHINE,
    Pool,
    is_gateway,
    is_usable,
    unusable,
    unusable_cidr,
    usable,
)
from controller.model.errors import ModelError
from controller.model.parts import Host, Network, OverlayParts, Port, Subnet

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
NO_MACS = ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")  # neutron_lib INVALID_MAC_ADDRESSES
IPV4_MTU_MIN, IPV6_MTU_MIN = 68, 1280  # bytes (RFC 791, RFC 8200)
DHCP_PREFIX_MAX = 30  # IPv4; Neutron `_validate_subnet`
CORRECT = "Correct `start` and `end`."


def is_unicast_mac(mac: str) -> bool:
    """True for six lower-case octets that can be the address of one interface."""
    return bool(MAC.fullmatch(mac)) and not int(mac[:2], 16) & 1 and mac not in NO_MACS


def vtep_errors(host: Host) -> Iterator[ModelError]:
    """A `local_ip` that no machine can have."""
    why = unusable(host.local_ip)
    if why:
        yield ModelError(
            f"local_ip {host.vtep} is {why}",
            where=f"host {host.name!r}",
            allowed=ONE_MACHINE,
            do="Pick the VTEP's own address in the underlay.",
        )


def subnet_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every invalid subnet, in the order of the overlay."""
    overlapping = _overlapping(overlay)
    for index, subnet in enumerate(overlay.subnets):
        why = unusable_cidr(subnet.cidr)
        if why:
            yield _refused(
                subnet, f"cidr {subnet.cidr} is {why}", "unicast addresses", "Pick another prefix."
            )
            continue
        if index in overlapping:
            yield _overlap(subnet, overlapping[index])
        if overlay.dhcp and subnet.cidr.version == 4 and subnet.cidr.prefixlen > DHCP_PREFIX_MAX:
            yield _refused(
                subnet,
                f"cidr {subnet.cidr} with `dhcp`",
                f"a prefix length of up to {DHCP_PREFIX_MAX}, for guests, a server and a gateway",
                "Use a shorter prefix, or leave `dhcp` out.",
            )
        yield from _gateway_errors(subnet)
        yield from _pool_errors(subnet)


def _refused(
    subnet: Subnet,
    found: str,
    allowed: str,
    do: str,
    neutron: tuple[str, Mapping[str, object]] | None = None,
) -> ModelError:
    where = f"subnet {subnet.name or str(subnet.cidr)!r}"
    return ModelError(found, where=where, allowed=allowed, do=do, about=subnet, neutron=neutron)


def _overlapping(overlay: OverlayParts) -> dict[int, Subnet]:
    """The index of each subnet that overlaps another one of its network, with that one."""
    of_network: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for index, subnet in enumerate(overlay.subnets):
        of_network[subnet.network_id, subnet.cidr.version].append(index)
    found = {}
    for indexes in of_network.values():
        # Of two prefixes that overlap one contains the other, so the widest so far is enough.
        ordered = sorted(indexes, key=lambda at: (int(overlay.subnets[at].cidr[0]), at))
        widest = ordered[0]
        for index in ordered[1:]:
            one, other = overlay.subnets[widest].cidr, overlay.subnets[index].cidr
            if int(other[0]) <= int(one[-1]):
                found[max(widest, index)] = overlay.subnets[min(widest, index)]
            if int(other[-1]) > int(one[-1]):
                widest = index
    return found


def _overlap(subnet: Subnet, other: Subnet) -> ModelError:
    requested = f"Requested subnet with cidr: {subnet.cidr} for network: {subnet.network_id}"
    return _refused(
        subnet,
        f"cidr {subnet.cidr} overlaps {other.cidr}",
        "subnets of one network apart from each other",
        "Change one of them, or move it to another network.",
        ("InvalidInput", {"problem": f"{requested} overlaps with another subnet"}),
    )


def _gateway_errors(subnet: Subnet) -> Iterator[ModelError]:
    gateway, cidr = subnet.gateway_ip, subnet.cidr
    if gateway is None or is_gateway(gateway, cidr):
        return
    first, last = usable(cidr)
    inside = f"{first}..{last}, or null" if gateway in cidr else f"an address of {cidr}, or null"
    yield _refused(
        subnet,
        f"gateway_ip {gateway}",
        f"{inside}, or one of {LINK_LOCAL}" if cidr.version == 6 else inside,
        "Correct the address.",
        ("InvalidInput", {"problem": f"Gateway {gateway} is not valid on subnet {cidr}"}),
    )


def _pool_errors(subnet: Subnet) -> Iterator[ModelError]:
    cidr, gateway = subnet.cidr, subnet.gateway_ip
    fit = []
    for pool in subnet.pools:
        low, high = pool
        found, values = f"allocation pool {low}-{high}", {"low": low, "high": high, "cidr": cidr}
        is_pool = low.version == high.version == cidr.version and int(low) <= int(high)
        if not is_pool or low not in cidr or high not in cidr:
            allowed = f"an ascending range inside {cidr}"
            type_ = "OutOfBoundsAllocationPool" if is_pool else "InvalidAllocationPool"
            yield _refused(subnet, found, allowed, CORRECT, (type_, values))
        elif not all(is_usable(ip, cidr) and not unusable(ip) for ip in pool):
            first, last = usable(cidr)
            allowed = f"a range in {first}..{last}"
            yield _refused(subnet, found, allowed, CORRECT, ("OutOfBoundsAllocationPool", values))
        else:
            fit.append(pool)
            if gateway is not None and _contains(pool, gateway):
                yield _refused(
                    subnet,
                    f"{found} contains the gateway {gateway}",
                    "a range without the gateway",
                    f"{CORRECT[:-1]}, or set `gateway_ip`.",
                    ("GatewayConflictWithAllocationPools", {**values, "gateway": gateway}),
                )
    for one, other in pairwise(sorted(fit, key=lambda pool: int(pool[0]))):
        if int(other[0]) <= int(one[1]):
            pools = f"{one[0]}-{one[1]} {other[0]}-{other[1]}"
            yield _refused(
                subnet,
                f"allocation pool {other[0]}-{other[1]} overlaps {one[0]}-{one[1]}",
                "each address in one pool",
                CORRECT,
                ("OverlappingAllocationPools", {"pools": pools, "cidr": cidr}),
            )


def _contains(pool: Pool, ip: object) -> bool:
    low, high = pool
    return type(ip) is type(low) and int(low) <= int(ip) <= int(high)


def mtu_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Networks with an IPv6 subnet whose effective MTU is too small for IPv6.

    Source: Neutron `_validate_subnet_network_mtu`.
    """
    is_v6 = any(host.local_ip.version == 6 for host in overlay.hosts)
    if is_v6 and overlay.underlay_mtu < IPV6_MTU_MIN:
        yield ModelError(
            f"mtu {overlay.underlay_mtu} with IPv6 `local_ip`",
            where="underlay",
            allowed=f"{IPV6_MTU_MIN} bytes or more (RFC 8200)",
            do="Use a larger one, or IPv4 VTEPs.",
        )
    newest_first = reversed(overlay.subnets)  # so that of each network the oldest is kept
    with_ipv6 = {each.network_id: each for each in newest_first if each.cidr.version == 6}
    for network in overlay.networks:
        mtu = overlay.mtu_of(network)
        if network.id in with_ipv6 and mtu < IPV6_MTU_MIN:
            yield ModelError(
                f"mtu {mtu} with IPv6 subnet {with_ipv6[network.id].cidr}",
                where=network.where,
                allowed=f"{IPV6_MTU_MIN} bytes or more for IPv6 (RFC 8200)",
                do=_larger(overlay, network),
                neutron=("NetworkMTUSubnetConflict", {"network": network.id, "mtu": IPV6_MTU_MIN}),
            )


def _larger(overlay: OverlayParts, network: Network) -> str:
    """What to do about a network's MTU that is too small for IPv6."""
    if network.mtu:
        return f"Set the network's mtu to {IPV6_MTU_MIN} or more, or use an IPv4 subnet."
    needed = overlay.underlay_mtu + IPV6_MTU_MIN - overlay.mtu_of(network)
    is_limited = network.network_type.is_tunnel and 0 < overlay.path_mtu < overlay.underlay_mtu
    if is_limited:
        needed = overlay.path_mtu + IPV6_MTU_MIN - overlay.mtu_of(network)
    what = "[ml2] path_mtu" if is_limited else "the underlay's mtu"
    return f"Raise {what} to {needed} or more, or use an IPv4 subnet."


def address_errors(port: Port, subnets: Sequence[Subnet], where: str) -> Iterator[ModelError]:
    """The MAC of a port, and addresses that are not of its network's `subnets`."""
    mac = port.mac_address
    if not is_unicast_mac(mac):
        # Neutron itself refuses these two only.
        is_neutrons = {"problem": f"'{mac}' is not a valid MAC address"} if mac in NO_MACS else None
        allowed = "six lower-case octets, the first even (unicast)"
        yield ModelError(
            f"mac_address {mac!r}",
            where=where,
            allowed=f"{allowed}, not all zero" if mac == NO_MACS[0] else allowed,
            do="Write it like fa:16:3e:7a:f5:1d.",
            neutron=("InvalidInput", is_neutrons) if is_neutrons else None,
        )
    for ip in port.fixed_ips:
        subnet = next((each for each in subnets if ip in each.cidr), None)
        if subnet is None:
            cidrs = ", ".join(str(each.cidr) for each in subnets)
            allowed = cidrs or "none (its network has no subnet)"
            yield _no_address(ip, where, allowed, "Pick an address of its network's subnet.")
        elif not is_usable(ip, subnet.cidr) or unusable(ip):
            first, last = usable(subnet.cidr)
            do = f"Pick an address of {subnet.cidr} that a machine can have."
            yield _no_address(ip, where, f"{first}..{last}", do)


def _no_address(ip: object, where: str, allowed: str, do: str) -> ModelError:
    neutron = ("InvalidIpForNetwork", {"ip": ip})
    return ModelError(f"fixed ip {ip}", where=where, allowed=allowed, do=do, neutron=neutron)
