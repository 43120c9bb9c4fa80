"""`overlaylab explain` on anything: no text, bytes, cut and mixed dumps; never a traceback."""

import io
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.explain.explanation import explanation
from experiments.cli.explain_dump import document, lines
from experiments.cli.main import main

DUMPS = Path(__file__).parent / "dumps"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(DUMPS.iterdir())]
PARTS = sorted({part for text in TEXTS for part in re.split(r"([\s,])", text)})
WORDS = [
    "actions=", "action=", "table=", "priority=", "cookie=0x", "tun_id=0x6f", "dl_vlan=1", "ovs-ofctl dump-flows br-tun",
    "add-flow br-tun ", "resubmit(,", "learn(table=20", "output:", "set_field:", "->", "load:", "ct(", "clone(clone(",
    "Flow: ", "Bridge: br-tun", "Rule: table=0 cookie=0 ", 'bridge("br-int")', " 0. priority 1", "Datapath actions: ",
    "tnl_push(", "set(tunnel(", "push_vlan(vid=", "\x1b[31m", "\r\n", "\x00", '"', "(", ")", "LOCAL(br-tun): addr",
    "hard_timeout=", "vlan_tci=0x1/0xfff", "0xffffffffffffffffffffffff", "dl_dst=ff:ff:ff:ff:ff:ff", "in_port=1",
]  # fmt: skip
pieces = st.one_of(st.sampled_from(WORDS), st.sampled_from(PARTS), st.text(max_size=8))
mixtures = st.lists(pieces, max_size=60).map("".join)


@st.composite
def cut_dumps(draw):
    """A real dump with one part removed, doubled or replaced."""
    text = draw(st.sampled_from(TEXTS))[:6000]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 200)))
    return (
        text[:start]
        + draw(st.one_of(st.just(""), mixtures, st.just(text[start:end] * 2)))
        + text[end:]
    )


def explain(text):
    found = explanation(text)
    printed = "\n".join(lines(found))
    json.dumps(document(found), allow_nan=False)
    return found, printed


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), mixtures, cut_dumps()))
def test_any_text_is_explained_or_refused(text):
    found, printed = explain(text)
    kept = [flow.text for bridge in found.bridges for flow in bridge.flows]
    assert all(flow.strip().splitlines()[0][:20] in printed for flow in kept if flow.isprintable())


@settings(max_examples=60, deadline=None)
@given(cut_dumps())
def test_no_line_of_a_dump_is_lost(text):
    """Each is a flow, part of a trace, known to be about ports, or shown as not understood."""
    found, _ = explain(text)
    flows = sum(len(bridge.flows) for bridge in found.bridges)
    starts = [line for line in re.split(r"[\r\n]+", text) if "actions=" in line]
    trace = sum("OpenFlow actions=" in line for line in starts)
    grep = sum("grep" in line for line in starts)
    assert flows + len(found.unread) + trace + grep + len(found.traces) * 50 >= len(starts) - 1


@pytest.mark.parametrize(
    "flow",
    [
        "table=22 actions=set_tunnel:,output:2",
        "table=22 actions=set_tunnel:0x,mod_vlan_vid:,load:->NXM_NX_TUN_ID[]",
        f"table=0x{'f' * 5000},dl_vlan=1 actions=drop",
        f"table=4,tun_id=0x{'f' * 5000} actions=set_tunnel:0x{'f' * 5000}",
        f"table=22 actions={'clone(' * 3000}{')' * 3000}",
        "table=22 dl_vlan=1 dl_vlan=2 actions=output",
        "table=-1 priority=-5 actions=resubmit(,-1)",
        "n_packets=x, duration=, actions=",
        "actions=output:99999999999999999999,resubmit(,99999999999)",
    ],
    ids=range(9),
)
def test_a_flow_that_no_switch_prints(flow):
    found, _ = explain(flow)
    assert len(found.bridges) + len(found.unread) >= 0


@pytest.fixture
def stdin(monkeypatch):
    def give(raw):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return give


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"", "no text"),
        (b" \n\t\n", "no text"),
        (b"hello\n", "neither flows nor a trace in the text"),
        (bytes(range(256)) * 50, "neither flows nor a trace in the text"),
        ("olá, actions".encode("latin-1"), "neither flows nor a trace in the text"),
        (b"x" * 3_000_000, "neither flows nor a trace in the text"),
        (b"(" * 200_000, "neither flows nor a trace in the text"),
        (b"exec " * 100_000, "neither flows nor a trace in the text"),
    ],
    ids=["nothing", "blank", "prose", "binary", "latin-1", "long", "brackets", "words"],
)
def test_what_is_neither_gets_one_line(raw, found, stdin, capsys):
    stdin(raw)
    assert main(["explain"]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error == (
        f"overlaylab: standard input: {found}; allowed: the output of `ovs-ofctl dump-flows BRIDGE` "
        "or `ovs-appctl ofproto/trace BRIDGE FLOW`, from a file or a pipe. Try `ovs-ofctl dump-flows "
        "br-tun | overlaylab explain`.\n"
    )


def test_too_much_is_refused(stdin, capsys, monkeypatch):
    monkeypatch.setattr("experiments.cli.explain.BYTES_MAX", 1024 * 1024)
    stdin(b"table=0 actions=drop\n" * 60_000)
    assert main(["explain", "-"]) == 2
    assert capsys.readouterr().err.startswith("overlaylab: -: too long; allowed: 1 MiB.")


def test_a_terminal_without_argument_gets_usage(monkeypatch, capsys):
    leader, follower = os.openpty()
    with os.fdopen(follower) as terminal, os.fdopen(leader, "rb"):
        monkeypatch.setattr(sys, "stdin", terminal)
        assert main(["explain"]) == 2
    assert capsys.readouterr().err == (
        "overlaylab: explain: nothing: standard input is a terminal; allowed: the output of "
        "`ovs-ofctl dump-flows BRIDGE` or `ovs-appctl ofproto/trace BRIDGE FLOW`, from a file or a "
        "pipe. Try `ovs-ofctl dump-flows br-tun | overlaylab explain`.\n"
    )


@pytest.mark.parametrize("name", ["/", "/nonexistent", "\udcff", "a\0b"])
def test_a_file_that_cannot_be_read(name, capsys):
    assert main(["explain", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "allowed: a file that can be read" in line


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: re.sub(r"(?m)^", "\x1b[32m", text).encode(),
        lambda text: re.sub(r"(?m)^", "- ", text).encode(),
        lambda text: re.sub(r"(?m)^(?=.)", "| ", text).replace("\n", " |\n").encode(),
        lambda text: "".join(f"{n}:{line}\n" for n, line in enumerate(text.splitlines())).encode(),
        lambda text: re.sub(r"(?m)^(.{80})(?=.)", r"\1\n", text).encode(),
        lambda text: re.sub(r", priority=", ",\n     priority=", text).encode(),
        lambda text: re.sub(r" actions=", "\n        actions=", text).encode(),
        lambda text: re.sub(r"(?<=[a-z]),priority", ", priority", text).encode(),
        str.encode,
    ],
    ids=["windows", "mark", "utf-16", "colours", "list", "table", "grep -n", "wrapped at 80", "indented",
         "actions below", "spaces", "as it is"],
)  # fmt: skip
def test_how_it_was_pasted_makes_no_difference(change, stdin, capsys):
    text = (DUMPS / "havana.br-tun.txt").read_text(encoding="utf-8")
    stdin(change(text))
    assert main(["explain", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["not_understood"] == []
    (bridge,) = found["bridges"]
    assert (bridge["name"], len(bridge["flows"])) == ("br-tun", 13)
    assert [flow["not_understood"] for flow in bridge["flows"]] == [[]] * 13
    assert bridge["networks"][0]["segmentation_ids"] == [1]
    assert [entry["mac"] for entry in bridge["vteps"][0]["macs"]] == ["fa:16:3e:32:0d:db"]


def test_two_hosts_and_their_bridges_stay_apart(stdin, capsys):
    flows = "table=0, priority=1,in_port={0} actions=resubmit(,2)\ntable=22, priority=1,dl_vlan={0} actions=strip_vlan,set_tunnel:{0},output:9\n"
    text = f"# compute1 br-tun\n{flows.format(1)}# compute2 br-tun\n{flows.format(2)}"
    stdin(text.encode())
    assert main(["explain", "--format", "json"]) == 0
    bridges = json.loads(capsys.readouterr().out)["bridges"]
    assert [bridge["name"] for bridge in bridges] == ["compute1 br-tun", "compute2 br-tun"]
    assert [bridge["networks"][0]["local_vlan"] for bridge in bridges] == [1, 2]


def test_what_is_not_understood_is_shown_and_counted(stdin, capsys):
    stdin(
        b"ovs-ofctl dump-flows br-tun\ntable=22, dl_vlan=1,shoe=5 actions=frobnicate(7),output:2\nLorem ipsum\n"
    )
    assert main(["explain"]) == 0
    out = capsys.readouterr().out
    assert "Not understood: frobnicate(7), shoe=5." in " ".join(out.split()).replace(
        "shoe=5, frobnicate(7)", "frobnicate(7), shoe=5"
    )
    assert 'Parts not understood: in 1 of 1 flow; see "Not understood" above.' in out
    assert "Lines not understood: 1\n  3: Lorem ipsum" in out
    assert "output to" in out, "the rest of the flow is explained"


ENDLESS = "9" * 5000  # Python refuses to turn so many digits into a number
TRACE = """Flow: in_port=1,dl_vlan={vlan}

bridge("br-int")
----------------
 {table}. priority {priority}
    output:2

Final flow: unchanged
Datapath actions: {actions}
"""
HEADER = "header(eth(dst=00:00:00:00:00:01,src=00:00:00:00:00:02),ipv4(src=1.1.1.1,dst=1.1.1.2),vxlan(vni={}))"


@pytest.mark.parametrize(
    "change",
    [
        {"vlan": ENDLESS},
        {"table": ENDLESS},
        {"priority": ENDLESS},
        {"actions": f"push_vlan(vid={ENDLESS},pcp=0),2"},
        {"actions": f"tnl_push(tnl_port(1),{HEADER.format(ENDLESS)},out_port(1)),2"},
        {"actions": f"tnl_push(tnl_port(1),{HEADER.format('0x' + 'f' * 5000)},out_port(1)),2"},
        {"actions": f"set(tunnel(tun_id=0x{'f' * 5000},src=1.1.1.1,dst=1.1.1.2)),2"},
        {"actions": "clone(" * 5000 + "2" + ")" * 5000},
    ],
)
def test_a_trace_with_numbers_that_no_field_holds(change):
    explain(TRACE.format(**{"vlan": 1, "table": 0, "priority": 0, "actions": "2", **change}))


def test_a_vni_with_a_leading_zero_is_decimal():
    actions = f"tnl_push(tnl_port(1),{HEADER.format('0111')},out_port(1)),2"
    text = TRACE.format(vlan=1, table=0, priority=0, actions=actions)
    assert "VNI 111 (0x6f)" in explain(text)[1]


def test_old_traces_and_tags_with_numbers_that_no_field_holds():
    explain(f"Bridge: br-int\nFlow: in_port=1\n\nRule: table={ENDLESS} cookie=0 priority=1\n")
    explain(f'Port "x"\n tag: {ENDLESS}\n table=0,priority=1,in_port=1 actions=output:2\n')


def test_a_table_that_drops_all_frames_is_explained():
    """What `ovs-ofctl dump-flows br-tun table=4` prints on a host without VXLAN."""
    text = " cookie=0x1, duration=9.0s, table=4, n_packets=0, n_bytes=0, priority=0 actions=drop\n"
    assert "are dropped" in explain(text)[1]


def test_a_time_that_is_no_number_is_not_shown():
    found = (
        "cookie=0x0, duration=9s, hard_timeout=300, hard_age=nan, table=0, in_port=1 actions=drop"
    )
    assert "nan" not in explain(found)[1].split("hard_age=nan", 1)[1]


@pytest.mark.parametrize("number", ["-5", "0x1000000000000"])
def test_a_number_that_is_no_mac_is_not_shown_as_one(number):
    text = f"table=21,arp,arp_tpa=1.1.1.1 actions=load:{number}->NXM_NX_ARP_SHA[],IN_PORT\n"
    assert ":00:00" not in explain(text)[1]


OLD_TRACE = """Bridge: br-int
Flow: in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,dl_type=0x0000

Rule: table=0 cookie=0 priority=0
OpenFlow actions=NORMAL

Final flow: unchanged
Megaflow: recirc_id=0
Datapath actions: 2
"""


def test_the_bridge_of_an_old_trace_is_read_from_the_line_before_the_frame():
    found, _ = explain(OLD_TRACE + OLD_TRACE.replace("br-int", "br-ex"))
    assert [stage.bridge for trace in found.traces for stage in trace.stages] == ["br-int", "br-ex"]


@pytest.mark.parametrize("line", ["Bridge: br-int", 'bridge("br-int")'])
def test_many_headings_of_traces_take_no_longer_than_other_lines(line):
    """Each was searched to the end of the text for a step: 45 s for 4,000 lines."""
    started = time.process_time()
    explain(f"{line}\n" * 20_000)
    assert time.process_time() - started < 20
