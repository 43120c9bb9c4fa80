"""Pings of `walk` on a busy machine: what is late is awaited, what never comes is counted as missing."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from controller.system import waiting
from experiments.core.experiment import Context
from experiments.walk.labs import PINGS
from experiments.walk.reach import Pinger, reach
from experiments.walk.words import DOWN, DOWN_ERROR, UP, UP_AGAIN
from topologies.scenario.load import load

NET = "From 221.234.230.254 icmp_seq=1 Destination Net Unreachable\n"


@dataclass
class Lab:
    """The far server answers these pings, one after the other; then as many as the last says."""

    answers: list
    up: bool = True
    commands: list = field(default_factory=list)

    def run(self, node, *argv, timeout_s=10):
        self.commands.append(argv)
        return ""

    def attempt(self, node, *argv, timeout_s=10):
        count = int(argv[argv.index("-c") + 1]) if "-c" in argv else 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        received = min(found, count)
        text = NET if found < 0 else ""
        received = max(received, 0)
        text += f"{count} packets transmitted, {received} received, 0% packet loss, time 0ms\n"
        return CompletedProcess(argv, 0 if received else 1, text, "")


@pytest.fixture
def checks(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting.Clock, "sleep", lambda *_: None)
    monkeypatch.setattr("experiments.walk.reach.UP_S", 0.01)

    def checks(*answers):
        context = Context(
            keep=lambda *_: None, path=Path, watch=nullcontext, say=lambda _: None, seed=1
        )
        sites = load("home-office").sites
        pinger = Pinger(lab=Lab(list(answers)), sites=sites, context=context, wait_s=0.1)
        return {row["check"]: row["seen"] for row in reach(pinger)}

    return checks


def test_a_tunnel_that_comes_up_late_is_awaited_before_pings_are_counted(checks, monkeypatch):
    monkeypatch.setattr("experiments.walk.reach.UP_S", 10.0)
    found = checks(PINGS, -1, 0, 0, 0, 1, PINGS)  # three unanswered while the switch notices
    assert (found[UP], found[DOWN], found[UP_AGAIN]) == (PINGS, 0, PINGS)
    assert found[DOWN_ERROR] == "221.234.230.254: Destination Net Unreachable"


def test_a_ping_that_a_busy_machine_lost_is_repeated(checks):
    found = checks(PINGS - 1, PINGS, -1, 1, PINGS)
    assert (found[UP], found[UP_AGAIN]) == (PINGS, PINGS)


def test_a_tunnel_that_never_comes_up_is_counted_as_it_is(checks):
    assert checks(PINGS, -1, 0)[UP_AGAIN] == 0


def test_a_path_that_always_loses_a_ping_is_not_complete(checks):
    assert checks(PINGS - 1)[UP] == PINGS - 1
