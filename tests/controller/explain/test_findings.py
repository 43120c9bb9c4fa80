"""What looks wrong: one flow of a good dump is broken, and the finding is there."""

import re
from pathlib import Path

import pytest

from controller.explain.explanation import explanation
from controller.explain.findings import findings
from experiments.cli.explain_dump import lines

GOOD = """ovs-ofctl dump-flows br-tun
 cookie=0x9, duration=900.1s, table=0, n_packets=9, n_bytes=900, priority=1,in_port="patch-int" actions=resubmit(,2)
 cookie=0x9, duration=900.1s, table=0, n_packets=9, n_bytes=900, priority=1,in_port="vxlan-c0a8960b" actions=resubmit(,4)
 cookie=0x9, duration=900.1s, table=0, n_packets=9, n_bytes=900, priority=1,in_port="vxlan-c0a8960c" actions=resubmit(,4)
 cookie=0x9, duration=900.1s, table=0, n_packets=1, n_bytes=0, priority=0 actions=drop
 cookie=0x9, duration=900.1s, table=2, n_packets=9, n_bytes=900, priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)
 cookie=0x9, duration=900.1s, table=2, n_packets=9, n_bytes=900, priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,22)
 cookie=0x9, duration=900.1s, table=3, n_packets=1, n_bytes=0, priority=0 actions=drop
 cookie=0x9, duration=900.1s, table=4, n_packets=9, n_bytes=900, priority=1,tun_id=0x6f actions=mod_vlan_vid:1,resubmit(,10)
 cookie=0x9, duration=900.1s, table=4, n_packets=1, n_bytes=0, priority=0 actions=drop
 cookie=0x9, duration=900.1s, table=6, n_packets=1, n_bytes=0, priority=0 actions=drop
 cookie=0x9, duration=900.1s, table=10, n_packets=9, n_bytes=900, priority=1 actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x9,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[]),output:"patch-int"
 cookie=0x9, duration=900.1s, table=20, n_packets=9, n_bytes=900, priority=2,dl_vlan=1,dl_dst=fa:16:3e:00:00:01 actions=strip_vlan,load:0x6f->NXM_NX_TUN_ID[],output:"vxlan-c0a8960b"
 cookie=0x9, duration=90.5s, table=20, n_packets=9, n_bytes=900, hard_timeout=300, idle_age=1, hard_age=1, priority=1,vlan_tci=0x0001/0x0fff,dl_dst=fa:16:3e:00:00:02 actions=load:0->NXM_OF_VLAN_TCI[],load:0x6f->NXM_NX_TUN_ID[],output:"vxlan-c0a8960c"
 cookie=0x9, duration=900.1s, table=20, n_packets=1, n_bytes=0, priority=0 actions=resubmit(,22)
 cookie=0x9, duration=900.1s, table=22, n_packets=9, n_bytes=900, priority=1,dl_vlan=1 actions=strip_vlan,load:0x6f->NXM_NX_TUN_ID[],output:"vxlan-c0a8960b",output:"vxlan-c0a8960c"
 cookie=0x9, duration=900.1s, table=22, n_packets=1, n_bytes=0, priority=0 actions=drop
"""
LINES = GOOD.splitlines()
FLOOD = next(line for line in LINES if "dl_vlan=1 actions" in line)
INBOUND = next(line for line in LINES if "tun_id=0x6f" in line)
STATED = next(line for line in LINES if "priority=2" in line)
LEARNED = next(line for line in LINES if "hard_age" in line)
NONE = ""


def faults(text):
    (bridge,) = explanation(text).bridges
    return {finding.kind: finding for finding in findings(bridge) if finding.is_fault}


def notes(text):
    (bridge,) = explanation(text).bridges
    return {finding.kind: finding.text for finding in findings(bridge) if not finding.is_fault}


def test_nothing_is_wrong_in_the_good_dump():
    assert faults(GOOD) == {}


def test_the_good_dump_without_statistics_is_good_too():
    bare = re.sub(r"(cookie|duration|n_packets|n_bytes|idle_age|hard_age)=\S+, ", "", GOOD)
    assert "n_packets" not in bare
    assert faults(bare) == {}
    assert "counters-zero" not in notes(bare)


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        (FLOOD, NONE, "no-flood", "Local VLAN 1 (VNI 111) has no flood entry"),
        (INBOUND, NONE, "no-local-vlan", "VNI 111, the id of local VLAN 1, has no flow"),
        (
            ',output:"vxlan-c0a8960b",output:"vxlan-c0a8960c"',
            "",
            "flood-without-outputs",
            "The flood entry of local VLAN 1 has no outputs",
        ),
        (
            'in_port="vxlan-c0a8960c" actions=resubmit(,4)',
            'in_port="gre-c0a8960d" actions=resubmit(,3)',
            "idle-tunnel",
            "The GRE tunnel to 192.168.150.13 (port gre-c0a8960d) carries nothing",
        ),
        (
            "dl_dst=fa:16:3e:00:00:02",
            "dl_dst=fa:16:3e:00:00:01",
            "mac-on-two-vteps",
            "MAC fa:16:3e:00:00:01 in local VLAN 1 is behind 2 VTEPs: the VXLAN tunnel to "
            "192.168.150.11 and the VXLAN tunnel to 192.168.150.12.",
        ),
        (
            "priority=1 actions=learn(table=20",
            "priority=1 actions=resubmit(,42),learn(table=20",
            "empty-table",
            "1 flow leads to table 42, which has no flows in the text",
        ),
        (
            "mod_vlan_vid:1,resubmit(,10)",
            "mod_vlan_vid:1,resubmit(,9)",
            "empty-table",
            "1 flow leads to table 9 (DVR_NOT_LEARN)",
        ),
        (FLOOD, f"{FLOOD}\n{FLOOD}", "duplicate", "Table 22 has 2 flows with the same match"),
        (
            FLOOD,
            FLOOD + "\n" + FLOOD.replace("priority=1,", "priority=7,").replace("strip_vlan,", ""),
            "shadowed",
            "In table 22 the flow of priority 1 with match dl_vlan=1 is never used",
        ),
        (
            INBOUND,
            INBOUND.replace("n_packets=9", "n_packets=0"),
            "nothing-in",
            "No packet has come in by a tunnel for local VLAN 1 (VNI 111).",
        ),
        (
            FLOOD,
            FLOOD.replace("n_packets=9", "n_packets=0"),
            "nothing-out",
            "No broadcast of local VLAN 1 has been flooded.",
        ),
        (
            FLOOD,
            FLOOD.replace("0x6f", "0x70"),
            "two-ids",
            "Local VLAN 1 has several tunnel ids: 111 and 112.",
        ),
        (
            INBOUND,
            INBOUND + "\n" + INBOUND.replace("mod_vlan_vid:1", "mod_vlan_vid:2").replace("priority=1", "priority=3"),
            "two-vlans",
            "Tunnel id 111 has several local VLANs: 1 and 2.",
        ),
        (
            'output:"vxlan-c0a8960b",output:"vxlan-c0a8960c"',
            'output:"vxlan-c0a8960b",output:"vxlan-c0a8960c",output:"vxlan-c0a8960e"',
            "stale-port",
            "Local VLAN 1 is flooded to port vxlan-c0a8960e, but no flow takes frames",
        ),
        (
            STATED,
            STATED.replace("dl_vlan=1", "dl_vlan=5"),
            "left-over",
            "Local VLAN 5 has MACs behind VTEPs, but no flood entry and no tunnel id",
        ),
    ],
)  # fmt: skip
def test_a_broken_flow_is_found(old, new, kind, text):
    assert GOOD.count(old) == 1
    found = faults(GOOD.replace(old, new))
    assert kind in found, sorted(found)
    assert text in found[kind].text


def test_two_dumps_of_one_bridge_are_one_finding():
    assert faults(GOOD + GOOD)["duplicate"].text.startswith("16 flows are there more than once")


def test_counters_that_are_all_zero():
    found = faults(re.sub(r"n_packets=\d+", "n_packets=0", GOOD))
    assert found["all-counters-zero"].text == (
        "All counters are zero: no frame has come to this bridge yet."
    )


def test_a_finding_names_the_lines():
    (number,) = faults(GOOD.replace(',output:"vxlan-c0a8960b",output:"vxlan-c0a8960c"', ""))[
        "flood-without-outputs"
    ].lines
    assert "dl_vlan=1 actions" in LINES[number - 1]


def test_learned_flows_and_those_about_to_end():
    assert notes(GOOD)["learned"].startswith("1 flow was learned from tunnels")
    assert "ends-soon" not in notes(GOOD)
    ending = notes(GOOD.replace("hard_age=1,", "hard_age=290,"))
    assert "vlan=1,dl_dst=fa:16:3e:00:00:02 in table 20 ends in 10 s." in ending["ends-soon"]
    idle = notes(GOOD.replace("hard_timeout=300, idle_age=1", "idle_timeout=60, idle_age=55"))
    assert "in table 20 ends in 5 s." in idle["ends-soon"]


def test_a_learned_flow_below_a_stated_one_is_named():
    both = GOOD.replace("dl_dst=fa:16:3e:00:00:02", "dl_dst=fa:16:3e:00:00:01").replace(
        'output:"vxlan-c0a8960c"\n cookie=0x9, duration=900.1s, table=20',
        'output:"vxlan-c0a8960b"\n cookie=0x9, duration=900.1s, table=20',
    )
    assert "mac-on-two-vteps" not in faults(both)
    assert "never used" in notes(both)["learned-and-stated"]


def test_nothing_is_said_about_missing_flows_when_only_some_were_asked_for():
    only = "# ovs-ofctl dump-flows br-tun table=4\n" + INBOUND
    assert faults(only) == {}
    assert explanation(only).bridges[0].is_part


def test_counters_say_what_was_dropped():
    text = GOOD.replace("table=4, n_packets=1,", "table=4, n_packets=5,")
    dropped = [f.text for f in findings(explanation(text).bridges[0]) if f.kind == "dropped"]
    assert (
        "5 packets that no other flow matches were dropped in table 4 (VXLAN_TUN_TO_LV)." in dropped
    ), "the VNI of another network"


def test_the_same_flows_by_number_and_by_name_give_the_same_networks():
    """The dump by ofport, with `ovs-ofctl show`, and the dump by name."""
    folder = Path(__file__).parent / "dumps"
    numbers = (folder / "article.br-tun.flows").read_text() + (
        folder / "article.br-tun.show"
    ).read_text()
    names = numbers
    for number, name in ((1, "patch-int"), (2, "gre-c0a8960b"), (3, "vxlan-c0a8960b")):
        names = re.sub(rf"(in_port=|output:){number}\b", rf'\1"{name}"', names)
    names = names.partition("OFPT_FEATURES_REPLY")[0]
    one, other = (explanation(text).bridges[0] for text in (numbers, names))
    assert one.floods[0].ports == other.floods[0].ports == ("vxlan-c0a8960b",)
    assert one.tunnels == other.tunnels
    assert [f.text for f in findings(one)] == [f.text for f in findings(other)]


BR_INT = """ovs-ofctl dump-flows br-int
 cookie=0x1, n_packets=90, priority=10,arp,in_port=7 actions=resubmit(,24)
 cookie=0x1, n_packets=3, priority=9,in_port=7 actions=resubmit(,25)
 cookie=0x1, n_packets=4, priority=3,in_port=1,dl_vlan=101 actions=mod_vlan_vid:3,NORMAL
 cookie=0x1, n_packets=3, priority=0 actions=resubmit(,60)
 cookie=0x1, table=24, n_packets=1, priority=2,arp,in_port=7,arp_spa=10.0.0.5 actions=resubmit(,25)
 cookie=0x1, table=24, n_packets=90, priority=0 actions=drop
 cookie=0x1, table=25, n_packets=3, priority=2,in_port=7,dl_src=fa:16:3e:aa:bb:cc actions=resubmit(,60)
 cookie=0x1, table=60, n_packets=3, priority=3 actions=NORMAL
"""


def text_of(text):
    return " ".join("\n".join(lines(explanation(text))).split())


def test_frames_from_br_tun_need_a_flow_in_table_0_of_br_int():
    assert faults(BR_INT) == {}
    without = BR_INT.replace(" cookie=0x1, n_packets=3, priority=0 actions=resubmit(,60)\n", "")
    assert "from br-tun for a guest is dropped" in faults(without)["no-way-in"].text
    assert "no-way-in" not in faults(without.replace("in_port=1,", 'in_port="patch-tun",'))


def test_dropped_arp_of_guests_is_explained():
    assert "allowed_address_pairs" in notes(BR_INT)["dropped"]
    assert "allowed_address_pairs" not in notes(BR_INT.replace("table=24", "table=27"))["dropped"]


def test_a_port_without_a_name_is_a_port():
    text = text_of(BR_INT)
    assert "- port 7: may send as MAC fa:16:3e:aa:bb:cc" in text
    assert "with VLAN 101 of the provider network have their tag changed" in text


def test_packets_do_not_delay_a_hard_timeout():
    assert "in 299 s unless it is learned again." in text_of(GOOD)
    both = GOOD.replace("hard_timeout=300,", "hard_timeout=300, idle_timeout=200,")
    assert "in 199 s unless it is used and learned again." in text_of(both)
    idle = GOOD.replace("hard_timeout=300, idle_age", "idle_timeout=200, idle_age")
    assert "in 199 s unless it is used." in text_of(idle)


def test_two_ids_of_a_local_vlan_are_two():
    text = text_of(
        GOOD.replace(
            'load:0x6f->NXM_NX_TUN_ID[],output:"vxlan-c0a8960b",',
            'load:0x70->NXM_NX_TUN_ID[],output:"vxlan-c0a8960b",',
        )
    )
    assert "VNI 111 (0x6f) and VNI 112 (0x70) are local VLAN 1" in text


def test_learned_flows_below_stated_ones_are_one_note():
    more = [
        STATED.replace("00:00:01", f"00:01:{n:02x}")
        + "\n"
        + LEARNED.replace("00:00:02", f"00:01:{n:02x}")
        for n in range(8)
    ]
    text = notes(GOOD + "\n".join(more))["learned-and-stated"]
    assert text.startswith("8 learned flows are never used")
    assert text.endswith("and 2 more.")


@pytest.mark.parametrize("prompt", ["[root@cmp-07 ~]# ", "stack@cmp-08:~$", "root@cmp-08:/etc#"])
def test_a_prompt_without_a_command_is_not_an_unknown_line(prompt):
    assert explanation(GOOD + prompt).unread == ()


def test_a_line_cut_at_the_blank_before_the_actions():
    line = LINES[-1]
    cut = line.replace(" actions=", " \nactions=")
    assert explanation(GOOD.replace(line, cut)).unread == ()
    assert faults(GOOD.replace(line, cut)) == {}


def test_a_selection_of_flows_says_nothing_of_what_it_lacks():
    flood = "ovs-ofctl --names dump-flows br-tun table=22\n" + "\n".join(LINES[-2:])
    assert "broadcasts go to 2 VTEPs" in text_of(flood)
    assert "No stated MACs" not in text_of(flood)
    inbound = "ovs-ofctl dump-flows br-tun | grep tun\n" + "\n".join((*LINES[2:4], INBOUND))
    assert "port vxlan-c0a8960b" in text_of(inbound)
    assert "carries nothing" not in text_of(inbound)
    switch = (
        "ovs-ofctl dump-flows br-int table=60\n cookie=0x1, table=60, priority=3 actions=NORMAL\n"
    )
    assert "there is no table 62" not in text_of(switch)
    assert "there is no table 62" in text_of(BR_INT)
