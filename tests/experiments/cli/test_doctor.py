"""The findings of the doctor, from facts, and on this machine."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.model.errors import HostError
from controller.system.abilities import folder_error
from controller.system.commands import attempt
from experiments.cli import doctor
from experiments.cli.host_checks import (
    ABILITIES,
    OPTIONAL,
    PROGRAMS,
    Facts,
    Finding,
    findings,
    host_error,
    is_ready,
    needed,
)
from experiments.cli.main import overlaylab
from experiments.cli.needs import PYTHON

ROOT = Path(__file__).resolve().parents[3]
WHOLE = Facts(
    is_root=True,
    programs={name: f"/usr/bin/{name}" for name in PROGRAMS},
    modules=dict.fromkeys((*PYTHON, "mininet"), True),
    ovs_version=(3, 1, 0),
    trials={"bridge": "", "netem": ""},
)


def only(facts: Facts, name: str) -> Finding:
    (found,) = [each for each in findings(facts) if each.name == name]
    return found


def test_a_complete_machine_can_start_a_lab():
    assert is_ready(findings(WHOLE))
    assert [each for each in findings(WHOLE) if each.is_needed and each.remedy] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_missing_program_is_reported_with_its_package(program):
    facts = replace(WHOLE, programs={**WHOLE.programs, program: None})
    assert only(facts, program) == Finding(
        program,
        is_needed=True,
        is_there=False,
        found="not found",
        remedy=f"`apt-get install {PROGRAMS[program]}` as root, or `make ready`.",
    )
    assert not is_ready(findings(facts))


@pytest.mark.parametrize("module", [*PYTHON, "mininet"])
def test_a_missing_python_package_is_reported(module):
    facts = replace(WHOLE, modules={**WHOLE.modules, module: False})
    assert "`make ready`" in only(facts, f"Python {module}").remedy
    assert not is_ready(findings(facts))


@pytest.mark.parametrize(
    ("version", "is_there"),
    [((), False), ((2, 16, 9), False), ((2, 17), True), ((2, 17, 8), True), ((10, 0), True)],
)
def test_the_oldest_supported_open_vswitch_is_2_17(version, is_there):
    facts = replace(WHOLE, ovs_version=version)
    assert only(facts, "Open vSwitch").is_there is is_there
    assert is_ready(findings(facts)) is is_there


def test_without_root_no_lab_can_be_started_and_nothing_is_tried():
    facts = replace(WHOLE, is_root=False, trials={})
    assert only(facts, "root").found == "no"
    assert only(facts, "veth and bridge").is_there is None
    assert not is_ready(findings(facts))


def test_no_lab_can_be_started_where_bridges_cannot_be_created():
    facts = replace(WHOLE, trials={"bridge": "RTNETLINK answers: Operation not permitted"})
    assert only(facts, "veth and bridge").found == "RTNETLINK answers: Operation not permitted"
    assert not is_ready(findings(facts))


@pytest.mark.parametrize("name", ["netem", "Open vSwitch kernel module", "Ryu 4.34"])
def test_without_optional_parts_a_lab_can_be_started(name):
    facts = replace(
        WHOLE, trials={"bridge": "", "netem": "Error: Specified qdisc kind is unknown."}
    )
    assert only(facts, name).is_there is False
    assert is_ready(findings(facts))


def test_the_error_names_everything_missing_and_each_remedy_once():
    facts = replace(WHOLE, is_root=False, modules={**WHOLE.modules, "click": False, "rich": False})
    assert str(host_error(needed(facts))) == (
        "this machine: root: no; Python click: cannot be imported (from click); "
        "Python rich: cannot be imported (from rich); "
        "allowed: root, and all that `overlaylab doctor` lists as needed. "
        "Run it with sudo, or as root. `make ready` installs it."
    )


@pytest.fixture
def on(monkeypatch):
    """Give the doctor these facts instead of those of this machine."""

    def set_facts(facts: Facts) -> None:
        monkeypatch.setattr(doctor, "_quick_facts", lambda: facts)
        monkeypatch.setattr(doctor, "gather_facts", lambda: facts)

    return set_facts


def test_a_task_that_needs_no_root_passes_without_it(on):
    on(replace(WHOLE, is_root=False))
    doctor.assert_host_ready(root=False)
    with pytest.raises(HostError, match="root: no"):
        doctor.assert_host_ready()


def test_a_task_that_needs_no_root_fails_without_a_program(on):
    on(replace(WHOLE, is_root=False, programs={}))
    with pytest.raises(HostError, match="mnexec: not found") as error:
        doctor.assert_host_ready(root=False)
    assert "root: no" not in str(error.value)


@pytest.mark.parametrize(("facts", "status"), [(WHOLE, 0), (replace(WHOLE, programs={}), 4)])
def test_the_exit_status_is_4_if_no_lab_can_be_started(on, facts, status):
    on(facts)
    text = CliRunner().invoke(overlaylab, ["doctor"])
    as_json = CliRunner().invoke(overlaylab, ["doctor", "--format", "json"])
    assert (text.exit_code, as_json.exit_code) == (status, status)
    assert json.loads(as_json.stdout)["ready"] is (status == 0)
    assert {each["name"] for each in json.loads(as_json.stdout)["findings"]} >= {"root", "mnexec"}
    assert len(text.stdout.splitlines()) == len(findings(facts)) + 1


def test_the_facts_of_this_machine():
    facts = doctor.gather_facts()
    assert set(facts.programs) == {*PROGRAMS, *OPTIONAL}
    assert facts.modules["click"]  # or this test would not run
    assert set(facts.trials) == ({"bridge", "netem"} if facts.is_root else set())


@pytest.mark.parametrize(
    ("report", "version"),
    [
        ("ovs-vswitchd (Open vSwitch) 3.1.0\n", (3, 1, 0)),
        ("ovs-vswitchd (Open vSwitch) 2.17.9\nDPDK 21.11", (2, 17, 9)),
        ("not a version", ()),
    ],
)
def test_the_version_is_read_from_the_output_of_the_program(report, version):
    assert doctor.version_in(report) == version


def test_programs_are_searched_in_sbin_too():
    assert doctor.search_path({"PATH": "/usr/bin"}) == "/usr/bin:/usr/sbin:/sbin"


def test_make_installs_every_package_that_the_doctor_names():
    (listed,) = re.findall(
        r"^DEBIAN := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    brought = {*listed.split(), "openvswitch-common"}  # openvswitch-switch depends on it
    assert {*PROGRAMS.values(), *(package for package, _ in OPTIONAL.values())} <= brought


@pytest.mark.parametrize("program", OPTIONAL)
def test_a_program_that_only_some_scenarios_need_is_optional(program):
    whole = replace(WHOLE, programs={**WHOLE.programs, **dict.fromkeys(OPTIONAL, "/usr/bin/it")})
    report = {each.name: each for each in findings(whole)}
    assert (report[program].is_there, report[program].remedy) == (True, "")
    without = findings(replace(whole, programs={**whole.programs, program: None}))
    assert is_ready(without)
    package, who = OPTIONAL[program]
    lacking = next(each for each in without if each.name == program)
    assert lacking == Finding(
        program,
        is_needed=False,
        is_there=False,
        found=f"absent: only {who} needs it",
        remedy=f"`apt-get install {package}` as root, or `make ready`.",
    )


def test_pyproject_lists_every_package_that_the_program_needs():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = set(re.findall(r'^    "([A-Za-z0-9.-]+)==[0-9.]+[;"]', text, re.MULTILINE))
    assert set(PYTHON.values()) <= listed


@pytest.mark.parametrize("ability", ABILITIES)
def test_what_the_machine_forbids_is_reported_with_its_error(ability):
    facts = replace(WHOLE, abilities={**dict.fromkeys(ABILITIES, ""), ability: "No such device"})
    found = only(facts, ability)
    assert (found.is_there, found.found, found.remedy) == (
        False,
        "No such device",
        ABILITIES[ability],
    )
    assert not is_ready(findings(facts))
    assert is_ready(findings(replace(facts, abilities=dict.fromkeys(ABILITIES, ""))))


@pytest.mark.root
def test_without_tun_doctor_reports_it_and_up_makes_nothing(tmp_path, need_root):
    """In a mount namespace of its own, where /dev/net is empty."""
    home = tmp_path / "labs"
    for words in ("doctor", "up article --detach", "up home-office --detach", "run walk --quick"):
        script = f"mount -t tmpfs none /dev/net; exec '{sys.executable}' '{ROOT}/experiments/run.py' {words}"
        env = {"OVERLAYLAB_RUN": str(home)}
        done = attempt("unshare", "--mount", "sh", "-c", script, env=env, timeout_s=30)
        said = done.stdout + done.stderr
        assert done.returncode == 4, said
        assert "/dev/net/tun: No such file or directory" in said
        assert "modprobe tun" in said
    assert not home.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    assert folder_error(tmp_path / "not" / "yet") == ""
    (tmp_path / "file").touch()
    assert folder_error(tmp_path / "file" / "x") == f"{tmp_path}/file: not a folder"
