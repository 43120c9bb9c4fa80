"""Traces from the recorded output of real switches (OVS 3.1): every mode, delivered and lost."""

import json
from dataclasses import replace

import pytest

from controller.explain.ofproto import parse_trace
from controller.model.encap import NetworkType
from controller.model.errors import SwitchError, UsageError
from controller.model.parts import Mechanism
from controller.switches.reading import BridgeRow, PortRow
from experiments.cli.trace_text import as_json, as_text
from tests.topologies.trace.played_lab import FOLDER, played, traced
from topologies.trace.side import Side
from topologies.trace.trace import trace_frame
from topologies.trace.way import way_to_vtep

A, B = "ServerA", "ServerB"
MAC_A, MAC_B = "fa:16:3e:7a:f5:1d", "fa:16:3e:29:99:6a"
EVERYONE = "ff:ff:ff:ff:ff:ff"
CHECKED = [
    ("controller", "br-int", 0),
    ("controller", "br-int", 24),
    ("controller", "br-int", 25),
    ("controller", "br-int", 60),
]
ENTERED = [("computer", "br-int", 0), ("computer", "br-int", 60)]


def passed(course) -> list[tuple[str, str, int]]:
    """Host, bridge, table of every step."""
    stages = (*course.near, *course.far)
    return [(stage.host, stage.bridge, step.table) for stage in stages for step in stage.steps]


def headers(course) -> list[tuple[str, int, str]]:
    return [(layer.name, layer.size, layer.says) for layer in course.wire.layers]


def step(course, host, bridge, table):
    (found,) = (
        step
        for stage in (*course.near, *course.far)
        for step in stage.steps
        if (stage.host, stage.bridge, step.table) == (host, bridge, table)
    )
    return found


def test_an_arp_request_is_flooded_and_the_far_guest_answers():
    course = traced("own.arp.cold", A, B, "arp")
    assert passed(course) == [
        *CHECKED,
        ("controller", "br-tun", 0),
        ("controller", "br-tun", 2),
        ("controller", "br-tun", 22),
        ("controller", "br-vtep", 0),
        ("computer", "br-tun", 0),
        ("computer", "br-tun", 4),
        ("computer", "br-tun", 10),
        *ENTERED,
    ]
    assert headers(course) == [
        ("Ethernet", 14, "02:01:6a:65:e4:6c > 02:01:73:60:48:4d"),
        ("IPv4", 20, "192.168.150.10 > 192.168.150.11"),
        ("UDP", 8, "to port 4789"),
        ("VXLAN", 8, "VNI 111 (0x6f)"),
        ("Ethernet", 14, f"{MAC_A} > {EVERYONE}"),
        ("ARP", 28, "who has 172.16.166.125? tell 172.16.166.117"),
    ]
    assert course.wire.size == 92
    assert course.delivered
    assert f"ServerB itself answers that {MAC_B} has the address" in course.end
    assert (course.others, course.lacking) == ((), ())


def test_every_step_has_its_table_its_flow_and_a_sentence():
    course = traced("own.arp.cold", A, B, "arp")
    found = step(course, "controller", "br-tun", 22)
    assert found.name == "FLOOD_TO_TUN"
    assert found.flow == (
        "table=22, priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x6f->tun_id,"
        'output:"vxlan-c0a8960b"'
    )
    assert found.why == (
        "Frames in local VLAN 1 (vxlan_net) have their VLAN tag removed, get VNI 111 (0x6f, "
        "vxlan_net) and are output to the VXLAN tunnel to computer (192.168.150.11)."
    )
    switching = step(course, "controller", "br-int", 60)
    assert switching.why.endswith("The frame is for everyone, so it is flooded.")
    assert "adds no flow" in step(course, "computer", "br-tun", 10).why


def test_unknown_unicast_is_flooded_and_known_unicast_uses_the_learned_flow():
    cold, warm = (traced(f"own.ping.{state}", A, B, "ping") for state in ("cold", "warm"))
    assert [
        table for host, bridge, table in passed(cold) if (host, bridge) == ("controller", "br-tun")
    ] == [0, 2, 20, 22]
    assert [
        table for host, bridge, table in passed(warm) if (host, bridge) == ("controller", "br-tun")
    ] == [0, 2, 20]
    missed, hit = (step(course, "controller", "br-tun", 20) for course in (cold, warm))
    assert not missed.learned
    assert "go on to table 22" in missed.why
    assert hit.learned
    assert hit.flow.startswith("table=20, hard_timeout=300, priority=1,vlan_tci=0x0001/0x0fff,")
    assert f"a frame from ServerB's MAC {MAC_B} came in by the VXLAN tunnel to computer" in hit.why
    assert "are output to that tunnel only" in hit.why
    assert f"not learned where {MAC_B} is" in step(cold, "controller", "br-int", 60).why
    assert f"It has learned the port of {MAC_B}." in step(warm, "controller", "br-int", 60).why
    for course in (cold, warm):
        assert headers(course)[4:] == [
            ("Ethernet", 14, f"{MAC_A} > {MAC_B}"),
            ("IPv4", 20, "172.16.166.117 > 172.16.166.125"),
            ("ICMP", 8, "echo request"),
            ("data", 56, "as ping sends it"),
        ]
        assert course.delivered
        assert course.end.endswith("ServerB answers the echo.")


def test_notes_of_the_outer_bridge_name_the_outer_mac():
    course = traced("gre-mesh.broadcast.cold", A, B, "broadcast")
    bridge = step(course, "controller", "br-vtep", 0)
    assert bridge.name == ""
    assert "02:01:73:60:48:4d" in bridge.why
    assert "for everyone" not in bridge.why


def test_gre_has_a_key_and_no_udp():
    course = traced("gre-mesh.broadcast.cold", A, B, "broadcast")
    assert headers(course)[1:4] == [
        ("IPv4", 20, "192.168.150.10 > 192.168.150.11"),
        ("GRE", 8, "key 111 (0x6f), carries Ethernet"),
        ("Ethernet", 14, f"{MAC_A} > {EVERYONE}"),
    ]
    assert headers(course)[4] == ("IPv4", 20, "172.16.166.117 > 172.16.166.255")
    assert ("computer", "br-tun", 3) in passed(course)
    assert course.delivered


def test_the_responder_answers_and_nothing_leaves_the_host():
    course = traced("vxlan-l2pop-arp.arp", A, B, "arp")
    assert passed(course) == [
        *CHECKED,
        ("controller", "br-tun", 0),
        ("controller", "br-tun", 2),
        ("controller", "br-tun", 21),
        ("controller", "br-int", 0),
        ("controller", "br-int", 60),
    ]
    assert course.wire is None
    assert course.far == ()
    assert course.delivered
    assert course.end == (
        f'br-tun of controller answers in place of ServerB: "172.16.166.125 is at {MAC_B}". '
        "Nothing leaves the host."
    )
    # On its way back the frame is for the one who asked.
    assert f"It has learned the port of {MAC_A}." in course.near[-1].steps[-1].why


def test_vlan_is_one_tag_and_the_same_inner_frame():
    course = traced("vlan.arp", A, B, "arp")
    assert headers(course) == [
        ("Ethernet", 14, f"{MAC_A} > {EVERYONE}"),
        ("802.1Q", 4, "VLAN 111"),
        ("ARP", 28, "who has 172.16.166.125? tell 172.16.166.117"),
    ]
    assert passed(course) == [
        *CHECKED,
        ("controller", "br-vtep", 0),
        ("computer", "br-vtep", 0),
        *ENTERED,
    ]
    assert course.delivered


def test_flat_is_the_guests_frame_and_nothing_else():
    course = traced("flat.ping", B, A, "ping")
    assert [name for name, _, _ in headers(course)] == ["Ethernet", "IPv4", "ICMP", "data"]
    assert course.delivered


def test_of_several_copies_one_is_followed_and_the_others_are_named():
    course = traced("side.mesh.broadcast", "red1", "red3", "broadcast")
    assert course.wire.target == "host3"
    assert headers(course)[1] == ("IPv4", 20, "192.0.2.11 > 192.0.2.13")
    assert course.others == (
        "by VXLAN to host2 (192.0.2.12), where there is red2",
        "by VXLAN to host4 (192.0.2.14), where there is no guest of red: an unneeded copy",
    )
    assert [stage.bridge for stage in course.near] == ["br-int", "br-tun", "br-vtep"]
    assert course.delivered


def test_a_frame_between_two_networks_is_shown_up_to_its_drop():
    course = traced("side.mesh.strangers", "red1", "blue2", "ping")
    assert "two networks, and no router between them" in course.facts[0]
    assert not course.delivered
    assert (
        course.end
        == "Lost on host2, in br-int: no copy goes to blue2, which is on another network, blue."
    )
    assert course.lacking == ()


def test_geneve_over_ipv6():
    course = traced("three.ping6", "red1", "red2", "ping")
    assert headers(course) == [
        ("Ethernet", 14, "02:01:e9:a6:be:c7 > 02:01:7b:16:03:47"),
        ("IPv6", 40, "2001:db8::1 > 2001:db8::2"),
        ("UDP", 8, "to port 6081"),
        ("Geneve", 8, "VNI 100 (0x64)"),
        ("Ethernet", 14, "fa:16:3e:36:27:44 > fa:16:3e:da:6e:42"),
        ("IPv6", 40, "2001:db8:1::11 > 2001:db8:1::12"),
        ("ICMPv6", 8, "echo request"),
        ("data", 56, "as ping sends it"),
    ]
    assert ("node2", "br-tun", 6) in passed(course)
    assert course.delivered


def test_flat_is_untagged_on_the_wire_though_tagged_before():
    """The cold frame is flooded with the local VLAN's tag first, which is taken off again."""
    course = traced("flat.arp", A, B, "arp")
    assert [name for name, _, _ in headers(course)] == ["Ethernet", "ARP"]
    assert course.delivered


def test_nested_bridges_are_separate_sections():
    """Cold, with a provider bridge beside br-tun: the outer packet is flooded into br-int, too."""
    course = traced("mixed.red.arp", "red1", "red2", "arp")
    assert passed(course) == [
        *(("node1", "br-int", table) for table in (0, 24, 25, 60)),
        *(("node1", "br-tun", table) for table in (0, 2, 22)),
        ("node1", "br-vtep", 0),
        *(("node2", "br-tun", table) for table in (0, 4, 10)),
        ("node2", "br-int", 0),
        ("node2", "br-int", 60),
    ]
    assert headers(course)[1] == ("IPv4", 20, "192.0.2.1 > 192.0.2.2")
    assert "not learned where 02:01:3e:74:07:c6 is" in course.near[-1].steps[-1].why
    other = traced("mixed.blue.arp", "blue1", "blue2", "arp")
    assert headers(other)[1] == ("802.1Q", 4, "VLAN 200")
    assert [stage.bridge for stage in (*other.near, *other.far)] == [
        "br-int",
        "br-vtep",
        "br-vtep",
        "br-int",
    ]
    assert "10.0.0.11 (blue1)" in step(other, "node1", "br-int", 24).why
    assert "10.0.0.11 (red1)" in step(course, "node1", "br-int", 24).why


def test_a_section_knows_the_sections_above_it():
    text = (
        (FOLDER / "mixed.red.arp.txt")
        .read_text()
        .partition("$ node1: ovs-appctl")[2]
        .partition("$ ")[0]
    )
    trace = parse_trace(text)
    assert [[each.bridge for each in section.way()] for section in trace.sections] == [
        ["br-int"],
        ["br-int", "br-vtep"],
        ["br-int", "br-tun"],
        ["br-int", "br-tun", "br-vtep"],
        ["br-int", "br-tun", "br-vtep", "br-int"],
        ["br-int", "br-tun", "br-vtep"],
        ["br-int", "br-tun", "br-vtep", "br-int"],
    ]
    assert [len(section.hits) for section in trace.sections] == [4, 1, 3, 1, 1, 1, 1]
    ends = [way_to_vtep(trace, f"192.0.2.{number}")[-1] for number in (2, 3)]
    assert ends == [trace.sections[3], trace.sections[5]]


def test_a_guest_of_the_same_host_is_reached_without_a_wire():
    course = traced("three.neighbour.arp", "red1", "red3", "arp")
    assert (course.wire, course.far) == (None, ())
    assert [stage.bridge for stage in course.near] == ["br-int"]
    assert course.others == ("by Geneve to node2 (2001:db8::2), where there is red2, red2b",)
    assert course.delivered


def test_a_dropped_frame_lists_the_missing_flow():
    course = traced("own.arp.unknown-vni", A, B, "arp")
    assert not course.delivered
    assert course.end == (
        "Dropped on computer, in br-tun table 4. All other frames, whose VXLAN VNI is matched by "
        "no flow above, are dropped."
    )
    assert course.lacking == (
        "computer, br-tun: table=4, priority=1,tun_id=0x6f "
        "actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10",
    )


def test_a_tunnel_without_a_neighbour_loses_the_frame_before_the_wire():
    course = traced("own.arp.no-neighbour", A, B, "arp")
    assert not course.delivered
    assert course.wire is None
    assert course.end == (
        "Lost on controller, in br-tun: neighbor cache miss for 192.168.150.11 on bridge br-vtep, "
        "sending ARP request"
    )


def test_a_port_whose_link_is_down_does_not_deliver():
    course = traced("vlan.arp.link-down", A, B, "arp")
    assert not course.delivered
    assert (
        course.end
        == "Lost on computer: ServerB's port qvof89d1f15-3d gets it, but its link is down."
    )


def test_the_devices_behind_a_hybrid_port_have_to_be_up():
    course = traced("two.hybrid.arp", "red1", "red2", "arp")
    assert course.end == (
        "Delivered to red2 by its port qvo24e1beef-7c on node2, then qvb24e1beef-7c, qbr24e1beef-7c "
        "and tap24e1beef-7c. red2 itself answers that fa:16:3e:ef:45:7e has the address."
    )
    for device in ("qvb24e1beef-7c", "qbr24e1beef-7c", "tap24e1beef-7c"):
        lab = without_flows(played("two.hybrid.arp"))
        for question, answer in lab.answers.items():
            up = f'"ifname":"{device}","operstate":"UP"'
            lab.answers[question] = answer.replace(up, up.replace("UP", "DOWN"))
        course = trace_frame(lab, "red1", "red2", "arp")
        assert course.end == (
            f"Lost on node2: red2's port qvo24e1beef-7c gets it, but {device} behind it is down."
        )
        assert not course.delivered


def test_a_flooded_frame_is_not_lost_where_another_copy_of_it_is_dropped():
    """On node2 it goes into two provider bridges, too, which drop it as they should."""
    course = traced("two.off.arp", "red1", "off", "arp")
    assert "br-ex" in played("two.off.arp").answers[ASKED_OF_NODE2], "else it would prove nothing"
    assert course.end == "Lost on node2, in br-int: no copy goes to off."
    assert [(each.host, each.bridge) for each in course.far] == [
        ("node2", "br-tun"),
        ("node2", "br-int"),
    ]
    assert course.lacking == ()


ASKED_OF_NODE2 = (
    "node2: ovs-appctl ofproto/trace --names br-tun "
    'arp,in_port="vxlan-c0000201",tun_id=0x64,tun_src=192.0.2.1,tun_dst=192.0.2.2,'
    "dl_src=fa:16:3e:51:09:bf,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_sha=fa:16:3e:51:09:bf,"
    "arp_spa=10.0.0.11,arp_tpa=10.0.1.14"
)


def test_a_frame_stays_on_the_provider_network_that_it_was_sent_into():
    """green2 is on another one: br-ex gets the frame, br-two never does."""
    course = traced("two.physnets.ping", "blue1", "green2", "ping")
    assert [(each.host, each.bridge) for each in course.far] == [
        ("node2", "br-ex"),
        ("node2", "br-int"),
    ]
    assert not course.delivered


def test_addresses_in_a_common_subnet_are_preferred():
    course = traced("two.hybrid.arp", "red1", "red2", "arp")
    assert course.frame == "ARP request: who has 10.0.0.12? tell 10.0.0.11", "red2's second"
    assert not [fact for fact in course.facts if "subnet" in fact]


def test_two_subnets_of_one_network_need_a_router():
    course = traced("two.off.arp", "red1", "off", "arp")
    assert course.frame == "ARP request: who has 10.0.1.14? tell 10.0.0.11"
    (fact,) = (fact for fact in course.facts if "subnet" in fact)
    assert fact.startswith("red1 and off have no subnet in common, and no router is between them")


def without_flows(lab):
    """The lab with switches that have no flows, for the dumps on the path of a lost frame."""
    dumps = (
        f"{host.name}: ovs-ofctl -O OpenFlow13 --names --no-stats dump-flows {bridge}"
        for host in lab.overlay.hosts
        for bridge in ("br-int", "br-tun")
    )
    lab.answers |= dict.fromkeys(dumps, "")
    return lab


def test_a_far_host_without_the_tunnel_port_loses_the_frame():
    lab = without_flows(played("own.arp.cold"))
    for question, answer in lab.answers.items():
        if question.startswith("computer: ovs-vsctl"):
            lab.answers[question] = answer.replace("192.168.150.10", "192.168.150.99")
    course = trace_frame(lab, A, B, "arp")
    assert not course.delivered
    assert course.end == "Lost on computer: it has no port for what controller sends."
    assert course.far == ()


def test_a_port_that_is_missing_on_its_host_is_reported():
    lab = played("own.arp.cold")
    for question, answer in lab.answers.items():
        if question.startswith("computer: ovs-vsctl"):
            lab.answers[question] = answer.replace("f89d1f15-3d", "another")
    facts = trace_frame(lab, A, B, "arp").facts
    assert facts[0] == "ServerB's port is switched off or not plugged: no flow serves it."
    assert len(traced("own.arp.cold", A, B, "arp").facts) == 1


def test_a_tunnel_port_is_found_in_any_notation_of_its_vtep():
    row = PortRow(name="geneve-x", type="geneve", ofport=3, options={"remote_ip": "2001:DB8:0::1"})
    by_hand = PortRow(name="odd", type="geneve", ofport=4, options={"remote_ip": "flow"})
    bridge = BridgeRow(name="br-tun", dpid=1, ports={each.name: each for each in (by_hand, row)})
    side = Side(None, {"br-tun": bridge})
    assert side.tunnel_from(NetworkType.GENEVE, "2001:db8::1") == "geneve-x"
    assert side.tunnel_from(NetworkType.GENEVE, "2001:db8::2") == ""
    assert side.tunnel_from(NetworkType.VXLAN, "2001:db8::1") == ""


def test_a_foreign_flow_is_marked():
    lab = played("own.arp.cold")
    for question, answer in lab.answers.items():
        if "ofproto/trace" in question and question.startswith("controller"):
            lab.answers[question] = answer.replace(
                " 2. dl_dst=01:00:00:00:00:00/01:00:00:00:00:00, priority 0", " 2. arp, priority 77"
            )
    found = step(trace_frame(lab, A, B, "arp"), "controller", "br-tun", 2)
    assert found.flow == "table=2, priority=77,arp actions=goto_table:22"
    assert found.why == "Not a flow of the controller: another program added it."


def test_no_packet_is_sent_to_the_switches():
    """Only a trace without a packet leaves no MAC and no learned flow behind."""
    lab = played("own.arp.cold")
    trace_frame(lab, A, B, "arp")
    asked = [question for question in lab.asked if "ofproto/trace" in question]
    assert len(asked) == 2
    assert not [question for question in asked if "-generate" in question]


@pytest.mark.parametrize(
    ("source", "target", "kind", "message"),
    [
        (A, "nobody", "arp", "overlay 'article': no guest 'nobody'; allowed: ServerA, ServerB."),
        (A, A, "arp", "overlaylab trace: 'ServerA' twice; allowed: two guests."),
        (
            "ServerA:eth1",
            B,
            "arp",
            "no guest 'ServerA:eth1' (with eth0); allowed: ServerA, ServerB.",
        ),
    ],
)
def test_unknown_guests_are_refused(source, target, kind, message):
    with pytest.raises(UsageError) as error:
        traced("own.arp.cold", source, target, kind)
    assert message in str(error.value)


def test_a_lab_without_guests_is_reported():
    lab = played("own.arp.cold")
    lab.overlay = replace(lab.overlay, ports=())
    with pytest.raises(UsageError, match="no guest 'a'; allowed: none \\(there are no guests\\)"):
        trace_frame(lab, "a", "b", "arp")


def test_ipv6_guests_send_no_arp():
    with pytest.raises(UsageError) as error:
        traced("three.ping6", "red1", "red2", "arp")
    assert str(error.value) == (
        "overlaylab trace: arp from red1 to red2; allowed: two guests with IPv4 addresses, or for ping "
        "and broadcast with IPv6. Name other guests, or --frame ping."
    )


def test_guests_without_addresses_get_no_hint_about_frames():
    lab = played("own.arp.cold")
    bare = tuple(replace(port, fixed_ips=()) for port in lab.overlay.ports)
    lab.overlay = replace(lab.overlay, ports=bare)
    with pytest.raises(UsageError, match=r"Name other guests\.$"):
        trace_frame(lab, A, B, "ping")


def test_a_linux_bridge_cannot_be_traced():
    lab = played("vxlan-l2pop-arp.arp")
    hosts = (replace(host, mechanism=Mechanism.LINUXBRIDGE) for host in lab.overlay.hosts)
    lab.overlay = replace(lab.overlay, hosts=tuple(hosts))
    with pytest.raises(UsageError) as error:
        trace_frame(lab, A, B, "arp")
    assert "mechanism linuxbridge" in str(error.value)


def test_a_text_that_is_no_trace_is_refused():
    with pytest.raises(SwitchError) as error:
        parse_trace("Bad flow\nunknown port")
    assert "ofproto/trace: unknown port" in str(error.value)


def test_the_json_has_everything_that_the_text_has():
    course = traced("own.arp.cold", A, B, "arp")
    document = json.loads(as_json(course))
    assert document["format"] == 1
    assert (document["source"], document["target"], document["delivered"]) == (A, B, True)
    assert document["wire"]["size"] == 92
    assert document["wire"]["layers"][3] == {"name": "VXLAN", "size": 8, "says": "VNI 111 (0x6f)"}
    assert document["near"][0]["steps"][1]["name"] == "ARP_SPOOF_TABLE"
    text = as_text(course).replace("\n", " ")
    for stage in (*document["near"], *document["far"]):
        assert f"{stage['host']}, {stage['bridge']}" in text
        assert all(step["flow"] in text for step in stage["steps"])


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.txt")))
def test_only_flows_make_wide_lines_and_the_outcome_is_last(name):
    ends = {"side": ("red1", "red3"), "three": ("red1", "red2"), "two": ("red1", "red2")}
    special = {
        "side.mesh.strangers": ("red1", "blue2"),
        "three.neighbour.arp": ("red1", "red3"),
        "three.answered.arp": ("red1", "red2b"),
        "mixed.red.arp": ("red1", "red2"),
        "mixed.blue.arp": ("blue1", "blue2"),
        "flat.ping": (B, A),
        "two.off.arp": ("red1", "off"),
        "two.physnets.ping": ("blue1", "green2"),
    }
    source, target = special.get(name, ends.get(name.partition(".")[0], (A, B)))
    kind = next((kind for kind in ("broadcast", "arp", "ping") if kind in name.split(".")), "ping")
    course = traced(name, source, target, kind)
    lines = as_text(course).splitlines()
    assert lines[0].startswith(f"{source} to {target}: ")
    assert not [line for line in lines if len(line) > 100 and "actions=" not in line]
    assert not [line for line in lines if line != line.rstrip()]
    last = " ".join(lines).rpartition(course.end.split()[0])[0]
    assert last
