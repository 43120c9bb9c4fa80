"""Which tunnels a host has, and how their rows read."""

from ipaddress import ip_address

import pytest

from controller.flows.ports import host_ports, tunnels, tunnels_of
from controller.model.encap import NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network
from tests.controller.small import BLUE, RED, port, small


def names(overlay: Overlay, host: str) -> list[str]:
    return [tunnel.name for tunnel in tunnels(overlay, overlay.host(host))]


def network(overlay: Overlay, id_: str) -> Network:
    return overlay.network_of[id_]


RED_ON_1_2 = (port(1, RED, "h1"), port(2, RED, "h2"))
BLUE_ON_1_3 = (port(3, BLUE, "h1"), port(4, BLUE, "h3"))


def test_a_mesh_has_a_tunnel_to_every_vtep_even_without_a_shared_network():
    assert names(small(), "h1") == [
        "gre-c0000202",
        "gre-c0000203",
        "vxlan-c0000202",
        "vxlan-c0000203",
    ]


def test_l2population_makes_tunnels_only_where_a_network_is_shared():
    overlay = small(*RED_ON_1_2, *BLUE_ON_1_3, l2_population=True)
    assert names(overlay, "h1") == ["gre-c0000203", "vxlan-c0000202"]
    assert names(overlay, "h2") == ["vxlan-c0000201"]
    assert names(small(RED_ON_1_2[0], l2_population=True), "h1") == []


def test_a_network_of_another_type_makes_no_tunnel():
    overlay = small(port(3, BLUE, "h1"), port(5, BLUE, "h2"), l2_population=True)
    assert names(overlay, "h1") == ["gre-c0000202"]


def test_broadcasts_of_a_mesh_go_to_all_and_of_l2population_to_members():
    mesh = small(*RED_ON_1_2)
    assert [t.name for t in tunnels_of(mesh, mesh.host("h1"), network(mesh, RED))] == [
        "vxlan-c0000202",
        "vxlan-c0000203",
    ]
    l2pop = small(*RED_ON_1_2, *BLUE_ON_1_3, l2_population=True)
    copies = tunnels_of(l2pop, l2pop.host("h1"), network(l2pop, RED))
    assert [t.name for t in copies] == ["vxlan-c0000202"]


def test_rows_match_those_of_neutron():
    rows = {p.name: p for p in host_ports(small(RED_ON_1_2[0]), small().host("h1"))}
    assert rows["vxlan-c0000202"].options == {
        "df_default": "true",
        "remote_ip": "192.0.2.2",
        "local_ip": "192.0.2.1",
        "in_key": "flow",
        "out_key": "flow",
        "egress_pkt_mark": "0",
    }
    assert rows["patch-tun"].options == {"peer": "patch-int"}
    assert rows["patch-int"].options == {"peer": "patch-tun"}
    assert rows["qvo00000001-00"].external_ids["iface-id"] == RED_ON_1_2[0].id
    assert rows["qvo00000001-00"].external_ids["attached-mac"] == "fa:16:3e:00:01:01"


def test_the_mode_flat_joins_br_int_to_its_provider_bridge_and_has_no_br_tun():
    overlay = small(tunnel_types=(), bridge_mappings=(("physnet1", "br-vtep"),))
    rows = [(p.bridge, p.name, p.options["peer"]) for p in host_ports(overlay, overlay.host("h1"))]
    assert rows == [
        ("br-int", "int-br-vtep", "phy-br-vtep"),
        ("br-vtep", "phy-br-vtep", "int-br-vtep"),
    ]


@pytest.mark.parametrize(
    ("release", "name", "kind", "more"),
    [
        ("queens", "gre-fr2u5y6xuxm", "gre", {}),
        ("current", "gre-evm7o3p2pbv", "ip6gre", {"packet_type": "legacy_l2"}),
    ],
)
def test_gre_over_ipv6_is_what_the_release_writes(release, name, kind, more):
    hosts = tuple(
        Host(name=f"h{n}", local_ip=ip_address(f"fd00:150::{n}"), tunnel_types=(NetworkType.GRE,))
        for n in (10, 11)
    )
    overlay = Overlay(name="six", hosts=hosts, release=release)
    (tunnel,) = tunnels(overlay, hosts[0])
    row = tunnel.as_port(hosts[0])
    assert (row.name, row.type) == (name, kind)
    assert row.options == {
        "df_default": "true",
        "remote_ip": "fd00:150::11",
        "local_ip": "fd00:150::10",
        "in_key": "flow",
        "out_key": "flow",
        "egress_pkt_mark": "0",
        **more,
    }
