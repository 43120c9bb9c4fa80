"""`overlaylab report` of runs and suites; damaged files are an error without a traceback."""

import json
import re
import shutil

import pytest

from controller.model.errors import MeasureError
from experiments.cli.main import main
from experiments.cli.printed import JSON_FORMAT
from experiments.core.results import FORMAT
from experiments.core.suite import begin_suite, is_suite, read_suite
from tests.experiments.show.page_source import Page
from tests.experiments.small_run import DOUBTED, SVG, write_run


@pytest.fixture(scope="module")
def drawn_once(tmp_path_factory):
    """A run that was drawn; tests copy it."""
    directory = write_run(tmp_path_factory.mktemp("runs"))
    assert main(["report", str(directory)]) == 0
    return directory


@pytest.fixture
def run(drawn_once, tmp_path):
    return shutil.copytree(drawn_once, tmp_path / "toll")


@pytest.fixture
def suite(drawn_once, tmp_path):
    """Two experiments; the second was not started."""
    suite = begin_suite(tmp_path, "suite", ("toll", "mtu"), argv=["run.py"])
    shutil.copytree(drawn_once, suite.directory / "toll")
    return suite.marked(status="interrupted")


@pytest.fixture
def undrawn(monkeypatch):
    """Does not draw figures, which takes half a second each."""

    def write(directory, report, picture):
        paths = {
            f"{picture.name}.{kind}": directory / f"{picture.name}.{kind}"
            for kind in ("png", "svg")
        }
        for path in paths.values():
            path.write_text(SVG)
        return paths

    monkeypatch.setattr("experiments.show.pages.redraw._drawn", write)


def redrawn(capsys, *argv):
    capsys.readouterr()
    status = main(["report", *map(str, argv)])
    return status, *capsys.readouterr()


def test_report_prints_the_same_as_the_run_and_the_paths(capsys, undrawn, run):
    status, out, err = redrawn(capsys, run)

    assert (status, err) == (0, "")
    assert out.startswith(
        "gre-mesh is higher than flat by 0.200 to 0.200 ms\nRefuted: a tunnel adds "
    )
    assert out.endswith(f"Verdict: trusted, passed 2 quality checks\nReport:  {run}/report.html\n")


def test_drawing_again_changes_nothing(capsys, run):
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}

    redrawn(capsys, run)

    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    assert {path.name for path in before} == {
        "run.json",
        "samples.csv",
        "report.html",
        "report.md",
        "toll.png",
        "toll.svg",
    }


def test_one_edited_sample_changes_figure_table_and_pages(capsys, run):
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    text = (run / "samples.csv").read_text()
    (run / "samples.csv").write_text(text.replace("1,1,flat,0.402\n", "1,1,flat,0.9\n", 1))

    _, out, _ = redrawn(capsys, run)

    changed = {name for name, was in before.items() if (run / name).read_bytes() != was}
    assert changed == {"samples.csv", "report.html", "report.md", "toll.png", "toll.svg"}
    assert out != ""


def test_json_is_one_document(capsys, undrawn, run):
    status, out, err = redrawn(capsys, run, "--format", "json")

    report = json.loads(out)
    assert (status, err, report["format"], report["suite"]) == (0, "", JSON_FORMAT, None)
    assert report["runs"][0]["files"]["report.html"] == f"{run}/report.html"


def test_an_unreliable_run_is_drawn(capsys, undrawn, tmp_path):
    status, out, _ = redrawn(capsys, write_run(tmp_path, verdict=DOUBTED))

    assert status == 0
    assert out.startswith("Unreliable run; reasons below\n")


def edited(name, old, new):
    def damage(run):
        text = (run / name).read_text()
        assert re.search(old, text), "the test's damage does nothing"
        (run / name).write_text(re.sub(old, new, text, count=1))

    return damage


def written(name, text):
    return lambda run: (run / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: (run / "run.json").unlink(), "no run.json in it"),
        (lambda run: (run / "samples.csv").unlink(), "samples.csv: no such file"),
        (written("run.json", '{"format": 2, '), "run.json"),
        (written("run.json", "[]"), "run.json: format None"),
        (written("run.json", '{"format": 2}'), "run.json"),
        (written("run.json", '{"format": 3}'), "run.json"),
        (written("run.json", "\x00\xff"), "run.json"),
        (edited("run.json", '"format": 3', '"format": 1'), "run.json: format 1; allowed: 2 or 3"),
        (edited("run.json", '"format": 3', '"format": 4'), "run.json: format 4; allowed: 2 or 3"),
        (edited("run.json", '"report": "levels"', '"report": "none"'), "report 'none'"),
        (edited("run.json", '"seed": 7', '"seed": "x"'), 'seed is "x"; allowed: a whole number'),
        (edited("run.json", '"seed": 7,', ""), "seed"),
        (
            edited("run.json", '"measured": \\[', '"measured": 5, "x": ['),
            "measured is 5; allowed: a list",
        ),
        (edited("run.json", '"argv": \\[', '"argv": 5, "x": ['), "argv is 5; allowed: a list"),
        (
            written("samples.csv", ""),
            "samples.csv: no column repeat, order, mode, rtt_ms; allowed: repeat",
        ),
        (written("samples.csv", "repeat,order,mode,rtt_ms\n"), "samples.csv: no samples; allowed"),
        (edited("samples.csv", "rtt_ms", "rtt"), "samples.csv: no column rtt_ms; "),
        (
            edited("samples.csv", ",0\\.[0-9]+\n$", "\n"),
            "samples.csv, line 73: 3 fields; allowed: 4, ",
        ),
        (edited("samples.csv", "1,1,flat,0.402", "1,1,flat,fast"), "fast"),
        (
            edited("samples.csv", "1,1,flat,0.402", "1,1,flat,0.402,3,4"),
            "samples.csv, line 2: 6 fields",
        ),
    ],
)
def test_damaged_files_give_status_2_and_one_line(capsys, run, damage, said):
    damage(run)

    status, out, err = redrawn(capsys, run)

    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"overlaylab: {run}")
    assert said in err


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere", "no such folder"), ("", "no run.json in it")]
)
def test_a_folder_without_a_run_gives_status_2(capsys, tmp_path, name, said):
    status, out, err = redrawn(capsys, tmp_path / name)

    assert (status, out) == (2, "")
    assert err.startswith(f"overlaylab: {tmp_path / name}: {said}; allowed: the folder of a run")


def test_a_folder_that_cannot_be_written_gives_status_2(capsys, undrawn, run):
    (run / "report.html").unlink()
    (run / "report.html").mkdir()  # nobody can write it, root neither

    status, _, err = redrawn(capsys, run)

    assert (status, err.count("\n")) == (2, 1)
    assert "report.html" in err


def test_a_suite_is_drawn_without_a_missing_run(capsys, suite):
    status, out, err = redrawn(capsys, suite.directory)

    assert (status, err) == (0, "")
    assert "── toll ──\ngre-mesh is higher than flat" in out
    assert "── mtu ──\nNo result: was not measured\n" in out
    assert f"Report:  {suite.directory}/report.html\n" in out
    page = Page((suite.directory / "report.html").read_text())
    assert page.faults == []
    assert "This suite is incomplete: Interrupted." in page.text
    assert [said.get("role") for tag, said in page.tags if tag == "svg"] == [None, "img"]
    assert "[toll](#toll)" in (suite.directory / "report.md").read_text()


def test_every_link_of_a_suite_leads_to_a_file(capsys, undrawn, suite):
    redrawn(capsys, suite.directory)

    page = Page((suite.directory / "report.html").read_text())
    links = [said["href"] for tag, said in page.tags if tag == "a"]
    wanted = [link for link in links if not link.startswith("#")]
    assert len(wanted) >= 6
    assert [link for link in wanted if not (suite.directory / link).exists()] == []


def test_a_suite_as_json(capsys, undrawn, suite):
    status, out, _ = redrawn(capsys, suite.directory, "--format", "json")

    report = json.loads(out)
    assert status == 0
    assert report["suite"]["status"] == "interrupted"
    assert report["suite"]["files"]["report.html"] == f"{suite.directory}/report.html"
    assert [each["experiment"] for each in report["runs"]] == ["toll"]
    assert report["faults"] == [{"experiment": "mtu", "fault": "was not measured"}]


def test_a_complete_suite_that_lacks_a_run_gives_status_2_and_reports_the_others(
    capsys, undrawn, suite
):
    suite.marked(status="complete")

    status, out, err = redrawn(capsys, suite.directory)

    assert status == 2
    assert err.startswith(f"overlaylab: {suite.directory}: no report of mtu (was not measured); ")
    assert "gre-mesh is higher than flat" in out


@pytest.mark.parametrize("names", ['"toll"', '["../toll"]', "[1]", "null"])
def test_a_suite_names_only_folders_below_it(capsys, suite, names):
    text = f'{{"format": 2, "suite": {names}, "status": "complete"}}'
    (suite.directory / "run.json").write_text(text)

    status, out, err = redrawn(capsys, suite.directory)

    assert (status, out) == (2, "")
    assert "suite" in err


def test_a_suite_of_another_format_is_refused(suite):
    (suite.directory / "run.json").write_text('{"format": 4, "suite": []}')

    with pytest.raises(MeasureError, match="format 4"):
        read_suite(suite.directory)


def test_a_suite_is_distinguished_from_a_run(run, suite):
    assert is_suite(suite.directory)
    assert not is_suite(run)
    assert not is_suite(run.parent)


def test_a_new_suite_is_marked_as_running(tmp_path):
    suite = begin_suite(tmp_path, "suite", ("toll",), seed=3)

    found = read_suite(suite.directory)

    assert (found.status, found.names, found.about["seed"]) == ("running", ("toll",), 3)
    assert json.loads((suite.directory / "run.json").read_text())["format"] == FORMAT
    assert [path.name for path in suite.directory.iterdir()] == ["run.json"]
