"""The experiment `state`: kinds of packets, what is foretold, and how a run is told."""

from dataclasses import replace

import matplotlib as mpl
import pytest

from experiments.core.results import Recorder, read
from experiments.show.report import CONFIRMED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from experiments.state import conntrack
from experiments.state import report as words
from experiments.state.figure import MISMATCH
from experiments.state.labs import counts, kind, predicted
from experiments.state.probe import EXPERIMENT as STATE
from tests.experiments.made_runs import ABOUT
from topologies.scenario.load import load

BARE = load("article").overlay


@pytest.mark.parametrize(
    ("protocols", "wanted"),
    [
        ("eth:ethertype:ip:gre:eth:ethertype:data", words.TUNNEL),
        ("eth:ethertype:ip:udp:vxlan:eth:ethertype:arp", words.TUNNEL),
        ("eth:ethertype:ipv6:udp:geneve:eth:ethertype:ip:icmp", words.TUNNEL),
        ("eth:ethertype:arp", words.ARP),
        ("eth:ethertype:ip:igmp", words.IGMP),
        ("eth:ethertype:ip:icmp:ip:gre", words.OTHERS),  # a refusal that quotes what it refuses
        ("eth:ethertype:ip:udp:data", words.OTHERS),
        ("eth:ethertype:vlan:ethertype:data", words.OTHERS),
        ("eth:ethertype:data", words.OTHERS),
    ],
)
def test_a_packet_is_what_is_outermost(protocols, wanted):
    assert kind({"frame.protocols": protocols}) == wanted


def packet(protocols, operation="", target=""):
    return {"frame.protocols": protocols, "arp.opcode": operation, "arp.dst.proto_ipv4": target}


def test_who_is_asked_for_is_counted_once_and_not_inside_a_tunnel():
    found = counts(
        [
            packet("eth:ethertype:arp", "1", "192.0.2.2"),
            packet("eth:ethertype:arp", "2", "192.0.2.1"),
            packet("eth:ethertype:arp", "1", "192.0.2.2"),
            packet("eth:ethertype:ip:gre:eth:ethertype:arp", "1", "10.0.0.1"),
        ]
    )
    assert found == {words.ARP: 3, words.ASKED: 1, words.TUNNEL: 1}


def cells(mode):
    rows = predicted(BARE, ({"mode": mode},))
    return {(row["what"], row["moment"]): row["count"] for row in rows}


def test_gre_and_vxlan_are_foretold_the_same():
    assert cells("gre-mesh") == cells("vxlan-mesh") == cells("geneve-l2pop")
    found = cells("gre-mesh")
    assert found[words.TUNNEL, words.SET_UP] == 0
    assert found[words.TUNNEL, words.FIRST] == 2
    assert found[words.ASKED, words.COLD] == 2
    assert (found[words.LEARNED, words.BEFORE], found[words.LEARNED, words.AFTER]) == (0, 1)
    assert (found[words.PORTS, words.AFTER], found[words.LISTENERS, words.AFTER]) == (2, 1)


def test_the_kernel_has_a_socket_and_keeps_the_packet_that_asks():
    found = cells("kvxlan-mesh")
    assert (found[words.UDP, words.BEFORE], found[words.PORTS, words.BEFORE]) == (1, 1)
    assert found[words.TUNNEL, words.COLD] == 4
    assert cells("kvxlan-multicast")[words.TUNNEL, words.FIRST] == 1
    assert (words.KEPT_S, words.AFTER) not in cells("kvxlan-l2pop"), "it learns nothing"


def test_conntrack_sees_what_the_kernel_sends_alone():
    modes = ("gre-mesh", "kvxlan-mesh", "kvxlan-multicast")
    assert [cells(mode)[words.CONNTRACK, words.AFTER] for mode in modes] == [0, 2, 1]
    assert cells("kvxlan-mesh")[words.CONNTRACK, words.BEFORE] == 0


TRACKED = (  # of Linux 6.1
    "ipv4     2 udp      17 29 src=192.0.2.1 dst=192.0.2.2 sport=33168 dport=4789 [UNREPLIED] "
    "src=192.0.2.2 dst=192.0.2.1 sport=4789 dport=33168 mark=0 zone=0 use=2",
    "ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=192.0.2.1 dst=192.0.2.2 srckey=0x0 "
    "dstkey=0x0 [UNREPLIED] src=192.0.2.2 dst=192.0.2.1 srckey=0x0 dstkey=0x0 mark=0 zone=0 use=2",
    "ipv4     2 icmp     1 29 src=192.0.2.1 dst=192.0.2.2 type=8 code=0 id=7 src=192.0.2.2 "
    "dst=192.0.2.1 type=0 code=0 id=7 mark=0 zone=0 use=2",
    "ipv4     2 udp      17 29 src=192.0.2.1 dst=192.0.2.9 sport=4789 dport=53 src=192.0.2.9 "
    "dst=192.0.2.1 sport=53 dport=4789 mark=0 zone=0 use=2",
)


def test_of_conntracks_entries_those_of_tunnels_count():
    assert conntrack.of_tunnels(TRACKED) == 2
    assert conntrack.of_tunnels(TRACKED[2:]) == 0


def test_what_the_kernel_has_is_not_called_a_tunnel_port():
    """Where `tunnels` counts ports of br-tun, and none of the kernel's, the words must not clash."""
    assert words.PORTS == "tunnel ports or devices"
    assert cells("kvxlan-mesh")[words.PORTS, words.BEFORE] == 1


def test_untunnelled_there_is_nothing_to_keep():
    assert {what for what, _ in cells("vlan")} == {words.TUNNEL, words.ARP, words.OTHERS}


def recorded(
    path, spoil=lambda row: row, modes=("gre-mesh", "vxlan-mesh", "kvxlan-mesh", "kvxlan-multicast")
):
    question = replace(STATE.question, factors={"mode": modes})
    recorder = Recorder(path, "run", question.tables())
    rows = predicted(BARE, question.points())
    recorder.about(
        {
            **ABOUT,
            "question": question.to_json(),
            "predicted": list(rows),
            "settings": {"idle_s": 5.0},
        }
    )
    recorder.samples(spoil({"repeat": 1, "order": 1, **row}) for row in rows)
    return read(recorder.directory)


def test_modes_that_agree_are_told_together(tmp_path):
    report = report_on(recorded(tmp_path))
    assert report.findings[1:] == (
        "Tunnel packets before the first tenant frame, 5 s idle: 0 in each of gre-mesh, vxlan-mesh, "
        "kvxlan-mesh, kvxlan-multicast",
        "Tunnel packets with it: 2; but kvxlan-multicast 1",
        "gre-mesh and vxlan-mesh: 24 of 24 counts the same",
    )
    rows = {row[:2]: row[2] for row in report.tables[0].rows}

    assert rows[words.TUNNEL, words.SET_UP] == "0"
    assert rows[words.TUNNEL, words.FIRST] == "2; but kvxlan-multicast 1"
    assert rows[words.PORTS, "before, after"] == "2, 2; but kvxlan-* 1, 1"
    assert rows[words.LEARNED, "before, after"] == "0, 1"
    assert rows[words.CONNTRACK, "before, after"] == "0, 0; but kvxlan-mesh 0, 2;"
    assert max(sum(map(len, row)) for row in report.tables[0].rows) <= 76, "it fits into 80 columns"
    assert report.conditions.endswith("idle for 5 s")
    assert {each.outcome for each in report.outcomes} == {CONFIRMED}


def with_joins(run, *counts):
    """The run, with so many IGMP packets in each block where a group is joined."""
    joins = tuple(
        {
            "repeat": repeat,
            "order": 1,
            "mode": "kvxlan-multicast",
            "what": words.IGMP,
            "moment": words.SET_UP,
            "count": count,
        }
        for repeat, count in enumerate(counts, start=1)
    )
    return replace(run, tables={**run.tables, "samples": (*run.rows, *joins)})


@pytest.mark.parametrize(
    ("counts", "said"), [((15,), "15"), ((15, 14), "14 to 15"), ((14, 16, 15), "14 to 16")]
)
def test_joins_of_a_group_are_told_of_every_block_though_nobody_foretold_how_many(
    tmp_path, counts, said
):
    run = recorded(tmp_path)
    report = report_on(with_joins(run, *counts))

    wanted = f"IGMP on the first host's wire before it, queries included: kvxlan-multicast {said}"
    assert wanted in report.findings
    assert not report.is_refuted
    assert not any("IGMP" in line for line in report_on(run).findings)


def test_what_was_counted_but_not_foretold_stands_in_tables_and_picture_and_is_not_judged(tmp_path):
    report = report_on(with_joins(recorded(tmp_path), 15, 14))
    short, wide = report.tables[:2]

    (row,) = [row for row in short.rows if row[:2] == (words.IGMP, words.SET_UP)]
    assert row[2] == "0; but kvxlan-multicast 14 to 15*"
    (row,) = [row for row in wide.rows if row[:2] == (words.IGMP, words.SET_UP)]
    assert row[2:] == ("0", "0", "0", "14 to 15*")
    assert "*: counted, not foretold" in short.note
    with mpl.rc_context(fname=STYLE):
        ax = report.draw().axes[0]
    counts = [text for text in ax.texts if text.get_gid() == "count"]
    (unjudged,) = [text for text in counts if text.get_text() == "14 to 15*"]
    assert len(ax.patches) == len(counts) - 1, "it has no colour"
    assert not any(
        patch.contains_point(ax.transData.transform(unjudged.get_position()))
        for patch in ax.patches
    )


def test_a_handshake_would_refute_and_be_red(tmp_path):
    def shake(row):
        is_it = (row["mode"], row["what"], row["moment"]) == (
            "gre-mesh",
            words.TUNNEL,
            words.SET_UP,
        )
        return {**row, "count": 2} if is_it else row

    report = report_on(recorded(tmp_path, shake))

    assert report.is_refuted
    assert "gre-mesh and vxlan-mesh: 23 of 24 counts the same" in report.findings
    assert (
        "gre-mesh tunnel packets set up and idle: 2 packets or entries, foretold 0"
        in report.findings
    )
    assert {each.claim[:9]: each.outcome for each in report.outcomes}["no tunnel"] == REFUTED
    assert {each.claim[:9]: each.outcome for each in report.outcomes}["kept alik"] == CONFIRMED
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
    red = [
        patch
        for patch in figure.axes[0].patches
        if mpl.colors.to_hex(patch.get_facecolor()) == MISMATCH.lower()
    ]
    assert len(red) == 1
    counts = [text.get_text() for text in figure.axes[0].texts if text.get_gid() == "count"]
    assert "2 not 0" in counts
