"""Options of agents: values that Neutron refuses, and values with which nothing arrives."""

from dataclasses import replace

import pytest

from controller.model.agent import AgentOptions
from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.serial import from_json, to_json
from tests.controller.small import RED, port, small

pytestmark = pytest.mark.pure


def agents(**options: object):
    return small(port(1, RED, "h1"), agent=AgentOptions(**options))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"vxlan_udp_port": 0}, "vxlan_udp_port 0"),
        ({"vxlan_udp_port": 65536}, "vxlan_udp_port 65536"),
        ({"dscp": 64}, "dscp 64"),
        ({"bridge_mac_table_size": 0}, "bridge_mac_table_size 0"),
        ({"int_peer_patch_port": ""}, "int_peer_patch_port ''"),
        ({"int_peer_patch_port": "a b"}, "int_peer_patch_port 'a b'"),
        ({"int_peer_patch_port": "patch-int"}, "int_peer_patch_port 'patch-int'"),
        ({"tun_peer_patch_port": "br-int"}, "tun_peer_patch_port 'br-int'"),
        ({"tun_peer_patch_port": "int-br-ex"}, "tun_peer_patch_port 'int-br-ex'"),
    ],
)
def test_an_invalid_value_is_refused(options, found):
    mapped = {"bridge_mappings": (("physnet1", "br-ex"),)}
    with pytest.raises(ModelError, match=found):
        small(port(1, RED, "h1"), agent=AgentOptions(**options), **mapped)


def test_options_are_kept_by_the_state_file():
    overlay = agents(dscp=46, vxlan_udp_port=8472, int_peer_patch_port="to-tun", igmp_flood=True)
    assert from_json(to_json(overlay), type(overlay)) == overlay


def test_hosts_have_one_vxlan_port():
    overlay = agents(vxlan_udp_port=8472)
    hosts = (replace(overlay.hosts[0], agent=AgentOptions()), *overlay.hosts[1:])
    with pytest.raises(ModelError, match="different `vxlan_udp_port`: 4789, 8472"):
        replace(overlay, hosts=hosts)
    no_vxlan = replace(hosts[0], tunnel_types=(NetworkType.GRE,))
    assert replace(overlay, hosts=(no_vxlan, *hosts[1:]), ports=())


def test_the_port_of_geneve_is_refused_with_geneve():
    assert agents(vxlan_udp_port=6081)
    both = (NetworkType.VXLAN, NetworkType.GENEVE)
    with pytest.raises(ModelError, match="vxlan_udp_port 6081 with Geneve"):
        small(agent=AgentOptions(vxlan_udp_port=6081), tunnel_types=both)


@pytest.mark.parametrize(
    ("options", "tos"),
    [
        ({}, None),
        ({"dscp": 0}, None),
        ({"dscp": 46}, "184"),
        ({"dscp_inherit": True}, "inherit"),
        ({"dscp": 46, "dscp_inherit": True}, "inherit"),
    ],
)
def test_the_dscp_is_the_upper_six_bits_of_tos(options, tos):
    assert AgentOptions(**options).tos == tos
