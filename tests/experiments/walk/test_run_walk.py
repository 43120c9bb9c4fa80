"""`overlaylab run walk --quick` in a real lab: its files and its report; no times."""

import pytest

from experiments.walk.report import build_report
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_a_quick_run_follows_a_ping_from_site_to_site(tmp_path_factory):
    done = quick_run(tmp_path_factory, "walk")
    run, directory = done.run, done.run.directory

    assert run.about["status"] == "complete"
    assert (run.about["scenario"], run.about["hosts"]) == (
        "home-office",
        ["home-router", "office-router"],
    )
    predicted = {
        (row["about"], row["check"]): row["seen"] for row in run.predicted.rows(named=True)
    }
    assert {
        (row["about"], row["check"]): row["seen"] for row in run.samples.rows(named=True)
    } == predicted
    assert all(run.tables[name].height for name in run.question.more)
    report = build_report(run)
    assert report.findings[0].endswith("3 of the article's 11 steps are inexact")
    for picture in report.pictures:
        assert done.has_picture(picture.name)
    captures = {path.name for path in directory.glob("raw/*/walk-*.pcapng")}
    assert {"walk-pc.pcapng", "walk-isp1.pcapng", "walk-server.pcapng"} <= captures
