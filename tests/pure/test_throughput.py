"""The experiment `throughput`: iperf3's reports, medians and factors."""

from pathlib import Path

import pytest

from experiments.instruments import iperf
from experiments.instruments.cpu import Spent
from experiments.probes.throughput import THROUGHPUT, row
from experiments.results import Recorder, read
from experiments.tell.throughput import cells, tell
from tests.pure.made_runs import ABOUT
from topologies.errors import MeasureError

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


def made(parent, goodput, **about):
    """`goodput` by mode: of TCP and UDP alike, at 128 bytes; four times that at 576, eight above."""
    question = THROUGHPUT.with_levels(mode=tuple(goodput)).question
    recorder = Recorder(parent, "run", question.tables())
    settings = {"seconds": 1, "repeats": 3}
    recorder.about({
        **ABOUT, "question": question.to_json(), "settings": settings, "foretold": [], **about,
    })  # fmt: skip
    recorder.samples(
        {
            "block": 1, "order": 1, "mode": mode, "protocol": protocol, "repeat": repeat,
            "ip_bytes": size, "goodput_mbit_s": base * times * (0.9, 1.0, 1.3)[repeat - 1],
            "cpu_s_per_gb": 50 / times, "switch_s_per_gb": 20 / times, "sent_bytes": 10**6,
            "lost_packets": None, "retransmits": 4,
        }
        for mode, base in goodput.items()
        for protocol in ("tcp", "udp")
        for repeat in (1, 2, 3)
        for size, times in ((128, 1), (576, 4), (1458 if "gre" in mode else 1450, 8))
    )  # fmt: skip
    return read(recorder.directory)


def test_factors_hold_a_mode_against_its_like(tmp_path):
    story = tell(made(tmp_path, {
        "gre-mesh": 20, "gre-l2pop": 21, "vxlan-mesh": 25, "vxlan-l2pop": 26, "kvxlan-mesh": 100,
    }))  # fmt: skip
    held = {each.says.partition(" ")[0]: (each.stands, each.found) for each in story.held}

    assert held["GRE"] == ("confirmed", "x 0.80 (0.80..0.81, n = 12)")
    assert held["l2population"] == ("confirmed", "x 1.04 (1.04..1.05, n = 12)")
    assert held["UDP"] == ("confirmed", "x 4.00 (4.00..4.00, n = 5)")
    assert held["kernel"] == ("confirmed", "x 4.00 (4.00..4.00, n = 2)")
    assert story.findings[0] == (
        "TCP in the largest packets: gre-mesh 160 Mbit/s, kvxlan-mesh 800 Mbit/s"
    )


def test_a_factor_outside_its_band_is_told(tmp_path):
    story = tell(made(tmp_path, {"gre-mesh": 10, "vxlan-mesh": 25}))
    held = {each.says.partition(" ")[0]: each for each in story.held}

    assert held["GRE"].stands == "refuted"
    assert "outside: gre-mesh to vxlan-mesh, tcp 128 x 0.40 (and 5 more)" in held["GRE"].found


def test_a_run_that_is_not_trusted_judges_nothing(tmp_path):
    run = made(tmp_path, {"gre-mesh": 20}, verdict={"trusted": False, "reasons": ["busy"]})
    assert {each.stands for each in tell(run).held} == {"not judged"}


def test_the_picture_has_every_transfer(tmp_path):
    run = made(tmp_path, {"gre-mesh": 20, "vxlan-mesh": 25})
    figure = tell(run).pictures[0].draw()
    lines = {line.get_gid(): list(line.get_xdata()) for line in figure.axes[0].lines}

    assert lines["TCP gre-mesh 2"] == pytest.approx([144, 160, 208])
    assert len(cells(run)) == 12
