"""`overlaylab run mactable --quick`, for real: every entry and every stray copy is as foretold."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_entries_and_copies_astray_are_exact(tmp_path_factory):
    done = quick_run(tmp_path_factory, "mactable", "--modes", "vlan", "--hosts", "3")
    report, run = done.report, done.run

    assert report["findings"][0] == "32 of 32 cells equal their prediction"
    assert {row["of_others"] for row in run.rows} == {0}
    assert [row["astray"] for row in run.rows] == [0, 0, 0, 0, 0, 64, 128, 341]
    assert done.has_picture("mactable")
