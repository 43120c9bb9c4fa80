"""Children of a lab's process and orphans: who collects whose exit status."""

import os
import signal
import subprocess

import pytest

from controller.system.process import identify
from topologies.ledger import HOME_VARIABLE, claim


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


def test_collect_leaves_the_exit_status_of_a_child_to_its_popen(ledger):
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    ledger.process(child.pid, "x")
    ledger.children.append(EndsAfterPoll(child))

    ledger.collect()

    assert child.wait() == -signal.SIGKILL


def test_proc_is_not_scanned_without_a_zombie(ledger, monkeypatch):
    import controller.system.process as processes

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
