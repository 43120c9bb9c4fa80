"""Packets counted on their way through the firewall, without a lab."""

from types import SimpleNamespace

import pytest

from experiments.filter import path as filter_path
from experiments.filter.labs import staged
from experiments.filter.path import RED, Path
from tests.experiments.descriptors import high_socket_pairs
from topologies.scenario import load as scenario

OUTER = bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x2f" + bytes(10) + bytes(8)  # IPv4, GRE
COPIES = 3


@pytest.fixture
def overlay():
    return staged(scenario.load("article").overlay, {"mode": "gre-mesh"})


@pytest.mark.parametrize("forwarded", [COPIES, 1, 0])
def test_packets_are_counted_at_each_place(overlay, forwarded, monkeypatch):
    """The firewall forwards so many packets, and the barrier."""
    monkeypatch.setattr(filter_path, "GUEST_TIMEOUT_S", 0.05)
    way = RED
    with high_socket_pairs(3) as pairs:
        into, behind, guest = (end.send for _, end in pairs)
        passed = []

        def send(frame):
            into(OUTER + frame)
            passed.append(frame)
            if len(passed) <= forwarded:
                behind(OUTER + frame)
                guest(OUTER + frame)

        path = Path(
            SimpleNamespace(overlay=overlay),
            {way.source: send, way.before: lambda frame: behind(OUTER + frame)},
            dict(zip(way.places, (receiver for receiver, _ in pairs), strict=True)),
        )
        found = path.through(way, 20001, copies=COPIES)

    assert [found.at(place) for place in way.places] == [COPIES, forwarded, forwarded]
    assert found.frame == OUTER + passed[0]
