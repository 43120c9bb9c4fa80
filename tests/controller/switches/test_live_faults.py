"""What must not happen while things go wrong: networks mixed, changes half made, strangers touched."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from controller.flows.ports import DEAD_VLAN_TAG, add_port_args, guest_port
from controller.flows.text import normalise
from controller.model.names import int_port_name
from tests.controller.switches.live_changes import (
    add_network,
    add_port,
    assert_all_as_wanted,
    now,
    now_port,
    plug,
    port,
    ports_of,
    settle,
    tag_of,
    unplug,
)
from tests.controller.switches.rig import Rig
from tests.oracle.frames import BROADCAST, Frame
from tests.oracle.oracle import expected
from tests.oracle.small import SERVER_A, small

pytestmark = pytest.mark.rootless


def broadcast_of(laid: Rig, name: str, mac: str = SERVER_A) -> Frame:
    return Frame("broadcast", port(laid, name).id, mac, BROADCAST)


def agent(laid: Rig, host: str) -> SimpleNamespace:
    found = laid.controller.api("GET", f"/v2.0/agents?host={host}")["agents"][0]
    return SimpleNamespace(id=found["id"], alive=found["alive"], **found["configurations"])


def test_a_device_that_returns_does_not_get_the_vlan_of_another_network(live_rig):
    laid = live_rig(small("mesh"))
    flapping, switch = port(laid, "d"), laid.switches["one"]
    name = int_port_name(flapping.id)
    switch.vsctl("set", "Interface", name, "type=patch")  # a patch port without peer: no device
    settle(laid, status={flapping.id: "DOWN"})
    green = add_network(laid, "green", "10.9.0.0/24")
    plug(laid, add_port(laid, green, "one"))
    switch.vsctl("set", "Interface", name, 'type=""')
    settle(laid, status={flapping.id: "ACTIVE"})
    assert_all_as_wanted(laid)


def test_a_port_plugged_without_a_controller_sends_and_receives_nothing(live_rig):
    laid = live_rig(small("mesh"))
    green = add_network(laid, "green", "10.9.0.0/24")
    guest = add_port(laid, green, "one")
    settle(laid)
    before = laid.deliver(broadcast_of(laid, "ServerA"))
    assert len(before.hears) > 1  # the positive control
    laid.controller.kill()
    laid.switches["one"].vsctl(*add_port_args(guest_port(guest), None))
    assert laid.deliver(broadcast_of(laid, "ServerA")) == before
    for tag in ("", "dl_vlan=1,dl_vlan_pcp=0,"):
        reported = laid.switches["one"].ctl.ask(
            "ofproto/trace",
            "--names",
            "br-int",
            f"in_port={int_port_name(guest.id)},{tag}dl_src={guest.mac_address},dl_dst={BROADCAST}",
        )
        assert "Datapath actions: drop" in reported
    laid.controller.start()
    settle(laid, status={guest.id: "ACTIVE"})
    assert tag_of(laid, guest) not in {DEAD_VLAN_TAG, tag_of(laid, port(laid, "ServerA"))}
    assert_all_as_wanted(laid)


def test_a_port_is_active_only_when_frames_can_pass(live_rig):
    laid = live_rig(small("l2pop"))
    there = port(laid, "ServerB")
    unplug(laid, there)
    laid.switches["two"].vsctl("del-controller", "br-tun")
    laid.controller.wait_for(lambda: not agent(laid, "two").alive, "no alarm")
    laid.switches["two"].vsctl(*add_port_args(guest_port(there), None))

    def is_protected() -> bool:
        return f'priority=9,in_port="{int_port_name(there.id)}"' in laid.switches["two"].dump(
            "br-int"
        )

    laid.controller.wait_for(is_protected, "br-int is not served while br-tun is away")
    assert now_port(laid, there.id).status == "DOWN"
    assert there.mac_address not in laid.switches["one"].dump("br-tun")
    laid.switches["two"].vsctl("set-controller", "br-tun", laid.controller.openflow)
    settle(laid, status={there.id: "ACTIVE"})
    assert_all_as_wanted(laid)


def test_a_vtep_that_changes_its_address_gets_tunnels_from_the_new_one(live_rig):
    laid = live_rig(small("mesh"))
    body = {"agent": {"configurations": {"tunneling_ip": "192.168.150.99"}}}
    laid.controller.api("PUT", f"/v2.0/agents/{agent(laid, 'two').id}", body)
    settle(laid)
    options = laid.switches["two"].vsctl("get", "Interface", "vxlan-c0a8960a", "options")
    assert 'local_ip="192.168.150.99"' in options
    assert "vxlan-c0a89663" in ports_of(laid, "one", "br-tun")
    assert "vxlan-c0a8960b" not in ports_of(laid, "one", "br-tun")
    assert_all_as_wanted(laid)


def test_a_new_database_address_is_kept_for_the_next_start(live_rig):
    laid = live_rig(small("mesh"))
    known = agent(laid, "two").ovsdb_connection
    elsewhere = known.replace("unix:", "unix:/.")  # another way to write the same path
    body = {"agent": {"configurations": {"ovsdb_connection": elsewhere}}}
    laid.controller.api("PUT", f"/v2.0/agents/{agent(laid, 'two').id}", body)
    kept = json.loads((laid.controller.home / "state.json").read_text())
    assert kept["ovsdb"]["two"] == elsewhere


def test_flows_that_a_user_added_stay(live_rig):
    laid = live_rig(small("mesh"))
    laid.switches["one"].vsctl(
        "add-br",
        "br-user",
        "--",
        "set",
        "Bridge",
        "br-user",
        "datapath_type=dummy",
        "--",
        "add-port",
        "br-user",
        "mine",
        "--",
        "set",
        "Interface",
        "mine",
        "type=patch",
        "options:peer=yours",
        "--",
        "add-port",
        "br-int",
        "yours",
        "--",
        "set",
        "Interface",
        "yours",
        "type=patch",
        "options:peer=mine",
    )
    unplug(laid, port(laid, "a2"))
    assert "mine" in ports_of(laid, "one", "br-user")
    assert "yours" in ports_of(laid, "one", "br-int")


def test_an_option_that_was_changed_by_hand_is_corrected(live_rig):
    laid = live_rig(small("mesh"))
    switch = laid.switches["one"]
    switch.vsctl("set", "Interface", "vxlan-c0a8960b", "options:local_ip=192.168.150.77")
    unplug(laid, port(laid, "a2"))
    options = switch.vsctl("get", "Interface", "vxlan-c0a8960b", "options")
    assert 'local_ip="192.168.150.10"' in options


def test_a_port_name_that_another_bridge_uses_raises_an_alarm(live_rig):
    laid = live_rig(small("l2pop"))
    laid.switches["two"].vsctl(
        "add-br",
        "br-user",
        "--",
        "set",
        "Bridge",
        "br-user",
        "datapath_type=dummy",
        "--",
        "add-port",
        "br-user",
        "vxlan-c0a8960d",
    )
    plug(laid, add_port(laid, port(laid, "ServerB").network_id, "four"), wait=False)
    laid.controller.wait_for(lambda: "vxlan-c0a8960d" in agent(laid, "two").alarm, "no alarm")
    assert not agent(laid, "two").wired
    laid.switches["two"].vsctl("del-br", "br-user")
    settle(laid)
    assert_all_as_wanted(laid)


@pytest.mark.parametrize("mode", ["vlan"])
def test_a_provider_network_that_replaces_another_never_shares_its_vlan(live_rig, mode):
    laid = live_rig(small(mode))
    gone = port(laid, "ServerB")  # blue's only port on two
    before = tag_of(laid, gone)
    green = add_network(
        laid,
        "green",
        "10.9.0.0/24",
        network_type="vlan",
        segmentation_id=300,
        physical_network="physnet1",
    )
    there = add_port(laid, green, "two")
    laid.switches["two"].vsctl(
        "del-port", "br-int", int_port_name(gone.id), *add_port_args(guest_port(there), None)
    )
    settle(laid, status={gone.id: "DOWN", there.id: "ACTIVE"})
    assert tag_of(laid, there) != before  # flows for blue were still there when it came
    assert_all_as_wanted(laid)


def test_a_bundle_with_a_message_the_switch_refuses_changes_nothing(live_rig):
    """Asked of a real switch: the app's own session, with one flow that breaks OpenFlow's rules."""
    laid = live_rig(small("mesh"))
    before = normalise(laid.switches["one"].dump("br-int"))
    log = laid.controller.log()
    assert "OpenFlow error" not in log
    laid.controller.kill()
    broken = laid.controller.home / "broken.py"
    broken.write_text(BROKEN)
    laid.controller.program = (*laid.controller.program[:1], str(broken))
    laid.switches["one"].ofctl("del-flows", "br-int")
    laid.controller.start()
    laid.controller.wait_for(lambda: "OpenFlow error" in laid.controller.log(), "it was taken")
    assert laid.switches["one"].dump("br-int").count("actions=") == 0
    assert before


BROKEN = """
import sys
from controller import __main__
from controller.switches import wire
from controller.flows.pipeline import match

def oxm(matched, ports, real=wire.oxm):
    fields = real(matched, ports)
    if "arp_spa" in fields:
        del fields["eth_type"]  # arp_spa without it: OFPBMC_BAD_PREREQ
    return fields

wire.oxm = oxm
import os
sys.exit(__main__.main([os.environ["OVERLAYLAB_CONTROLLER"]]))
"""


def test_frames_still_go_where_they_should_after_changes(live_rig):
    laid = live_rig(small("l2pop"))
    guest = port(laid, "ServerB")
    for change in (unplug, plug):
        change(laid, guest)
        see_anew(laid)
        for name in ("ServerA", "c"):
            frame = broadcast_of(laid, name, port(laid, name).mac_address)
            assert laid.deliver(frame) == expected(laid.overlay, frame)


def see_anew(laid: Rig) -> None:
    """Let the rig know the tunnels that there are now, and only the ports that are plugged."""
    present = now(laid)
    active = tuple(p for p in present.ports if p.status == "ACTIVE")
    laid.overlay = replace(present, ports=active)
    laid.underlay = laid._read_underlay()
