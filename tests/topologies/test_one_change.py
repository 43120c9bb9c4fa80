"""The lock for changes of a lab: one at a time, with a deadline, and it ends with its holder."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from controller.model.errors import LabError
from topologies.one_change import no_change, one_change

HOLD = """
import sys, time
from pathlib import Path
from topologies.one_change import one_change
with one_change(Path(sys.argv[1]), "plug PORT"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that changes the lab."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_change_waits_and_then_names_the_other_one(tmp_path, holder):
    with pytest.raises(LabError) as error, one_change(tmp_path, "unplug", timeout_s=0.1):
        pass
    assert str(error.value) == (
        f"lab {tmp_path.name!r}: another change is in progress: plug PORT, pid {holder.pid}; "
        "allowed: one change at a time, which ends within 0.1 s. Try again when it has ended."
    )


def test_the_lock_ends_with_its_holder(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    with one_change(tmp_path, "unplug", timeout_s=5):
        assert (tmp_path / "change.lock").read_text() == f"unplug, pid {os.getpid()}"


def test_a_program_that_a_change_starts_does_not_hold_the_lock(tmp_path):
    with one_change(tmp_path, "plug"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with one_change(tmp_path, "unplug", timeout_s=0.5):
            pass
    finally:
        child.kill()
        child.wait()


def test_threads_of_one_process_take_turns(tmp_path):
    inside, most = [], []

    def change(number):
        with one_change(tmp_path, f"change {number}"):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.02)
            inside.remove(number)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [1] * 5


def test_a_lab_that_is_gone_is_an_error(tmp_path):
    said = pytest.raises(LabError, match="No such file or directory; allowed: a lab that is up")
    with said, one_change(tmp_path / "gone", "plug"):
        pass


def test_a_clean_up_waits_for_a_change_but_not_for_ever(tmp_path, holder):
    began = time.monotonic()
    with no_change(tmp_path, timeout_s=0.2):
        assert 0.2 <= time.monotonic() - began < 5
    holder.kill()
    holder.wait()
    said = pytest.raises(LabError, match="progress: down, pid")
    with no_change(tmp_path, timeout_s=5), said, one_change(tmp_path, "plug", timeout_s=0.1):
        pass
    with no_change(tmp_path / "gone", timeout_s=5):
        pass
