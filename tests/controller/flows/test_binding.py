"""Numbers once given are never changed, and never given twice."""

from dataclasses import replace

import pytest

from controller.flows.binding import (
    LOCAL_VLAN_MAX,
    Binding,
    allocate,
    allocate_vlans,
    new_binding,
    release,
)
from controller.model.errors import ModelError
from tests.controller.small import BLUE, RED, port, small, without

A, B, C = port(1, RED, "h1"), port(2, RED, "h2"), port(3, BLUE, "h1")


def test_a_new_host_numbers_its_ports_from_one_in_neutrons_order():
    binding = new_binding(small(A, B, C), "h1")
    assert binding.ofports == {
        "br-int": {"patch-tun": 1, "qvo00000001-00": 2, "qvo00000003-00": 3},
        "br-tun": {
            "patch-int": 1,
            "gre-c0000202": 2,
            "gre-c0000203": 3,
            "vxlan-c0000202": 4,
            "vxlan-c0000203": 5,
        },
    }
    assert binding.local_vlans == {RED: 1, BLUE: 2}


def test_local_vlans_are_a_hosts_own_choice():
    overlay = small(A, replace(B, id="b", host="h2"), port(4, BLUE, "h2"))
    assert new_binding(overlay, "h1").local_vlans == {RED: 1}
    assert new_binding(small(port(4, BLUE, "h2"), B), "h2").local_vlans == {BLUE: 1, RED: 2}


def test_allocating_again_changes_nothing():
    overlay = small(A, B, C)
    once = new_binding(overlay, "h1")
    assert allocate(overlay, once) == once


def test_networks_keep_their_vlan_when_another_is_added():
    first = new_binding(small(C), "h1")
    both = allocate(small(A, C), first)  # A's network now comes first in the overlay
    assert both.local_vlans == {BLUE: 1, RED: 2}


def test_a_released_vlan_is_free_again():
    both = new_binding(small(A, C), "h1")
    left = release(small(C), both)
    assert left.local_vlans == {BLUE: 2}
    assert allocate(small(A, C), left).local_vlans == {BLUE: 2, RED: 1}


def test_a_vlan_that_old_flows_still_use_is_not_allocated():
    left = allocate_vlans(small(A), Binding(host="h1"), avoid=frozenset({1, 2}))
    assert left.local_vlans == {RED: 3}


def test_ofports_are_not_used_again():
    overlay = small(A, B, C, l2_population=True)  # one tunnel, to h2
    first = new_binding(overlay, "h1")
    assert first.ofports["br-tun"] == {"patch-int": 1, "vxlan-c0000202": 2}
    gone = replace(first, ofports={**first.ofports, "br-tun": {"patch-int": 1}})
    again = allocate(overlay, gone)
    assert again.ofports["br-tun"]["vxlan-c0000202"] == 3


def test_a_port_that_is_switched_off_is_dead_and_needs_no_vlan():
    off = new_binding(small(replace(A, admin_state_up=False)), "h1")
    assert (off.local_vlans, off.dead) == ({}, {"qvo00000001-00"})
    assert new_binding(without(small(A), A.id), "h1").local_vlans == {}


def test_it_is_an_error_if_no_local_vlan_is_free():
    full = Binding(host="h1", local_vlans={f"n{i}": i for i in range(1, LOCAL_VLAN_MAX + 1)})
    with pytest.raises(ModelError) as caught:
        allocate_vlans(small(A), full)
    assert str(caught.value) == (
        "host 'h1': no local VLAN is left for network 'red'; allowed: 4094 networks on one host. "
        "Move its ports to another host."
    )
