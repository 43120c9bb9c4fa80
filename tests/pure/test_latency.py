"""The probe, on a lab that only answers."""

from dataclasses import replace

import pytest

from experiments.catalogue import EXPERIMENTS
from experiments.experiment import Tools
from experiments.find import find
from experiments.latency import LATENCY, guests, narrowed, probe
from tests.pure.fake_bench import FakeBench
from topologies.errors import MeasureError
from topologies.modes import MODES, parse_mode, with_mode
from topologies.scenario import load

SETTINGS = replace(LATENCY.quick, pings=8, warmup_pings=3)
POINT = {"mode": "gre-mesh"}


class Meter:
    def stop(self):
        return {"idle": 0.5, "steal": 0.0}


@pytest.fixture
def overlay():
    return load("article").overlay


@pytest.fixture
def kept():
    return {}


@pytest.fixture
def tools(kept):
    return Tools(settings=SETTINGS, keep=kept.__setitem__, meter=Meter)


def only(measured, phase):
    return [row for row in measured.rows if row["phase"] == phase]


def test_the_pair_is_the_article_s(overlay):
    assert [port.device_id for port in guests(overlay)] == ["ServerA", "ServerB"]


def test_guests_on_one_host_are_no_pair(overlay):
    together = replace(overlay, ports=tuple(replace(p, host="computer") for p in overlay.ports))

    with pytest.raises(MeasureError) as caught:
        guests(together)

    assert str(caught.value) == (
        "overlay 'article': no two guests of one network on different hosts; allowed: a network with "
        "IPv4 guests on two hosts. Add a port on another host to the scenario."
    )


def test_narrowed_to_what_is_measured_nothing_of_another_network_is_left():
    overlay = narrowed(load("side-by-side").overlay)

    (network,) = overlay.networks
    assert network.name == "red"
    assert {each.network_id for each in (*overlay.ports, *overlay.subnets)} == {network.id}
    assert len(overlay.hosts) == 4
    assert with_mode(overlay, parse_mode("flat"))


def test_the_prediction_speaks_of_tunnels():
    about = {str(mode): LATENCY.prediction.is_about(str(mode)) for mode in MODES}

    assert [mode for mode, is_about in about.items() if not is_about] == ["vlan", "flat"]


def test_cold_warmup_and_warm_are_apart_and_all_recorded(overlay, tools):
    measured = probe(FakeBench(overlay), POINT, tools)

    assert [len(only(measured, phase)) for phase in ("cold", "warmup", "warm")] == [1, 3, 8]
    assert {row["interval_ms"] for row in measured.rows} == {SETTINGS.interval_ms}
    assert set(measured.rows[0]) == set(LATENCY.columns) - {"mode"}
    assert only(measured, "warm")[7]["rtt_ms"] == 0.471  # as FakeBench answers the eighth


def test_ping_is_asked_for_what_the_settings_say(overlay, tools):
    bench = FakeBench(overlay)

    probe(bench, POINT, tools)

    pings = [asked for asked in bench.asked if asked[1] == "ping"]
    assert pings[-1] == (
        "ServerA", "ping", "-n", "-D", "-i", "0.01", "-c", "8", "-W", "2", "-s", "56", "172.16.166.125",
    )  # fmt: skip


def test_what_was_cold_is_looked_up_before_the_first_ping(overlay, tools, kept):
    bench = FakeBench(overlay)

    measured = probe(bench, POINT, tools)

    assert [asked[1] for asked in bench.asked].index("ping") == 3
    assert measured.facts["cold"] == {
        "guest_arp_known": False,
        "far_guest_in_table_20": False,
        "megaflow_to_far_guest": False,
        "vtep_neighbours": "resolved when the lab was ready",
    }


@pytest.mark.parametrize(
    ("program", "answer", "fact"),
    [
        ("ip", "172.16.166.125 dev eth0 lladdr fa:16:3e:29:99:6a REACHABLE\n", "guest_arp_known"),
        (
            "ovs-ofctl",
            " table=20, dl_vlan=1,dl_dst=fa:16:3e:29:99:6a actions=...",
            "far_guest_in_table_20",
        ),
        ("ovs-appctl", "eth(src=fa:16:3e:7a:f5:1d,dst=fa:16:3e:29:99:6a)", "megaflow_to_far_guest"),
    ],
)
def test_what_was_known_already_is_said(overlay, tools, program, answer, fact):
    class Knowing(FakeBench):
        def _answer(self, argv):
            return answer if argv[0] == program else super()._answer(argv)

    cold = probe(Knowing(overlay), POINT, tools).facts["cold"]

    assert [name for name, known in cold.items() if known is True] == [fact]


def test_what_the_tools_printed_is_kept(overlay, tools, kept):
    probe(FakeBench(overlay), POINT, tools)

    assert sorted(kept) == [
        "before-br-tun-20.txt", "before-guest-arp.txt", "before-megaflows.txt",
        "ping-cold.txt", "ping-warm.txt", "ping-warmup.txt",
    ]  # fmt: skip
    assert kept["ping-warm.txt"].startswith("# ServerA: ping -n -D -i 0.01 -c 8")
    assert "8 packets transmitted, 8 received" in kept["ping-warm.txt"]


def test_loss_is_a_sample_without_a_time(overlay, tools):
    measured = probe(FakeBench(overlay, lose=(2, 5), warm_pings=8), POINT, tools)

    assert [row["seq"] for row in only(measured, "warm") if row["rtt_ms"] is None] == [2, 5]


def test_not_one_reply_is_a_failed_expectation(overlay, tools, kept):
    with pytest.raises(MeasureError, match=r"ping from ServerA to ServerB .*: not one reply"):
        probe(FakeBench(overlay, lose=tuple(range(1, 9)), warm_pings=8), POINT, tools)

    assert "0 received" in kept["ping-warm.txt"]


def test_every_experiment_of_the_catalogue_is_there():
    assert [find(name).name for name, _ in EXPERIMENTS] == [name for name, _ in EXPERIMENTS]


def test_the_value_is_among_its_columns_and_the_baseline_among_its_levels():
    assert LATENCY.value in LATENCY.columns
    (factor,) = LATENCY.factors
    assert LATENCY.baseline[factor] in LATENCY.factors[factor]
    assert LATENCY.full.blocks >= LATENCY.thresholds.blocks_min
