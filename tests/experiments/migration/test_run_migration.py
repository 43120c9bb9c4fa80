"""`overlaylab run migration`, for real: without gratuitous ARP the guest stays unreachable where its MAC was learned."""

import pytest

from experiments.migration.words import FLUSHED, UNKNOWN, WITH, WITHOUT
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(tmp_path_factory, "migration", "--modes", "vxlan-mesh,vxlan-l2pop")


def test_moves_are_unreachable_only_without_gratuitous_arp(done):
    found = set(done.run.samples.select("mode", "way", "censored").rows())

    assert found == {
        ("vxlan-mesh", WITH, 0),
        ("vxlan-mesh", WITHOUT, 1),
        ("vxlan-mesh", FLUSHED, 0),
        ("vxlan-l2pop", WITH, 0),
        ("vxlan-l2pop", WITHOUT, 1),
        ("vxlan-l2pop", UNKNOWN, 0),
    }


def test_the_guest_moves_in_both_directions_and_loses_what_is_sent_during_the_downtime(done):
    ended = done.run.samples.filter(censored=0).rows(named=True)

    assert set(done.run.samples["to"]) == {"computer", "computer2"}
    assert all(row["downtime_ms"] > row["plugged_ms"] / 2 for row in ended)
    # One datagram per millisecond: as many are lost as the downtime has milliseconds.
    assert all(0.3 * row["downtime_ms"] < row["lost"] < 1.1 * row["downtime_ms"] for row in ended)
