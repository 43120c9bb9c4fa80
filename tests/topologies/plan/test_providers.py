"""Physical networks of a lab: the hosts wired to each, and the names of the interfaces."""

import pytest

from controller.model.names import IFNAMSIZ, provider_interface, segment_bridge
from controller.model.overlay import Overlay
from tests.controller.small import host
from topologies.nodes.topo import host_wires
from topologies.plan import ovs, plan
from topologies.plan.ovs import wire_args

ONE = host(1, bridge_mappings=(("physnet1", "br-ex"), ("physnet2", "br-two")))
TWO = host(2, bridge_mappings=(("physnet2", "br-ex"),))
THREE = host(3)
LAB = Overlay(name="lab", hosts=(ONE, TWO, THREE), underlay_mtu=1600)


def transaction(each):
    return " ".join(ovs.transaction(LAB, each, "netdev"))


def test_each_physical_network_is_one_ethernet():
    assert plan.physical_networks(LAB.hosts) == ("physnet1", "physnet2")
    assert plan.physical_networks([TWO]) == ("physnet2",)
    assert plan.physical_networks([THREE]) == ()


def test_a_host_is_wired_to_the_networks_that_it_maps_only():
    wires = {each.name: host_wires(LAB, each.name, 8)[2:] for each in LAB.hosts}

    assert [(w["node2"], w["intfName1"], w["intfName2"], w["mtu"]) for w in wires["h1"]] == [
        ("physnet1", "ext-physnet1", "host9", 1600),
        ("physnet2", "ext-physnet2", "host9", 1600),
    ]
    assert [w["node2"] for w in wires["h2"]] == ["physnet2"]
    assert wires["h3"] == []


def test_the_wire_is_on_the_hosts_own_bridge():
    assert "add-port br-ex ext-physnet1 " in transaction(ONE)
    assert "add-port br-two ext-physnet2 " in transaction(ONE)
    assert "add-port br-ex ext-physnet2 " in transaction(TWO)
    assert "ext-" not in transaction(THREE)
    assert "set Interface br-ex mtu_request=1600" in transaction(TWO)


def test_br_vtep_is_the_underlay_and_has_no_wire_of_its_own():
    on_underlay = Overlay(name="lab", hosts=(host(1, bridge_mappings=(("physnet1", "br-vtep"),)),))

    assert [w["node2"] for w in host_wires(on_underlay, "h1", 0)] == ["management", "underlay"]
    assert plan.physical_networks(on_underlay.hosts) == ()
    assert wire_args(on_underlay, on_underlay.hosts[0]) == []


@pytest.mark.parametrize("length", [1, 11, 12, 40])
def test_interface_names_fit_the_limit_of_linux(length):
    names = [f"{'p' * (length - 1)}{end}" for end in "ab"]

    for made in (provider_interface, segment_bridge):
        assert all(len(made(name)) <= IFNAMSIZ for name in names)
        assert len({made(name) for name in names}) == 2
    assert segment_bridge(plan.MANAGEMENT) == "br-management"
    assert provider_interface("physnet1") == "ext-physnet1"
