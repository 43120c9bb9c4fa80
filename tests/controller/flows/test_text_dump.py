"""Flows as text: the spelling of each action and field, the order, and a dump made comparable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.flows.actions import (
    Goto,
    InPort,
    LearnReturnPath,
    Move,
    Normal,
    Output,
    PopVlan,
    PushVlan,
    SetField,
    tag,
)
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.pipeline import Flow, Int, Priority, Tun, match
from controller.flows.text import actions_text, dump, flow_text, normalise
from controller.model.modes import parse_mode, with_mode
from topologies.scenario.load import load

ARTICLE = with_mode(load("article").overlay, parse_mode("vxlan-l2pop-arp"))
FLOWS = bridge_flows(ARTICLE, new_binding(ARTICLE, "controller"), "br-tun")


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Goto(22), "goto_table:22"),
        (Output("vxlan-c0a8960b"), 'output:"vxlan-c0a8960b"'),
        (Normal(), "NORMAL"),
        (InPort(), "IN_PORT"),
        (PopVlan(), "pop_vlan"),
        (PushVlan(), "push_vlan:0x8100"),
        (SetField("tun_id", 111), "set_field:0x6f->tun_id"),
        (SetField("arp_op", 2), "set_field:2->arp_op"),
        (SetField("arp_sha", "fa:16:3e:00:00:01"), "set_field:fa:16:3e:00:00:01->arp_sha"),
        (Move("NXM_NX_ARP_SHA", "NXM_NX_ARP_THA", 48), "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]"),
        (
            LearnReturnPath(20, 300, 1),
            "learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],"
            "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],"
            "load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[])",
        ),
    ],
)
def test_an_action_is_spelt_as_ovs_ofctl_does(action, text):
    assert str(action) == text


def test_no_action_is_drop_and_a_tag_carries_its_present_bit():
    assert actions_text(()) == "drop"
    assert actions_text(tag(7)) == "push_vlan:0x8100,set_field:4103->vlan_vid"


def test_a_flow_in_table_0_does_not_name_it():
    first = Flow(
        "br-tun", Tun.LOCAL_SWITCHING, Priority.MATCH, match(in_port="patch-int"), (Goto(2),)
    )
    assert flow_text(first) == 'priority=1,in_port="patch-int" actions=goto_table:2'
    miss = Flow("br-int", Int.ARP_SPOOF_TABLE, Priority.MISS)
    assert flow_text(miss) == "table=24, priority=0 actions=drop"


def test_the_fields_of_a_match_are_in_ovs_ofctls_order():
    given_backwards = match(arp_spa="10.0.0.1", in_port="a", proto="arp")
    flow = Flow("br-int", Int.ARP_SPOOF_TABLE, Priority.STATED, given_backwards, (Goto(25),))
    assert (
        flow_text(flow)
        == 'table=24, priority=2,arp,in_port="a",arp_spa=10.0.0.1 actions=goto_table:25'
    )


def test_a_dump_is_by_table_then_priority_then_text():
    keys = [(flow.table, -flow.priority, flow_text(flow)) for flow in FLOWS]
    assert len(dump(FLOWS)) == 17
    assert dump(FLOWS) == [text for *_, text in sorted(keys)]


@given(st.permutations(FLOWS), st.integers(0, 2**64 - 1), st.integers(0, 10**9))
def test_a_switchs_own_dump_normalises_to_ours(shuffled, cookie, count):
    noise = f"cookie={cookie:#x}, duration={count}.5s, "
    counters = f"n_packets={count}, n_bytes={count}, idle_age=3, hard_age=4, "
    printed = ["NXST_FLOW reply (xid=0x4):"]
    for line in dump(shuffled):
        table, _, rest = line.rpartition(", priority")
        body = f"priority{rest}" if table else line
        printed.append(
            f" {noise}{table or 'table=0'}, {counters}{body}".replace(
                "priority=1,NXM", f"priority=1,cookie={cookie:#x},NXM"
            )
        )
    # ovs-ofctl names table 0 in a full dump only; both are read.
    assert [line.replace("table=0, ", "") for line in normalise("\n".join(printed))] == dump(FLOWS)
