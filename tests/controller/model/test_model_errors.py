"""Every rule of controller/model/check.py, by the full text of its error."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from controller.flows.binding import new_binding
from controller.model.check import LOCAL_VLAN_MAX
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, ModelErrors
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Network, Subnet
from tests.controller.small import BLUE, GRE, RED, VXLAN, host, port, small

FLAT, VLAN, LOCAL = NetworkType.FLAT, NetworkType.VLAN, NetworkType.LOCAL
A, B = port(1, RED, "h1"), port(2, RED, "h2")
BASE = small(A, B)
LINKED = replace(BASE.hosts[0], bridge_mappings=(("physnet1", "br-ex"),))


def network(**options: object) -> Network:
    given = {"id": "n", "name": "n", "network_type": VXLAN, "segmentation_id": 5, **options}
    return Network(**given)


def subnet(**options: object) -> Subnet:
    given = {"id": "s", "name": "s", "network_id": RED, "cidr": ip_network("10.0.0.0/24")}
    return Subnet(**{**given, **options})


def with_networks(*more: Network) -> dict[str, object]:
    return {"networks": (*BASE.networks, *more)}


def with_subnets(*more: Subnet) -> dict[str, object]:
    return {"subnets": (*BASE.subnets, *more)}


def with_host(**options: object) -> dict[str, object]:
    return {"hosts": (replace(BASE.hosts[0], **options), *BASE.hosts[1:])}


def with_port(**options: object) -> dict[str, object]:
    return {"ports": (A, replace(B, **options))}


POOL = ip_address("10.0.0.9"), ip_address("10.0.0.2")
OUTSIDE = ip_address("10.0.0.9"), ip_address("10.0.1.2")
RULES = {
    "too many hosts": (
        {"hosts": tuple(host(number) for number in range(1, 18))},
        "overlay 'small': 17 hosts; allowed: 1..16. Remove some.",
    ),
    "host name twice": (
        {"hosts": (*BASE.hosts, replace(host(4), name="h1"))},
        "hosts: name h1 is used 2 times; allowed: once. Give each its own name.",
    ),
    "local_ip twice": (
        {"hosts": (*BASE.hosts, replace(host(1), name="h4"))},
        "hosts: local_ip 192.0.2.1 is used 2 times; allowed: once. Give each its own local_ip.",
    ),
    "local_ip in the management network": (
        with_host(local_ip=ip_address("198.18.7.7")),
        "host 'h1': local_ip 198.18.7.7; allowed: any address outside 198.18.0.0/16. "
        "Pick another: this is a lab's management network.",
    ),
    "underlay mtu too small": (
        {"underlay_mtu": 575},
        "underlay: mtu 575; allowed: 576..65521 bytes. Pick one in that range; 1500 is Ethernet's.",
    ),
    "underlay mtu too large": (
        {"underlay_mtu": 65522},
        "underlay: mtu 65522; allowed: 576..65521 bytes. "
        "Pick one in that range; 1500 is Ethernet's.",
    ),
    "path mtu too small": (
        {"path_mtu": 575},
        "underlay: path_mtu 575; allowed: 576..65521 bytes, or 0 for no limit. "
        "Pick one in that range, or leave [ml2] path_mtu out.",
    ),
    "provider bridge of the agent's own": (
        with_host(bridge_mappings=(("physnet1", "br-tun"),)),
        "host 'h1' bridge_mappings: bridge br-tun for physical network 'physnet1'; "
        "allowed: a bridge of its own, none of br-int, br-tun, lo, management, ovs-netdev, underlay. "
        "Name the provider bridge.",
    ),
    "provider bridge with too long a name": (
        with_host(bridge_mappings=(("physnet1", "br-of-16-letters"),)),
        "host 'h1' bridge_mappings: bridge br-of-16-letters for physical network 'physnet1'; "
        "allowed: a name of up to 15 characters, as Linux has for interfaces. Shorten it.",
    ),
    "provider bridge that is no name": (
        with_host(bridge_mappings=(("physnet1", "br/ex"),)),
        "host 'h1' bridge_mappings: bridge br/ex for physical network 'physnet1'; allowed: letters, "
        "digits, '_', '.' and '-', not '.' or '-' first, and none of ext-physnet1: the "
        "interfaces to the provider networks. Rename it.",
    ),
    "provider bridge called like its wire": (
        with_host(bridge_mappings=(("physnet1", "ext-physnet1"),)),
        "host 'h1' bridge_mappings: bridge ext-physnet1 for physical network 'physnet1'; allowed: "
        "letters, digits, '_', '.' and '-', not '.' or '-' first, and none of ext-physnet1: the "
        "interfaces to the provider networks. Rename it.",
    ),
    "physical network called like a host": (
        with_host(bridge_mappings=(("h2", "br-ex"),)),
        "overlay 'small' bridge_mappings: physical network 'h2'; allowed: a letter, then up to "
        "39 letters, digits, '_', '.' or '-', and no name of a host, of a guest, or of the lab's "
        "own nodes: it is an Ethernet, and a node. Rename it.",
    ),
    "physical network that no node can be called": (
        with_host(bridge_mappings=(("1 net", "br-ex"),)),
        "overlay 'small' bridge_mappings: physical network '1 net'; allowed: a letter, then up to "
        "39 letters, digits, '_', '.' or '-', and no name of a host, of a guest, or of the lab's "
        "own nodes: it is an Ethernet, and a node. Rename it.",
    ),
    "physical network on the underlay and beside it": (
        {"hosts": (LINKED, host(2, bridge_mappings=(("physnet1", "br-vtep"),)))},
        "overlay 'small' bridge_mappings: physical network 'physnet1' on br-ex, br-vtep; allowed: "
        "br-vtep on every host or on none: it is the underlay. Map it to the same bridge on all hosts.",
    ),
    "local network with a physical network": (
        with_networks(network(network_type=LOCAL, segmentation_id=None, physical_network="p")),
        "network 'n': physical_network 'p'; allowed: none (local never leaves its host). Remove it.",
    ),
    "local network with an id": (
        with_networks(network(network_type=LOCAL)),
        "network 'n': segmentation_id 5; allowed: none (local has no id). Remove it.",
    ),
    "tunnelled network with a physical network": (
        with_networks(network(physical_network="p")),
        "network 'n': physical_network 'p'; allowed: none (vxlan is tunnelled). Remove it.",
    ),
    "provider bridge twice": (
        with_host(bridge_mappings=(("physnet1", "br-ex"), ("physnet2", "br-ex"))),
        "host 'h1' bridge_mappings: bridge br-ex is used 2 times; allowed: once. "
        "Give each its own bridge.",
    ),
    "physical network twice": (
        with_host(bridge_mappings=(("physnet1", "br-ex"), ("physnet1", "br-other"))),
        "host 'h1' bridge_mappings: physical network physnet1 is used 2 times; allowed: once. "
        "Give each its own physical network.",
    ),
    "IP versions mixed": (
        with_host(local_ip=ip_address("2001:db8::1")),
        "overlay 'small': IPv4 and IPv6 `local_ip` mixed; "
        "allowed: one IP version for all VTEPs (Neutron AG:2010). "
        "Give every host an address of the same version.",
    ),
    "host name": (
        {"hosts": (*BASE.hosts, replace(host(4), name="4th"))},
        "host '4th': name '4th'; "
        "allowed: a letter, then up to 39 letters, digits, '_', '.' or '-'. Rename it.",
    ),
    "host name of ours": (
        {"hosts": (*BASE.hosts, replace(host(4), name="underlay"))},
        "host 'underlay': name 'underlay' is taken; allowed: not a compute host's name, "
        "and none of management, neutron, underlay. Rename it.",
    ),
    "tunnel type": (
        with_host(tunnel_types=(GRE, VXLAN, VLAN)),
        "host 'h1': tunnel_types has vlan; allowed: gre, vxlan, geneve. "
        "Remove it; flat and vlan need `bridge_mappings`.",
    ),
    "network id twice": (
        with_networks(network(id=RED)),
        f"networks: id {RED} is used 2 times; allowed: once. Give each its own id.",
    ),
    "network name twice": (
        with_networks(network(name="red")),
        "networks: name red is used 2 times; allowed: once. Give each its own name.",
    ),
    "segment twice": (
        with_networks(network(segmentation_id=111)),
        "networks: segment vxlan 111 is used 2 times; allowed: once. Give each its own segment.",
    ),
    "network mtu": (
        with_networks(network(mtu=68)),
        "network 'n': mtu 68; allowed: 576..65521 bytes. "
        "Pick one in that range; 1500 is Ethernet's.",
    ),
    "id on a flat network": (
        with_networks(network(network_type=FLAT, physical_network="physnet1")),
        "network 'n': segmentation_id 5; allowed: none (flat has no id). Remove it.",
    ),
    "VNI too large": (
        with_networks(network(segmentation_id=2**24)),
        "network 'n': segmentation_id 16777216; allowed: 1..16777215 (vxlan's VNI). "
        "Pick one in that range, or network_type: gre.",
    ),
    "VNI too large for GRE too": (
        with_networks(network(network_type=NetworkType.GENEVE, segmentation_id=2**32)),
        "network 'n': segmentation_id 4294967296; allowed: 1..16777215 (geneve's VNI). "
        "Pick one in that range.",
    ),
    "VNI zero": (
        with_networks(network(segmentation_id=0)),
        "network 'n': segmentation_id 0; allowed: 1..16777215 (vxlan's VNI). "
        "Pick one in that range.",
    ),
    "key too large": (
        with_networks(network(network_type=GRE, segmentation_id=2**32)),
        "network 'n': segmentation_id 4294967296; allowed: 1..4294967295 (gre's key). "
        "Pick one in that range.",
    ),
    "VLAN id too large": (
        with_networks(network(network_type=VLAN, segmentation_id=4095, physical_network="p")),
        "network 'n': segmentation_id 4095; allowed: 1..4094 (vlan's VLAN id). "
        "Pick one in that range, or network_type: gre.",
    ),
    "no id": (
        with_networks(network(segmentation_id=None)),
        "network 'n': segmentation_id None; allowed: 1..16777215 (vxlan's VNI). "
        "Pick one in that range.",
    ),
    "no physical network": (
        with_networks(network(network_type=FLAT, segmentation_id=None)),
        "network 'n': no physical_network; "
        "allowed: a name in the hosts' `bridge_mappings`. Name the provider network.",
    ),
    "subnet id twice": (
        with_subnets(subnet(id="s1")),
        "subnets: id s1 is used 2 times; allowed: once. Give each its own id.",
    ),
    "subnet of no network": (
        with_subnets(subnet(network_id="green")),
        f"subnet 's': network 'green' does not exist; allowed: {RED}, {BLUE}. "
        "Name an existing network.",
    ),
    "falling pool": (
        with_subnets(subnet(pools=(POOL,))),
        "subnet 's': allocation pool 10.0.0.9-10.0.0.2; "
        "allowed: an ascending range inside 10.0.0.0/24. Correct `start` and `end`.",
    ),
    "pool outside": (
        with_subnets(subnet(pools=(OUTSIDE,))),
        "subnet 's': allocation pool 10.0.0.9-10.0.1.2; "
        "allowed: an ascending range inside 10.0.0.0/24. Correct `start` and `end`.",
    ),
    "port id twice": (
        {"ports": (A, replace(port(2, RED, ""), id=A.id))},
        f"ports: id {A.id} is used 2 times; allowed: once. Give each its own id.",
    ),
    "device twice": (
        {"ports": (A, replace(port(2, RED, "h1"), id=A.id[:-1] + "9"))},
        "ports: device h1 qvo00000001-00 is used 2 times; allowed: once. Give each its own device.",
    ),
    "MAC twice": (
        with_port(mac_address=A.mac_address),
        "ports: MAC fa:16:3e:00:01:01 of network 'red' is used 2 times; allowed: once. Give each its own MAC.",
    ),
    "address twice": (
        with_port(fixed_ips=A.fixed_ips),
        "ports: fixed ip 198.51.1.1 of network 'red' is used 2 times; allowed: once. "
        "Give each its own fixed ip.",
    ),
    "guest's name": (
        with_port(device_id="a b"),
        "port 'p2': name 'a b'; "
        "allowed: a letter, then up to 39 letters, digits, '_', '.' or '-'. Rename it.",
    ),
    "guest named like a host": (
        with_port(device_id="h3"),
        "port 'p2': name 'h3' is taken; allowed: not a compute host's name, "
        "and none of management, neutron, underlay. Rename it.",
    ),
    "MAC of a group": (
        with_port(mac_address="01:16:3e:00:00:01"),
        "port 'p2': mac_address '01:16:3e:00:00:01'; "
        "allowed: six lower-case octets, the first even (unicast). "
        "Write it like fa:16:3e:7a:f5:1d.",
    ),
    "MAC in upper case": (
        with_port(mac_address="FA:16:3E:00:00:01"),
        "port 'p2': mac_address 'FA:16:3E:00:00:01'; "
        "allowed: six lower-case octets, the first even (unicast). "
        "Write it like fa:16:3e:7a:f5:1d.",
    ),
    "port of no network": (
        with_port(network_id="green"),
        f"port 'p2': network 'green' does not exist; allowed: {RED}, {BLUE}. "
        "Name an existing network.",
    ),
    "address of no subnet": (
        with_port(fixed_ips=(ip_address("203.0.113.1"),)),
        "port 'p2': fixed ip 203.0.113.1; allowed: 198.51.1.0/24. "
        "Pick an address of its network's subnet.",
    ),
    "port on no host": (
        with_port(host="h9"),
        "port 'p2': host 'h9' does not exist; allowed: h1, h2, h3. Name an existing host.",
    ),
    "type that the host does not tunnel": (
        with_host(tunnel_types=(GRE,)),
        "port 'p1' on host 'h1': a vxlan network; allowed: gre. "
        "Add vxlan to the host's [agent] tunnel_types.",
    ),
    "host without tunnels": (
        with_host(tunnel_types=()),
        "port 'p1' on host 'h1': a vxlan network; allowed: none (tunnel_types is empty). "
        "Add vxlan to the host's [agent] tunnel_types.",
    ),
    "physical network that the host does not know": (
        {
            "hosts": (LINKED, *BASE.hosts[1:]),
            **with_networks(network(network_type=VLAN, physical_network="other")),
            "ports": (A, B, port(3, "n", "h1", fixed_ips=())),
        },
        "port 'p3' on host 'h1': physical network 'other'; allowed: physnet1. "
        "Add it to the host's [ovs] bridge_mappings.",
    ),
}

SIX = ip_network("2001:db8::/64")
RULES |= {
    "an IPv6 subnet on an underlay too small": (
        {"underlay_mtu": 1300, **with_subnets(subnet(cidr=SIX))},
        "network 'red': mtu 1250 with IPv6 subnet 2001:db8::/64; "
        "allowed: 1280 bytes or more for IPv6 (RFC 8200). "
        "Raise the underlay's mtu to 1330 or more, or use an IPv4 subnet.",
    ),
    "an IPv6 subnet on a path too small": (
        {"path_mtu": 1300, **with_subnets(subnet(cidr=SIX))},
        "network 'red': mtu 1250 with IPv6 subnet 2001:db8::/64; "
        "allowed: 1280 bytes or more for IPv6 (RFC 8200). "
        "Raise [ml2] path_mtu to 1330 or more, or use an IPv4 subnet.",
    ),
    "an IPv6 subnet on a network too small": (
        {"networks": (replace(BASE.networks[0], mtu=1279), BASE.networks[1])}
        | with_subnets(subnet(cidr=SIX)),
        "network 'red': mtu 1279 with IPv6 subnet 2001:db8::/64; "
        "allowed: 1280 bytes or more for IPv6 (RFC 8200). "
        "Set the network's mtu to 1280 or more, or use an IPv4 subnet.",
    ),
    "IPv6 hosts on an underlay too small": (
        {
            "underlay_mtu": 1279,
            "hosts": tuple(
                replace(each, local_ip=SIX[number]) for number, each in enumerate(BASE.hosts, 1)
            ),
        },
        "underlay: mtu 1279 with IPv6 `local_ip`; allowed: 1280 bytes or more (RFC 8200). "
        "Use a larger one, or IPv4 VTEPs.",
    ),
    "a subnet of two addresses with DHCP": (
        {"dhcp": True, **with_subnets(subnet(cidr=ip_network("10.0.0.0/31")))},
        "subnet 's': cidr 10.0.0.0/31 with `dhcp`; allowed: a prefix length of up to 30, "
        "for guests, a server and a gateway. Use a shorter prefix, or leave `dhcp` out.",
    ),
    "a long name": (
        with_networks(network(name="n" * 256)),
        "a network: name 'nnnnnnnnnnnnnnnnnnnn'... of 256 characters; "
        "allowed: up to 255, as in Neutron's API. Shorten it.",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_error_has_its_place_what_was_found_what_is_allowed_and_a_remedy(rule: str):
    change, text = RULES[rule]
    with pytest.raises(ModelError) as caught:
        replace(BASE, **change)
    assert str(caught.value) == text


def test_all_errors_of_an_overlay_are_reported_together():
    with pytest.raises(ModelErrors) as caught:
        replace(BASE, underlay_mtu=1, **with_networks(network(segmentation_id=0, mtu=1)))
    assert [error.where for error in caught.value.errors] == [
        "underlay",
        "network 'n'",
        "network 'n'",
    ]
    assert str(caught.value).splitlines() == [str(error) for error in caught.value.errors]


def test_the_same_address_in_two_networks_is_no_error():
    subnets = (BASE.subnets[0], replace(BASE.subnets[1], cidr=BASE.subnets[0].cidr))
    other = port(3, BLUE, "h2", fixed_ips=A.fixed_ips)
    twin = replace(other, mac_address=A.mac_address)
    assert replace(BASE, subnets=subnets, ports=(A, twin)).ports == (A, twin)


def test_the_error_for_an_unknown_host_lists_the_known_ones():
    with pytest.raises(ModelError) as caught:
        BASE.host("h9")
    assert str(caught.value) == "overlay 'small': host 'h9'; allowed: h1, h2, h3. Name one of them."


def test_1280_bytes_are_enough_for_ipv6():
    assert replace(BASE, underlay_mtu=1330, **with_subnets(subnet(cidr=SIX)))
    assert replace(BASE, underlay_mtu=1329)


def many(count: int, *, mechanism: Mechanism = Mechanism.OPENVSWITCH) -> Overlay:
    """A host with one port of each of so many networks."""
    networks = [
        network(id=f"{at:011}", name=f"n{at}", segmentation_id=at + 1) for at in range(count)
    ]
    ports = [
        replace(A, id=each.id, network_id=each.id, name=each.name, fixed_ips=())
        for each in networks
    ]
    host = replace(BASE.hosts[0], tunnel_types=(VXLAN,), mechanism=mechanism)
    return replace(BASE, hosts=(host,), networks=tuple(networks), subnets=(), ports=tuple(ports))


def test_a_host_has_a_local_vlan_for_each_of_4094_networks():
    full = many(LOCAL_VLAN_MAX)

    assert set(new_binding(full, "h1").local_vlans.values()) == set(range(1, 4095))
    with pytest.raises(ModelError, match="host 'h1': ports of 4095 networks; allowed: 4094"):
        many(LOCAL_VLAN_MAX + 1)
    assert many(LOCAL_VLAN_MAX + 1, mechanism=Mechanism.LINUXBRIDGE)


def test_a_linux_bridge_has_1023_guests_of_a_network():
    host = replace(BASE.hosts[0], tunnel_types=(VXLAN,), mechanism=Mechanism.LINUXBRIDGE)
    ports = tuple(
        replace(A, id=f"{at:011}", mac_address=f"fa:16:3e:00:{at >> 8:02x}:{at & 255:02x}")
        for at in range(1024)
    )
    ports = tuple(replace(each, fixed_ips=()) for each in ports)
    red = {"hosts": (host,), "networks": BASE.networks[:1], "subnets": ()}

    assert replace(BASE, ports=ports[1:], **red)
    with pytest.raises(ModelError, match="1024 ports of network 'red'; allowed: 1023"):
        replace(BASE, ports=ports, **red)
