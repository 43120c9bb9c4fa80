"""The experiment `throughput`: iperf3's reports, medians and factors."""

from pathlib import Path

import pytest

from controller.model.errors import MeasureError
from experiments.core.results import Recorder, read
from experiments.measure.cpu import Spent
from experiments.throughput import iperf
from experiments.throughput.factors import KINDS, Factor, described, outcome, over_blocks
from experiments.throughput.probe import EXPERIMENT as THROUGHPUT
from experiments.throughput.probe import row
from experiments.throughput.report import build_report, cells
from tests.experiments.made_runs import ABOUT

SEEN = Path(__file__).with_name("iperf_output")  # of iperf3 3.12 between two guests


def seen(name):
    return iperf.bulk((SEEN / f"{name}.json").read_text(), name.partition("-")[0])


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
        iperf.bulk(text, "tcp")


def test_the_size_is_that_of_the_ip_packet():
    tcp, udp = (iperf.send("10.0.0.1", protocol, 576, 1) for protocol in ("tcp", "udp"))

    assert tcp[tcp.index("--set-mss") + 1] == "536"
    assert udp[udp.index("--length") + 1] == "548"


def test_costs_are_by_what_arrived():
    bulk = iperf.Bulk(
        seconds=1.0, received_bytes=250_000_000, sent_bytes=10**9, lost_packets=3, retransmits=None
    )
    found = row(1450, bulk, Spent(machine_s=2.0, switches_s=1.0))

    assert (found["goodput_mbit_s"], found["cpu_s_per_gb"], found["switch_s_per_gb"]) == (
        2000,
        8,
        4,
    )
    nothing = iperf.Bulk(
        seconds=1, received_bytes=0, sent_bytes=9, lost_packets=9, retransmits=None
    )
    assert row(128, nothing, Spent(machine_s=1.0))["cpu_s_per_gb"] is None


def made(parent, goodput, repeats=1, cost=lambda mode: 50, faster=lambda mode, repeat: 1, **about):
    """`goodput` by mode: of TCP and UDP alike, at 128 bytes; four times that at 576, eight above.

    `cost`: of a mode, at 128 bytes [s/GB]; `faster`: times what the mode carries in a block.
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


def test_factors_hold_a_mode_against_its_like(tmp_path):
    report = build_report(
        made(
            tmp_path,
            {
                "gre-mesh": 20,
                "gre-l2pop": 21,
                "vxlan-mesh": 25,
                "vxlan-l2pop": 26,
                "kvxlan-mesh": 100,
            },
        )
    )
    outcomes = {
        each.claim.partition(" ")[0]: (each.outcome, each.found) for each in report.outcomes
    }

    assert outcomes["GRE"] == ("confirmed", "x 0.80 (12 pairings, 0.80 to 0.81)")
    assert outcomes["l2population"] == ("confirmed", "x 1.04 (12 pairings, 1.04 to 1.05)")
    assert outcomes["UDP"] == ("confirmed", "x 4.00 (5 pairings, 4.00 to 4.00)")
    assert outcomes["kernel"] == ("confirmed", "x 4.00 (2 pairings, 4.00 to 4.00)")
    assert report.findings[0] == (
        "TCP in the largest packets, by medians: least 160 Mbit/s (gre-mesh), most 800 (kvxlan-mesh)"
    )


def test_processor_time_is_held_against_it_too(tmp_path):
    def cost(mode):
        return 10 if mode.startswith("k") else 25

    modes = {"gre-mesh": 20, "vxlan-mesh": 20, "kvxlan-mesh": 60}
    outcomes = {
        each.claim.partition(" ")[0]: each
        for each in build_report(made(tmp_path, modes, cost=cost)).outcomes
    }

    assert (outcomes["packets"].outcome, outcomes["packets"].found) == (
        "confirmed",
        "x 4.00 (6 pairings, 4.00 to 4.00)",
    )
    assert (outcomes["user"].outcome, outcomes["user"].found) == (
        "confirmed",
        "x 2.50 (2 pairings, 2.50 to 2.50)",
    )


def test_processor_time_that_does_not_grow_refutes(tmp_path):
    run = made(tmp_path, {"vxlan-mesh": 20, "kvxlan-mesh": 60})
    outcomes = {each.claim.partition(" ")[0]: each for each in build_report(run).outcomes}

    assert outcomes["user"].outcome == "refuted"  # the same for both
    assert outcomes["user"].found.startswith(
        "x 1.00 (2 pairings, 1.00 to 1.00); 2 pairings outside"
    )


BAND = next(each for each in THROUGHPUT.question.predictions if each.about == "gre to vxlan")


def test_every_prediction_is_of_a_kind_of_factor():
    assert {each.about for each in THROUGHPUT.question.predictions} == set(KINDS)


def factor(*by_block, name="a to b"):
    repeats = dict(enumerate(by_block, start=1))
    return Factor(name, sorted(by_block)[len(by_block) // 2], repeats)


def test_how_blocks_differ_is_told_apart_from_how_pairings_do(tmp_path):
    both = (factor(0.9, 0.9, 0.9, 0.9), factor(1.0, 1.1, 1.2, 1.3, name="c to d"))

    assert (
        described(both, 1) == "x 1.02 (range of 4 repeats: 0.95 to 1.10; 2 pairings, 0.90 to 1.20)"
    )
    assert described((factor(1.0),), 1) == "x 1.00"
    assert described((factor(1.0, 1.2),), 1) == "x 1.10 (range of 2 repeats: 1.00 to 1.20)"


def test_six_blocks_make_an_interval():
    assert not over_blocks((factor(*[1.0] * 5),), 1).is_interval
    found = over_blocks((factor(0.9, 0.95, 1.0, 1.0, 1.05, 1.1),), 1)
    assert found.is_interval
    assert 0.9 <= found.low < 1.0 < found.high <= 1.1


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ((factor(0.9, 1.0, 1.0, 1.1),), "confirmed"),
        ((factor(0.6, 1.0, 1.0, 1.1),), "undecided"),  # a block that left the band
        ((factor(1.0, 1.0), factor(1.0, 1.0), factor(0.5, 0.5)), "undecided"),  # a pairing that did
        ((factor(0.5, 0.6, 0.6, 0.8),), "undecided"),
        ((factor(0.5, 0.6, 0.6, 0.7),), "refuted"),
    ],
)
def test_what_confirms_and_what_refutes(found, wanted):
    assert outcome(BAND, found, 1) == wanted


def test_a_block_that_differs_is_seen_in_the_run(tmp_path):
    def faster(mode, repeat):
        return 0.5 if (mode, repeat) == ("gre-mesh", 2) else 1

    run = made(tmp_path, {"gre-mesh": 25, "vxlan-mesh": 25}, repeats=4, faster=faster)
    outcomes = {each.claim.partition(" ")[0]: each for each in build_report(run).outcomes}

    assert outcomes["GRE"].outcome == "undecided"
    assert "range of 4 repeats: 0.50 to 1.00; 6 pairings" in outcomes["GRE"].found


def test_counts_are_whole_and_stand_apart_from_processor_time(tmp_path):
    _, costs, losses = build_report(made(tmp_path, {"gre-mesh": 20})).tables

    assert costs.heads[3:] == ("machine [s/GB]", "of these ovs-vswitchd [s/GB]")
    assert "1 s" in losses.title
    assert losses.rows[0][1] == "18,992 (18,991 to 18,993)"
    assert losses.rows[0][4] == "424,702 (424,701 to 424,703)"


def test_a_factor_outside_its_band_is_told(tmp_path):
    report = build_report(made(tmp_path, {"gre-mesh": 10, "vxlan-mesh": 25}))
    outcomes = {each.claim.partition(" ")[0]: each for each in report.outcomes}

    assert outcomes["GRE"].outcome == "refuted"
    assert (
        "6 pairings outside: gre-mesh to vxlan-mesh, tcp 128 x 0.40 (and 5 more)"
        in outcomes["GRE"].found
    )


def test_a_run_that_is_not_trusted_judges_nothing(tmp_path):
    run = made(tmp_path, {"gre-mesh": 20}, verdict={"trusted": False, "reasons": ["busy"]})
    assert {each.outcome for each in build_report(run).outcomes} == {"not judged"}


def test_the_picture_has_every_transfer(tmp_path):
    run = made(tmp_path, {"gre-mesh": 20, "vxlan-mesh": 25})
    figure = build_report(run).draw()
    lines = {line.get_gid(): list(line.get_xdata()) for line in figure.axes[0].lines}

    assert lines["TCP gre-mesh 2"] == pytest.approx([144, 160, 208])
    assert len(cells(run)) == 12


def test_every_panel_says_that_its_axis_is_logarithmic(tmp_path):
    for ax in build_report(made(tmp_path, {"gre-mesh": 20})).draw().axes:
        assert ax.get_xscale() == "log"
        assert any("axis logarithmic" in text.get_text() for text in ax.texts)
