"""What an overlay answers about itself."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.encap import NetworkType, network_mtu
from controller.model.names import (
    derived_id,
    derived_mac,
    int_port_name,
    link_local,
    patch_to_phys,
    tunnel_port_name,
)
from controller.model.parts import Host
from tests.controller.small import BLUE, RED, port, small

DUAL = (ip_address("198.51.1.4"),)
A, B, C = port(1, RED, "h2"), port(2, BLUE, "h1"), port(3, RED, "h1")


def test_networks_of_a_host_come_in_the_order_of_their_first_port():
    overlay = small(A, B, C)
    assert [net.name for net in overlay.networks_on("h1")] == ["blue", "red"]
    assert [net.name for net in overlay.networks_on("h2")] == ["red"]
    assert overlay.networks_on("h3") == ()


@pytest.mark.parametrize("off", [{"status": "DOWN"}, {"admin_state_up": False}, {"host": ""}])
def test_a_port_that_is_unplugged_or_off_does_not_make_its_host_a_member(off):
    overlay = small(A, B, replace(C, **off))
    assert [host.name for host in overlay.members(RED)] == ["h2"]
    assert [net.name for net in overlay.networks_on("h1")] == ["blue"]
    assert list(overlay.active_ports(RED)) == [A]


def test_members_come_in_host_order_and_once():
    overlay = small(A, C, port(4, RED, "h1"))
    assert [host.name for host in overlay.members(RED)] == ["h1", "h2"]


@pytest.mark.parametrize(
    ("kind", "over_v4", "over_v6"),
    [("vxlan", 1450, 1430), ("gre", 1458, 1438), ("geneve", 1450, 1430), ("vlan", 1500, 1500)],
)
def test_a_guests_mtu_is_neutrons(kind, over_v4, over_v6):
    assert network_mtu(NetworkType(kind), 1500) == over_v4
    assert network_mtu(NetworkType(kind), 1500, ip_version=6) == over_v6


def test_the_mtu_of_a_network_has_precedence_over_that_of_the_underlay():
    overlay = small()
    red, blue = overlay.networks
    assert (overlay.mtu_of(red), overlay.mtu_of(blue)) == (1450, 1458)
    assert overlay.mtu_of(replace(red, mtu=1400)) == 1400
    assert replace(overlay, underlay_mtu=9000).mtu_of(red) == 8950


def test_addresses_of_a_port_are_separated_by_version():
    mixed = replace(A, fixed_ips=(ip_address("2001:db8::1"), *A.fixed_ips))
    assert mixed.ipv4 == A.fixed_ips
    assert mixed.ipv6 == (ip_address("2001:db8::1"),)


def test_names_are_neutrons():
    vtep = ip_address("192.168.150.11")
    assert tunnel_port_name(NetworkType.VXLAN, vtep) == "vxlan-c0a8960b"
    six = ip_address("fd00:150::11")
    names = [tunnel_port_name(kind, six) for kind in (NetworkType.VXLAN, NetworkType.GRE)]
    assert names == ["vxlan-fr2u5y6xu", "gre-fr2u5y6xuxm"]  # SHA-1, as in Queens
    assert int_port_name("00a1bde0-be17-4c53-9d20-166117750000") == "qvo00a1bde0-be"
    assert str(link_local("fa:16:3e:7a:f5:1d")) == "fe80::f816:3eff:fe7a:f51d"


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [  # as the agent of Neutron 29 was seen to name them
        ("vxlan", "fd00:150::11", "vxlan-evm7o3p2p"),
        ("vxlan", "fd00:150:0::11", "vxlan-zotyyj57g"),  # the same address, spelt at length
        ("gre", "fd00:150::11", "gre-evm7o3p2pbv"),
        ("geneve", "fd00:150::11", "geneve-evm7o3p2"),
        ("vxlan", "192.168.150.11", "vxlan-c0a8960b"),  # the same in both releases
    ],
)
def test_a_tunnel_port_of_the_current_release_is_named_as_neutron_names_it(kind, text, name):
    assert tunnel_port_name(NetworkType(kind), text, "current") == name


def test_a_vtep_is_shown_as_it_was_written():
    host = Host(name="h", local_ip=ip_address("fd00:150::11"), written_ip="fd00:150:0::11")
    assert host.vtep == "fd00:150:0::11"
    moved = replace(host, local_ip=ip_address("fd00:150::12"))
    assert moved.vtep == "fd00:150::12"  # the old spelling is not the new address
    assert replace(host, written_ip="").vtep == "fd00:150::11"


@pytest.mark.parametrize(
    ("bridge", "on_int", "on_phys"),
    [
        ("br-vtep", "int-br-vtep", "phy-br-vtep"),
        ("br-storage1", "int-br-storage1", "phy-br-storage1"),  # 15 characters: just whole
        ("br-provider1", "int-br-prcebb81", "phy-br-prcebb81"),  # the hash is of the bridge's name
        ("br-provider2", "int-br-pr6e8b65", "phy-br-pr6e8b65"),
    ],
)
def test_a_patch_ports_long_name_is_cut_as_neutron_cuts_it(bridge, on_int, on_phys):
    assert patch_to_phys(bridge) == (on_int, on_phys)


@pytest.mark.parametrize(
    ("kind", "path_mtu", "mtu"),
    [
        ("vxlan", 0, 1450),
        ("vxlan", 1400, 1350),
        ("gre", 1400, 1358),
        ("vxlan", 9000, 1450),
        ("vlan", 1400, 1500),
    ],
)
def test_path_mtu_limits_tunnelled_networks(kind, path_mtu, mtu):
    overlay = replace(small(), path_mtu=path_mtu)
    assert overlay.mtu_of(replace(overlay.networks[0], network_type=NetworkType(kind))) == mtu


def test_a_derived_id_depends_only_on_its_parts():
    assert derived_id("s", "port", "a") == derived_id("s", "port", "a")
    assert derived_id("s", "port", "a") != derived_id("s", "port", "b")
    assert derived_mac("x").startswith("fa:16:3e:")
    assert derived_mac("x") != derived_mac("y")
