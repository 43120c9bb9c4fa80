"""The engine's visits, with the overlay changing at every point of a visit."""

from dataclasses import replace

import pytest

from controller.model.errors import LabError, SwitchError
from controller.switches.engine import CORRECTIONS, Engine, _Worker, poll_s
from controller.switches.reading import BridgeRow, PortRow, with_status
from tests.controller.small import RED, host, port, small


class Visit:
    """A visit that reports `statuses`, and calls `action` during its step `when`."""

    datapath_type = "netdev"

    def __init__(self, statuses, when="", action=None, changed=()):
        self._statuses, self._actions, self._changed = statuses, {when: action}, list(changed)

    def read(self):
        self._run("read")
        return {}

    def status_changes(self, _):
        return self._statuses

    def apply(self, _):
        self._run("apply")
        return self._changed

    def _run(self, step):
        if action := self._actions.get(step):
            action()


@pytest.fixture
def moved(tmp_path):
    """An engine, its first port, and a function that moves the port to h2 with a given status."""
    overlay = small(port(1, RED, "h1"))
    engine = Engine(overlay, {"h1": "tcp:1", "h2": "tcp:2"}, tmp_path / "state.json")
    moving = engine.overlay.ports[0]
    assert moving.status == "ACTIVE"

    def move(status):
        def edit(before):
            new = replace(moving, host="h2")
            ports = tuple(new if each.id == moving.id else each for each in before.ports)
            return with_status(replace(before, ports=ports), {moving.id: status})

        engine.change(edit)

    return engine, moving, move


def status_of(engine, port):
    return engine.overlay.port_of[port.id].status


@pytest.mark.parametrize(
    ("when", "there", "reported"), [("read", "ACTIVE", "DOWN"), ("apply", "DOWN", "ACTIVE")]
)
def test_a_hosts_report_about_a_port_that_has_moved_is_ignored(
    moved, monkeypatch, when, there, reported
):
    engine, moving, move = moved
    visit = Visit({moving.id: reported}, when, lambda: move(there))
    monkeypatch.setattr(engine, "_task", lambda *_: visit)

    engine._visit(_Worker("h1"))

    assert status_of(engine, moving) == there


def test_a_hosts_report_about_its_own_port_is_applied(moved, monkeypatch):
    engine, moving, _ = moved
    monkeypatch.setattr(engine, "_task", lambda *_: Visit({moving.id: "DOWN"}))

    engine._visit(_Worker("h1"))

    assert status_of(engine, moving) == "DOWN"


def test_workers_follow_the_hosts_of_the_overlay(tmp_path, monkeypatch):
    monkeypatch.setattr(Engine, "_visit", lambda *_: None)
    engine = Engine(small(hosts=2), {"h1": "tcp:1", "h2": "tcp:2"}, tmp_path / "state.json")
    third = host(3)

    engine.change(
        lambda overlay: replace(overlay, hosts=(*overlay.hosts, third)), ovsdb={"h3": "tcp:3"}
    )
    worker = engine._workers["h3"]
    assert [agent.ovsdb for agent in engine.agents()] == ["tcp:1", "tcp:2", "tcp:3"]

    engine.change(lambda overlay: replace(overlay, hosts=overlay.hosts[:2]))
    assert worker.is_dismissed
    assert engine._workers == {}
    assert [agent.ovsdb for agent in engine.agents()] == ["tcp:1", "tcp:2"]


def test_a_host_whose_ovsdb_has_the_bridges_of_an_earlier_host_is_not_touched(
    tmp_path, monkeypatch
):
    """Two addresses may lead to one OVSDB, as over TCP and over its UNIX socket."""
    applied = []

    class Same(Visit):
        def __init__(self, host):
            super().__init__({})
            self.host = host

        def read(self):
            return {"br-int": BridgeRow(name="br-int", dpid=7)}

        def apply(self, _):
            applied.append(self.host)

    engine = Engine(small(hosts=2), {"h1": "tcp:1", "h2": "unix:/a"}, tmp_path / "state.json")
    monkeypatch.setattr(engine, "_task", lambda worker, _: Same(worker.host))
    workers = [engine._workers.setdefault(name, _Worker(name)) for name in ("h1", "h2")]

    engine._visit(workers[0])
    with pytest.raises(SwitchError, match="unix:/a has the bridges of host 'h1'"):
        engine._visit(workers[1])

    assert applied == ["h1"]


def test_a_change_that_cannot_be_saved_does_not_happen(tmp_path):
    engine = Engine(small(hosts=2), {}, tmp_path / "no" / "state.json")
    before = engine.overlay

    with pytest.raises(LabError, match="not saved: "):
        engine.change(lambda overlay: replace(overlay, hosts=overlay.hosts[:1]))

    assert engine.overlay is before


def test_a_worker_whose_host_was_just_removed_does_nothing(tmp_path):
    engine = Engine(small(hosts=2), {"h1": "tcp:1", "h2": "tcp:2"}, tmp_path / "state.json")
    engine.change(lambda overlay: replace(overlay, hosts=overlay.hosts[:1]))

    engine._visit(_Worker("h2"))


def visit(engine, monkeypatch, worker, *changed, statuses=None):
    monkeypatch.setattr(engine, "_task", lambda *_: Visit(statuses or {}, changed=changed))
    engine._visit(worker)


def test_a_correction_of_a_foreign_change_is_recorded(moved, monkeypatch):
    engine, moving, move = moved
    worker = _Worker("h1")
    visit(engine, monkeypatch, worker, "everything is new")
    assert worker.agent.corrected == ()
    visit(engine, monkeypatch, worker)
    assert worker.agent.corrected == ()
    visit(engine, monkeypatch, worker, "3 flows of br-tun", "fail_mode of br-int")
    (noted,) = worker.agent.corrected
    assert noted.endswith(" 3 flows of br-tun, fail_mode of br-int")
    move("ACTIVE")
    visit(engine, monkeypatch, worker, "the overlay has changed")
    visit(engine, monkeypatch, worker, "a guest has gone", statuses={moving.id: "DOWN"})
    assert worker.agent.corrected == (noted,)
    for number in range(CORRECTIONS + 1):
        visit(engine, monkeypatch, worker, *(f"{number} {letter}" for letter in "abcdef"))
    assert len(worker.agent.corrected) == CORRECTIONS
    assert worker.agent.corrected[-1].endswith(f" {CORRECTIONS} d and more")
    assert worker.agent.alarm == ""


def test_large_labs_are_polled_less_often():
    assert poll_s(hosts=2, visit_s=0.01) == 1.0
    assert poll_s(hosts=4, visit_s=0.05) == pytest.approx(4.0)
    assert poll_s(hosts=50, visit_s=0.05) == 10.0


def test_the_flow_of_an_unplugged_guest_is_not_recorded_as_a_correction(
    tmp_path, monkeypatch, caplog
):
    """A port that is deleted in the API and unplugged later: its flow goes without a new revision."""
    engine = Engine(small(hosts=2), {"h1": "tcp:1", "h2": "tcp:2"}, tmp_path / "state.json")
    guest = PortRow(name="qvo1", ofport=5, iface_id="gone")

    class Seen(Visit):
        def __init__(self, *ports):
            super().__init__({})
            self.ports = {each.name: each for each in ports}

        def read(self):
            return {"br-int": BridgeRow(name="br-int", dpid=1, ports=self.ports)}

        def apply(self, _):
            return ["1 flows of br-int"]

    worker = _Worker("h1")
    for seen in (Seen(guest), Seen()):
        monkeypatch.setattr(engine, "_task", lambda *_, seen=seen: seen)
        engine._visit(worker)
    assert not caplog.records

    engine._visit(worker)  # nothing of ours has changed
    assert "changed by somebody else" in caplog.text
