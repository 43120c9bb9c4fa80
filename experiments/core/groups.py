"""Bare labs of any size: hosts alike, networks that some of them share, a guest on each member.  Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Network

from controller.model.encap import NetworkType
from controller.model.enlarge import enlarge
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet
from experiments.core.experiment import by_mode
from experiments.core.question import Point

FIRST_ID = 1000  # the first network's segmentation_id; a VLAN id, too
GUESTS_FROM = 10  # the last part of the first guest's address

Group = tuple[int, ...]  # hosts, from 0, that share a network


def grouped(
    overlay: Overlay, point: Point, groups: Sequence[Group], *, port_security: bool = True
) -> Overlay:
    """So many hosts as the point says, and a network for each group; carried by the point's mode.

    Every host is the guest `g<number>` of its group's network, in the order of the groups.
    """
    wanted = int(point["hosts"])
    bare = replace(overlay, hosts=overlay.hosts[:wanted], networks=(), subnets=(), ports=())
    grown = enlarge(bare, wanted)
    numbers = range(len(groups))
    ports = tuple(port for n in numbers for port in _ports(grown.hosts, n, groups[n]))
    placed = replace(
        grown,
        networks=tuple(map(_network, numbers)),
        subnets=tuple(map(_subnet, numbers)),
        ports=tuple(replace(port, port_security_enabled=port_security) for port in ports),
    )
    return by_mode(placed, point)


def network_id(number: int) -> str:
    """The id of the network of group `number`."""
    return derived_id("groups", f"network{number}")


def _network(number: int) -> Network:
    return Network(
        id=network_id(number),
        name=f"group{number}",
        network_type=NetworkType.VXLAN,
        segmentation_id=FIRST_ID + number,
    )


def _cidr(number: int) -> IPv4Network:
    return IPv4Network(f"10.{number}.0.0/16")


def _subnet(number: int) -> Subnet:
    return Subnet(
        id=derived_id("groups", f"subnet{number}"),
        name=f"subnet{number}",
        network_id=network_id(number),
        cidr=_cidr(number),
    )


def _ports(hosts: tuple[Host, ...], number: int, group: Group) -> Iterator[Port]:
    for index in group:
        name = f"g{index + 1}"
        id_ = derived_id("groups", name)
        yield Port(
            id=id_,
            name=name,
            network_id=network_id(number),
            mac_address=derived_mac(id_),
            fixed_ips=(_cidr(number)[GUESTS_FROM + index],),
            host=hosts[index].name,
            device_id=name,
        )
