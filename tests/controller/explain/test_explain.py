"""Explanations by command, and sentences that need an overlay of their own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from controller.explain.flow import Explainer
from controller.explain.names import Names
from controller.explain.ofproto import Copy, Outer, copies
from controller.flows.actions import Output, SetField
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.pipeline import Flow, Int, Priority, Tun, match
from controller.flows.text import dump
from controller.model.encap import NetworkType
from controller.model.names import provider_interface
from experiments.cli.main import main, overlaylab
from topologies.scenario.load import load

FLOWS = ("flows", "article", "--host", "controller", "--bridge", "br-tun")
MIXED = str(Path(__file__).parents[2] / "topologies" / "trace" / "played" / "mixed.yaml")


def explainer(overlay, host, bridge):
    binding = new_binding(overlay, host)
    flows = bridge_flows(overlay, binding, bridge)
    return Explainer(Names(overlay, overlay.host(host), binding), flows)


def test_the_text_lists_every_flow_under_its_table(capsys):
    assert main([*FLOWS, "--explain"]) == 0
    out = capsys.readouterr().out
    explained = explainer(load("article").overlay, "controller", "br-tun")
    lines = out.splitlines()
    assert [line.strip() for line in lines if " actions=" in line] == dump(explained.flows)
    assert "table 22, FLOOD_TO_TUN: head-end replication of BUM frames" in lines
    flat = " ".join(out.split())
    assert not [flow for flow in explained.flows if explained.explain(flow) not in flat]


def test_json_has_an_explanation_only_when_asked(capsys):
    assert main([*FLOWS, "--explain", "--format", "json"]) == 0
    requested = json.loads(capsys.readouterr().out)["flows"]
    assert main([*FLOWS, "--format", "json"]) == 0
    plain = json.loads(capsys.readouterr().out)["flows"]
    assert all(flow.pop("explanation")[-1] in ".?" for flow in requested)
    assert requested == plain


def test_without_explain_the_dump_is_unchanged(capsys):
    assert main(list(FLOWS)) == 0
    explained = explainer(load("article").overlay, "controller", "br-tun")
    assert capsys.readouterr().out.splitlines() == dump(explained.flows)


def test_the_same_address_in_two_networks_is_the_right_guests():
    overlay = load(MIXED).overlay
    hosts = tuple(replace(h, l2_population=True, arp_responder=True) for h in overlay.hosts)
    explained = explainer(replace(overlay, hosts=hosts), "node1", "br-tun")
    printed = [
        explained.explain(flow)
        for flow in explained.flows
        if dict(flow.match).get("arp_tpa") == "10.0.0.12"
    ]
    assert len(printed) == 1
    assert "10.0.0.12 (red2)" in printed[0]
    below = explainer(overlay, "node1", "br-int")
    senders = [below.explain(flow) for flow in below.flows if "arp_spa" in dict(flow.match)]
    assert [("10.0.0.11 (red1)" in one, "10.0.0.11 (blue1)" in one) for one in senders] in (
        [(True, False), (False, True)],
        [(False, True), (True, False)],
    )


def test_the_same_number_is_the_network_of_its_type():
    """A GRE and a VXLAN network may both be 111: the table tells which."""
    overlay = load("article").overlay
    gre = replace(overlay.networks[0], id="g", name="gre_net", network_type=NetworkType.GRE)
    explained = explainer(
        replace(overlay, networks=(gre, *overlay.networks)), "controller", "br-tun"
    )
    flow = next(f for f in explained.flows if f.table == Tun.VXLAN_TUN_TO_LV and f.match)
    assert "VNI 111 (0x6f, vxlan_net)" in explained.explain(flow)


def test_a_guest_with_two_ports_is_named_with_the_network():
    overlay = load(MIXED).overlay
    ports = tuple(
        replace(p, device_id="both") if p.device_id in {"red1", "blue1"} else p
        for p in overlay.ports
    )
    explained = explainer(replace(overlay, ports=ports), "node1", "br-int")
    printed = " ".join(map(explained.explain, explained.flows))
    assert "from both (in red)'s port" in printed
    assert "from both (in blue)'s port" in printed


def test_only_tables_without_a_jump_to_them_are_explained_as_unreached():
    explained = explainer(load("article").overlay, "controller", "br-tun")
    printed = {
        (int(f.table), f.priority): explained.explain(f) for f in explained.flows if not f.match
    }
    idle = [
        table
        for (table, _), text in printed.items()
        if text.endswith("No flow leads to this table.")
    ]
    assert idle == [6], "no tunnel is Geneve's; a GRE tunnel leads to table 3"


def test_a_jump_to_a_table_that_drops_all_frames_is_explained_with_the_reason():
    explained = explainer(load("article").overlay, "controller", "br-tun")
    printed = " ".join(map(explained.explain, explained.flows))
    reason = "all frames are dropped there, because no GRE network has a guest on this host."
    assert f"table 3, GRE_TUN_TO_LV: GRE key to local VLAN; {reason}" in printed
    assert printed.count("all frames are dropped there") == 1, "the VXLAN network has one"


def test_the_interface_to_a_provider_network_is_named_after_it():
    overlay = load("type-drivers").overlay
    name = provider_interface("physnet1")
    assert explainer(overlay, "node1", "br-ex").names.port("br-ex", name) == "the wire to physnet1"


def test_unknown_fields_and_actions_are_explained_literally():
    explained = explainer(load("article").overlay, "controller", "br-int")
    odd = Flow(
        "br-int",
        Int.LOCAL_SWITCHING,
        Priority.GUEST,
        match(in_port="strange"),
        (SetField("nw_ttl", 3), Output("other")),
    )
    assert explained.explain(odd) == (
        'Frames from port "strange" have their nw_ttl set to 3 and are output to port "other".'
    )


@pytest.mark.parametrize("command", ["trace"])
def test_a_command_is_not_hidden_by_an_experiment_of_its_name(command, capsys):
    """`overlaylab trace` follows a frame; the experiment is `overlaylab walk`."""
    assert command in overlaylab.commands
    assert main([command, "--help"]) == 0
    assert "SRC" in capsys.readouterr().out


VXLAN = (
    "tnl_push(tnl_port(vxlan_sys_4789),header(size=50,type=4,eth(dst=02:00:00:00:00:02,"
    "src=02:00:00:00:00:01,dl_type=0x0800),ipv4(src=192.0.2.1,dst=192.0.2.2,proto=17,tos=0,ttl=64,"
    "frag=0x4000),udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x64)),out_port(br-vtep))"
)
OUTER = Outer(
    NetworkType.VXLAN, "192.0.2.1", "192.0.2.2", 100, "02:00:00:00:00:01", "02:00:00:00:00:02"
)


@pytest.mark.parametrize(
    ("datapath", "sent"),
    [
        ("drop", ()),
        ("a,push_vlan(vid=7,pcp=0),b,pop_vlan,c", (Copy("a"), Copy("b", 7), Copy("c"))),
        (
            f"clone({VXLAN},wire),{VXLAN},wire,a",
            (Copy("wire", None, OUTER),) * 2 + (Copy("a", None, OUTER),),
        ),
        ("clone(push_vlan(vid=5,pcp=0),a),b", (Copy("a", 5), Copy("b"))),
        # The kernel's datapath writes the tunnel's header itself.
        (
            "set(tunnel(tun_id=0x64,src=192.0.2.1,dst=192.0.2.2,ttl=64,tp_dst=4789,flags(df|key))),vxlan_sys_4789",
            (
                Copy(
                    "vxlan_sys_4789", None, Outer(NetworkType.VXLAN, "192.0.2.1", "192.0.2.2", 100)
                ),
            ),
        ),
        (
            "set(tunnel(tun_id=0xde,dst=192.0.2.2,ttl=64,flags(df|key))),gre_sys",
            (Copy("gre_sys", None, Outer(NetworkType.GRE, "", "192.0.2.2", 222)),),
        ),
    ],
)
def test_copies_that_leave_a_datapath(datapath, sent):
    assert copies(datapath) == sent
