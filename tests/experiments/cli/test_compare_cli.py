"""`overlaylab compare`: what it prints, its exit status, and what it refuses."""

import json

import pytest

from experiments.cli.compare import JSON_FORMAT
from experiments.cli.main import main
from experiments.core.results import FORMAT
from tests.experiments.made_runs import CELLS, made, made_cells

NOT_TRUSTED = {"trusted": False, "reasons": ["CPU idle 3% in repeat 1, flat; wanted at least 50%"]}


@pytest.fixture
def runs(tmp_path):
    return made(tmp_path, "a", seed=1), made(tmp_path, "b", seed=2, more={"gre-mesh": 0.06})


def reported(capsys, *argv):
    status = main(["compare", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_table_fits_a_terminal_and_shows_what_moved(capsys, runs):
    status, out, err = reported(capsys, *runs)

    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "latency: 1 of 2 levels moved beyond the margin"
    assert "(2026-01-01T00:00:00Z; abcdef0123 with changes; 6 repeats)" in " ".join(out.split())
    (moved,) = (line.split() for line in lines if line.startswith("gre-mesh"))
    assert moved[-1] == "higher"
    assert float(moved[3]) == pytest.approx(0.06, abs=0.015)
    assert any(line.startswith("flat") and line.rstrip().endswith("within ±0.02") for line in lines)
    assert all(len(line) <= 80 for line in lines if not line.startswith(("A:", "B:")))


def test_json_is_one_document(capsys, runs):
    status, out, err = reported(capsys, *runs, "--format", "json")

    document = json.loads(out)
    assert (status, err, document["format"]) == (0, "", JSON_FORMAT)
    (found,) = document["comparisons"]
    assert [found["experiment"], found["unit"], found["margin"]] == ["latency", "ms", 0.02]
    assert found["runs"]["a"]["trusted"] is True
    assert found["runs"]["b"]["directory"] == str(runs[1])
    moved = found["levels"][1]
    assert (moved["level"], moved["call"]) == ("gre-mesh", "higher")
    assert moved["interval"]["low"] < moved["estimate"] < moved["interval"]["high"]
    assert moved["b"]["median"] - moved["a"]["median"] == pytest.approx(moved["estimate"])


def test_a_baseline_that_moved_is_mentioned(capsys, tmp_path):
    _, out, _ = reported(capsys, made(tmp_path, "a"), made(tmp_path, "b", more=0.06))

    assert "The baseline, flat, is itself higher by 0.060 ms: check the machine" in out


def test_quick_runs_lead_to_no_conclusion(capsys, tmp_path):
    a, b = (made(tmp_path, name, repeats=1, quick=True) for name in "ab")
    status, out, _ = reported(capsys, a, b)

    assert status == 0
    assert out.startswith("latency: quick run: too few repeats for intervals, so no conclusion")
    assert "1 repeat, quick run)" in " ".join(out.split())
    assert "within" not in out


def test_an_unreliable_run_is_mentioned_first_and_gives_status_3(capsys, tmp_path, runs):
    doubtful = made(tmp_path, "c", seed=3, verdict=NOT_TRUSTED)
    status, out, _ = reported(capsys, runs[0], doubtful)

    assert status == 3
    assert out.startswith("UNRELIABLE, B: CPU idle 3% in repeat 1, flat; wanted at least")
    status, out, _ = reported(capsys, doubtful, runs[0], "--format", "json")
    assert status == 3
    assert json.loads(out)["comparisons"][0]["runs"]["a"]["reasons"] == NOT_TRUSTED["reasons"]


def test_cells_that_differ_are_listed(capsys, tmp_path):
    a, b = made_cells(tmp_path, "a"), made_cells(tmp_path, "b", values={4: 5})
    status, out, _ = reported(capsys, a, b)

    assert status == 0
    assert out.startswith("copies: 2 of 3 cells are the same in both runs")
    assert [line.split() for line in out.splitlines() if line.startswith("gre-mesh")] == [
        ["gre-mesh", "4", "3", "5"],
    ]
    _, out, _ = reported(capsys, a, b, "--format", "json")
    assert json.loads(out)["comparisons"][0]["cells"][1] == {
        "cell": {"mode": "gre-mesh", "hosts": 4},
        "figure": "copies",
        "a": [3],
        "b": [5],
        "equal": False,
    }


def test_runs_with_other_settings_are_refused_with_status_2(capsys, tmp_path, runs):
    other = made(tmp_path, "c", scenario="side-by-side")
    status, out, err = reported(capsys, runs[0], other)

    assert (status, out) == (2, "")
    assert err == (
        "overlaylab: scenario: article in A, side-by-side in B; allowed: the same in both runs. "
        "Compare runs with the same question, machine and settings.\n"
    )


@pytest.mark.parametrize("break_", ["format", "nothing", "text"])
def test_damaged_files_are_refused_with_status_2(capsys, tmp_path, runs, break_):
    about = runs[1] / "run.json"
    if break_ == "format":
        about.write_text(
            about.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}')
        )
    elif break_ == "nothing":
        about.unlink()
    else:
        about.write_text("{")
    status, out, err = reported(capsys, *runs)

    assert (status, out) == (2, "")
    assert str(about.parent) in err
    assert (f"format {FORMAT + 1}; allowed: 2 or {FORMAT}" in err) == (break_ == "format")


@pytest.mark.parametrize("format_", ["[3]", "{}", '"3"', "null", "3.5", "true"])
def test_a_format_that_is_no_number_is_refused(capsys, runs, format_):
    about = runs[1] / "run.json"
    about.write_text(about.read_text().replace(f'"format": {FORMAT}', f'"format": {format_}'))
    status, out, err = reported(capsys, *runs)

    assert (status, out) == (2, "")
    assert f"allowed: 2 or {FORMAT}" in err


@pytest.fixture
def suite(tmp_path):
    """A folder of runs with a run.json above them."""

    def suite(name, *names, **of_cells):
        folder = tmp_path / name
        folder.mkdir()
        about = {"format": FORMAT, "suite": list(names), "status": "complete"}
        (folder / "run.json").write_text(json.dumps(about))
        if "latency" in names:
            made(folder, "latency", seed=len(name))
        if "copies" in names:
            made_cells(folder, "copies", question=CELLS, **of_cells)
        return folder

    return suite


def test_suites_are_compared_experiment_by_experiment(capsys, suite):
    a, b = suite("a", "latency", "copies"), suite("bb", "latency", "copies", values={8: 9})
    status, out, _ = reported(capsys, a, b)

    assert status == 0
    assert "latency: 0 of 2 levels moved beyond the margin\n" in out
    assert "copies: 2 of 3 cells are the same in both runs" in out


def test_an_experiment_that_one_suite_lacks_is_listed(capsys, suite):
    a, b = suite("a", "latency", "copies"), suite("bb", "copies")

    status, out, _ = reported(capsys, a, b)
    assert (status, "Only in A: latency" in out) == (0, True)
    _, out, _ = reported(capsys, b, a, "--format", "json")
    assert json.loads(out)["only_in_b"] == ["latency"]


def test_a_suite_and_a_run_or_nothing_in_common_are_refused(capsys, suite, runs):
    a, b = suite("aa", "latency"), suite("bb", "copies")

    status, _, err = reported(capsys, a, runs[0])
    assert (status, "one is a suite, the other a run" in err) == (2, True)
    status, _, err = reported(capsys, a, b)
    assert (status, "latency in A, copies in B; allowed: an experiment that both have" in err) == (
        2,
        True,
    )
