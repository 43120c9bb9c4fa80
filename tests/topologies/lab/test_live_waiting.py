"""Waiting until the hosts of a lab match the overlay."""

from pathlib import Path
from types import SimpleNamespace

from topologies.lab import live


def lab_whose_agents_are(*answers):
    """A lab whose API tells of one host, each time the next of (alive, wired)."""
    told = [
        {"agents": [{"host": "h", "alive": alive, "configurations": {"wired": wired}}]}
        for alive, wired in answers
    ]
    return SimpleNamespace(
        name="x", directory=Path(), asked=told, api=lambda *_: told.pop(0) if told[1:] else told[0]
    )


def test_a_host_that_raises_an_alarm_for_a_moment_is_waited_for():
    lab = lab_whose_agents_are((False, False), (False, False), (True, False), (True, True))

    live.await_told(lab)

    assert len(lab.asked) == 1


def test_a_host_that_is_dead_is_not(monkeypatch):
    monkeypatch.setattr(live, "ALARM_S", 0.05)

    live.await_told(lab_whose_agents_are((False, False)))
