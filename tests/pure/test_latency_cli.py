"""`overlaylab run` up to the lab, and what it prints; labs are only played."""

import json

import pytest

from experiments.cli.main import main
from tests.pure.fake_bench import FakeLabs


@pytest.fixture
def labs(monkeypatch):
    """No root needed, no lab raised."""
    labs = FakeLabs()
    monkeypatch.setattr("topologies.lab.raised", lambda overlay, **_: labs.raised(overlay))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    # The fake answers at once: a window of no ticks tells nothing about the machine.
    calm = {"idle": 0.9, "steal": 0.0}
    monkeypatch.setattr("experiments.environment.CpuMeter.stop", lambda self: calm)
    return labs


def run(capsys, *argv):
    status = main(["run", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("nothing",), "overlaylab: experiment: 'nothing'; allowed: latency. Pick one of them.\n"),
        (("--modes", "flat,tin-can"), "overlaylab: mode: 'tin-can'; allowed: gre-mesh, "),
        (("--scenario", "nowhere"), "overlaylab: "),
        (("--hosts", "99"), "overlaylab: overlay 'article': 99 hosts; allowed: 2..16"),
        (("--repeats", "0"), "overlaylab: Invalid value for '--repeats'"),
    ],
)
def test_wrong_usage_is_2_and_told_before_root_is_asked_for(capsys, monkeypatch, argv, said):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    status, out, err = run(capsys, *argv)

    assert (status, out) == (2, "")
    assert err.startswith(said)


def test_without_root_it_is_4(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    status, out, err = run(capsys, "--out", tmp_path / "results")

    assert (status, out) == (4, "")
    assert err == (
        "overlaylab: overlaylab run: user id 1000; allowed: root, which network namespaces need. "
        "Use sudo, or be root.\n"
    )
    assert not (tmp_path / "results").exists()


def test_a_first_look_prints_table_verdict_and_paths(capsys, labs, tmp_path):
    status, out, err = run(capsys, "--quick", "--seed", 3, "--out", tmp_path)

    assert (status, err) == (0, "")
    (directory,) = tmp_path.iterdir()
    assert f"report:    {directory}/report.md" in out
    assert "Verdict: trusted (first look: one block, no interval claimed)" in out
    assert len(labs.made) == 3


def test_json_is_one_document_and_nothing_else(capsys, labs, tmp_path):
    argv = ("--quick", "--modes", "gre-mesh", "--out", tmp_path, "--format", "json")

    status, out, err = run(capsys, *argv)

    document = json.loads(out)
    assert (status, err, document["format"]) == (0, "", 1)
    (told,) = document["runs"]
    assert told["quick"] is True
    assert [each["level"] for each in told["summaries"]] == ["gre-mesh"]
    assert told["headline"] == "Measured: gre-mesh (a difference takes flat and another)"


def test_too_few_blocks_are_3(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "--repeats", 2, "--modes", "flat", "--out", tmp_path)

    assert status == 3
    assert "2 blocks complete; wanted 6" in out


def test_no_reply_is_1_and_what_was_measured_is_named(capsys, labs, tmp_path):
    labs.options = {"lose": tuple(range(1, 101)), "warm_pings": 100}

    status, out, err = run(capsys, "--quick", "--out", tmp_path)

    assert (status, out) == (1, "")
    (directory,) = tmp_path.iterdir()
    assert err.startswith(
        f"overlaylab: what was measured: {directory}\noverlaylab: ping from ServerA"
    )
    assert json.loads((directory / "run.json").read_text())["status"].startswith(
        "failed: ping from"
    )


def test_ctrl_c_is_130_with_the_lab_down_and_the_result_marked(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 2, KeyboardInterrupt()

    status, out, _ = run(capsys, "--quick", "--out", tmp_path)

    assert (status, out, labs.up) == (130, "", 0)
    (directory,) = tmp_path.iterdir()
    assert json.loads((directory / "run.json").read_text())["status"] == "interrupted"
    assert len((directory / "samples.csv").read_text().splitlines()) == 1 + 1 + 10 + 100
