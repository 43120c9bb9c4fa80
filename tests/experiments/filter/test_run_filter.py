"""`overlaylab run filter --quick` on real labs: every cell is as predicted."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(tmp_path_factory, "filter", "--modes", "gre-mesh,kvxlan-mesh")


def test_every_cell_is_as_predicted(done):
    assert "90 of 90 cells match their prediction" in done.report["findings"]
    count = {(row["mode"], row["rule"], row["what"]): row["count"] for row in done.run.rows_of()}
    assert count["gre-mesh", "none", "tenant A"] == 16
    assert count["gre-mesh", "inner, u32", "tenant A"] == 0
    assert count["gre-mesh", "inner, u32", "tenant B, same flow"] == 16
    assert count["gre-mesh", "conntrack", "entries"] == 1
    assert count["kvxlan-mesh", "conntrack", "entries"] == 16
    assert count["kvxlan-mesh", "masquerade", "tenant A"] == 16


def test_all_packets_arrived_at_the_firewall(done):
    """So packets that did not pass were stopped there."""
    flows = [row for row in done.run.rows_of() if row["rule"] != "conntrack"]
    assert flows
    assert {row["offered"] for row in flows} == {16}


def test_the_machine_is_watched_while_costs_are_timed(done):
    assert [len(lab["windows"]) for lab in done.run.about["measured"]] == [1, 1]
    assert done.run.about["thresholds"]["cpu_steal_max"] == pytest.approx(0.1)


def test_costs_and_rules_are_kept_and_drawn(done):
    kinds = {(row["rule"], row["rules"]) for row in done.run.rows_of("cost")}
    assert kinds == {
        ("none", 0),
        ("conntrack", 1),
        ("inner, nft", 1),
        ("inner, nft", 100),
        ("inner, u32", 1),
        ("inner, u32", 100),
    }
    assert (
        "@th,96,24" in next(done.run.directory.glob("raw/*kvxlan*/rules-inner-nft.txt")).read_text()
    )
    assert (done.run.directory / "filter.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
