"""`overlaylab run aa --quick` with real labs."""

import pytest

from experiments.aa.probe import EXPERIMENT as AA
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_a_quick_run_has_samples_of_both_labels_and_no_comparison(tmp_path_factory):
    done = quick_run(tmp_path_factory, "aa", "--modes", "gre-mesh")
    report, found = done.report, done.run

    assert found.about["status"] == "complete"
    assert set(found.samples.select("mode", "label").rows()) == {
        ("gre-mesh", "a"),
        ("gre-mesh", "b"),
    }
    warm = found.samples.filter(**found.question.compared)
    assert len(warm) == 2 * AA.quick.warm.count
    assert "no comparison, which takes 6 repeats; 1 repeat" in report["headline"]
    assert (found.directory / "aa.png").stat().st_size > 10_000
