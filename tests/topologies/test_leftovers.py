"""What cannot be removed is named, and the record of the lab is kept."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from controller.model.errors import LabError
from controller.system.commands import MARK
from controller.system.process import Identity, identify, is_alive
from topologies import ledger as ledgers
from topologies.lab import clearing
from topologies.lab.clearing import take_down_all, take_down_by_name
from topologies.ledger import Ledger, claim, find, labs
from topologies.leftovers import Holder, namespaces_of, remove

WAITS = "import time; print(flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    return tmp_path / "labs"


@contextmanager
def running(code=WAITS, **variables):
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **variables}, stdout=subprocess.PIPE
    )
    child.stdout.readline()  # by now its environment and its signal handlers are its own
    child.identity = identify(child.pid)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


# --- processes


DEAF = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print(flush=True)
time.sleep(60)
"""


def test_a_daemon_that_ignores_sigterm_is_ended():
    made = claim("mine")
    with running(DEAF, **{MARK: made.token}) as child:
        os.kill(child.pid, signal.SIGTERM)
        assert child.poll() is None, "the control: it ignores SIGTERM"
        made.undo()
        assert not is_alive(child.identity)
    assert labs() == ()


def test_a_stopped_daemon_is_ended():
    made = claim("mine")
    with running(**{MARK: made.token}) as child:
        os.kill(child.pid, signal.SIGSTOP)
        made.undo()
        assert not is_alive(child.identity)


def test_a_process_that_does_not_end_is_named_and_the_record_kept(monkeypatch):
    made = claim("mine")
    with running(**{MARK: made.token}) as child:
        with monkeypatch.context() as patched:
            patched.setattr(ledgers, "send", lambda *_: None)  # as a process in state D
            patched.setattr(ledgers, "KILL_S", 0.05)
            with pytest.raises(LabError) as caught:
                made.undo()
            for word in (
                f"process {child.pid} (python",
                "still runs after SIGKILL",
                "record is kept",
            ):
                assert word in str(caught.value)
            assert labs() == ("mine",)
            assert child.poll() is None
        find("mine").undo()
        assert labs() == ()


def test_a_process_that_is_started_again_and_again_is_named(monkeypatch):
    """More often than there are rounds."""
    made, rounds = claim("mine"), iter(range(1000, 2000))
    monkeypatch.setattr(Ledger, "processes", lambda _: frozenset({Identity(next(rounds), 1)}))
    with pytest.raises(LabError, match=r"process 10\d\d \(.*a process that starts it again"):
        made.undo()
    monkeypatch.undo()
    assert made.path.exists()


# --- namespaces


def test_a_holder_of_a_namespace_is_there_while_its_process_has_it():
    here = identify(os.getpid())
    space = str(Path("/proc/self/ns/net").readlink())
    assert Holder(node="a", namespace=space, process=here).is_there()
    assert not Holder(node="a", namespace="net:[1]", process=here).is_there()
    gone = Identity(here.pid, here.start - 1)
    assert not Holder(node="a", namespace=space, process=gone).is_there()


@pytest.mark.root
def test_a_namespace_that_others_keep_is_named_until_they_let_it_go(need_root, home):
    made, path = claim("mine"), "/run/netns/ol-test-leftovers"
    keeper, _ = made.start("keeper of a", "mnexec", "-n", "sleep", "60")
    with running("import os; print(flush=True)"):  # the keeper has its namespaces by now, too
        made.node("a", "guest", keeper)
    subprocess.run(["ip", "netns", "attach", path.rpartition("/")[2], str(keeper.pid)], check=True)
    stranger = subprocess.Popen(["nsenter", f"--net=/proc/{keeper.pid}/ns/net", "sleep", "60"])
    try:
        while namespaces_of(stranger.pid)[:1] == namespaces_of(os.getpid())[:1]:
            assert stranger.poll() is None
        with pytest.raises(LabError) as caught:
            made.undo()
        assert f"of node 'a': process {stranger.pid} (" in str(caught.value)
        assert f"it is mounted at {path}" in str(caught.value)
        assert identify(keeper.pid) is None
        stranger.kill()
        stranger.wait()
        with pytest.raises(LabError) as caught:
            take_down_by_name("mine")
        assert f"process {stranger.pid}" not in str(caught.value)
        assert path in str(caught.value)
        subprocess.run(["ip", "netns", "del", path.rpartition("/")[2]], check=True)
        take_down_by_name("mine")
        assert labs() == ()
    finally:
        stranger.kill()
        stranger.wait()
        subprocess.run(["ip", "netns", "del", path.rpartition("/")[2]], stderr=-3, check=False)


# --- files


@pytest.mark.root
def test_what_is_mounted_inside_a_lab_is_named_and_not_deleted(need_root, home, tmp_path):
    made, precious = claim("mine"), tmp_path / "precious"
    claim("other")
    precious.mkdir()
    (precious / "thesis").touch()
    inside = made.directory / "a b"
    inside.mkdir()
    subprocess.run(["mount", "--bind", str(precious), str(inside)], check=True)
    try:
        with pytest.raises(LabError, match=r"a b: something is mounted there; `umount"):
            take_down_all()
        assert labs() == ("mine",)
        assert (precious / "thesis").exists()
    finally:
        subprocess.run(["umount", str(inside)], check=True)
    take_down_all()
    assert labs() == ()
    assert (precious / "thesis").exists()


@pytest.mark.root
def test_on_a_full_disk_nothing_half_made_is_left(need_root, home):
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(home)], check=True)
    try:
        made = claim("mine")
        fill(home / "filler")
        with pytest.raises(LabError, match="cannot be written: No space left"):
            claim("other")
        assert sorted(path.name for path in home.iterdir()) == ["filler", "mine"]
        room = 4096 - made.path.stat().st_size  # in its last page
        made.note("filling", text="x" * (room - len('{"what": "filling", "text": ""}\n')))
        with pytest.raises(LabError, match="cannot be written: No space left"):
            made.start("x", "sleep", "60")
        assert made.processes() == frozenset()
        made.undo()
        assert labs() == ()
    finally:
        subprocess.run(["umount", str(home)], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as out, suppress(OSError):
        while out.write(bytes(4096)):
            pass


def test_the_record_is_deleted_last_and_only_if_all_else_is(tmp_path, monkeypatch):
    folder = tmp_path / "lab"
    (folder / "sub").mkdir(parents=True)
    for name in ("ledger", "state.json", "sub/deep"):
        (folder / name).touch()
    unlink, order = Path.unlink, []

    def refused(path):
        if path.name == "deep":
            raise PermissionError(1, "Operation not permitted")
        order.append(path.name)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refused)
    assert remove(folder, last="ledger") == [f"{folder}/sub/deep: Operation not permitted"]
    assert order == ["state.json"]
    monkeypatch.undo()
    assert remove(folder, last="ledger") == []
    assert not folder.exists()


def test_links_inside_a_lab_are_deleted_not_followed(tmp_path):
    made = claim("mine")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis").touch()
    (made.directory / "link").symlink_to(tmp_path / "precious")
    made.undo()
    assert labs() == ()
    assert (tmp_path / "precious" / "thesis").exists()


# --- records that cannot be trusted


def as_link(lab, tmp_path):
    lab.directory.rename(tmp_path / "elsewhere")
    lab.directory.symlink_to(tmp_path / "elsewhere")
    return "is a symbolic link"


def record_as_link(lab, tmp_path):
    lab.path.rename(tmp_path / "elsewhere")
    lab.path.symlink_to(tmp_path / "elsewhere")
    return "is a symbolic link"


def record_as_fifo(lab, _):
    lab.path.unlink()
    os.mkfifo(lab.path)
    return "is no regular file"


def record_as_directory(lab, _):
    lab.path.unlink()
    lab.path.mkdir()
    return "is no regular file"


def record_for_all(lab, _):
    lab.path.chmod(0o666)
    return "can be written by other users"


@pytest.mark.parametrize(
    "spoil", [as_link, record_as_link, record_as_fifo, record_as_directory, record_for_all]
)
def test_a_record_that_others_may_have_written_is_refused_and_nothing_is_touched(spoil, tmp_path):
    made = claim("mine")
    with running() as child:
        made.process(child.pid, "x")
        reason = spoil(made, tmp_path)
        claim("other")
        before = sorted(tmp_path.rglob("*"))
        for deed in (lambda: find("mine"), lambda: take_down_by_name("mine")):
            with pytest.raises(LabError, match=reason):
                deed()
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(LabError, match=f"1 not down in .*{reason}"):
            take_down_all()
        assert labs() == ("mine",)
        assert child.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_record_of_another_user_is_refused():
    made = claim("mine")
    os.chown(made.path, 65534, 65534)
    with pytest.raises(LabError, match="belongs to user 65534"):
        take_down_by_name("mine")
    assert made.path.exists()


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b""), Path.unlink])
def test_a_lost_record_is_replaced_by_its_copy(spoil):
    made = claim("mine")
    with running(**{MARK: made.token}) as child:
        spoil(made.path)
        take_down_by_name("mine")
        assert not is_alive(child.identity)
    assert labs() == ()


def test_processes_of_a_lab_whose_record_is_lost_are_named_not_ended():
    made, other = claim("mine"), claim("other")
    with (
        running(**{MARK: made.token}) as lost,
        running(**{MARK: other.token}) as known,
        running(**{MARK: made.token, "OVERLAYLAB_RUN": "/elsewhere"}) as elsewhere,
    ):
        for name in ("ledger", "lab.json"):
            (made.directory / name).write_bytes(b"\0")
        with pytest.raises(LabError) as caught:
            take_down_by_name("mine")
        assert f"process {lost.pid} (python" in str(caught.value)
        for innocent in (known, elsewhere):
            assert str(innocent.pid) not in str(caught.value)
        assert [each.poll() for each in (lost, known, elsewhere)] == [None, None, None]
        lost.kill()
        lost.wait()
        take_down_by_name("mine")
    assert labs() == ("other",)


def test_an_entry_after_one_that_was_cut_short_is_read():
    made = claim("mine")
    with made.path.open("a") as file:
        file.write('{"what": "proc')
    made.note("process", pid=1, start=2)
    assert [entry["what"] for entry in made.entries()] == ["lab", "owner", "process"]


# --- two at once


def test_a_clean_up_by_name_alone_never_reaches_another_lab_of_that_name():
    old = claim("mine")
    old.directory.rename(old.directory.with_name(".old.01234567"))
    new = claim("mine")
    old.undo()
    assert find("mine") == new


def test_two_clean_ups_at_once_both_succeed():
    made, errors = claim("mine"), []
    with running(**{MARK: made.token}):

        def down():
            try:
                Ledger(made.directory, made.token).undo()
            except BaseException as error:  # noqa: BLE001  shown below
                errors.append(error)

        both = [threading.Thread(target=down) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
    assert errors == []
    assert labs() == ()


def test_a_late_clean_up_leaves_a_new_lab_of_the_same_name_alone():
    old = claim("mine")
    late = threading.Thread(target=Ledger(old.directory, old.token).undo)
    with ledgers.only_one(old.directory) as is_there:
        assert is_there
        late.start()  # it waits for the lock
        old.directory.rename(old.directory.with_name(".old.01234567"))
        new = claim("mine")
    late.join()
    assert find("mine") == new


def test_a_clean_up_that_hangs_is_reported_to_the_next(monkeypatch):
    made = claim("mine")
    monkeypatch.setattr("topologies.leftovers.LOCK_S", 0.05)
    with (
        ledgers.only_one(made.directory),
        pytest.raises(LabError, match="another process is taking"),
    ):
        made.undo()
    made.undo()


def test_down_all_reports_each_and_goes_on(monkeypatch):
    for name in "abc":
        claim(name)

    real = ledgers.remove

    def stuck(directory, *, last):
        if directory.name == "b":
            return real(directory, last=last)
        return [f"{directory}/x: busy"]

    monkeypatch.setattr(ledgers, "remove", stuck)
    with pytest.raises(LabError, match=r"lab 'a': not removed: .*/a/x: busy.*lab 'c': not removed"):
        take_down_all()
    assert labs() == ("a", "c")


def test_a_stopped_holder_takes_its_lab_down(monkeypatch):
    """SIGTERM alone would wait until somebody continues it."""
    code = """
import signal, sys, time
from topologies.ledger import claim
made = claim("mine")
signal.signal(signal.SIGTERM, lambda *_: (made.undo(), sys.exit()))
print(flush=True)
time.sleep(60)
"""
    monkeypatch.setattr(clearing, "END_S", 10.0)
    with running(code) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        take_down_by_name("mine")
        assert holder.wait(5) == 0
    assert labs() == ()
