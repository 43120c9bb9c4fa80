"""`overlaylab run aa --quick`, for real: two labs alike, told without a claim."""

import pytest

from experiments.aa.probe import EXPERIMENT as AA
from experiments.core.question import of_point
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_a_first_look_at_a_mode_against_itself(tmp_path_factory):
    done = quick_run(tmp_path_factory, "aa", "--modes", "gre-mesh")
    report, found = done.report, done.run

    assert found.about["status"] == "complete"
    assert {(row["mode"], row["label"]) for row in found.rows} == {
        ("gre-mesh", "a"),
        ("gre-mesh", "b"),
    }
    warm = of_point(found.rows, found.question.compared)
    assert len(warm) == 2 * AA.quick.warm.count
    assert "a first look at 1 block" in report["headline"]
    assert (found.directory / "aa.png").stat().st_size > 10_000
