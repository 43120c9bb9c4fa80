"""Processes, identified by pid and start time, since the kernel reuses pids."""

import ctypes
import os
import signal
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controller.model.errors import LabError, WaitError
from controller.system.commands import MARK
from controller.system.waiting import wait_for

PROC = Path("/proc")
POLL_S = 0.01
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
REAP_S = 1.0  # for a killed child to become a zombie


@dataclass(frozen=True, slots=True)
class Identity:
    """One process; `start` is in clock ticks since boot (proc(5), stat, field 22)."""

    pid: int
    start: int


def boot_id() -> str:
    """The id of this boot; pids and start times are valid only within it."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; the second may contain spaces."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def identify(pid: int) -> Identity | None:
    """The process that has `pid` now; None if there is none, or only a zombie."""
    found = _stat(pid)
    return Identity(pid, int(found[19])) if found and found[0] not in "ZX" else None


def is_alive(identity: Identity) -> bool:
    """Whether this process is still running."""
    return identify(identity.pid) == identity


def name_of(pid: int) -> str:
    """The name of a process (its `comm`); "?" if it has ended."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "?"


def state_of(identity: Identity) -> str:
    """The state letter of a process (proc(5), stat, field 3): `T` is stopped; "" if it has ended."""
    found = _stat(identity.pid)
    return found[0] if found and int(found[19]) == identity.start and found[0] not in "ZX" else ""


def marked(token: str) -> Iterator[Identity]:
    """Processes with the mark of `token` in their environment."""
    wanted = f"{MARK}={token}".encode()
    for entry in PROC.iterdir():
        if entry.name.isdigit() and wanted in _environment(entry):
            identity = identify(int(entry.name))
            if identity:
                yield identity


def marks() -> Iterator[tuple[Identity, dict[str, str]]]:
    """Every process with the mark of a lab, and its environment."""
    start = f"{MARK}=".encode()
    for entry in PROC.iterdir():
        words = _environment(entry) if entry.name.isdigit() else []
        if any(word.startswith(start) for word in words):
            identity = identify(int(entry.name))
            pairs = (word.decode(errors="replace").partition("=") for word in words)
            if identity:
                yield identity, {name: value for name, _, value in pairs}


def _environment(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is a kernel thread
        return []


def lineage() -> frozenset[int]:
    """The pids of this process and its ancestors, which it must never end."""
    pids, pid = [], os.getpid()
    while pid > 0:
        pids.append(pid)
        found = _stat(pid)
        pid = int(found[1]) if found else 0
    return frozenset(pids)


def send(identity: Identity, number: int) -> None:
    """Signal this process; a pidfd makes sure that no later process with its pid gets the signal."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(identity.pid)
        try:
            if is_alive(identity):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def kill(identities: Iterable[Identity], *, timeout_s: float = 10) -> None:
    """Kill these processes and wait until they have ended.

    Raises:
        LabError: one still runs after `timeout_s`.
    """
    killed = tuple(identities)
    for identity in killed:
        send(identity, signal.SIGKILL)
    left = await_end(killed, timeout_s=timeout_s)
    if left:
        raise LabError(
            f"{len(left)} still run: {', '.join(str(one.pid) for one in left)}",
            where="SIGKILL",
            allowed=f"ended within {timeout_s} s",
            do="/proc/PID/stack shows where the kernel blocks them.",
        )


def await_end(identities: Iterable[Identity], *, timeout_s: float) -> tuple[Identity, ...]:
    """Wait until these processes have ended; return those that have not."""
    awaited = tuple(identities)

    def have_ended() -> bool:
        return not any(map(is_alive, awaited))

    with suppress(WaitError):
        wait_for(have_ended, timeout_s, what="processes to end", every_s=POLL_S)
    return tuple(filter(is_alive, awaited))


def adopt_orphans() -> None:
    """Become the parent of all orphans below this process: pid 1 of a container may not reap them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(identities: Iterable[Identity]) -> None:
    """Reap those of these ended processes that are children of this one, adopted ones included."""
    awaited = set(identities)

    def are_reaped() -> bool:
        awaited.intersection_update([one for one in awaited if _is_unreaped_child(one)])
        return not awaited

    with suppress(WaitError):
        wait_for(are_reaped, REAP_S, what="children to be reaped", every_s=POLL_S)


def reap_orphans_of(leaders: Iterable[Identity], *, but: Collection[int] = ()) -> None:
    """Reap adopted zombies in the sessions of these processes, except the pids `but`.

    An orphan is not recorded, but it keeps the session of the process that started it, and a
    session's id is not used again while it has members.  `but` are children whose exit status a
    `Popen` still has to read.
    """
    if not _has_zombie():  # a holder calls this four times a second; reading all of /proc is slow
        return
    sessions, us = {str(one.pid) for one in leaders}, str(os.getpid())
    for pid in (int(each.name) for each in PROC.iterdir() if each.name.isdigit()):
        found = _stat(pid) if pid not in but else None
        if found and found[0] == "Z" and found[1] == us and found[3] in sessions:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _has_zombie() -> bool:
    """Whether a child of this process, adopted ones included, is a zombie."""
    with suppress(ChildProcessError):
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def _is_unreaped_child(identity: Identity) -> bool:
    """Whether it is a child that has not ended yet; one that has ended is reaped here."""
    found = _stat(identity.pid)  # also of a zombie
    if found is None or int(found[19]) != identity.start:
        return False
    with suppress(ChildProcessError):
        return os.waitpid(identity.pid, os.WNOHANG)[0] == 0
    return False


def sharing_network(keeper: Identity, among: Iterable[Identity]) -> list[Identity]:
    """Those of `among` in the network namespace of `keeper`."""
    wanted = _network(keeper)
    return [one for one in among if wanted and _network(one) == wanted]


def _network(identity: Identity) -> str:
    with suppress(OSError):
        return os.readlink(PROC / str(identity.pid) / "ns" / "net")  # noqa: PTH115  no path: `net:[1]`
    return ""
