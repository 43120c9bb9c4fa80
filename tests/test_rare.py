"""What happens once in a thousand times, made to happen: moments between two steps, and threads."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.model.errors import CommandError, SwitchError
from controller.switches.engine import Engine, _Worker
from controller.switches.linuxbridge_worker import devices
from controller.switches.reading import with_status
from controller.system import commands
from experiments.fanout import probe as fanout
from experiments.measure.captures import Captures
from tests.controller.small import RED, port, small
from topologies.lab import capture, live
from topologies.ledger.ledger import HOME_VARIABLE, claim
from topologies.ledger.process import identify
from topologies.nodes import unixctl

ROOT = Path(__file__).resolve().parents[1]


# --- the controller's workers


class Visit:
    """A visit that lasts until something else has happened at the time `when`."""

    datapath_type = "netdev"

    def __init__(self, when, happen, lost=(), found=()):
        self._at = {when: happen}
        self._lost, self._found = dict(lost), dict(found)

    def read(self):
        self._at.get("read", lambda: None)()
        return {}

    def lost(self, _):
        return self._lost

    def found(self, _):
        return self._found

    def carry_out(self, _):
        self._at.get("carry_out", lambda: None)()


@pytest.fixture
def moved(tmp_path):
    """An engine, and a function: its first port goes to the second host, where it has a status."""
    overlay = small(port(1, RED, "h1"))
    engine = Engine(overlay, {"h1": "tcp:1", "h2": "tcp:2"}, tmp_path / "state.json")
    moving = engine.overlay.ports[0]
    assert moving.status == "ACTIVE"

    def to_the_other(status):
        def edit(before):
            gone = replace(moving, host="h2")
            ports = tuple(gone if each.id == moving.id else each for each in before.ports)
            return with_status(replace(before, ports=ports), {moving.id: status})

        engine.change(edit)

    return engine, moving, to_the_other


def status_of(engine, port):
    return engine.overlay.port_of[port.id].status


@pytest.mark.parametrize(
    ("when", "there", "lost", "found"),
    [("read", "ACTIVE", "DOWN", None), ("carry_out", "DOWN", None, "ACTIVE")],
)
def test_a_host_has_no_say_about_a_port_that_has_moved_on(
    moved, monkeypatch, when, there, lost, found
):
    engine, moving, to_the_other = moved
    visit = Visit(
        when,
        lambda: to_the_other(there),
        lost={moving.id: lost} if lost else (),
        found={moving.id: found} if found else (),
    )
    monkeypatch.setattr(engine, "_task", lambda *_: visit)

    engine._visit(_Worker("h1"))

    assert status_of(engine, moving) == there


def test_a_hosts_word_about_its_own_ports_counts(moved, monkeypatch):
    engine, moving, _ = moved
    monkeypatch.setattr(engine, "_task", lambda *_: Visit("", None, lost={moving.id: "DOWN"}))

    engine._visit(_Worker("h1"))

    assert status_of(engine, moving) == "DOWN"


def test_an_address_that_can_be_no_path_has_no_devices():
    assert devices("netns:\0") == frozenset()


APP = """
from controller.switches import framework
from os_ken.controller import event

class Asked(event.EventBase): pass

class Dummy(framework.App):
    heard = []

    @framework.set_ev_cls(Asked)
    def asked(self, ev):
        self.heard.append(ev)
        if len(self.heard) == 1:
            raise ValueError("once")
"""
START = """
import logging, os, sys, time
logging.basicConfig()
from controller.switches import framework
framework.start_app("dummy_app")
import dummy_app
from os_ken.base.app_manager import lookup_service_brick
app, deadline = lookup_service_brick("Dummy"), time.monotonic() + 10
for _ in range(2):
    app.send_event("Dummy", dummy_app.Asked())
while len(app.heard) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
print(len(app.heard), flush=True)
os._exit(0)
"""


def test_a_handler_that_fails_does_not_end_its_app(tmp_path):
    (tmp_path / "dummy_app.py").write_text(APP)

    done = commands.attempt(
        sys.executable, "-c", START, env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}, timeout_s=40
    )

    assert done.stdout == "2\n", done.stderr
    assert "ValueError: once" in done.stderr


# --- changes to a lab


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


# --- probes


def test_a_barrier_that_never_came_leaves_the_count_open():
    measured = fanout._measured(small(), (), (), Captures(), ["g2"])

    assert measured.lost == 1  # of which the verdict allows none
    assert measured.facts["guests_without_barrier"] == ["g2"]


# --- processes


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    made = claim("mine")
    yield made
    made.undo()


class EndsAfterPoll:
    """A child that ends just after it was looked whether it has."""

    def __init__(self, child):
        self.child, self.pid = child, child.pid

    def poll(self):
        self.child.kill()
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def wait(self, timeout):
        return self.child.wait(timeout)


def test_the_status_of_an_own_child_is_left_to_who_started_it(ledger):
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    ledger.process(child.pid, "x")
    ledger.children.append(EndsAfterPoll(child))

    ledger.collect()

    assert child.wait() == -signal.SIGKILL


def test_nothing_is_looked_through_if_no_child_is_dead(ledger, monkeypatch):
    import topologies.ledger.process as processes

    while processes._has_zombie():  # of another test
        os.wait()
    child = subprocess.Popen(["sleep", "60"])
    try:
        monkeypatch.setattr(processes, "_stat", lambda _: pytest.fail("looked at"))
        processes.reap_orphans_of([])
    finally:
        monkeypatch.undo()
        child.kill()
        child.wait()
    assert identify(child.pid) is None
    ledger.collect()


def test_of_two_control_sockets_that_of_the_daemon_of_now_is_taken(tmp_path):
    rundir = tmp_path / "root/run/openvswitch"
    rundir.mkdir(parents=True)
    here = f"..{tmp_path}"  # instead of a pid
    with pytest.raises(SwitchError, match="no pidfile in"):
        unixctl.socket_of(here, "ovs-vswitchd")
    for pid in (1, 22, 333):  # a daemon that was killed does not remove its own
        (rundir / f"ovs-vswitchd.{pid}.ctl").touch()
    (rundir / "ovs-vswitchd.pid").write_text("22\n")

    assert unixctl.socket_of(here, "ovs-vswitchd").name == "ovs-vswitchd.22.ctl"


def test_a_capture_that_cannot_write_is_ended_and_told(monkeypatch):
    monkeypatch.setattr(capture, "FLUSH_S", 0.1)
    child = subprocess.Popen(["sleep", "60"])

    with pytest.raises(CommandError) as caught:
        capture._await_flushed(child)

    assert child.returncode == -signal.SIGKILL
    assert str(caught.value) == (
        "what dumpcap captured: not written to its end within 0.1 s; "
        "allowed: a file, or a reader that takes all of it. Name a file, and read that."
    )
