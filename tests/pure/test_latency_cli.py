"""`overlaylab run` up to the lab, and what it prints; labs are only played."""

import json
import re
from pathlib import Path

import pytest

from experiments.cli.main import main
from tests.pure.fake_bench import FakeLabs

SCENARIOS = Path(__file__).resolve().parents[2] / "topologies" / "scenarios"


@pytest.fixture
def labs(monkeypatch):
    """No root needed, no lab raised."""
    labs = FakeLabs()
    monkeypatch.setattr("topologies.lab.raised", lambda overlay, **_: labs.raised(overlay))
    monkeypatch.setattr("experiments.cli.run.assert_host_ready", lambda: None)
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
    assert err.startswith("overlaylab: this machine: root: needs root; ")
    assert "Run it with sudo, or as root." in err
    assert not (tmp_path / "results").exists()


def test_a_host_that_lacks_a_program_is_4_with_the_remedy(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, path: None)

    status, out, err = run(capsys, "--out", tmp_path / "results")

    assert (status, out) == (4, "")
    assert err.startswith("overlaylab: this machine: mnexec: not found; ")
    assert "`apt-get install mininet` as root, or `make ready`." in err
    assert not (tmp_path / "results").exists()


def test_where_mininet_gives_up_it_is_4(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 1, SystemExit(1)

    status, out, err = run(capsys, "--quick", "--out", tmp_path)

    assert (status, out, labs.up) == (4, "", 0)
    assert err.splitlines()[1] == (
        "overlaylab: this machine: Mininet gave up (exit status 1); allowed: a host on which Mininet "
        "can make nodes and links. `overlaylab doctor` tells what is missing."
    )


def test_a_mode_that_cannot_carry_the_scenario_is_2_before_a_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    argv = ("--scenario", wide(tmp_path), "--modes", "flat,vlan", "--out", tmp_path / "results")

    status, out, err = run(capsys, *argv)

    assert (status, out) == (2, "")
    assert err.startswith("overlaylab: mode vlan: cannot carry overlay 'wide' (")
    assert err.endswith("Leave it out with --modes, or take another scenario.\n")
    assert not (tmp_path / "results").exists()


def wide(directory):
    """A scenario whose segmentation_id is too large for a VLAN."""
    text = (SCENARIOS / "side-by-side.yaml").read_text()
    path = directory / "wide.yaml"
    path.write_text(
        text.replace(
            "- name: red ", "- name: red\n    network_type: vxlan\n    segmentation_id: 5000 "
        )
    )
    return path


def test_a_scenario_without_a_pair_is_2(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    text = (SCENARIOS / "side-by-side.yaml").read_text()
    path = tmp_path / "alone.yaml"
    path.write_text(re.sub(r"host: host[234], network", "host: host1, network", text))

    status, out, err = run(capsys, "--scenario", path)

    assert (status, out) == (2, "")
    assert "no two guests of one network on different hosts" in err
    assert "Add a port on another host to the scenario." in err


def test_flat_carries_what_is_measured_of_a_scenario_with_two_networks(capsys, labs, tmp_path):
    argv = ("--scenario", "side-by-side", "--quick", "--modes", "flat,gre-mesh", "--out", tmp_path)

    status, _, err = run(capsys, *argv)

    assert (status, err) == (0, "")
    for lab in labs.made:
        assert [network.name for network in lab.overlay.networks] == ["red"]
        assert {port.device_id for port in lab.overlay.ports} == {"red1", "red2", "red3"}


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
