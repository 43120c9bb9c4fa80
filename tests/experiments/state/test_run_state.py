"""`overlaylab run state --quick`, for real: GRE and VXLAN send and keep what was foretold, and the same."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_both_are_as_stateless_as_the_other(tmp_path_factory):
    done = quick_run(tmp_path_factory, "state", "--modes", "gre-mesh,vxlan-mesh")
    report, run = done.report, done.run

    assert report["findings"][0] == "48 of 48 cells equal their prediction"
    counts = {
        mode: {
            (row["what"], row["moment"]): row["count"]
            for row in run.rows
            if row["mode"] == mode and row["what"] != "ARP packets"
        }
        for mode in ("gre-mesh", "vxlan-mesh")
    }
    assert counts["gre-mesh"] == counts["vxlan-mesh"]
    assert counts["gre-mesh"]["tunnel packets", "set up and idle"] == 0
    assert counts["gre-mesh"]["tunnel packets", "first frame"] == 2
    assert done.has_picture("state")
