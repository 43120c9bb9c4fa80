"""`overlaylab run tunnels --quick` on real labs: counts are as predicted; no test of a time."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_ports_are_as_predicted_and_their_cost_is_apart_from_arithmetic(tmp_path_factory):
    done = quick_run(
        tmp_path_factory, "tunnels", "--modes", "gre-l2pop,kvxlan-mesh", "--hosts", "3"
    )
    report, run = done.report, done.run

    assert report["findings"][0] == (
        "3 hosts in one network: gre-l2pop has 6 tunnel ports in all, kvxlan-mesh has no tunnel port"
    )
    assert {each["result"] for each in report["summaries"]} == {"matches"}
    ports = {(row["mode"], row["membership"]): row["ports_in_all"] for row in run.rows_of()}
    assert ports["gre-l2pop", "dense"] == 6
    assert ports["gre-l2pop", "pairs"] == 2
    assert ports["kvxlan-mesh", "dense"] == 0
    per_host = [row for row in run.rows_of("hosts") if row["mode"] == "gre-l2pop"]
    assert all(row["pss_kib"] >= row["private_kib"] > 0 for row in per_host)
    ladder = run.rows_of("ladder")
    assert [row["ports"] for row in ladder] == [0, 1, 15, 127, 255]
    assert ladder[-1]["pss_kib"] - ladder[0]["pss_kib"] > 255, "at least 1 KiB per port"
    assert done.has_picture("tunnels")
    watched = {(lab["mode"], lab["membership"]) for lab in run.about["measured"] if lab["windows"]}
    assert watched == {("gre-l2pop", "dense")}, "the machine is watched where a time is measured"
    assert "| 40,000 | 39,999 | 799,980,000 |" in (run.directory / "report.md").read_text()
