"""`overlaylab run` from the words to the exit status and the files; labs are only played."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.show import levels
from experiments.show.report import REFUTED, Outcome
from tests.experiments.played_runs import Probe, about, known_to, played, run
from tests.experiments.show.page_source import Page

SCENARIOS = Path(__file__).resolve().parents[3] / "topologies" / "scenarios"


@pytest.fixture
def known(monkeypatch):
    return known_to(monkeypatch)


@pytest.fixture
def labs(monkeypatch, known):
    return played(monkeypatch)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("nothing",), "overlaylab: experiment: 'nothing'; allowed: toll, reach, copies"),
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


def test_a_mode_that_cannot_carry_the_scenario_is_2_before_a_folder(
    capsys, monkeypatch, tmp_path, known
):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    argv = ("--scenario", wide(tmp_path), "--modes", "flat,vlan", "--out", tmp_path / "results")

    status, out, err = run(capsys, "toll", *argv)

    assert (status, out) == (2, "")
    assert err.startswith("overlaylab: mode ")
    assert "cannot carry overlay 'wide' (" in err
    assert err.endswith("Leave it out with --modes, or take another scenario.\n")
    assert not (tmp_path / "results").exists()


def wide(directory):
    """A scenario whose segmentation_id is too large for a VLAN."""
    text = (SCENARIOS / "side-by-side.yaml").read_text()
    path = directory / "wide.yaml"
    path.write_text(
        re.sub(
            r"- name: (red|blue) ",
            r"- name: \1\n    network_type: vxlan\n    segmentation_id: 5000 ",
            text,
            count=1,
        )
    )
    return path


def test_one_experiment_has_a_folder_of_its_own(capsys, labs, tmp_path):
    status, out, err = run(capsys, "toll", "--seed", 3, "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert re.fullmatch(r"\d{8}T\d{6}Z-toll", directory.name)
    assert out.startswith("gre-mesh is higher than flat")
    assert "\nVerdict: trusted: it kept 3 limits (CPU idle 90%, at least 50%; " in out
    assert f"\nreport.html: {directory}/report.html\n" in out
    assert about(directory)["seed"] == 3
    assert len(labs.made) == 12
    assert Page((directory / "report.html").read_text()).faults == []


def test_a_first_look_is_one_block(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert (status, len(labs.made)) == (0, 2)
    assert "Verdict: trusted (first look)" in out


def test_json_is_one_document_and_nothing_else(capsys, labs, tmp_path):
    argv = ("toll", "--quick", "--modes", "gre-mesh", "--out", tmp_path, "--format", "json")

    status, out, err = run(capsys, *argv)

    report = json.loads(out)
    assert (status, err, report["format"], report["suite"], report["faults"]) == (
        0,
        "",
        1,
        None,
        [],
    )
    (only,) = report["runs"]
    assert only["quick"] is True
    assert [each["level"] for each in only["summaries"]] == ["gre-mesh"]


def test_too_few_blocks_are_3(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--repeats", 2, "--out", tmp_path)

    assert status == 3
    assert "2 blocks complete; wanted 6" in " ".join(out.split())


def refuting(monkeypatch):
    """The teller finds that an exact expectation did not hold."""
    build_report = levels.build_report
    outcomes = Outcome(claim="12 copies", reason="so", outcome=REFUTED, found="13")
    monkeypatch.setattr(
        levels,
        "build_report",
        lambda run: replace(build_report(run), outcomes=(outcomes,), is_refuted=True),
    )


@pytest.mark.parametrize(("lost", "wanted"), [(0, 1), (1, 3)])
def test_an_exact_expectation_that_failed_is_1_if_the_run_is_trusted(
    capsys, monkeypatch, labs, known, tmp_path, lost, wanted
):
    refuting(monkeypatch)
    known["toll"] = replace(known["toll"], probe=Probe(lost=lost))

    status, out, _ = run(capsys, "toll", "--out", tmp_path)

    assert status == wanted
    assert "  refuted    " in out
    assert "found: 13" in out


def test_where_mininet_gives_up_it_is_4(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 1, SystemExit(1)

    status, out, err = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert (status, out, labs.up) == (4, "", 0)
    assert err.splitlines()[-1] == (
        "overlaylab: this machine: Mininet gave up (exit status 1); allowed: a host on which Mininet "
        "can make nodes and links. `overlaylab doctor` tells what is missing."
    )


def test_a_probe_that_fails_is_1_and_what_was_measured_is_named(capsys, labs, known, tmp_path):
    known["toll"] = replace(known["toll"], probe=Probe(fails=True))

    status, out, err = run(capsys, "toll", "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, out) == (1, "")
    assert err == (
        f"overlaylab: what was measured: {directory}\n"
        "overlaylab: ping: silence; allowed: an answer. Look.\n"
    )
    assert about(directory)["status"].startswith("failed: ping: silence")


def test_ctrl_c_is_130_with_the_lab_down_and_what_was_measured_told(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 4, KeyboardInterrupt()

    status, out, err = run(capsys, "toll", "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, out, labs.up) == (130, "", 0)
    assert err == f"overlaylab: what was measured: {directory}\noverlaylab: interrupted\n"
    assert about(directory)["status"] == "interrupted"
    assert "Not to be trusted. By the limits set beforehand: interrupted." in Page(
        (directory / "report.html").read_text()
    ).text.replace(" . ", ". ")
