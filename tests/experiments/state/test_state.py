"""The experiment `state`: kinds of packets, predicted counts, and the report."""

from dataclasses import replace

import matplotlib as mpl
import polars as pl
import pytest

from experiments.core.results import Recorder, frame, read
from experiments.show.report import CONFIRMED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from experiments.state import conntrack, words
from experiments.state.labs import counts, kind, predicted
from experiments.state.probe import EXPERIMENT as STATE
from experiments.state.probe import is_late
from tests.experiments.made_runs import ABOUT
from tests.experiments.seen_texts import assert_readable
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
        ("eth:ethertype:ip:icmp:ip:gre", words.OTHERS),  # an ICMP error that quotes a packet
        ("eth:ethertype:ip:udp:data", words.OTHERS),
        ("eth:ethertype:vlan:ethertype:data", words.OTHERS),
        ("eth:ethertype:data", words.OTHERS),
    ],
)
def test_a_packet_is_counted_by_its_outermost_protocol(protocols, wanted):
    assert kind({"frame.protocols": protocols}) == wanted


def packet(protocols, operation="", target=""):
    return {"frame.protocols": protocols, "arp.opcode": operation, "arp.dst.proto_ipv4": target}


def test_each_arp_target_is_counted_once_and_arp_inside_a_tunnel_is_not():
    found = counts(
        [
            packet("eth:ethertype:arp", "1", "192.0.2.2"),
            packet("eth:ethertype:arp", "2", "192.0.2.1"),
            packet("eth:ethertype:arp", "1", "192.0.2.2"),
            packet("eth:ethertype:ip:gre:eth:ethertype:arp", "1", "10.0.0.1"),
        ]
    )
    assert found == {words.ARP: 3, words.ARP_TARGETS: 1, words.TUNNEL: 1}


def cells(mode):
    rows = predicted(BARE, ({"mode": mode},))
    return {(row["what"], row["moment"]): row["count"] for row in rows}


def test_the_same_counts_are_predicted_for_gre_and_vxlan():
    assert cells("gre-mesh") == cells("vxlan-mesh") == cells("geneve-l2pop")
    found = cells("gre-mesh")
    assert found[words.TUNNEL, words.SET_UP] == 0
    assert found[words.TUNNEL, words.FIRST] == 2
    assert found[words.ARP_TARGETS, words.UNKNOWN] == 2
    assert (found[words.LEARNED, words.BEFORE], found[words.LEARNED, words.AFTER]) == (0, 1)
    assert (found[words.PORTS, words.AFTER], found[words.LISTENERS, words.AFTER]) == (2, 1)


def test_the_kernel_has_one_socket_and_queues_packets_until_arp_is_answered():
    found = cells("kvxlan-mesh")
    assert (found[words.UDP_SOCKETS, words.BEFORE], found[words.PORTS, words.BEFORE]) == (1, 1)
    assert found[words.TUNNEL, words.UNKNOWN] == 4
    assert cells("kvxlan-multicast")[words.TUNNEL, words.FIRST] == 1
    assert (words.LIFETIME_S, words.AFTER) not in cells("kvxlan-l2pop"), (
        "l2population: nothing is learned"
    )


def test_only_packets_that_the_kernel_sends_have_conntrack_entries():
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


def test_only_conntrack_entries_of_tunnels_are_counted():
    assert conntrack.tunnel_entries(TRACKED) == 2
    assert conntrack.tunnel_entries(TRACKED[2:]) == 0


def test_the_name_of_the_port_count_includes_kernel_devices():
    """The experiment `tunnels` counts ports of br-tun only: the names must differ."""
    assert words.PORTS == "tunnel ports or devices"
    assert cells("kvxlan-mesh")[words.PORTS, words.BEFORE] == 1


def test_without_a_tunnel_only_packets_are_predicted():
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


def test_modes_with_the_same_count_are_listed_together(tmp_path):
    report = report_on(recorded(tmp_path))
    assert report.findings == (
        "GRE, VXLAN and kernel VXLAN send nothing before the first frame (5 s idle)",
        "The first broadcast leaves its host as 2 tunnel packets, 1 with kvxlan-multicast",
        "gre-mesh and vxlan-mesh send and keep the same: 24 of 24 counts are equal",
        "After the first frame kernel VXLAN keeps 1 UDP socket and 1 to 2 conntrack entries, OVS "
        "tunnels keep none",
    )
    assert report.conditions.startswith("95 of 95 cells match their prediction; ")
    assert report.tables[0].heads[2:] == (
        "gre-mesh",
        "vxlan-mesh",
        "kvxlan-mesh",
        "kvxlan-multicast",
    )
    assert report.conditions.endswith("idle for 5 s")
    assert {each.outcome for each in report.outcomes} == {CONFIRMED}


def with_igmp(run, *counts):
    """The run, with so many IGMP packets in each repeat of the mode that joins a group."""
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
    samples = pl.concat((run.samples, frame(joins, run.question.tables()["samples"])))
    return replace(run, tables={**run.tables, "samples": samples})


@pytest.mark.parametrize(
    ("counts", "shown"),
    [((15,), "15"), ((15, 14), "14 to 15"), ((14, 16, 15), "14 to 16"), ((0, 3), "0 to 3")],
)
def test_igmp_of_all_repeats_is_a_finding_though_not_predicted(tmp_path, counts, shown):
    run = recorded(tmp_path)
    report = report_on(with_igmp(run, *counts))

    assert report.findings[:2] == (
        "GRE and VXLAN send nothing before the first frame (5 s idle)",
        f"kvxlan-multicast has {shown} IGMP packets on the wire before the first frame, queries "
        "included",
    )
    assert not report.is_refuted
    assert not any("IGMP" in line for line in report_on(run).findings)


def test_a_count_without_prediction_is_shown_and_not_judged(tmp_path):
    report = report_on(with_igmp(recorded(tmp_path), 15, 14))
    wide = report.tables[0]

    (row,) = [row for row in wide.rows if row[:2] == (words.IGMP, words.SET_UP)]
    assert row[2:] == ("0", "0", "0", "14 to 15*")
    assert "*: counted, not predicted" in wide.note
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
    assert table_of(figure)[words.IGMP, "before the first frame"] == ["0", "0", "14 to 15*"]
    assert not red(figure)
    (footer,) = [text.get_text() for text in figure.texts if text.get_gid() == "footer"]
    assert "* counted, not predicted" in " ".join(footer.split())


def table_of(figure):
    """The drawn counts by what is counted and when, from the left."""
    (ax,) = figure.axes
    by = {gid: [t for t in ax.texts if t.get_gid() == gid] for gid in ("what", "when", "count")}
    return {
        (what.get_text(), when.get_text()): [
            text.get_text()
            for text in sorted(by["count"], key=lambda each: each.get_position()[0])
            if what.get_position()[1] < text.get_position()[1] < when.get_position()[1]
        ]
        for what, when in zip(by["what"], by["when"], strict=True)
    }


def red(figure):
    return [patch for patch in figure.axes[0].patches if patch.get_gid() == "mismatch"]


def test_the_chart_has_a_column_for_modes_that_agree_and_no_row_in_which_all_do(tmp_path):
    with mpl.rc_context(fname=STYLE):
        figure = report_on(recorded(tmp_path)).draw()
        assert_readable(figure, at_least=20)
    names = [text.get_text() for text in figure.axes[0].texts if text.get_gid() == "mode"]
    table = table_of(figure)

    assert names == ["OVS\ntunnels", "kvxlan-\nmesh", "kvxlan-\nmulticast"]
    assert table[words.TUNNEL, "before the first frame"] == ["0", "0", "0"], "the title's row"
    assert table[words.CONNTRACK, "after the first frame"] == ["0", "2", "1"]
    assert table[words.PORTS, "before and after"] == ["2", "1", "1"]
    assert not {words.RAW_SOCKETS, words.NEIGHBOURS, words.LEARNED} & {what for what, _ in table}


@pytest.mark.parametrize(
    "modes",
    [
        ("gre-mesh",),
        ("vlan",),
        ("gre-mesh", "vxlan-mesh"),
        ("flat", "gre-mesh", "kvxlan-l2pop", "kvxlan-mesh", "kvxlan-multicast"),
    ],
)
def test_the_chart_of_any_modes_is_readable(tmp_path, modes):
    with mpl.rc_context(fname=STYLE):
        figure = report_on(recorded(tmp_path, modes=modes)).draw()
        assert_readable(figure, at_least=5)
    counts = [t for ax in figure.axes for t in ax.texts if t.get_gid() == "mode"]
    assert len(counts) == (1 if len(modes) < 3 else 5)


def test_a_handshake_refutes_the_prediction_and_is_drawn_red(tmp_path):
    def shake(row):
        is_it = (row["mode"], row["what"], row["moment"]) == (
            "gre-mesh",
            words.TUNNEL,
            words.SET_UP,
        )
        return {**row, "count": 2} if is_it else row

    report = report_on(recorded(tmp_path, shake))

    assert report.is_refuted
    assert report.findings[:2] == (
        "VXLAN and kernel VXLAN send nothing before the first frame (5 s idle)",
        "gre-mesh has 2 tunnel packets on the wire before the first frame",
    )
    assert "gre-mesh and vxlan-mesh differ in 1 of 24 counts" in report.findings
    assert (
        "gre-mesh tunnel packets set up and idle: 2 packets or entries, predicted 0"
        in report.findings
    )
    assert {each.name: each.outcome for each in report.outcomes}[words.TUNNEL] == REFUTED
    assert {each.name: each.outcome for each in report.outcomes}[words.STATE] == CONFIRMED
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
        assert_readable(figure, at_least=20)
    assert len(red(figure)) == 1
    assert table_of(figure)[words.TUNNEL, "before the first frame"] == ["2 not 0", "0", "0", "0"]


def test_a_wait_longer_than_a_revalidation_is_late():
    assert (is_late(0.02), is_late(0.6)) == (False, True)
