"""The ledger of a lab: names, what is recorded, what is still alive, and what is undone."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from controller.model.errors import LabError, UsageError
from controller.system.commands import MARK
from controller.system.process import Identity, identify, is_alive, lineage, marked
from topologies import ledger as ledgers
from topologies.lab import Lab
from topologies.ledger import Ledger, claim, find, labs


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path))
    return tmp_path


@contextmanager
def sleeping(**environment):
    """A process that waits, as the test's child, until the block ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()  # by now its environment is its own
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_lab_appears_together_with_its_ledger(home):
    made = claim("mine")
    assert labs() == ("mine",)
    assert (home / "mine").stat().st_mode & 0o777 == 0o700
    assert find("mine") == made
    assert made.owner() == identify(os.getpid())
    assert [path.name for path in home.iterdir()] == ["mine"]


def test_default_names_are_random_and_differ():
    names = {claim().name for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("ol") and len(name) == 8 for name in names)


def test_a_taken_name_leaves_the_first_alone(home):
    token = claim("mine").token
    with pytest.raises(LabError) as caught:
        claim("mine")
    assert str(caught.value) == (
        f"{home}: lab 'mine' exists; allowed: a name that is not taken. "
        "Use another name, or `overlaylab down mine` first."
    )
    assert find("mine").token == token
    assert [path.name for path in home.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "-x", "", "x" * 33, "a b"])
def test_a_name_cannot_be_a_path(name, home):
    if name:
        with pytest.raises(UsageError, match="lab name"):
            claim(name)
    with pytest.raises(LabError, match="no lab"):
        find(name)
    assert list(home.iterdir()) == []


def test_a_line_cut_short_by_a_crash_is_skipped():
    made = claim("mine")
    made.note("process", pid=1, start=2)
    with made.path.open("a") as file:
        file.write('{"what": "proc')
    assert [entry["what"] for entry in made.entries()] == ["lab", "owner", "process"]


def test_nodes_are_added_changed_and_removed():
    made, keeper = claim("mine"), Identity(5, 6)
    made.node("a", "host", keeper, index=0)
    made.node("b", "guest", keeper, ports=[])
    made.node("b", "guest", keeper, ports=[["id", "a"]])
    made.note("gone", name="a")
    assert {name: node.facts for name, node in made.nodes().items()} == {
        "b": {"ports": [["id", "a"]]}
    }


def test_a_pid_with_another_start_time_is_another_process():
    with sleeping() as child:
        now = identify(child.pid)
        assert is_alive(now)
        assert not is_alive(Identity(now.pid, now.start - 1))
        made = claim("mine")
        made.note("process", role="x", pid=now.pid, start=now.start - 1)
        assert made.processes() == frozenset()
        made.undo()
        assert child.poll() is None


def test_pids_of_an_earlier_boot_are_ignored():
    with sleeping() as child:
        made = claim("mine")
        made.process(child.pid, "x")
        assert made.processes() == {identify(child.pid)}
        lines = [json.loads(line) for line in made.path.read_text().splitlines()]
        lines[0]["boot"] = "another"
        made.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert made.processes() == frozenset()
        assert made.owner() is None
        made.undo()
        assert child.poll() is None


def test_undo_ends_recorded_processes_and_those_with_the_token_only(home):
    made, other = claim("mine"), claim("other")
    almost = made.token + "0"
    with (
        sleeping() as recorded,
        sleeping(**{MARK: made.token}) as bearing,
        sleeping(**{MARK: other.token}) as others,
        sleeping(**{MARK: almost}) as similar,
        sleeping(**{f"X{MARK}": made.token}) as named_alike,
    ):
        made.process(recorded.pid, "x")
        doomed = [identify(each.pid) for each in (recorded, bearing)]
        made.undo()
        assert [is_alive(each) for each in doomed] == [False, False]
        assert [each.poll() for each in (others, similar, named_alike)] == [None, None, None]
        assert labs() == ("other",)
        made.undo()
        assert others.poll() is None


def test_undo_spares_itself_and_its_ancestors():
    """`overlaylab down` may be typed in a shell inside the lab."""
    code = "import sys; from topologies.ledger import find; find(sys.argv[1]).undo(); print('still here')"
    made = claim("mine")
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" mine; echo shell, too', sys.executable, code],
        text=True,
        capture_output=True,
        env={**os.environ, MARK: made.token, "PYTHONPATH": paths},
        check=True,
    )
    assert done.stdout == "still here\nshell, too\n"
    assert labs() == ()


def test_lineage_starts_here_and_ends_at_the_first_process():
    assert {os.getpid(), os.getppid(), 1} <= lineage()


def test_marked_matches_the_whole_token_only():
    with sleeping(**{MARK: "0123456789abcdef"}) as child:
        assert list(marked("0123456789abcdef")) == [identify(child.pid)]
        assert list(marked("0123456789abcde")) == []


def test_a_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    child.stdout.read()
    child.stdout.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identify(child.pid) is None
    child.wait()


def test_an_unreadable_directory_is_no_lab(home):
    (home / "empty").mkdir()
    assert labs() == ()
    with pytest.raises(LabError):
        find("empty")


def test_home_is_under_run(monkeypatch):
    monkeypatch.delenv("OVERLAYLAB_RUN")
    assert str(ledgers.home()) == "/run/overlaylab"


ORPHAN = """if True:
    import os, subprocess, sys, time
    from topologies.ledger import claim
    from controller.system.process import adopt_orphans, kill

    def zombies():
        stats = (f"/proc/{pid}/stat" for pid in os.listdir("/proc") if pid.isdigit())
        for path in stats:
            try:
                head, _, tail = open(path).read().rpartition(")")
            except OSError:
                continue
            if tail.split()[:2] == ["Z", str(os.getpid())]:
                yield head.partition("(")[2]

    def until(condition):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, sorted(zombies())
            time.sleep(0.01)

    adopt_orphans()
    made = claim("mine")
    mine = subprocess.Popen(["true"])
    leader, _ = made.start("controller", sys.executable, "-c", "import subprocess as s; s.run(['sleep', '0.5'])")
    children = f"/proc/{leader.pid}/task/{leader.pid}/children"
    until(lambda: open(children).read())
    kill([leader])
    until(lambda: sorted(zombies()).count("sleep") == 1)
    getattr(made, sys.argv[1])()
    print(sorted(zombies()), mine.wait())
    made.undo()
"""


@pytest.mark.parametrize("way", ["undo", "collect"])
def test_an_ended_orphan_of_the_lab_is_reaped_and_no_other_child(way):
    """The controller is killed while its ovs-vsctl runs: that one ends later, as our child."""
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, way], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "['true'] 0\n", done.stderr


def test_start_returns_the_process_that_it_started(monkeypatch):
    """Also when another thread starts one at the same time."""
    made, recorded = claim("mine"), Ledger.process

    def record_after_another(ledger, pid, role):
        monkeypatch.setattr(Ledger, "process", recorded)
        ledger.start("other", "sleep", "61")
        return recorded(ledger, pid, role)

    monkeypatch.setattr(Ledger, "process", record_after_another)
    monkeypatch.setattr(Lab, "pid", lambda *_: None)
    try:
        assert Lab(made).start("node", "sleep", "60").args == ("sleep", "60")
    finally:
        made.undo()


def test_children_belong_to_the_ledger_object_that_started_them():
    made = claim("mine")
    try:
        made.start("x", "sleep", "60")
        assert len(made.children) == 1
        assert find("mine").children == []
    finally:
        made.undo()
    assert made.children == []
