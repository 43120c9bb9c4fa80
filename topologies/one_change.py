"""One change of a lab at a time: a lock that all processes see and that ends with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from controller.model.errors import LabError, WaitError
from controller.system.waiting import wait_for

LOCK = "change.lock"
WAIT_S = 60.0  # for another change; each has deadlines of 20 s to 60 s for its own steps
POLL_S = 0.05


@contextmanager
def one_change(
    directory: Path, what: str, *, timeout_s: float = WAIT_S, lock: str = LOCK
) -> Iterator[None]:
    """Let no other process or thread change the lab in `directory` during the block.

    Args:
        what: the change, as others read it that wait for it: `plug PORT`.

    Raises:
        LabError: another change has not ended in time, or the lab is gone.
    """
    try:
        # Not inherited by programs that the block starts: the lock ends with this process.
        descriptor = os.open(directory / lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise gone(directory, error.strerror or str(error)) from error
    try:
        _take(descriptor, directory, timeout_s)
        with suppress(OSError):  # a full disk prevents no change: it is for those that wait
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{what}, pid {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def gone(directory: Path, found: str) -> LabError:
    """The error for a lab that has been taken down meanwhile."""
    return LabError(
        found,
        where=f"lab {directory.name!r}",
        allowed="a lab that is up",
        do="`overlaylab status` lists the labs that are up.",
    )


def take_lock(descriptor: int, timeout_s: float, *, what: str) -> None:
    """Take the lock of an open file or directory (flock(2)).

    Args:
        what: what is waited for, as in an error.

    Raises:
        WaitError: another process still has it.
    """

    def is_taken() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    wait_for(is_taken, timeout_s, what=what, every_s=POLL_S)


def _take(descriptor: int, directory: Path, timeout_s: float) -> None:
    try:
        take_lock(descriptor, timeout_s, what="another change to end")
    except WaitError as error:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace")
        raise LabError(
            f"another change is in progress: {holder or 'it has just begun'}",
            where=f"lab {directory.name!r}",
            allowed=f"one change at a time, which ends within {timeout_s:g} s",
            do="Try again when it has ended.",
        ) from error


@contextmanager
def no_change(directory: Path, *, timeout_s: float) -> Iterator[None]:
    """Wait for a change to end, but no longer than `timeout_s`, and let none begin in the block."""
    with ExitStack() as held:
        with suppress(LabError):
            held.enter_context(one_change(directory, "down", timeout_s=timeout_s))
        yield
