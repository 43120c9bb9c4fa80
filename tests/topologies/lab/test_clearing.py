"""One spoilt ledger is no obstacle to the others, and can be cleared away itself."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from controller.model.errors import HostError, LabError
from topologies.lab import clearing
from topologies.lab.clearing import take_down_all, take_down_by_name
from topologies.lab.holder import LONGEST_WAIT_S, Watcher
from topologies.lab.status import statuses
from topologies.ledger import claim, labs


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path))
    return tmp_path


def spoil(home, name, text):
    (home / name).mkdir(mode=0o700)
    (home / name / "ledger").write_bytes(text)


SPOILT = {
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "list": b"[1]\n",
    "no_token": b'{"what": "lab"}\n',
    "half": b'{"what": "lab", "tok',
}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_status_reports_a_corrupt_ledger_and_down_removes_it(home, text):
    for deed in (lambda: take_down_by_name("spoilt"), take_down_all):
        spoil(home, "spoilt", text)
        claim("whole")
        found = {each["name"]: each["state"] for each in statuses()}
        assert found == {"spoilt": "unreadable", "whole": "held"}
        deed()
        assert not (home / "spoilt").exists()
        take_down_all()
        assert labs() == ()


def test_an_incomplete_entry_does_not_stop_down_all(home):
    claim("a").note("process", role="x")
    claim("b").note("owner", pid="x")
    claim("c")
    take_down_all()
    assert labs() == ()


def test_every_failure_is_reported_after_all_other_labs_are_down(monkeypatch):
    def refuse(ledger):
        if ledger.name != "b":
            raise LabError(f"{ledger.name} stays", where="x", allowed="y", do="z")
        ledger.undo()

    for name in "abc":
        claim(name)
    monkeypatch.setattr(clearing, "take_down", refuse)
    with pytest.raises(LabError, match=r"a stays.*c stays"):
        take_down_all()
    assert labs() == ("a", "c")


def test_a_lab_that_another_process_took_down_counts_as_down(home, monkeypatch):
    monkeypatch.setattr(clearing, "labs", lambda: ("gone",))
    take_down_all()


def test_a_directory_of_no_lab_is_not_removed(home):
    (home / "Documents").mkdir(mode=0o755)
    (home / "Documents" / "thesis").touch()
    with pytest.raises(LabError, match="no lab 'Documents'"):
        take_down_by_name("Documents")
    assert (home / "Documents" / "thesis").exists()


def test_unfinished_directories_of_dead_processes_are_removed(home):
    made = claim("made")
    alive = made.directory.rename(home / ".alive.01234567")
    dead = claim("dead")
    lines = [json.loads(line) for line in dead.path.read_text().splitlines()]
    lines[1]["start"] = 1
    dead.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    dead.directory.rename(home / ".dead.01234567")
    for name in (".new.01234567", ".old.01234567"):
        (home / name).mkdir(mode=0o700)
    os.utime(home / ".old.01234567", (0, 0))
    take_down_all()
    assert sorted(path.name for path in home.iterdir()) == [alive.name, ".new.01234567"]


def test_adopted_orphans_are_reaped():
    """In a process of its own: adopting is for good."""
    code = """if True:
        import subprocess, sys
        from controller.system.process import adopt_orphans, identify, kill, reap
        adopt_orphans()
        found = subprocess.run(['sh', '-c', 'sleep 100 >/dev/null & echo $!'], stdout=subprocess.PIPE, check=True)
        orphan = identify(int(found.stdout))
        kill([orphan])
        from pathlib import Path
        assert Path(f'/proc/{orphan.pid}').exists(), 'a zombie, or this shows nothing'
        reap([orphan])
        assert not Path(f'/proc/{orphan.pid}').exists()
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_pauses_grow_for_a_controller_that_cannot_start(monkeypatch):
    tried, logged = [], []
    living = SimpleNamespace(now=None)

    def relaunch(_):
        tried.append(now)
        raise HostError("no Ryu", where="x", allowed="y", do="z")

    monkeypatch.setattr("topologies.lab.holder.relaunch", relaunch)
    ledger = SimpleNamespace(collect=lambda: None, living=lambda _: living.now)
    watcher = Watcher(SimpleNamespace(ledger=ledger), logged.append)
    for tick in range(480):
        now = tick / 4
        watcher.look(now)
    assert tried == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5]
    assert len(logged) == len(tried)
    assert "no Ryu" in logged[0]
    assert "next try is in 30 s" in logged[-1]
    living.now = "alive"
    watcher.look(91.5 + LONGEST_WAIT_S)
    living.now, now = None, 130.0
    watcher.look(now)
    assert "next try is in 0.5 s" in logged[-1]
