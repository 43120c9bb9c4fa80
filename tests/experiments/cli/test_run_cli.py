"""`overlaylab run` from its arguments to the exit status and the files, on simulated labs."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from experiments.cli.printed import JSON_FORMAT
from experiments.cli.run import ROOT, results_folder
from experiments.core.verdict import Window
from experiments.measure import runner
from experiments.show import levels
from experiments.show.report import REFUTED, Outcome
from tests.experiments.played_runs import Calm, Probe, about, known_to, played, run
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
        (("--modes", "flat,tin-can"), "overlaylab: --modes: 'tin-can'; allowed: gre-mesh, "),
        (("--scenario", "nowhere"), "overlaylab: "),
        (("--hosts", "99"), "overlaylab: overlay 'article': 99 hosts; allowed: 2..16"),
        (("--repeats", "0"), "overlaylab: Invalid value for '--repeats'"),
    ],
)
def test_wrong_usage_gives_status_2_before_root_is_needed(capsys, monkeypatch, argv, said):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    status, out, err = run(capsys, *argv)

    assert (status, out) == (2, "")
    assert err.startswith(said)


def test_without_root_the_status_is_4(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    status, out, err = run(capsys, "--out", tmp_path / "results")

    assert (status, out) == (4, "")
    assert err.startswith("overlaylab: this machine: root: no; ")
    assert "Run it with sudo, or as root." in err
    assert not (tmp_path / "results").exists()


def test_a_missing_program_gives_status_4_and_its_package(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, path: None)

    status, out, err = run(capsys, "--out", tmp_path / "results")

    assert (status, out) == (4, "")
    assert err.startswith("overlaylab: this machine: mnexec: not found; ")
    assert "`apt-get install mininet` as root, or `make ready`." in err
    assert not (tmp_path / "results").exists()


def test_a_mode_that_does_not_fit_the_scenario_gives_status_2_and_no_folder(
    capsys, monkeypatch, tmp_path, known
):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    argv = ("--scenario", wide(tmp_path), "--modes", "flat,vlan", "--out", tmp_path / "results")

    status, out, err = run(capsys, "toll", *argv)

    assert (status, out) == (2, "")
    assert err.startswith("overlaylab: experiment 'toll': flat: not with scenario 'wide' (")
    allowed = err.rpartition("; allowed: ")[2]
    assert allowed.startswith("gre-mesh, gre-l2pop, ")
    assert "flat" not in allowed
    assert "vlan," not in allowed
    assert err.endswith("Name some of these with --modes, or use another scenario.\n")
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


def test_a_run_has_its_own_folder(capsys, labs, tmp_path):
    status, out, err = run(capsys, "toll", "--seed", 3, "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert re.fullmatch(r"\d{8}T\d{6}Z-toll", directory.name)
    assert out.startswith("gre-mesh is higher than flat")
    assert "\nVerdict: trusted, passed 3 quality checks\n" in out
    assert out.endswith(f"\nReport:  {directory}/report.html\n")
    assert about(directory)["seed"] == 3
    assert len(labs.made) == 12
    assert Page((directory / "report.html").read_text()).faults == []


def test_a_quick_run_is_one_repeat(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert (status, len(labs.made)) == (0, 2)
    assert "Verdict: trusted (quick run)" in out


def test_named_modes_are_recorded_and_compared_with_the_first(capsys, labs, tmp_path):
    argv = ("toll", "--modes", "gre-mesh,flat", "--out", tmp_path)

    _, out, _ = run(capsys, *argv)

    (directory,) = tmp_path.iterdir()
    assert about(directory)["named_modes"] == ["gre-mesh", "flat"]
    assert out.startswith("flat is lower than gre-mesh by 0.")


def test_a_quick_run_of_named_modes_says_what_it_observed(capsys, labs, tmp_path):
    argv = ("toll", "--quick", "--modes", "flat,gre-mesh", "--out", tmp_path)

    _, out, _ = run(capsys, *argv)

    first, _, rest = out.partition("Quick run, one repeat: no confidence intervals\n")
    assert first.startswith("gre-mesh is higher than flat by 0.")
    assert "half of the samples are" in " ".join(first.split())
    assert "interval" not in first + rest.partition("Verdict")[0]


def test_json_is_one_document(capsys, labs, tmp_path):
    argv = ("toll", "--quick", "--modes", "gre-mesh", "--out", tmp_path, "--format", "json")

    status, out, err = run(capsys, *argv)

    report = json.loads(out)
    assert (status, err, report["format"], report["suite"], report["faults"]) == (
        0,
        "",
        JSON_FORMAT,
        None,
        [],
    )
    (only,) = report["runs"]
    assert only["quick"] is True
    assert [each["level"] for each in only["summaries"]] == ["gre-mesh"]


def test_too_few_repeats_give_status_3(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--repeats", 2, "--out", tmp_path)

    assert status == 3
    assert "2 repeats complete; wanted 6" in " ".join(out.split())


def refuting(monkeypatch):
    """The report refutes an exact prediction."""
    build_report = levels.build_report
    outcome = Outcome(claim="12 copies", reason="so", outcome=REFUTED, found="13")
    monkeypatch.setattr(
        levels,
        "build_report",
        lambda run: replace(build_report(run), outcomes=(outcome,), is_refuted=True),
    )


@pytest.mark.parametrize(("lost", "wanted"), [(0, 1), (1, 3)])
def test_a_refuted_exact_prediction_gives_status_1_if_the_run_is_trusted(
    capsys, monkeypatch, labs, known, tmp_path, lost, wanted
):
    refuting(monkeypatch)
    known["toll"] = replace(known["toll"], probe=Probe(lost=lost))

    status, out, _ = run(capsys, "toll", "--out", tmp_path)

    assert status == wanted
    assert "\nRefuted: " in out
    assert "\n  measured: 13" in out


def test_a_refutation_while_a_control_of_the_lab_failed_gives_status_3_and_the_reason(
    capsys, monkeypatch, labs, tmp_path
):
    refuting(monkeypatch)
    failed = Window(control_lost=1)
    watch = partial(Calm, counted=[failed])
    monkeypatch.setattr("experiments.measure.runner.perform", partial(runner.perform, watch=watch))

    status, out, _ = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert status == 3
    assert "a prediction was refuted, but 2 control pings lost" in " ".join(out.split())
    (directory,) = tmp_path.iterdir()
    assert about(directory)["verdict"]["trusted"] is False


def test_an_exit_of_mininet_gives_status_4(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 1, SystemExit(1)

    status, out, err = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert (status, out, labs.up) == (4, "", 0)
    assert err.splitlines()[-1] == (
        "overlaylab: this machine: Mininet exited with status 1; allowed: a host on which Mininet "
        "can make nodes and links. `overlaylab doctor` shows what is missing."
    )


def test_a_failing_probe_gives_status_1_and_names_the_folder(capsys, labs, known, tmp_path):
    known["toll"] = replace(known["toll"], probe=Probe(fails=True))

    status, out, err = run(capsys, "toll", "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, out) == (1, "")
    assert err == (
        f"overlaylab: incomplete run: {directory}\n"
        "overlaylab: ping: silence; allowed: an answer. Look.\n"
    )
    assert about(directory)["status"].startswith("failed: ping: silence")


def test_ctrl_c_gives_status_130_stops_the_lab_and_draws_a_report(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 4, KeyboardInterrupt()

    status, out, err = run(capsys, "toll", "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, out, labs.up) == (130, "", 0)
    assert err == f"overlaylab: incomplete run: {directory}\noverlaylab: interrupted\n"
    assert about(directory)["status"] == "interrupted"
    assert "Unreliable run. Reasons: interrupted." in Page(
        (directory / "report.html").read_text()
    ).text.replace(" . ", ". ")


def test_a_checkout_keeps_its_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert results_folder() == ROOT / "results"


def test_an_installed_package_writes_results_into_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.cli.run.ROOT", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)

    assert results_folder() == tmp_path / "results"
