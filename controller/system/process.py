"""Processes told apart for sure: a pid is used again, a pid with its start time is not."""

import ctypes
import os
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controller.model.errors import LabError
from controller.system.commands import MARK

PROC = Path("/proc")
POLL_S = 0.01
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
REAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """One process; `start` is in clock ticks since boot (proc(5), stat, field 22)."""

    pid: int
    start: int


def boot_id() -> str:
    """The id of this boot: pids and start times of another one mean nothing."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; the second may hold spaces."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def identify(pid: int) -> Identity | None:
    """The process that has `pid` now, or None if none has, or only its zombie."""
    found = _stat(pid)
    return Identity(pid, int(found[19])) if found and found[0] not in "ZX" else None


def is_alive(identity: Identity) -> bool:
    """True if that very process still runs."""
    return identify(identity.pid) == identity


def marked(token: str) -> Iterator[Identity]:
    """Processes started for the lab of `token`: its exact mark is in their environment."""
    wanted = f"{MARK}={token}".encode()
    for entry in PROC.iterdir():
        if entry.name.isdigit() and wanted in _environment(entry):
            identity = identify(int(entry.name))
            if identity:
                yield identity


def _environment(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # gone in the meantime, or a kernel thread
        return []


def lineage() -> frozenset[int]:
    """This process and its ancestors: never to be ended by itself."""
    pids, pid = [], os.getpid()
    while pid > 0:
        pids.append(pid)
        found = _stat(pid)
        pid = int(found[1]) if found else 0
    return frozenset(pids)


def send(identity: Identity, number: int) -> None:
    """Signal that very process, or none: a descriptor pins it before it is looked at again."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(identity.pid)
        try:
            if is_alive(identity):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def kill(identities: Iterable[Identity], *, timeout_s: float = 10) -> None:
    """Kill these processes and wait until they are gone.

    Raises:
        LabError: one is still there after `timeout_s`.
    """
    doomed = tuple(identities)
    for identity in doomed:
        send(identity, signal.SIGKILL)
    left = await_end(doomed, timeout_s=timeout_s)
    if left:
        raise LabError(
            f"{len(left)} still run: {', '.join(str(one.pid) for one in left)}",
            where="SIGKILL",
            allowed=f"gone within {timeout_s} s",
            do="Look at /proc/PID/stack: something in the kernel holds them.",
        )


def await_end(identities: Iterable[Identity], *, timeout_s: float) -> tuple[Identity, ...]:
    """Wait until these processes are gone; return those that are not."""
    deadline, left = time.monotonic() + timeout_s, tuple(identities)
    while (left := tuple(filter(is_alive, left))) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return left


def adopt_orphans() -> None:
    """Become the parent of every orphan below this process: pid 1 of a container may not reap."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(identities: Iterable[Identity]) -> None:
    """Wait for those of these dead processes that are children of this one, adopted ones too."""
    deadline, left = time.monotonic() + REAP_S, set(identities)
    while (left := set(filter(_is_awaited, left))) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def reap_orphans_of(leaders: Iterable[Identity], *, but: Collection[int] = ()) -> None:
    """Wait for adopted zombies in the sessions of these processes; not for the pids `but`.

    A child whose parent was killed ends by itself, unrecorded; the session it was born into
    still tells whose it was, and lends its pid to nobody else while a member is there.  The
    status of one's own child is lost to its `Popen` if somebody else waits for it.
    """
    if not _has_zombie():  # all of /proc is a long way, four times a second
        return
    sessions, us = {str(one.pid) for one in leaders}, str(os.getpid())
    for pid in (int(each.name) for each in PROC.iterdir() if each.name.isdigit()):
        found = _stat(pid) if pid not in but else None
        if found and found[0] == "Z" and found[1] == us and found[3] in sessions:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _has_zombie() -> bool:
    """Whether any child of this process, adopted ones too, has ended and is not waited for."""
    with suppress(ChildProcessError):
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def _is_awaited(identity: Identity) -> bool:
    """Whether it is our child and still has to end; one that has ended is gone hereafter."""
    found = _stat(identity.pid)  # a zombie has one, too
    if found is None or int(found[19]) != identity.start:
        return False
    with suppress(ChildProcessError):
        return os.waitpid(identity.pid, os.WNOHANG)[0] == 0
    return False


def sharing_network(keeper: Identity, among: Iterable[Identity]) -> list[Identity]:
    """Those of `among` that live in the network namespace of `keeper`."""
    wanted = _network(keeper)
    return [one for one in among if wanted and _network(one) == wanted]


def _network(identity: Identity) -> str:
    with suppress(OSError):
        return os.readlink(PROC / str(identity.pid) / "ns" / "net")  # noqa: PTH115  no path: `net:[1]`
    return ""
