"""Plain labs of any size: equal hosts, networks that some of them share, a guest on each member.  Pure."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from controller.model.encap import NetworkType
from controller.model.enlarge import enlarge
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Network, Port, Subnet
from experiments.core.experiment import by_mode
from experiments.core.question import Point

FIRST_ID = 1000  # segmentation_id of group 0; a valid VLAN id too
GUESTS_FROM = 10  # in the address of the first guest

Group = tuple[int, ...]  # indexes of the hosts that share a network


def grouped(
    overlay: Overlay,
    point: Point,
    groups: Mapping[int, Group],
    *,
    name: str = "g{guest}",
    port_security: bool = True,
) -> Overlay:
    """The hosts of the point, and a network for each group, in the mode of the point.

    Args:
        groups: by number, which is added to FIRST_ID for the segmentation_id.
        name: of the guest on host number `guest` (from 1) in the network of group `group`; a host
            that is in several groups needs a different name in each.
    """
    wanted = int(point["hosts"])
    bare = replace(overlay, hosts=overlay.hosts[:wanted], networks=(), subnets=(), ports=())
    grown = enlarge(bare, wanted)
    networks: list[Network] = []
    subnets: list[Subnet] = []
    ports: list[Port] = []
    for number, group in groups.items():
        network = Network(
            id=network_id(number),
            name=f"group{number}",
            network_type=NetworkType.VXLAN,
            segmentation_id=FIRST_ID + number,
        )
        subnet = Subnet(
            id=derived_id("groups", f"subnet{number}"),
            name=f"subnet{number}",
            network_id=network.id,
            cidr=IPv4Network(f"10.{number}.0.0/16"),
        )
        networks.append(network)
        subnets.append(subnet)
        for index in group:
            guest = name.format(guest=index + 1, group=number)
            id_ = derived_id("groups", guest)
            port = Port(
                id=id_,
                name=guest,
                network_id=network.id,
                mac_address=derived_mac(id_),
                fixed_ips=(subnet.cidr[GUESTS_FROM + index],),
                host=grown.hosts[index].name,
                device_id=guest,
                port_security_enabled=port_security,
            )
            ports.append(port)
    placed = replace(grown, networks=tuple(networks), subnets=tuple(subnets), ports=tuple(ports))
    return by_mode(placed, point)


def network_id(number: int) -> str:
    """The id of the network of group `number`."""
    return derived_id("groups", f"network{number}")
