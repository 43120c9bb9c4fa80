"""One small overlay with a place for every table to matter.  Pure.

host     one            two        three          four
blue     ServerA, a2    ServerB    c                       vxlan 111 (the article's)
red      d                         e                       gre 112
outside  f                                        g        vlan 7
"""

from ipaddress import IPv4Address, IPv4Network

from controller.model.encap import NetworkType
from controller.model.modes import PHYSNET, parse_mode, with_mode
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet

SERVER_A, SERVER_B = "fa:16:3e:7a:f5:1d", "fa:16:3e:29:99:6a"
_HOSTS = ("one", "two", "three", "four")
_NETWORKS = (
    ("blue", NetworkType.VXLAN, 111),
    ("red", NetworkType.GRE, 112),
    ("outside", NetworkType.VLAN, 7),
)
_PORTS = (
    ("ServerA", "one", "blue", SERVER_A),
    ("a2", "one", "blue", "fa:16:3e:00:00:02"),
    ("ServerB", "two", "blue", SERVER_B),
    ("c", "three", "blue", "fa:16:3e:00:00:03"),
    ("d", "one", "red", "fa:16:3e:00:00:04"),
    ("e", "three", "red", "fa:16:3e:00:00:05"),
    ("f", "one", "outside", "fa:16:3e:00:00:06"),
    ("g", "four", "outside", "fa:16:3e:00:00:07"),
)


def small(mode: str) -> Overlay:
    """The drawing above, carried by `mode`."""
    hosts = (_host(number, name) for number, name in enumerate(_HOSTS))
    ports = (_port(number, *words) for number, words in enumerate(_PORTS, start=100))
    base = Overlay(
        name="small",
        hosts=tuple(hosts),
        networks=tuple(_network(*words) for words in _NETWORKS),
        subnets=tuple(_subnet(name) for name, _, _ in _NETWORKS),
        ports=tuple(ports),
    )
    return with_mode(base, parse_mode(mode))


def _host(number: int, name: str) -> Host:
    return Host(
        name=name,
        local_ip=IPv4Address("192.168.150.10") + number,
        tunnel_types=(NetworkType.GRE, NetworkType.VXLAN),
        bridge_mappings=((PHYSNET, "br-ex"),),
    )


def _network(name: str, kind: NetworkType, wire_id: int) -> Network:
    physical = None if kind.is_tunnel else PHYSNET
    return Network(
        id=name, name=name, network_type=kind, segmentation_id=wire_id, physical_network=physical
    )


def _subnet(network: str) -> Subnet:
    cidr = IPv4Network("172.16.166.0/24")
    return Subnet(id=network, name=network, network_id=network, cidr=cidr)


def _port(number: int, name: str, host: str, network: str, mac: str) -> Port:
    address = IPv4Address("172.16.166.0") + number
    return Port(
        id=derived_id("small", name),
        name=name,
        network_id=network,
        mac_address=mac,
        host=host,
        fixed_ips=(address,),
        device_id=name,
    )
