"""`overlaylab run ecmp`, for real and through the command line."""

import polars as pl
import pytest

from experiments.ecmp.words import SPLIT
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke

# The kernel's hash has a new seed at every boot: 128 of 512 flows on each of 4 spines, give or
# take 10, and on each of 2 more.
LEAST = 128 - 6 * 10


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(tmp_path_factory, "ecmp", "--modes", "gre-mesh,vxlan-mesh")


def test_gre_is_on_one_path_and_vxlan_spreads(done):
    cells = {
        (row["mode"], row["spines"], row["hash_policy"], row["pairs"], row["flows"]): row
        for row in done.run.samples.rows(named=True)
    }
    assert len(cells) == 2 * 2 * 3 * 2 * 10
    for spines in (2, 4):
        assert cells["gre-mesh", spines, 1, "one", 512]["most"] == 512
        assert cells["vxlan-mesh", spines, 1, "one", 512]["least"] >= LEAST
        assert cells["vxlan-mesh", spines, 2, "many", 512]["most"] == 512
        assert cells["gre-mesh", spines, 2, "many", 512]["least"] >= LEAST
    assert set(done.run.samples[SPLIT]) == {0}


def test_every_flow_is_on_one_spine_of_those_listed(done):
    key = ("mode", "spines", "hash_policy", "pairs", "flows", "draw")
    counted = done.run.tables["spines"].group_by(key).agg(pl.len(), pl.col("on_spine").sum())
    found = done.run.samples.join(counted, on=key, how="left")
    assert found.height == 240
    assert found["len"].to_list() == found["spines"].to_list()
    assert found["on_spine"].to_list() == found["flows"].to_list()


def test_the_report_and_its_figure(done):
    report = done.report
    assert "All flows on one spine as predicted: 180 of 180 cells" in report["findings"]
    assert len(done.run.about["predicted"]) == 240
    assert (done.run.directory / "ecmp.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "by the number of flows" in (done.run.directory / "report.md").read_text()
