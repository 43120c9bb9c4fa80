"""`overlaylab run mactable --quick`, for real: every entry and every misdelivered copy is as predicted."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_entries_and_misdelivered_copies_are_exact(tmp_path_factory):
    done = quick_run(tmp_path_factory, "mactable", "--modes", "vlan", "--hosts", "3")
    report, run = done.report, done.run

    assert report["findings"][0] == "32 of 32 cells match their prediction"
    assert set(run.samples["of_others"]) == {0}
    assert run.samples["misdelivered"].to_list() == [0, 0, 0, 0, 0, 64, 128, 341]
    assert done.has_picture("mactable")
