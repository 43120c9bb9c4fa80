"""The committed reference run: its report, made again from its files, is the same."""

import json
import re
import shutil
from pathlib import Path

import matplotlib as mpl
import pytest

from experiments.core.results import read
from experiments.show.pages.redraw import redraw_suite
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE, title_lines
from tests.experiments.seen_texts import assert_readable

ALL = [
    "latency",
    "mtu",
    "fanout",
    "tunnels",
    "state",
    "mactable",
    "migration",
    "throughput",
    "segments",
    "ecmp",
    "walk",
    "filter",
    "aa",
]
PICTURES = {"filter": 2, "latency": 5, "mtu": 2, "tunnels": 3, "walk": 2}  # all others have one
NUMBER = re.compile(
    r"\d|\b(no|one|two|three|four|five|six|seven|eight|nine|ten|twice|half|first)\b"
)
TITLE_MAX = 110  # characters
REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "suite"
    shutil.copytree(REFERENCE, folder)
    (folder / "report.md").unlink()
    return redraw_suite(folder)


def test_it_redraws_to_the_same_tables(redrawn):
    _, _, files = redrawn

    assert Path(files["report.md"]).read_text() == (REFERENCE / "report.md").read_text()


def test_it_is_complete_and_trusted(redrawn):
    suite, chapters, _ = redrawn

    assert suite.status == "complete"
    assert [each.name for each in chapters] == ALL
    assert all(each.report.trusted for each in chapters)


def test_no_exact_expectation_is_refuted(redrawn):
    _, chapters, _ = redrawn

    assert not any(each.report.is_refuted for each in chapters)
    rows = {each.name: each.report.run.samples.height for each in chapters}
    assert (rows["mtu"], rows["fanout"]) == (15, 837)


@pytest.mark.parametrize("name", ALL)
def test_no_text_of_its_figures_covers_another(name):
    report = report_on(read(REFERENCE / name))

    assert len(report.pictures) == PICTURES.get(name, 1)
    for picture in report.pictures:
        with mpl.rc_context(fname=STYLE):
            assert_readable(report.draw(picture), at_least=10)


@pytest.mark.parametrize("name", ALL)
def test_the_title_of_each_figure_is_a_finding_of_two_lines_with_a_number(name):
    for picture in report_on(read(REFERENCE / name)).pictures:
        found = f"{picture.name}: {picture.title}"
        assert len(title_lines(picture.title)) <= 2, found
        assert len(picture.title) <= TITLE_MAX, found
        assert not picture.title.endswith("."), found
        assert NUMBER.search(picture.title), found


def test_its_command_is_the_one_that_run_json_has(redrawn):
    command = (REFERENCE / "COMMAND").read_text().splitlines()[0]

    argv = json.loads((REFERENCE / "run.json").read_text())["argv"]
    assert command == " ".join(["python", "experiments/run.py", *argv[1:]])
