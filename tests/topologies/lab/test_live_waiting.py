"""Waiting until the hosts of a lab match the overlay."""

from types import SimpleNamespace

from topologies.lab import live


def lab_whose_agents_are(*answers):
    """A lab whose API lists one host, each time with the next (alive, wired)."""
    agents = [
        {"agents": [{"host": "h", "alive": alive, "configurations": {"wired": wired}}]}
        for alive, wired in answers
    ]
    return SimpleNamespace(
        ledger=None, answers=agents, api=lambda *_: agents.pop(0) if agents[1:] else agents[0]
    )


def test_a_host_with_a_brief_alarm_is_waited_for():
    lab = lab_whose_agents_are((False, False), (False, False), (True, False), (True, True))

    live.await_wired(lab)

    assert len(lab.answers) == 1


def test_a_dead_host_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(live, "ALARM_S", 0.05)

    live.await_wired(lab_whose_agents_are((False, False)))
