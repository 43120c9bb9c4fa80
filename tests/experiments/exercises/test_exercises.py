"""The words and the judgements of the course's checks, without a lab."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from controller.model.errors import UsageError
from experiments.cli.main import main
from experiments.exercises.exercise import EXERCISES, answered, answers_of, exercise_named
from experiments.exercises.faults import SMALL, guest_faults, underlay_findings
from experiments.exercises.reading import Guest, Ping
from topologies.plan.plan import guests
from topologies.scenario.load import load

pytestmark = pytest.mark.pure

COURSE = Path(__file__).parents[3] / "docs/course"
BROADCAST = EXERCISES["broadcast"]
OVERLAY = load(COURSE / "faults.yaml").overlay
RIGHT = {
    port.device_id or port.name: Guest(
        is_up=True, mtu=1450, addresses=(f"{port.fixed_ips[0]}/24",), static={}
    )
    for port in OVERLAY.ports
}


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_a_scenario_and_a_page_with_all_its_parts(name):
    assert load(COURSE / f"{name}.yaml").overlay.name == name
    text = (COURSE / f"{name}.md").read_text(encoding="utf-8")
    for part in (
        "**Goal:**",
        f"**Time:** {EXERCISES[name].minutes} minutes",
        "<details",
        "What you should",
    ):
        assert part in text, part
    assert f"overlaylab up docs/course/{name}.yaml" in text
    assert f"overlaylab check {name}" in text
    assert all(f"--answer {answer}=" in text for answer in EXERCISES[name].answers)
    assert f"({name}.md)" in (COURSE / "README.md").read_text(encoding="utf-8")


def test_answers_are_numbers_to_questions_of_the_exercise():
    assert answers_of(BROADCAST, ["copies=4", "unneeded = 0"]) == {"copies": 4, "unneeded": 0}


@pytest.mark.parametrize(
    "text",
    ["copy=4", "copies", "copies=four", "copies=-1", "=", "copies=²", "", "copies=0000000004"],
)
def test_another_answer_is_wrong_use(text):
    with pytest.raises(UsageError, match=r"allowed: copies=NUMBER, unneeded=NUMBER\."):
        answers_of(BROADCAST, [text])


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("copies=four", "Write a whole number without a unit, and `--answer` before each answer."),
        ("copies=4,unneeded=2", "Write a whole number without a unit"),
        ("copiess=4", "Did you mean"),
    ],
)
def test_what_to_do_about_an_answer_depends_on_what_is_wrong_with_it(text, advice):
    with pytest.raises(UsageError) as error:
        answers_of(BROADCAST, [text])
    assert advice in str(error.value)


def test_an_exercise_without_questions_takes_no_answer():
    with pytest.raises(UsageError, match="Leave `--answer` out"):
        answers_of(EXERCISES["faults"], ["faults=5"])


@pytest.mark.parametrize("name", EXERCISES)
def test_the_servers_of_an_exercise_are_in_its_scenario(name):
    assert set(EXERCISES[name].servers) <= set(guests(load(COURSE / f"{name}.yaml").overlay))


def test_a_wrong_answer_is_not_corrected():
    wrong = answered(BROADCAST, "copies", {"copies": 3}, 4, "Count again.")
    assert not wrong.is_right
    assert str(wrong) == "wrong  copies = 3 Count again."
    assert answered(BROADCAST, "copies", {"copies": 4}, 4, "Count again.").is_right
    missing = answered(BROADCAST, "copies", {}, 4, "Count again.")
    assert not missing.is_right
    assert "--answer copies=NUMBER" in str(missing)


def test_an_unknown_exercise_gets_the_nearest_one(capsys):
    with pytest.raises(UsageError):
        exercise_named("fault")
    assert main(["check", "fault"]) == 2
    assert capsys.readouterr().err.endswith("Did you mean `faults`?\n")


def test_servers_as_their_ports_have_no_fault():
    assert list(guest_faults(OVERLAY, RIGHT)) == []


FAULTY = {
    "down": ("e", {"is_up": False}, "e neither sends nor receives."),
    "netmask": ("f", {"addresses": ("10.2.0.22/28",)}, "f is not set up as"),
    "no address": ("f", {"addresses": ()}, "f is not set up as"),
    "mtu": ("g", {"mtu": 9000}, "g does not use the MTU"),
    "wrong MAC": ("a", {"static": {"10.1.0.22": "02:00:00:00:00:99"}}, "a and b do not reach"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_fault_is_seen_by_its_symptom_alone(case):
    name, changes, text = FAULTY[case]
    (fault,) = guest_faults(OVERLAY, RIGHT | {name: replace(RIGHT[name], **changes)})
    assert fault.text.startswith(text)
    for solution in ("/24", "permanent", "netmask", "fa:16:3e", "ip link set"):
        assert solution not in fault.text + fault.look


def test_a_right_mac_set_by_hand_is_accepted():
    (port,) = [each for each in OVERLAY.ports if str(each.fixed_ips[0]) == "10.1.0.22"]
    known = replace(RIGHT["a"], static={"10.1.0.22": port.mac_address.upper()})
    assert list(guest_faults(OVERLAY, RIGHT | {"a": known})) == []


UNDERLAY = {
    Ping(a.name, b.vtep, size): True
    for a, b in permutations(OVERLAY.hosts, 2)
    for size in (SMALL, OVERLAY.underlay_mtu)
}


def lost(*hosts, sizes):
    """The pings between all VTEPs, of which those between a pair of these hosts fail."""
    vteps = {host.name: host.vtep for host in OVERLAY.hosts}
    failed = {Ping(a, vteps[b], size): False for a, b in permutations(hosts, 2) for size in sizes}
    return [str(each) for each in underlay_findings(OVERLAY, UNDERLAY | failed)]


def test_an_underlay_is_right_only_if_every_ping_is_answered():
    assert lost(sizes=()) == ["right  packets of 1500 bytes pass between all VTEPs"]
    one, other = lost("host1", "host2", sizes=(SMALL, 1500))
    assert one.startswith("wrong  packets of 1500 bytes from the VTEP of host1 to that of host2")
    assert other.startswith("wrong  packets of 1500 bytes from the VTEP of host2 to that of host1")
