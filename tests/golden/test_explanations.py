"""The explanation of every flow: as in the article's comments, corrected where they are wrong."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from controller.explain.flow import Explainer
from controller.explain.names import Names
from controller.flows.actions import Goto, InPort, LearnReturnPath, Normal, Output, SetField
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.pipeline import RELEASES
from controller.flows.text import flow_text
from controller.model.names import int_port_name
from tests.golden.openflow10 import NOISE, port_names, translate
from tests.golden.test_golden_flows import CASES, carried
from topologies.scenario.load import load

pytestmark = pytest.mark.golden

ARTICLE = Path(__file__).parent / "article"

# The article's flows in its order, by the start of their text: words that must be there, then
# (after None) words that must not.
BR_INT = (
    ("priority=10,arp,", "ARP", "ServerA's port", "table 24"),
    ("priority=9,", "ServerA's port", "table 25", "Other frames"),
    ("table=24, priority=2,arp", "ARP", "ServerA's port", "172.16.166.117", "sender", "table 25"),
    ("table=24, priority=0", "other", "ARP sender address", "dropped"),
    ("table=25,", "ServerA's port", "ServerA's MAC fa:16:3e:7a:f5:1d", "table 60"),
    # The article says "let through directly"; NORMAL is a switch's work.
    ("table=60,", "switched", "MAC"),
)
BR_TUN = (
    ('priority=1,in_port="patch-int"', "br-int", "table 2,"),
    # The article: "port 2 is gre, never mind it".  The explanation has the reason.
    ('priority=1,in_port="gre-', "GRE tunnel to computer", "table 3", "dropped", "no GRE network"),
    ('priority=1,in_port="vxlan-', "VXLAN tunnel to computer", "table 4", None, "dropped"),
    ("priority=0", "other", "port", "dropped"),
    ("table=4, priority=1", "VNI 111 (0x6f", "local VLAN 1 ", "table 10", "remember"),
    ("table=4, priority=0", "VXLAN VNI", "dropped"),
    (
        "table=10,",
        "table 20",
        "source MAC",
        "back",
        "into the tunnel they came from",
        "300 s",
        "br-int",
    ),
    ("table=2, priority=0,dl_dst=00", "nicast", "table 20", None, "multicast"),
    (
        "table=2, priority=0,dl_dst=01",
        "roadcast and multicast",
        "table 22",
        None,
        "nicast frames go",
    ),
    # The article: "internal number 4 (tag=1)"; the flow says 1, and so must the sentence.
    (
        "table=20, hard_timeout=300",
        "Learned",
        "table 10",
        "ServerB's MAC fa:16:3e:29:99:6a",
        "local VLAN 1 ",
        "VLAN tag removed",
        "VNI 111 (0x6f",
        "VXLAN tunnel to computer (192.168.150.11)",
        None,
        "VLAN 4",
        "number 4",
    ),
    ("table=20, priority=0", "destination MAC", "learned", "table 22"),
    (
        "table=22, priority=1",
        "local VLAN 1 ",
        "VLAN tag removed",
        "VNI 111 (0x6f",
        "VXLAN tunnel to computer (192.168.150.11)",
        None,
        "GRE",
    ),
    ("table=22, priority=0", "VLAN", "dropped"),
)


def explainer(overlay, host, bridge) -> Explainer:
    binding = new_binding(overlay, host)
    return Explainer(
        Names(overlay, overlay.host(host), binding), bridge_flows(overlay, binding, bridge)
    )


def printed(bridge: str) -> list[str]:
    """The article's flows, in our spelling; the learned one as it stands, with its port number."""
    ports = port_names((ARTICLE / "br-tun.controller.show").read_text())
    lines = (ARTICLE / f"{bridge}.controller.flows").read_text().splitlines()
    bare = (re.sub(r"cookie=0x[0-9a-f]+,(?=NXM)", "", line) for line in lines)
    return [
        NOISE.sub("", line).strip()
        if "hard_timeout" in line.partition(" actions=")[0]
        else translate(line, ports)
        for line in bare
        if line.strip()
    ]


def sentence_of(line: str, explained: Explainer) -> str:
    """The sentence for one line of a dump: an installed flow's, or a learned one's."""
    found = [flow for flow in explained.flows if flow_text(flow) == line]
    if found:
        return explained.explain(found[0])
    head, _, actions = line.partition(" actions=")
    sentence = explained.explain_learned(re.split(r"priority=\d+,", head)[-1], actions)
    assert sentence, f"neither installed nor learned: {line}"
    return sentence


@pytest.mark.parametrize(("bridge", "facts"), [("br-int", BR_INT), ("br-tun", BR_TUN)])
def test_every_rule_of_the_article_is_explained_as_in_its_comment(bridge, facts):
    explained = explainer(load("article").overlay, "controller", bridge)
    lines = printed(bridge)
    assert len(lines) == len(facts)
    for line, (start, *words) in zip(lines, facts, strict=True):
        assert line.startswith(start)
        sentence = sentence_of(line, explained)
        cut = words.index(None) if None in words else len(words)
        assert [word for word in words[:cut] if word not in sentence] == [], sentence
        assert [word for word in words[cut + 1 :] if word in sentence] == [], sentence


def test_a_learned_flow_may_have_a_port_number_instead_of_a_name():
    explained = explainer(load("article").overlay, "controller", "br-tun")
    match = "vlan_tci=0x0001/0x0fff,dl_dst=fa:16:3e:29:99:6a"
    actions = "load:0->NXM_OF_VLAN_TCI[],load:0x6f->NXM_NX_TUN_ID[],output:"
    assert explained.explain_learned(match, f"{actions}3") == explained.explain_learned(
        match, f'{actions}"vxlan-c0a8960b"'
    )
    assert "GRE" in explained.explain_learned(match, f"{actions}2")
    assert explained.explain_learned(match, "drop") is None
    assert explained.explain_learned("dl_dst=fa:16:3e:29:99:6a", f"{actions}3") is None


def test_a_bridge_that_learns_nothing_has_no_learned_flow():
    explained = explainer(load("article").overlay, "controller", "br-int")
    match = "vlan_tci=0x0001/0x0fff,dl_dst=fa:16:3e:29:99:6a"
    assert explained.explain_learned(match, "load:0x6f->NXM_NX_TUN_ID[],output:3") is None


def facts_of(flow, overlay) -> set[str]:
    """What a sentence about the flow must name, read from the flow itself."""
    guests = {int_port_name(port.id): port.device_id for port in overlay.ports}
    matched = (
        explained for name, value in flow.match for explained in matched_facts(name, value, guests)
    )
    done = (explained for action in flow.actions for explained in done_facts(action, overlay))
    return {*matched, *done} if flow.actions else {*matched, "dropped"}


def matched_facts(name, value, guests):
    is_one = ":" in str(value) and "/" not in str(value) and value != "ff:ff:ff:ff:ff:ff"
    if name in {"arp_spa", "arp_tpa", "nd_target", "dl_src"} or (name == "dl_dst" and is_one):
        return [str(value)]
    if name == "tun_id":
        return [str(value), f"{value:#x}"]
    if name == "dl_vlan":
        return [f"VLAN {value}"]
    return [guests[value]] if name == "in_port" and value in guests else []


def done_facts(action, overlay):
    match action:
        case Goto(table):
            explained = [f"table {int(table)},"]
        case SetField("tun_id", value):
            explained = [str(value), f"{value:#x}"]
        case SetField("vlan_vid", value):
            explained = [f"VLAN {value & 0xFFF}"]
        case LearnReturnPath(table, seconds):
            explained = [f"table {int(table)}", f"{seconds} s"]
        case Output(port):
            explained = output_facts(port, overlay)
        case _:
            words = {Normal: "switched", InPort: "back out of the port they came in by"}
            explained = [words[type(action)]] if type(action) in words else []
    return explained


def output_facts(port, overlay):
    """`vxlan-c0a8960b` is a type, and an address in hexadecimal."""
    kind, _, tail = port.partition("-")
    if len(tail) != 8 or not re.fullmatch("[0-9a-f]+", tail):
        return []
    vtep = ".".join(str(octet) for octet in bytes.fromhex(tail))
    names = {str(host.local_ip): host.name for host in overlay.hosts}
    spelt = {"gre": "GRE", "vxlan": "VXLAN", "geneve": "Geneve"}[kind]
    return [f"{spelt} tunnel to {names[vtep]} ({vtep})"]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", CASES)
def test_each_flow_has_its_own_explanation(name, release):
    scenario, mode, host, bridge = CASES[name]
    overlay = replace(carried(scenario, mode), release=release)
    explained = explainer(overlay, host, bridge)
    sentences = {flow: explained.explain(flow) for flow in explained.flows}
    assert sentences
    for flow, sentence in sentences.items():
        lacking = {fact for fact in facts_of(flow, overlay) if fact not in sentence}
        assert not lacking, f"{flow_text(flow)}: {sentence}"
        assert sentence[0].isupper()
        assert sentence[-1] in ".?"
        assert not re.search(r"  |\.\.|\?\.|set_field|=|None|qvo", sentence), sentence
    twice = [sentence for sentence, times in Counter(sentences.values()).items() if times > 1]
    assert twice == []
