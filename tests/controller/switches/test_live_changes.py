"""Ports, networks and hosts that come and go while the lab is up.

After every change each switch must hold just the offline text of the overlay as it then
is, with the numbers that the switch itself has; learned flows apart.
"""

import os
import signal
from dataclasses import replace

import pytest

from controller.flows.ports import DEAD_VLAN_TAG
from controller.flows.text import normalise
from controller.model.names import int_port_name
from tests.controller.switches.live_changes import (
    add_network,
    add_port,
    assert_all_as_wanted,
    learned,
    now,
    plug,
    port,
    ports_of,
    settle,
    tag_of,
    unplug,
)
from tests.controller.switches.rig import Rig
from tests.oracle.frames import BROADCAST, Frame
from tests.oracle.small import SERVER_A, small

pytestmark = pytest.mark.rootless

B = "ServerB"


def hear_server_a(laid: Rig) -> None:
    """Every member of blue has heard a broadcast of ServerA, and learned from it."""
    sender = port(laid, "ServerA").id
    laid.deliver(Frame("broadcast", sender, SERVER_A, BROADCAST), learn=True)


@pytest.mark.parametrize("mode", ["mesh", "l2pop", "l2pop-arp"])
def test_the_flows_of_an_unplugged_port_are_deleted_and_come_back_with_it(live_rig, mode):
    laid = live_rig(small(mode))
    before = {host: laid.switches[host].dump("br-tun") for host in ("one", "two", "three")}
    gone = port(laid, B)
    unplug(laid, gone)
    assert_all_as_wanted(laid)
    if mode == "mesh":
        assert "vxlan-c0a8960b" in ports_of(laid, "one", "br-tun")
    else:  # host two shares nothing with anybody now
        assert "vxlan-c0a8960b" not in ports_of(laid, "one", "br-tun")
        assert ports_of(laid, "two", "br-tun") == {"patch-int"}
        assert "c0a8960b" not in laid.switches["one"].dump("br-tun")
    plug(laid, gone)
    assert_all_as_wanted(laid)
    after = {host: laid.switches[host].dump("br-tun") for host in before}
    assert {h: sorted(map(_unordered, normalise(text))) for h, text in after.items()} == {
        h: sorted(map(_unordered, normalise(text))) for h, text in before.items()
    }


def _unordered(flow: str) -> tuple[str, ...]:
    """A flow with its outputs in no order: a tunnel that came back has another ofport."""
    return tuple(sorted(flow.split(",")))


def test_learned_flows_are_deleted_with_their_tunnel(live_rig):
    laid = live_rig(small("l2pop"))
    hear_server_a(laid)
    assert len(learned(laid, "two")) == 1
    unplug(laid, port(laid, "ServerA"))
    unplug(laid, port(laid, "a2"))
    assert learned(laid, "two") == []
    assert_all_as_wanted(laid)


def test_learned_flows_are_deleted_with_the_network_of_their_vlan(live_rig):
    laid = live_rig(small("mesh"))
    hear_server_a(laid)
    assert len(learned(laid, "two")) == 1
    unplug(laid, port(laid, B))
    assert learned(laid, "two") == []
    assert len(learned(laid, "three")) == 1  # the others keep theirs


def test_learned_flows_survive_an_unrelated_change(live_rig):
    laid = live_rig(small("mesh"))
    hear_server_a(laid)
    before = learned(laid, "three")
    unplug(laid, port(laid, "d"))
    assert learned(laid, "three") == before != []


def test_flows_added_by_hand_stay(live_rig):
    laid = live_rig(small("mesh"))
    by_hand = "table=22, priority=7,dl_vlan=77 actions=drop"
    laid.switches["one"].load("br-tun", [by_hand.replace("table=22, ", "table=22,")])
    unplug(laid, port(laid, B))
    assert by_hand in normalise(laid.switches["one"].dump("br-tun"))


def test_a_network_that_is_added_and_removed_does_not_change_the_others(live_rig):
    laid = live_rig(small("l2pop-arp"))
    before = tag_of(laid, port(laid, "ServerA"))
    api = laid.controller.api
    network = add_network(laid, "green", "10.9.0.0/24", network_type="vxlan")
    made = [add_port(laid, network, host) for host in ("two", "four")]
    assert {there.status for there in made} == {"DOWN"}
    for there in made:
        plug(laid, there)
    assert_all_as_wanted(laid)
    assert {"vxlan-c0a8960d"} <= ports_of(laid, "two", "br-tun")  # two and four share it
    assert "vxlan-c0a8960d" not in ports_of(laid, "one", "br-tun")
    assert tag_of(laid, port(laid, "ServerA")) == before
    for there in made:
        unplug(laid, there)
        api("DELETE", f"/v2.0/ports/{there.id}")
    api("DELETE", f"/v2.0/networks/{network}")
    settle(laid)
    assert network not in now(laid).network_of
    assert_all_as_wanted(laid)
    assert "vxlan-c0a8960d" not in ports_of(laid, "two", "br-tun")


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_a_port_unknown_to_neutron_is_dead(live_rig, how):
    laid = live_rig(small("mesh"))
    there = port(laid, B)
    if how == "deleted":
        laid.controller.api("DELETE", f"/v2.0/ports/{there.id}")
    else:
        body = {"port": {"admin_state_up": False}}
        laid.controller.api("PUT", f"/v2.0/ports/{there.id}", body)
    settle(laid)
    assert tag_of(laid, there) == DEAD_VLAN_TAG
    dropped = f'priority=2,in_port="{int_port_name(there.id)}" actions=drop'
    assert dropped in normalise(laid.switches["two"].dump("br-int"))
    assert_all_as_wanted(laid)


def test_no_flow_outputs_to_the_tunnel_of_a_removed_host(live_rig):
    """Neutron leaves `output:N` in table 22 until the next rewrite."""
    laid = live_rig(small("mesh"))
    api = laid.controller.api
    agents = {agent["host"]: agent for agent in api("GET", "/v2.0/agents")["agents"]}
    for there in [p for p in laid.overlay.ports if p.host == "three"]:
        api("DELETE", f"/v2.0/ports/{there.id}")
    api("DELETE", f"/v2.0/agents/{agents['three']['id']}")
    settle(laid)
    for host in ("one", "two", "four"):
        assert "c0a8960c" not in laid.switches[host].dump("br-tun")
        assert not {name for name in ports_of(laid, host, "br-tun") if "c0a8960c" in name}
    assert_all_as_wanted(laid)
    options = {
        key: agents["three"]["configurations"][key]
        for key in (
            "tunnel_types",
            "tunneling_ip",
            "ovsdb_connection",
            "bridge_mappings",
        )
    }
    api("POST", "/v2.0/agents", {"agent": {"host": "three", "configurations": options}})
    settle(laid)
    assert "vxlan-c0a8960c" in ports_of(laid, "one", "br-tun")
    assert_all_as_wanted(laid)


def test_a_guest_that_moves_host(live_rig):
    laid = live_rig(small("l2pop-arp"))
    there = port(laid, B)
    unplug(laid, there)
    body = {"port": {"binding:host_id": "four"}}
    laid.controller.api("PUT", f"/v2.0/ports/{there.id}", body)
    plug(laid, replace(there, host="four"))
    assert_all_as_wanted(laid)
    (entry,) = [
        f
        for f in normalise(laid.switches["one"].dump("br-tun"))
        if f"priority=2,dl_vlan=1,dl_dst={there.mac_address} " in f
    ]
    assert entry.endswith('output:"vxlan-c0a8960d"')


def test_a_host_that_hangs_raises_an_alarm_and_does_not_delay_the_others(live_rig):
    laid = live_rig(small("mesh"))
    pid = int((laid.switches["two"].home / "ovs-vswitchd.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        laid.switches["one"].vsctl("del-port", "br-int", int_port_name(port(laid, "a2").id))

        def agents() -> dict[str, dict]:
            listed = laid.controller.api("GET", "/v2.0/agents")["agents"]
            return {agent["host"]: agent for agent in listed}

        laid.controller.wait_for(
            lambda: (
                all(agents()[h]["configurations"]["wired"] for h in ("one", "three", "four"))
                and now(laid).port_of[port(laid, "a2").id].status == "DOWN"
            ),
            "the others are held up",
        )
        laid.controller.wait_for(
            lambda: not agents()["two"]["alive"] and agents()["two"]["configurations"]["alarm"],
            "no alarm",
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    settle(laid)
    assert_all_as_wanted(laid)


def test_a_switch_that_lost_its_flows_gets_them_back(live_rig):
    laid = live_rig(small("l2pop-arp"))
    laid.switches["one"].ofctl("del-flows", "br-tun")
    assert laid.switches["one"].dump("br-tun").count("actions=") == 0
    laid.controller.wait_for(
        lambda: laid.switches["one"].dump("br-tun").count("actions=") > 0, "still empty"
    )
    settle(laid)
    assert_all_as_wanted(laid)
