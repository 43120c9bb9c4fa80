"""`overlaylab run` with several experiments: a folder of runs, and a page for all."""

import json
import re
from dataclasses import replace

import pytest

from experiments.core.results import FORMAT
from tests.experiments.played_runs import NAMES, Probe, about, known_to, played, run
from tests.experiments.show.page_source import Page


@pytest.fixture
def known(monkeypatch):
    return known_to(monkeypatch)


@pytest.fixture
def labs(monkeypatch, known):
    return played(monkeypatch)


def test_without_a_name_the_default_experiments_are_a_suite(capsys, labs, tmp_path):
    status, out, err = run(capsys, "--seed", 5, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert re.fullmatch(r"\d{8}T\d{6}Z-suite", suite.name)
    assert {path.name for path in suite.iterdir()} == {
        *NAMES,
        "run.json",
        "report.html",
        "report.md",
    }
    said = about(suite)
    assert {name: said[name] for name in ("format", "suite", "status")} == {
        "format": FORMAT,
        "suite": list(NAMES),
        "status": "complete",
    }
    assert said["start"] <= said["end"]
    assert said["argv"]
    for name in NAMES:
        assert about(suite / name)["status"] == "complete"
        assert (suite / name / "report.html").exists()
    page = Page((suite / "report.html").read_text())
    assert page.faults == []
    assert page.text.count("✓ trusted") == 3
    assert "3 of 3 runs trusted." in page.text
    assert [line for line in out.splitlines() if line.startswith("──")] == [
        f"── {name} ──" for name in (*NAMES, "all")
    ]
    assert out.endswith(f"Verdict: 3 of 3 runs trusted\nReport:  {suite}/report.html\n")


def test_a_suite_as_json_is_one_document(capsys, labs, tmp_path):
    status, out, err = run(capsys, "reach", "toll", "--out", tmp_path, "--format", "json")

    report = json.loads(out)
    (suite,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert [each["experiment"] for each in report["runs"]] == ["reach", "toll"]
    assert report["suite"]["directory"] == str(suite)
    assert report["suite"]["status"] == "complete"


def test_after_a_failed_experiment_the_others_are_measured(capsys, labs, known, tmp_path):
    known["reach"] = replace(known["reach"], probe=Probe(fails=True))

    status, out, err = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert status == 1
    assert "overlaylab: reach: ping: silence; allowed: an answer. Look.\n" in err
    assert about(suite)["status"] == "failed: reach"
    assert about(suite / "copies")["status"] == "complete"
    page = Page((suite / "report.html").read_text())
    assert "This suite is incomplete: Failed: reach." in page.text
    assert "No result. ping: silence; allowed: an answer. Look." in page.text
    assert "── copies ──" in out


def test_an_unreliable_experiment_gives_status_3(capsys, labs, known, tmp_path):
    known["reach"] = replace(known["reach"], probe=Probe(lost=1))

    status, _, _ = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, about(suite)["status"]) == (3, "complete")
    text = (suite / "report.md").read_text()
    assert "2 of 3 runs trusted; unreliable: reach." in text
    assert "\n* [reach](#reach) (unreliable): " in text


def test_an_interrupted_suite_gives_status_130_and_a_report(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 18, KeyboardInterrupt()  # in the second of three

    status, out, err = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, labs.up) == (130, 0)
    assert "── toll ──" in out
    assert err.splitlines()[-2:] == [
        f"overlaylab: incomplete suite: {suite}",
        "overlaylab: interrupted",
    ]
    assert about(suite)["status"] == about(suite / "reach")["status"] == "interrupted"
    assert not (suite / "copies").exists()
    summary = (suite / "report.md").read_text()
    assert "**This suite is incomplete: Interrupted.**" in summary
    assert "1 of 3 runs trusted; unreliable: reach; no result: copies." in summary
    assert "\n* [toll](#toll): " in summary
    assert "\n* [copies](#copies): no result: was not measured.\n" in summary


def test_an_unsuitable_host_ends_the_suite(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 13, SystemExit(1)

    status, _, _ = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, len(labs.made)) == (4, 13)
    assert about(suite)["status"].startswith("failed: this machine: Mininet exited")


def test_two_experiments_with_one_name_are_refused_before_anything_is_made(
    capsys, labs, known, tmp_path
):
    known["reach"] = known["toll"]

    status, out, err = run(capsys, "toll", "reach", "--out", tmp_path / "results")

    assert (status, out, labs.made) == (2, "", [])
    assert err.startswith("overlaylab: experiments: 'toll' twice; ")
    assert not (tmp_path / "results").exists()
