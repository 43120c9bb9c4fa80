"""The experiment `throughput`: iperf3's reports, medians and ratios."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import polars as pl
import pytest

from controller.model.errors import MeasureError
from controller.model.modes import MODES
from controller.model.overlay import Overlay
from experiments.core.pairs import narrowed
from experiments.core.results import Recorder, read
from experiments.measure.usage import Spent
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from experiments.throughput import iperf
from experiments.throughput.probe import EXPERIMENT as THROUGHPUT
from experiments.throughput.probe import transfer_row
from experiments.throughput.ratios import KEY, RATIOS, Compared
from experiments.throughput.report import build_report, transfers_of
from experiments.throughput.words import (
    CPU_SMALL_TO_MIDDLE,
    CPU_USER_TO_KERNEL,
    GRE_TO_VXLAN,
    KERNEL_TO_USER,
    L2POP_TO_MESH,
    MIDDLE_TO_SMALL,
)
from tests.experiments.fake_path import context
from tests.experiments.made_runs import ABOUT
from tests.experiments.seen_texts import assert_readable
from topologies.scenario.load import load

SEEN = Path(__file__).with_name("iperf_output")  # of iperf3 3.12 between two guests


def seen(name):
    return iperf.parse_bulk((SEEN / f"{name}.json").read_text(), name.partition("-")[0])


def test_tcp_counts_what_arrived():
    bulk = seen("tcp-1450")

    assert bulk.received_bytes < bulk.sent_bytes
    assert bulk.mbit_per_s == pytest.approx(bulk.received_bytes * 8e-6 / bulk.seconds)
    assert bulk.lost_packets is None
    assert bulk.retransmits > 0


def test_udp_counts_what_arrived_not_what_was_sent():
    bulk = seen("udp-1450")
    packets = bulk.sent_bytes // (1450 - 28)

    assert bulk.received_bytes == pytest.approx(
        (packets - bulk.lost_packets) * (1450 - 28), rel=1e-6
    )
    assert bulk.retransmits is None


@pytest.mark.parametrize("text", ['{"error": "unable to connect"}', "", '{"end": {}}', "[]"])
def test_a_transfer_that_failed_is_an_error(text):
    with pytest.raises(MeasureError, match="iperf3"):
        iperf.parse_bulk(text, "tcp")


def test_the_size_is_that_of_the_ip_packet():
    tcp, udp = (iperf.client_argv("10.0.0.1", protocol, 576, 1) for protocol in ("tcp", "udp"))

    assert tcp[tcp.index("--set-mss") + 1] == "536"
    assert udp[udp.index("--length") + 1] == "548"


def test_cpu_time_is_per_gigabyte_that_arrived():
    bulk = iperf.Bulk(
        seconds=1.0, received_bytes=250_000_000, sent_bytes=10**9, lost_packets=3, retransmits=None
    )
    found = transfer_row(1450, bulk, Spent(machine_s=2.0, switches_s=1.0))

    assert (found["goodput_mbit_s"], found["cpu_s_per_gb"], found["switch_s_per_gb"]) == (
        2000,
        8,
        4,
    )
    nothing = iperf.Bulk(
        seconds=1, received_bytes=0, sent_bytes=9, lost_packets=9, retransmits=None
    )
    assert transfer_row(128, nothing, Spent(machine_s=1.0))["cpu_s_per_gb"] is None


@dataclass
class LabWithoutIperf:
    """A lab in which every server that is started has ended already."""

    overlay: Overlay
    returncode: int = 127

    def start(self, node, *argv):
        return self

    def poll(self):
        return self.returncode

    def terminate(self):
        pass

    def wait(self, timeout):
        return self.returncode


def test_a_server_that_ended_is_an_error(tmp_path):
    lab = LabWithoutIperf(narrowed(load("article").overlay))

    with pytest.raises(MeasureError, match="ended with exit status 127"):
        THROUGHPUT.probe(lab, {"mode": "gre-mesh"}, context(tmp_path))


def run_of(
    parent, goodput, repeats=1, cost=lambda mode: 50, faster=lambda mode, repeat: 1, **about
):
    """`goodput` by mode: of TCP and of UDP, at 128 bytes; four times that at 576, eight above.

    `cost`: of a mode, at 128 bytes [s/GB]; `faster`: a factor of its goodput in a repeat.
    """
    question = THROUGHPUT.with_levels(mode=tuple(goodput)).question
    recorder = Recorder(parent, "run", question.tables())
    settings = {"seconds": 1, "transfers": 3}
    recorder.about(
        {
            **ABOUT,
            "question": question.to_json(),
            "settings": settings,
            "predicted": [],
            **about,
        }
    )
    recorder.samples(
        {
            "repeat": repeat,
            "order": 1,
            "mode": mode,
            "protocol": protocol,
            "transfer": transfer,
            "ip_bytes": size,
            "sent_bytes": 10**6,
            "goodput_mbit_s": base * times * (0.9, 1.0, 1.3)[transfer - 1] * faster(mode, repeat),
            "cpu_s_per_gb": cost(mode) / times,
            "switch_s_per_gb": 20 / times,
            "lost_packets": 424_700 + transfer if protocol == "udp" else None,
            "retransmits": 18_990 + transfer if protocol == "tcp" else None,
        }
        for repeat in range(1, repeats + 1)
        for mode, base in goodput.items()
        for protocol in ("tcp", "udp")
        for transfer in (1, 2, 3)
        for size, times in ((128, 1), (576, 4), (1458 if "gre" in mode else 1450, 8))
    )
    return read(recorder.directory)


def test_modes_are_compared_by_the_ratio_of_their_goodput(tmp_path):
    report = build_report(
        run_of(
            tmp_path,
            {
                "gre-mesh": 20,
                "gre-l2pop": 21,
                "vxlan-mesh": 25,
                "vxlan-l2pop": 26,
                "kvxlan-mesh": 100,
            },
            repeats=2,
        )
    )
    outcomes = {each.name: (each.outcome, each.found) for each in report.outcomes}

    assert outcomes[GRE_TO_VXLAN] == (
        "confirmed",
        "0.80 (range of 2 repeats: 0.80 to 0.80, 12 pairs: 0.80 to 0.81)",
    )
    assert outcomes[L2POP_TO_MESH] == (
        "confirmed",
        "1.04 (range of 2 repeats: 1.04 to 1.04, 12 pairs: 1.04 to 1.05)",
    )
    assert outcomes[MIDDLE_TO_SMALL] == (
        "confirmed",
        "4.00 (range of 2 repeats: 4.00 to 4.00, 5 pairs: 4.00 to 4.00)",
    )
    assert outcomes[KERNEL_TO_USER] == (
        "confirmed",
        "4.00 (range of 2 repeats: 4.00 to 4.00, 2 pairs: 4.00 to 4.00)",
    )
    assert report.findings == (
        "Largest packets: kernel VXLAN carries 4.0 (TCP) and 4.0 (UDP) times as much as user space "
        "(range of 2 repeats: TCP 4.00 to 4.00, UDP 4.00 to 4.00)",
        "GRE has 0.80 times the goodput of VXLAN (range of 2 repeats: 0.80 to 0.80)",
        "L2population has 1.04 times the goodput of a mesh (range of 2 repeats: 1.04 to 1.04)",
        "UDP packets of 576 bytes have 4.0 times the goodput of packets of 128 "
        "(range of 2 repeats: 4.00 to 4.00)",
        "Largest packets: user-space VXLAN takes 1.00 (TCP) and 1.00 (UDP) times the CPU time per "
        "gigabyte of kernel VXLAN (range of 2 repeats: TCP 1.00 to 1.00, UDP 1.00 to 1.00)",
        "Packets of 128 bytes take 4.0 (TCP) and 4.0 (UDP) times the CPU time per gigabyte of 576 "
        "(range of 2 repeats: TCP 4.00 to 4.00, UDP 4.00 to 4.00)",
        "TCP with the largest packets, median per mode: 160 (gre-mesh) to 800 Mbit/s (kvxlan-mesh)",
    )
    assert report.pictures[0].title == report.findings[0].partition(" (range")[0]


def test_a_ratio_that_was_not_measured_is_no_finding(tmp_path):
    report = build_report(run_of(tmp_path, {"gre-mesh": 20, "vxlan-mesh": 25}, repeats=2))

    assert report.pictures[0].title == "GRE has 0.80 times the goodput of VXLAN"
    assert report.findings[0].endswith("(range of 2 repeats: 0.80 to 0.80)")
    assert not any("ernel VXLAN" in finding for finding in report.findings)


def test_named_modes_are_compared_with_the_first_by_the_ratio_of_their_goodput(tmp_path):
    modes, named = {"gre-mesh": 20, "vxlan-mesh": 25}, ["gre-mesh", "vxlan-mesh"]

    def found(name, repeats, **about):
        folder = tmp_path / name
        folder.mkdir()
        return report_on(run_of(folder, modes, repeats, named_modes=named, **about)).findings

    with_interval, udp, cpu, *_ = found("six", 6)
    assert with_interval == (
        "TCP goodput with the largest packets: 1.25 times as much with vxlan-mesh as with gre-mesh "
        "(medians 200 and 160 Mbit/s; 95% interval of 6 repeats: 1.25 to 1.25)"
    )
    assert udp.startswith("UDP goodput with the largest packets: 1.25 times")
    assert cpu.startswith("CPU time per gigabyte of TCP with the largest packets: 1.00 times")
    assert "range of 2 repeats: 1.25 to 1.25" in found("two", 2)[0]
    first, *others = found("quick", 1, quick=True)
    assert "medians 200 and 160 Mbit/s; 3 transfers each: 180 to 260 and 144 to 208)" in first
    assert others.count("Quick run, one repeat: no confidence intervals") == 1
    assert "interval" not in first


def test_cpu_time_is_compared_too(tmp_path):
    def cost(mode):
        return 10 if mode.startswith("k") else 25

    modes = {"gre-mesh": 20, "vxlan-mesh": 20, "kvxlan-mesh": 60}
    outcomes = {each.name: each for each in build_report(run_of(tmp_path, modes, 2, cost)).outcomes}

    assert (outcomes[CPU_SMALL_TO_MIDDLE].outcome, outcomes[CPU_SMALL_TO_MIDDLE].found) == (
        "confirmed",
        "4.00 (range of 2 repeats: 4.00 to 4.00, 6 pairs: 4.00 to 4.00)",
    )
    assert (outcomes[CPU_USER_TO_KERNEL].outcome, outcomes[CPU_USER_TO_KERNEL].found) == (
        "confirmed",
        "2.50 (range of 2 repeats: 2.50 to 2.50, 2 pairs: 2.50 to 2.50)",
    )


def test_equal_cpu_time_refutes(tmp_path):
    run = run_of(tmp_path, {"vxlan-mesh": 20, "kvxlan-mesh": 60}, repeats=2)
    outcomes = {each.name: each for each in build_report(run).outcomes}

    assert outcomes[CPU_USER_TO_KERNEL].outcome == "refuted"  # the same for both
    assert outcomes[CPU_USER_TO_KERNEL].found.startswith(
        "1.00 (range of 2 repeats: 1.00 to 1.00, 2 pairs: 1.00 to 1.00); 2 pairs outside"
    )


BAND = next(each for each in THROUGHPUT.question.predictions if each.about == GRE_TO_VXLAN)


def test_every_prediction_is_about_a_ratio():
    assert {each.about for each in THROUGHPUT.question.predictions} == set(RATIOS)


def compared(*pairs):
    """Each pair by its ratios in repeat 1, 2, ...; that of all repeats is the upper median."""
    return Compared(
        pl.DataFrame([{"name": "a / b", "ratio": sorted(each)[len(each) // 2]} for each in pairs]),
        pl.DataFrame(
            [
                {"repeat": repeat, "ratio": ratio}
                for each in pairs
                for repeat, ratio in enumerate(each, start=1)
            ]
        ),
    )


def test_how_repeats_differ_is_reported_apart_from_how_pairs_do():
    both = compared((0.9, 0.9, 0.9, 0.9), (1.0, 1.1, 1.2, 1.3))

    assert both.text(1) == "1.02 (range of 4 repeats: 0.95 to 1.10, 2 pairs: 0.90 to 1.20)"
    assert compared((1.0,)).text(1) == "1.00 (1 repeat)"
    assert compared((1.0, 1.2)).text(1) == "1.10 (range of 2 repeats: 1.00 to 1.20)"


def test_six_repeats_make_an_interval():
    assert not compared([1.0] * 5).estimate(1).is_interval
    found = compared((0.9, 0.95, 1.0, 1.0, 1.05, 1.1)).estimate(1)
    assert found.is_interval
    assert 0.9 <= found.low < 1.0 < found.high <= 1.1


@pytest.mark.parametrize(
    ("pairs", "outcome"),
    [
        (((0.9, 1.0, 1.0, 1.1),), "confirmed"),
        (((0.6, 1.0, 1.0, 1.1),), "undecided"),  # a repeat outside the bounds
        (((1.0, 1.0), (1.0, 1.0), (0.5, 0.5)), "undecided"),  # a pair outside
        (((0.5, 0.6, 0.6, 0.8),), "undecided"),
        (((0.5, 0.6, 0.6, 0.7),), "refuted"),
        (((1.0,), (1.0,)), "not judged"),  # one repeat
        (((0.5,),), "not judged"),
    ],
)
def test_what_confirms_and_what_refutes(pairs, outcome):
    assert compared(*pairs).outcome(BAND, 1) == outcome


def test_a_repeat_that_differs_is_seen_in_the_report(tmp_path):
    def faster(mode, repeat):
        return 0.5 if (mode, repeat) == ("gre-mesh", 2) else 1

    run = run_of(tmp_path, {"gre-mesh": 25, "vxlan-mesh": 25}, repeats=4, faster=faster)
    outcomes = {each.name: each for each in build_report(run).outcomes}

    assert outcomes[GRE_TO_VXLAN].outcome == "undecided"
    assert "range of 4 repeats: 0.50 to 1.00, 6 pairs: " in outcomes[GRE_TO_VXLAN].found


def test_counts_are_whole_and_in_a_table_of_their_own(tmp_path):
    _, costs, losses = build_report(run_of(tmp_path, {"gre-mesh": 20})).tables

    assert costs.heads[3:] == ("machine [s/GB]", "of these ovs-vswitchd [s/GB]")
    assert "1 s" in losses.title
    assert losses.rows[0][1] == "18,992 (18,991 to 18,993)"
    assert losses.rows[0][4] == "424,702 (424,701 to 424,703)"


def test_a_ratio_outside_its_bounds_is_named(tmp_path):
    report = build_report(run_of(tmp_path, {"gre-mesh": 10, "vxlan-mesh": 25}, repeats=2))
    outcomes = {each.name: each for each in report.outcomes}

    assert outcomes[GRE_TO_VXLAN].outcome == "refuted"
    assert (
        "6 pairs outside: gre-mesh / vxlan-mesh, tcp 128: 0.40 (and 5 more)"
        in outcomes[GRE_TO_VXLAN].found
    )


def test_an_unreliable_run_judges_nothing(tmp_path):
    run = run_of(tmp_path, {"gre-mesh": 20}, verdict={"trusted": False, "reasons": ["busy"]})
    assert {each.outcome for each in build_report(run).outcomes} == {"not judged"}


def test_the_picture_has_every_transfer(tmp_path):
    run = run_of(tmp_path, {"gre-mesh": 20, "vxlan-mesh": 25})
    figure = build_report(run).draw()
    lines = {line.get_gid(): list(line.get_xdata()) for line in figure.axes[0].lines}

    assert sorted(lines["transfers gre-mesh, TCP"]) == pytest.approx([144, 160, 208])
    assert lines["median gre-mesh, TCP gre-mesh"] == pytest.approx([160, 160])
    assert transfers_of(run).select(KEY).n_unique() == 12
    assert [ax.get_xlim()[0] for ax in figure.axes] == [0, 0, 0], "goodput begins at 0"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("many", [1, 2, 4, 5, 14])
def test_the_picture_of_many_modes_has_rows_of_families_and_of_few_rows_of_modes(tmp_path, many):
    modes = [str(mode) for mode in MODES if mode.network_type][:many]
    with mpl.rc_context(fname=STYLE):
        figure = build_report(run_of(tmp_path, dict.fromkeys(modes, 20))).draw()
        assert_readable(figure, at_least=12)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(names) == 2 * (many if many <= 4 else 1 if many == 5 else 3)
    assert (names[0] == f"{modes[0]}, TCP") is (many <= 4)


def test_a_family_shows_the_range_of_the_medians_of_its_modes(tmp_path):
    modes = {"gre-mesh": 20, "vxlan-mesh": 25, "gre-l2pop": 30, "kvxlan-mesh": 60, "flat": 10}
    figure = build_report(run_of(tmp_path, modes)).draw()
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    values = [text.get_text() for text in figure.axes[0].texts]

    shown = dict(zip(names, values, strict=True))
    assert shown["OVS tunnels, TCP"] == "160 to 240"
    assert shown["kernel VXLAN, TCP"] == "480"
    (bar,) = [p for p in figure.axes[0].patches if p.get_gid() == "bar OVS tunnels, TCP"]
    assert bar.get_width() == pytest.approx(200)
