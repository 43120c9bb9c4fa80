"""Captures that cannot be written to their end."""

import signal
import subprocess

import pytest

from controller.model.errors import CommandError
from topologies.lab import capture


def test_a_capture_that_cannot_write_is_killed_and_reported(monkeypatch):
    monkeypatch.setattr(capture, "FLUSH_S", 0.1)
    child = subprocess.Popen(["sleep", "60"])

    with pytest.raises(CommandError) as caught:
        capture._await_flushed(child)

    assert child.returncode == -signal.SIGKILL
    assert str(caught.value) == (
        "capture: not written to its end within 0.1 s; "
        "allowed: a file, or a program that reads all packets. Capture into a file, and read that."
    )
