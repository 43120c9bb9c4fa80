"""The checks of the course on labs made up for the test: what they send, and what they conclude."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.cli.main import main
from experiments.exercises import broadcast, faults, mtu
from experiments.exercises.exercise import EXERCISES, answered, answers_of
from topologies.scenario.load import load

pytestmark = pytest.mark.pure

COURSE = Path(__file__).parents[3] / "docs/course"
LARGEST = {"largest": mtu.LARGEST}


class MadeUpLab:
    """A lab whose pings pass by a rule, with the MTUs that the test says."""

    def __init__(self, exercise, passes, **mtus):
        self.overlay = load(COURSE / f"{exercise}.yaml").overlay
        self.name = exercise
        self.passes = passes
        self.mtus = mtus

    def run(self, node, *command):
        default = mtu.PROVIDERS.get((node, command[-1]), mtu.LARGEST)
        return json.dumps([{"mtu": self.mtus.get(node, default)}])

    def attempt(self, node, *command):
        size = int(command[command.index("-s") + 1]) + 28
        return SimpleNamespace(returncode=0 if self.passes(node, command[-1], size) else 1)


def carries(_node, _address, size):
    return size <= mtu.LARGEST


def wrong(findings):
    return [each.text for each in findings if not each.is_right]


def test_the_mtu_is_right_only_if_it_is_the_largest_that_passes():
    assert wrong(mtu.check(MadeUpLab("mtu", carries), LARGEST)) == []
    assert wrong(mtu.check(MadeUpLab("mtu", carries, a=mtu.LARGEST + 1), LARGEST)) == [
        "a sends packets of up to 1351 bytes, and those get no answer from b."
    ]
    assert wrong(mtu.check(MadeUpLab("mtu", carries, b=mtu.LARGEST - 1), LARGEST)) == [
        "b sends packets of up to 1349 bytes only; larger ones would reach a too."
    ]


def test_the_link_of_the_provider_must_stay_as_it_was():
    texts = wrong(mtu.check(MadeUpLab("mtu", carries, transit2=1500), LARGEST))
    assert texts == [
        "the provider's link from transit2 to transit1 does not have the MTU of step 2."
    ]


@pytest.mark.parametrize(("answer", "status"), [(mtu.LARGEST, 0), (mtu.LARGEST + 1, 1)])
def test_the_exit_status_is_1_until_all_is_right(answer, status, monkeypatch, capsys):
    lab = MadeUpLab("mtu", carries)
    monkeypatch.setattr("experiments.cli.check._lab_of", lambda *_: lab)
    assert main(["check", "mtu", "--answer", f"largest={answer}"]) == status
    assert ("all right" in capsys.readouterr().out) is (status == 0)


def test_an_answer_is_right_only_if_it_is_equal_and_has_all_its_digits():
    exercise = EXERCISES["broadcast"]
    assert answers_of(exercise, ["copies=1234"]) == {"copies": 1234}
    assert [
        answered(exercise, "copies", {"copies": number}, 15, "").is_right for number in (14, 15, 16)
    ] == [False, True, False]


def test_copies_to_hosts_without_a_member_are_the_unneeded_ones(monkeypatch):
    lab = MadeUpLab("broadcast", lambda *_: True)
    network = next(each for each in lab.overlay.networks if each.name == broadcast.NETWORK)
    members = [str(host.vtep) for host in lab.overlay.members(network.id)]
    others = {str(host.vtep) for host in lab.overlay.hosts} - {*members}
    targets = [*others, members[-1]]
    sent = [SimpleNamespace(outer=SimpleNamespace(target=each)) for each in targets]
    monkeypatch.setattr(broadcast, "copies_sent", lambda *_: sent)

    right = {"copies": len(targets), "unneeded": len(others)}

    assert len(others) > 1
    assert wrong(broadcast.check(lab, right)) == []
    assert wrong(broadcast.check(lab, {**right, "unneeded": 1})) == ["unneeded = 1"]


def test_a_host_that_large_packets_do_not_reach_is_told_from_one_that_none_reach():
    overlay = load(COURSE / "faults.yaml").overlay
    first, second, *_ = overlay.hosts

    def passes(node, address, size):
        ends = {node, *(host.name for host in overlay.hosts if str(host.vtep) == address)}
        return first.name not in ends and (second.name not in ends or size <= 84)

    replies = faults._underlay(MadeUpLab("faults", passes), overlay)
    found = faults._faulty_hosts(overlay, replies)

    assert found == ([first.name], [second.name])
