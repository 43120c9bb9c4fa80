"""Modes: what each changes, what none may change."""

from dataclasses import replace

import pytest

from controller.model.errors import ModelError, UsageError
from controller.model.modes import MODES, describe, parse_mode, with_mode
from tests.controller.small import BLUE, GRE, RED, VXLAN, port, small

BASE = small(port(1, RED, "h1"), port(2, RED, "h2"), port(3, BLUE, "h2"))


def carried(mode: str):
    return with_mode(BASE, parse_mode(mode))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_mode_is_parsed_from_its_text(mode):
    assert parse_mode(str(mode)) is mode


def test_each_mode_has_a_line_of_its_own():
    lines = [describe(mode) for mode in MODES]
    assert len(set(lines)) == len(MODES) == 17
    assert describe(parse_mode("gre-mesh")) == (
        "every network over gre; broadcasts go to every VTEP, unicast is learned"
    )


def test_the_error_for_an_unknown_mode_lists_all_modes():
    with pytest.raises(UsageError) as caught:
        parse_mode("multicast")
    assert str(caught.value) == (
        "mode: 'multicast'; allowed: gre-mesh, gre-l2pop, gre-l2pop-arp, vxlan-mesh, vxlan-l2pop, "
        "vxlan-l2pop-arp, geneve-mesh, geneve-l2pop, geneve-l2pop-arp, kvxlan-multicast, "
        "kvxlan-mesh, kvxlan-l2pop, vlan, flat, mesh, l2pop, l2pop-arp. Pick one of them."
    )


def test_networks_created_later_have_the_type_of_the_mode():
    only = replace(BASE, type_drivers=(VXLAN,), tenant_network_types=(VXLAN,))
    carried = with_mode(only, parse_mode("gre-mesh"))

    assert carried.tenant_network_types == (GRE,)
    assert set(carried.type_drivers) == {GRE, VXLAN}
    assert with_mode(only, parse_mode("mesh")).tenant_network_types == (VXLAN,)
    assert with_mode(BASE, parse_mode("gre-mesh")).tenant_network_types == ()


def test_no_mode_is_no_change():
    assert with_mode(BASE, None) is BASE


@pytest.mark.parametrize(
    ("mode", "l2_population", "arp_responder"),
    [("gre-mesh", False, False), ("gre-l2pop", True, False), ("gre-l2pop-arp", True, True)],
)
def test_the_flooding_of_a_mode_is_set_on_every_host(mode, l2_population, arp_responder):
    for host in carried(mode).hosts:
        assert host.tunnel_types == (GRE,)
        assert (host.l2_population, host.arp_responder) == (l2_population, arp_responder)
        assert host.is_arp_responder is arp_responder


def test_a_tunnel_mode_sets_the_type_of_every_network_and_keeps_its_id():
    networks = carried("vxlan-l2pop").networks
    assert [(net.network_type, net.segmentation_id) for net in networks] == [
        (VXLAN, 111),
        (VXLAN, 222),
    ]


def test_a_mode_with_only_a_flooding_keeps_network_types():
    overlay = carried("l2pop")
    assert [net.network_type for net in overlay.networks] == [VXLAN, GRE]
    assert {host.tunnel_types for host in overlay.hosts} == {(GRE, VXLAN)}


def test_vlan_has_no_tunnel_and_keeps_the_id():
    overlay = carried("vlan")
    assert {host.tunnel_types for host in overlay.hosts} == {()}
    assert {host.bridge_mappings for host in overlay.hosts} == {(("physnet1", "br-vtep"),)}
    assert [net.segmentation_id for net in overlay.networks] == [111, 222]
    assert {net.physical_network for net in overlay.networks} == {"physnet1"}
    assert [overlay.mtu_of(net) for net in overlay.networks] == [1500, 1500]


def test_flat_allows_one_network_only():
    with pytest.raises(ModelError) as caught:
        carried("flat")
    assert str(caught.value) == (
        "networks: segment flat physnet1 0 is used 2 times; allowed: once. Give each its own segment."
    )


@pytest.mark.parametrize("mode", [mode for mode in MODES if str(mode) != "flat"], ids=str)
def test_a_mode_is_idempotent_and_leaves_guests_alone(mode):
    once = with_mode(BASE, mode)
    assert with_mode(once, mode) == once
    assert once.ports == BASE.ports
    assert [host.local_ip for host in once.hosts] == [host.local_ip for host in BASE.hosts]
