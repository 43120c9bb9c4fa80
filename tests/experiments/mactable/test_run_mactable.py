"""`overlaylab run mactable --quick`, for real: every entry and every misdelivered copy is as predicted."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_entries_and_misdelivered_copies_are_exact(tmp_path_factory):
    done = quick_run(tmp_path_factory, "mactable", "--modes", "vlan", "--hosts", "3")
    report, run = done.report, done.run

    first = "Underlay switch, 1024 guests on 3 hosts: 1024 MAC entries with vlan"
    assert report["findings"][0] == first
    assert {each["result"] for each in report["summaries"]} == {"matches"}
    assert {each["outcome"] for each in report["predictions"]} == {"confirmed"}
    assert set(run.samples["of_others"]) == {0}
    assert run.samples["misdelivered"].to_list() == [0, 0, 0, 0, 0, 64, 128, 341]
    assert done.has_picture("mactable")
