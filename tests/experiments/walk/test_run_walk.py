"""`overlaylab run walk --quick`, for real: files appear, parse and tell; never a timing."""

import pytest

from experiments.walk.report import tell
from tests.experiments.running import first_look

pytestmark = pytest.mark.smoke


def test_a_first_look_follows_a_ping_from_site_to_site(tmp_path_factory):
    done = first_look(tmp_path_factory, "walk")
    run, directory = done.run, done.run.directory

    assert run.about["status"] == "complete"
    assert (run.about["scenario"], run.about["hosts"]) == (
        "home-office",
        ["home-router", "office-router"],
    )
    foretold = {(row["about"], row["check"]): row["seen"] for row in run.about["foretold"]}
    assert {(row["about"], row["check"]): row["seen"] for row in run.rows} == foretold
    assert all(run.tables[name] for name in run.question.more)
    story = tell(run)
    assert story.findings[1] == "The article is inexact in 3 of its 11 steps: 2.2, 2.4, 5.1"
    for picture in story.pictures:
        assert done.has_picture(picture.name)
    captures = {path.name for path in directory.glob("raw/*/walk-*.pcapng")}
    assert {"walk-pc.pcapng", "walk-isp1.pcapng", "walk-server.pcapng"} <= captures
