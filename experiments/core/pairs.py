"""The two guests that are measured, and the overlay reduced to them.  Pure."""

from dataclasses import replace
from itertools import combinations, count

from controller.model.addresses import free_address
from controller.model.errors import MeasureError
from controller.model.names import derived_mac, server_port_id
from controller.model.overlay import Overlay
from controller.model.parts import Port
from experiments.core.experiment import by_mode
from experiments.core.question import Point

BESIDE = "beside"  # prefix of the name of a guest that is added beside another


def guests(overlay: Overlay) -> tuple[Port, Port]:
    """The first two guests of one network on different hosts.

    Raises:
        MeasureError: there is no such pair.
    """
    for network in overlay.networks:
        for one, other in combinations(_pinging(overlay, network.id), 2):
            if one.host != other.host:
                return one, other
    raise MeasureError(
        "no two guests of one network on different hosts",
        where=f"overlay {overlay.name!r}",
        allowed="a network with IPv4 guests on two hosts",
        do="Add a port on another host to the scenario.",
    )


def narrowed(overlay: Overlay) -> Overlay:
    """The overlay with only the network of `guests`, since `flat` allows only one.

    Raises:
        MeasureError: there are no such guests.
    """
    measured = guests(overlay)[0].network_id
    return replace(
        overlay,
        networks=tuple(each for each in overlay.networks if each.id == measured),
        subnets=tuple(each for each in overlay.subnets if each.network_id == measured),
        ports=tuple(each for each in overlay.ports if each.network_id == measured),
    )


def beside(overlay: Overlay) -> Port | None:
    """Another guest on the host of the first of `guests`, in the same network, if there is one."""
    source, _ = guests(overlay)
    others = (each for each in _pinging(overlay, source.network_id) if each.host == source.host)
    return next((each for each in others if each.device_id != source.device_id), None)


def with_neighbour(overlay: Overlay, point: Point) -> Overlay:
    """The scenario in the mode of the point, with a guest `beside` the first of `guests`.

    This is done in every mode, so that labs differ only in their mode.

    Raises:
        MeasureError: the subnet has no address left for one.
    """
    if beside(overlay) is None:
        source, _ = guests(overlay)
        overlay = with_guest(overlay, source, source.host, f"{BESIDE}-{source.device_id}")
    return by_mode(overlay, point)


def with_guest(overlay: Overlay, like: Port, host: str, name: str) -> Overlay:
    """The overlay with one more guest in the subnet of `like`.

    Args:
        name: of the guest; shortened if it is too long, and with a number if it is taken.

    Raises:
        MeasureError: the subnet has no free address.
    """
    used = {each.name for each in overlay.hosts} | {port.device_id for port in overlay.ports}
    names = (f"{name[:36]}{number if number > 1 else ''}" for number in count(1))
    free_name = next(each for each in names if each not in used)
    id_ = server_port_id(overlay.name, free_name)
    taken = {ip for port in overlay.ports for ip in port.fixed_ips}
    subnet = next(
        each
        for each in overlay.subnets
        if each.network_id == like.network_id and like.ipv4[0] in each.cidr
    )
    address = free_address(subnet, taken)
    if address is None:
        raise MeasureError(
            f"no free address in {subnet.cidr}",
            where=f"subnet {subnet.name!r}",
            allowed=f"an address for another guest on host {host!r}",
            do="Add that guest to the scenario, or widen the allocation pools.",
        )
    guest = replace(
        like,
        id=id_,
        name=free_name,
        device_id=free_name,
        mac_address=derived_mac(id_),
        host=host,
        fixed_ips=(address,),
    )
    return replace(overlay, ports=(*overlay.ports, guest))


def _pinging(overlay: Overlay, network_id: str) -> tuple[Port, ...]:
    ports = overlay.active_ports(network_id)
    return tuple(p for p in ports if p.ipv4 and p.device_id and not p.is_dhcp_server)
