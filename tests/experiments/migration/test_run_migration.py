"""`overlaylab run migration`, for real: a silent guest stays dark where its MAC was learned."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(tmp_path_factory, "migration", "--modes", "vxlan-mesh,vxlan-l2pop")


def test_only_silence_is_dark(done):
    dark = {(row["mode"], row["way"], row["censored"]) for row in done.run.rows}

    assert dark == {
        ("vxlan-mesh", "announced", 0),
        ("vxlan-mesh", "silent", 1),
        ("vxlan-mesh", "announced, uncached", 0),
        ("vxlan-l2pop", "announced", 0),
        ("vxlan-l2pop", "silent", 1),
        ("vxlan-l2pop", "silent, unheard", 0),
    }


def test_the_guest_goes_to_and_fro_and_misses_what_is_sent_meanwhile(done):
    back = [row for row in done.run.rows if not row["censored"]]

    assert {row["to"] for row in done.run.rows} == {"computer", "computer2"}
    assert all(row["dark_ms"] > row["plugged_ms"] / 2 for row in back)
    # A datagram a millisecond: what is missing is what was sent in the dark.
    assert all(0.3 * row["dark_ms"] < row["lost"] < 1.1 * row["dark_ms"] for row in back)
