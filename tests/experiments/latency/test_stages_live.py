"""A ping followed from hop to hop through a real lab, compared with its round-trip time."""

from collections import defaultdict
from contextlib import nullcontext
from statistics import median

import pytest

from controller.model.modes import parse_mode, with_mode
from experiments.core.experiment import Context
from experiments.core.pairs import guests
from experiments.latency.question import STAGE_COLUMNS
from experiments.latency.stages import FIELDS, WIRE, stage_rows
from experiments.latency.words import PING, RTT, STAGES, UNMATCHED
from experiments.measure.captures import decoded
from experiments.measure.packets import INTERFACE, all_of, stamp_ns
from tests.labs import adopt_orphans, nothing_left, pinged
from topologies.lab import started
from topologies.scenario import load as scenario

pytestmark = pytest.mark.root

PINGS = 10
LEAST = 0.5  # of the round-trip time is covered by the stages (95% on an idle machine)


@pytest.fixture
def home(tmp_path_factory, monkeypatch, need_root):
    """A folder for the labs of this test."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


@pytest.fixture
def context(tmp_path):
    return Context(
        keep=lambda name, text: (tmp_path / name).write_text(text) and None,
        path=lambda name: tmp_path / name,
        watch=nullcontext,
        say=print,
        seed=1,
    )


def by_ping(rows):
    found = defaultdict(dict)
    for row in rows:
        assert set(row) == set(STAGE_COLUMNS)
        found[row["seq"]][row["direction"], row["stage"]] = row
    return found


def ignore_pings(lab, guest):
    """The guest sends no more echo replies."""
    lab.run(guest, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")


@pytest.mark.parametrize(("mode", "headers"), [("vxlan-l2pop", 2), ("flat", 1)])
def test_every_ping_is_followed_and_its_stages_match_its_round_trip(
    home, context, tmp_path, mode, headers
):
    overlay = with_mode(scenario.load("article").overlay, parse_mode(mode))
    with nothing_left(home), started(overlay) as lab:
        source, target = pair = guests(lab.overlay)
        assert pinged(lab, source.device_id, str(target.ipv4[0]), 2) == 2, "the path is warm"
        rows = stage_rows(lab, pair, context, pings=PINGS)
        wire = tmp_path / f"stages-{source.host}.pcapng"
        found = decoded(wire, FIELDS, "icmp")
        ignore_pings(lab, target.device_id)
        unanswered = stage_rows(lab, pair, context, pings=1)

    assert_fits(by_ping(rows))
    seen = [packet for packet in found if packet[INTERFACE] == WIRE]
    assert len(seen) == 2 * (PINGS + 1), (
        "one more than wanted is sent, so that ping waits for the last reply"
    )
    assert {len(all_of(packet, "ip.src")) for packet in seen} == {headers}, "it was tunnelled"
    assert any(stamp_ns(packet) % 1000 for packet in seen), "stamps have nanoseconds"
    assert [(row["stage"], row["note"]) for row in unanswered] == [
        (UNMATCHED, "no reply at eth0 of the far guest")
    ]


def assert_fits(pings):
    """Every ping has all its stages, which cover most of its round trip and do not exceed it."""
    assert list(pings) == list(range(1, PINGS + 1))
    for stages in pings.values():
        assert list(stages) == [*STAGES, (PING, RTT)]
        assert min(stages[place]["latency_us"] for place in STAGES) >= 0
        assert stages[PING, RTT]["note"] is None, "the stages are longer than the ping"
    covered = [
        sum(stages[place]["latency_us"] for place in STAGES) / stages[PING, RTT]["latency_us"]
        for stages in pings.values()
    ]
    assert median(covered) > LEAST
