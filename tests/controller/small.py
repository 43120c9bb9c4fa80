"""A small overlay for tests of the controller: `small(...)` with what a case needs."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from controller.model.encap import NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet

RED = "10000000-0000-4000-8000-000000000001"
BLUE = "20000000-0000-4000-8000-000000000002"
GRE, VXLAN = NetworkType.GRE, NetworkType.VXLAN


def host(number: int, **options: object) -> Host:
    given = {"tunnel_types": (GRE, VXLAN), **options}
    return Host(name=f"h{number}", local_ip=ip_address(f"192.0.2.{number}"), **given)


def port(number: int, network: str, on: str, **options: object) -> Port:
    subnet = 1 if network == RED else 2
    given = {"fixed_ips": (ip_address(f"198.51.{subnet}.{number}"),), **options}
    return Port(
        id=f"{number:08x}-0000-4000-8000-00000000000{subnet}",
        name=f"p{number}",
        network_id=network,
        mac_address=f"fa:16:3e:00:0{subnet}:{number:02x}",
        host=on,
        **given,
    )


def small(*ports: Port, hosts: int = 3, **options: object) -> Overlay:
    """Hosts h1..hN; RED is vxlan 111, BLUE is gre 222; `options` go to every host."""
    return Overlay(
        name="small",
        hosts=tuple(host(number, **options) for number in range(1, hosts + 1)),
        networks=(
            Network(id=RED, name="red", network_type=VXLAN, segmentation_id=111),
            Network(id=BLUE, name="blue", network_type=GRE, segmentation_id=222),
        ),
        subnets=(
            Subnet(id="s1", name="s1", network_id=RED, cidr=ip_network("198.51.1.0/24")),
            Subnet(id="s2", name="s2", network_id=BLUE, cidr=ip_network("198.51.2.0/24")),
        ),
        ports=ports,
    )


def without(overlay: Overlay, *ids: str) -> Overlay:
    return replace(overlay, ports=tuple(p for p in overlay.ports if p.id not in ids))
