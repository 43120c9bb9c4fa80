"""`overlaylab run state --quick` in real labs: GRE and VXLAN have the predicted counts."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_gre_and_vxlan_have_the_same_counts(tmp_path_factory):
    done = quick_run(tmp_path_factory, "state", "--modes", "gre-mesh,vxlan-mesh")
    report, run = done.report, done.run

    assert report["findings"][0] == "gre-mesh and vxlan-mesh: 24 of 24 counts the same"
    assert [each["result"] for each in report["summaries"]] == ["matches"] * 48
    counts = {
        mode: {
            (row["what"], row["moment"]): row["count"]
            for row in run.samples.iter_rows(named=True)
            if row["mode"] == mode and row["what"] != "ARP packets"
        }
        for mode in ("gre-mesh", "vxlan-mesh")
    }
    assert counts["gre-mesh"] == counts["vxlan-mesh"]
    assert counts["gre-mesh"]["tunnel packets", "set up and idle"] == 0
    assert counts["gre-mesh"]["tunnel packets", "first frame"] == 2
    assert done.has_picture("state")
