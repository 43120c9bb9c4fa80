"""`overlaylab run` from the words to the exit status and the files; labs are only played."""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from experiments import runner
from experiments.cli.main import main
from experiments.experiment import Experiment, Measured
from experiments.story import REFUTED, Held
from experiments.tell import levels
from experiments.verdict import Thresholds, Window
from tests.pure.page_source import Page
from tests.pure.small_run import QUESTION
from topologies.errors import MeasureError

SCENARIOS = Path(__file__).resolve().parents[2] / "topologies" / "scenarios"
NAMES = ("toll", "reach", "copies")


@dataclass(frozen=True)
class Probe:
    """Six samples of each level, without a lab."""

    lost: int = 0
    fails: bool = False

    def __call__(self, bench, point, tools):
        if self.fails:
            raise MeasureError("silence", where="ping", allowed="an answer", do="Look.")
        base = {"flat": 0.4}.get(point["mode"], 0.6)
        rows = tuple({"rtt_ms": round(base + (tools.seed % 97 + n) / 1000, 3)} for n in range(6))
        return Measured(rows=rows, lost=self.lost)


@dataclass
class Calm:
    """A watcher of a machine that is as idle as it is told."""

    bench: object
    windows: list = field(default_factory=list)

    @contextmanager
    def window(self):
        yield
        self.windows.append(Window(cpu_idle=0.9))


@dataclass
class Labs:
    """Raises them, one after the other; where it is told, something happens instead."""

    made: list = field(default_factory=list)
    up: int = 0
    fail_at: int = 0
    failure: BaseException | None = None

    @contextmanager
    def raised(self, overlay, **_):
        assert self.up == 0, "labs are raised one at a time"
        self.made.append(overlay)
        self.up += 1
        try:
            if len(self.made) == self.fail_at:
                raise self.failure
            yield overlay
        finally:
            self.up -= 1


@pytest.fixture
def known(monkeypatch):
    """Three experiments, by name; all are run by default."""
    known = {
        name: Experiment(
            question=replace(QUESTION, name=name), probe=Probe(), quick=Probe(), blocks=6,
            thresholds=Thresholds(cpu_idle_min=0.5, lost_max=0),
        )
        for name in NAMES
    }  # fmt: skip
    monkeypatch.setattr("experiments.cli.ask.EXPERIMENTS", tuple((name, "") for name in NAMES))
    monkeypatch.setattr("experiments.cli.ask.DEFAULT", NAMES)
    monkeypatch.setattr("experiments.find.find", known.__getitem__)
    return known


@pytest.fixture
def labs(monkeypatch, known):
    """No root needed, no lab raised, no figure drawn."""
    labs = Labs()
    monkeypatch.setattr("topologies.lab.raised", labs.raised)
    monkeypatch.setattr("experiments.cli.run.assert_host_ready", lambda: None)
    for name in ("lab_facts", "machine", "source"):  # they ask programs, time and again
        monkeypatch.setattr(f"experiments.instruments.environment.{name}", lambda *_: {})
    monkeypatch.setattr("experiments.runner.perform", partial(runner.perform, watch=Calm))
    monkeypatch.setattr("experiments.report.redraw._drawn", drawn)
    return labs


def drawn(directory, picture):
    path = directory / f"{picture.name}.svg"
    path.write_text("<svg/>")
    return {path.name: path}


def run(capsys, *argv):
    status = main(["run", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def about(directory):
    return json.loads((directory / "run.json").read_text())


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
        re.sub(r"- name: (red|blue) ", r"- name: \1\n    network_type: vxlan\n    segmentation_id: 5000 ", text, count=1)
    )  # fmt: skip
    return path


def test_one_experiment_has_a_folder_of_its_own(capsys, labs, tmp_path):
    status, out, err = run(capsys, "toll", "--seed", 3, "--out", tmp_path)

    (directory,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert re.fullmatch(r"\d{8}T\d{6}Z-toll", directory.name)
    assert out.startswith("gre-mesh is higher than flat")
    assert "\nVerdict:   trusted\n" in out
    assert f"\nreport.html: {directory}/report.html\n" in out
    assert about(directory)["seed"] == 3
    assert len(labs.made) == 12
    assert Page((directory / "report.html").read_text()).faults == []


def test_a_first_look_is_one_block(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--quick", "--out", tmp_path)

    assert (status, len(labs.made)) == (0, 2)
    assert "Verdict:   trusted (first look)" in out


def test_json_is_one_document_and_nothing_else(capsys, labs, tmp_path):
    argv = ("toll", "--quick", "--modes", "gre-mesh", "--out", tmp_path, "--format", "json")

    status, out, err = run(capsys, *argv)

    told = json.loads(out)
    assert (status, err, told["format"], told["suite"], told["faults"]) == (0, "", 1, None, [])
    (only,) = told["runs"]
    assert only["quick"] is True
    assert [each["level"] for each in only["summaries"]] == ["gre-mesh"]


def test_too_few_blocks_are_3(capsys, labs, tmp_path):
    status, out, _ = run(capsys, "toll", "--repeats", 2, "--out", tmp_path)

    assert status == 3
    assert "2 blocks complete; wanted 6" in " ".join(out.split())


def refuting(monkeypatch):
    """The teller finds that an exact expectation did not hold."""
    tell = levels.tell
    held = Held(says="12 copies", because="so", stands=REFUTED, found="13")
    monkeypatch.setattr(
        levels, "tell", lambda run: replace(tell(run), held=(held,), is_refuted=True)
    )


@pytest.mark.parametrize(("lost", "wanted"), [(0, 1), (1, 3)])
def test_an_exact_expectation_that_failed_is_1_if_the_run_is_trusted(
    capsys, monkeypatch, labs, known, tmp_path, lost, wanted
):
    refuting(monkeypatch)
    known["toll"] = replace(known["toll"], probe=Probe(lost=lost))

    status, out, _ = run(capsys, "toll", "--out", tmp_path)

    assert status == wanted
    assert "Found:     13 (refuted)" in out


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


def test_without_a_name_it_is_a_suite_of_whole_runs_and_a_page_above(capsys, labs, tmp_path):
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
        "format": 2, "suite": list(NAMES), "status": "complete",
    }  # fmt: skip
    assert said["start"] <= said["end"]
    assert said["argv"]
    for name in NAMES:
        assert about(suite / name)["status"] == "complete"
        assert (suite / name / "report.html").exists()
    page = Page((suite / "report.html").read_text())
    assert page.faults == []
    assert page.text.count("✓ trusted") == 6  # in the summary, and in its place
    assert [line for line in out.splitlines() if line.startswith("──")] == [
        f"── {name} ──" for name in NAMES
    ]
    assert out.endswith(
        f"report.html: {suite}/report.html\nreport.md:   {suite}/report.md\nfolder:      {suite}\n"
    )


def test_a_suite_as_json_is_one_document(capsys, labs, tmp_path):
    status, out, err = run(capsys, "reach", "toll", "--out", tmp_path, "--format", "json")

    told = json.loads(out)
    (suite,) = tmp_path.iterdir()
    assert (status, err) == (0, "")
    assert [each["experiment"] for each in told["runs"]] == ["reach", "toll"]
    assert told["suite"]["directory"] == str(suite)
    assert told["suite"]["status"] == "complete"


def test_one_that_fails_leaves_the_others_to_be_measured(capsys, labs, known, tmp_path):
    known["reach"] = replace(known["reach"], probe=Probe(fails=True))

    status, out, err = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert status == 1
    assert "overlaylab: reach: ping: silence; allowed: an answer. Look.\n" in err
    assert about(suite)["status"] == "failed: reach"
    assert about(suite / "copies")["status"] == "complete"
    page = Page((suite / "report.html").read_text())
    assert "This suite is not whole: Failed: reach." in page.text
    assert "No result. ping: silence; allowed: an answer. Look." in page.text
    assert "── copies ──" in out


def test_one_that_cannot_be_trusted_makes_it_3(capsys, labs, known, tmp_path):
    known["reach"] = replace(known["reach"], probe=Probe(lost=1))

    status, _, _ = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, about(suite)["status"]) == (3, "complete")
    assert "| [reach](#reach) | not to be trusted |" in (suite / "report.md").read_text()


def test_a_suite_that_is_interrupted_is_130_marked_and_told(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 18, KeyboardInterrupt()  # in the second of three

    status, out, err = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, labs.up) == (130, 0)
    assert "── toll ──" in out
    assert err.splitlines()[-2:] == [f"overlaylab: the suite: {suite}", "overlaylab: interrupted"]
    assert about(suite)["status"] == about(suite / "reach")["status"] == "interrupted"
    assert not (suite / "copies").exists()
    summary = (suite / "report.md").read_text()
    assert "**This suite is not whole: Interrupted.**" in summary
    assert "| [toll](#toll) | trusted |" in summary
    assert "| [reach](#reach) | not to be trusted |" in summary
    assert "| [copies](#copies) | no result | was not measured |" in summary


def test_what_the_machine_cannot_ends_the_suite(capsys, labs, tmp_path):
    labs.fail_at, labs.failure = 13, SystemExit(1)

    status, _, _ = run(capsys, "--out", tmp_path)

    (suite,) = tmp_path.iterdir()
    assert (status, len(labs.made)) == (4, 13)
    assert about(suite)["status"].startswith("failed: this machine: Mininet gave up")


def test_two_of_one_name_are_refused_before_anything_is_made(capsys, labs, known, tmp_path):
    known["reach"] = known["toll"]

    status, out, err = run(capsys, "toll", "reach", "--out", tmp_path / "results")

    assert (status, out, labs.made) == (2, "", [])
    assert err.startswith("overlaylab: experiments: two are called 'toll'; ")
    assert not (tmp_path / "results").exists()
