"""Ports of a scenario; ids, MACs and addresses that are not given are derived."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from controller.model.addresses import free_address
from controller.model.names import derived_id, derived_mac
from controller.model.parts import Address, Network, Port, Subnet
from topologies.scenario.file import Map, Problems


def ports_of(
    data: Map,
    networks: Sequence[Network],
    subnets: Sequence[Subnet],
    *,
    name: str,
    problems: Problems,
) -> tuple[Port, ...]:
    """Every port whose network could be made; what is wrong with the others is in `problems`."""
    known = {network.name: network for network in networks}
    taken: dict[str, set[Address]] = {network.id: set() for network in networks}
    once = tuple(_servers_once(data, problems))
    placed = [(port, known[port["network"]]) for port in once if port["network"] in known]
    for port, network in placed:
        taken[network.id].update(map(ip_address, port.get("fixed_ips") or ()))
    _note_unknown(data, "network", problems)
    _note_unknown(data, "host", problems)
    made = []
    for port, network in placed:
        of_network = [subnet for subnet in subnets if subnet.network_id == network.id]
        fixed_ips = tuple(_fixed_ips(port, of_network, taken[network.id], problems))
        made.append(_port(port, network, fixed_ips, scenario=name))
    return tuple(made)


def _port(port: Map, network: Network, fixed_ips: tuple[Address, ...], *, scenario: str) -> Port:
    port_id = port.get("id") or derived_id(scenario, "port", port["server"])
    return Port(
        id=port_id,
        name=port["server"],
        network_id=network.id,
        mac_address=port.get("mac_address", derived_mac(port_id)).lower(),
        fixed_ips=fixed_ips,
        host=port["host"],
        device_id=port["server"],
        port_security_enabled=port.get("port_security_enabled", True),
        admin_state_up=port.get("admin_state_up", True),
    )


def _fixed_ips(
    port: Map, subnets: Sequence[Subnet], taken: set[Address], problems: Problems
) -> Iterator[Address]:
    """The addresses given; else one of each IP version, from its first subnet with one free."""
    if "fixed_ips" in port:
        yield from map(ip_address, port["fixed_ips"])
        return
    for version in dict.fromkeys(subnet.cidr.version for subnet in subnets):
        of_version = [subnet for subnet in subnets if subnet.cidr.version == version]
        free = (free_address(subnet, taken) for subnet in of_version)
        address = next((found for found in free if found is not None), None)
        if address is None:
            _note_exhausted(port, of_version, problems)
        else:
            taken.add(address)
            yield address


def _note_exhausted(port: Map, subnets: Iterable[Subnet], problems: Problems) -> None:
    problems.add(
        port.place,
        port.path,
        f"no free address for {port['server']!r}",
        allowed=f"allocation_pools of {', '.join(subnet.name for subnet in subnets)}",
        do="Widen the pools, or give `fixed_ips`.",
    )


def _note_unknown(data: Map, what: str, problems: Problems) -> None:
    """Note ports that name a network or host that is described nowhere."""
    named = dict.fromkeys(thing["name"] for thing in data.maps(f"{what}s"))
    for port in data.maps("ports"):
        if port[what] not in named:
            problems.add(
                port.place_of(what),
                port.path_of(what),
                f"{port[what]!r} does not exist",
                allowed=", ".join(named) or "none (there are none)",
                do=f"Name an existing {what}.",
            )


def _servers_once(data: Map, problems: Problems) -> Iterator[Map]:
    """The ports; a guest has one interface, eth0, so a later port of its name is refused."""
    seen: set[str] = set()
    for port in data.maps("ports"):
        if port["server"] not in seen:
            seen.add(port["server"])
            yield port
        else:
            problems.add(
                port.place_of("server"),
                port.path_of("server"),
                f"{port['server']!r} has a port already",
                allowed="one port to a guest",
                do="Name another guest.",
            )
