"""What can keep a lab from being removed completely, and the removal of its directory."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.model.errors import LabError, WaitError
from controller.system.process import PROC, Identity, identify, is_alive, name_of, state_of
from topologies.one_change import take_lock

LOCK_S = 60.0  # for another process that is taking the same lab down
KINDS = ("net", "mnt")  # the namespaces of a node
WRITABLE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Something that is not of the lab and keeps a namespace of it: a process, or a mount."""

    node: str
    namespace: str  # as `readlink /proc/PID/ns/net` prints it: `net:[4026532008]`
    process: Identity | None = None
    mount: str = ""

    def is_there(self) -> bool:
        """Whether it still keeps the namespace."""
        if self.process:
            return is_alive(self.process) and self.namespace in namespaces_of(self.process.pid)
        return (self.namespace, self.mount) in set(_mounted_namespaces())

    def __str__(self) -> str:
        if self.process:
            pid = self.process.pid
            return (
                f"{self.namespace} of node {self.node!r}: process {pid} ({name_of(pid)}), which the "
                "lab has not started, runs in it; end it"
            )
        return (
            f"{self.namespace} of node {self.node!r}: it is mounted at {self.mount}; "
            f"`umount {self.mount}`"
        )

    def as_entry(self) -> dict[str, Any]:
        """The facts of its entry in the ledger."""
        process = {"pid": self.process.pid, "start": self.process.start} if self.process else {}
        return {"node": self.node, "namespace": self.namespace, "mount": self.mount, **process}


def holder_of(entry: Mapping[str, Any]) -> Holder:
    """The holder of an entry."""
    process = Identity(entry["pid"], entry["start"]) if "pid" in entry else None
    return Holder(
        node=str(entry.get("node")),
        namespace=str(entry.get("namespace")),
        process=process,
        mount=str(entry.get("mount")),
    )


def holders(keepers: Mapping[str, Identity], own: Collection[int]) -> list[Holder]:
    """What keeps the namespaces of these nodes, other than the processes `own`.

    An open file of another process that refers to a namespace is not found.
    """
    ours = {space: name for name, keeper in keepers.items() for space in namespaces_of(keeper.pid)}
    for space in namespaces_of(os.getpid()):
        ours.pop(space, None)
    others = (int(each.name) for each in PROC.iterdir() if each.name.isdigit())
    by_process = [
        Holder(node=ours[space], namespace=space, process=process)
        for pid in (others if ours else ())
        if pid not in own and (inside := [each for each in namespaces_of(pid) if each in ours])
        if (process := identify(pid))
        for space in inside[:1]
    ]
    by_mount = [
        Holder(node=ours[space], namespace=space, mount=mount)
        for space, mount in _mounted_namespaces()
        if space in ours
    ]
    return [*by_process, *by_mount]


def still_running(process: Identity) -> str:
    """What is shown of a process of the lab that SIGKILL did not end."""
    pid = process.pid
    return (
        f"process {pid} ({name_of(pid)}): still runs after SIGKILL, in state {state_of(process)}; "
        f"look for a process that starts it again, or in /proc/{pid}/stack"
    )


def namespaces_of(pid: int) -> list[str]:
    """The network and the mount namespace of a process; none if it has ended."""
    found = []
    for kind in KINDS:
        with suppress(OSError):
            found.append(os.readlink(PROC / str(pid) / "ns" / kind))  # noqa: PTH115  no path
    return found


def _mounts() -> Iterator[tuple[str, str]]:
    """Root within the file system, and mount point, of every mount (proc(5), mountinfo)."""
    for line in (PROC / "self/mountinfo").read_text(errors="replace").splitlines():
        _, _, _, root, point, *_ = line.split(" ")
        yield root, point.encode().decode("unicode_escape")  # a space is written as \040


def _mounted_namespaces() -> Iterator[tuple[str, str]]:
    return ((root, point) for root, point in _mounts() if root.startswith(("net:[", "mnt:[")))


@contextmanager
def only_one(directory: Path) -> Iterator[bool]:
    """Let one process at a time take a lab down; False if the directory is gone or was replaced.

    Raises:
        LabError: another process holds it for too long.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        _lock(descriptor, directory)
        yield _is_same(descriptor, directory)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        take_lock(descriptor, LOCK_S, what="another clean-up to end")
    except WaitError as error:
        raise LabError(
            "another process is taking it down",
            where=f"lab {directory.name!r}",
            allowed=f"one clean-up at a time, which ends within {LOCK_S:g} s",
            do=f"`fuser {directory}` shows which process it is.",
        ) from error


def _is_same(descriptor: int, directory: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), directory.lstat())
    return False


def remove(directory: Path, *, last: str) -> list[str]:
    """Delete a directory, the file `last` at the end; return what could not be deleted, and why.

    Links are deleted, not followed.  If something is mounted inside, nothing is deleted.
    """
    inside = str(directory.resolve()) + os.sep
    mounted = [point for _, point in _mounts() if point.startswith(inside)]
    if mounted:
        return [f"{point}: something is mounted there; `umount {point}`" for point in mounted]
    left: list[str] = []
    for path in sorted(_children(directory), key=lambda each: each.name == last):
        if path.name != last or not left:
            left += _delete(path)
    return left or _delete(directory)


def _children(directory: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return list(directory.iterdir())
    return []


def _delete(path: Path) -> list[str]:
    try:
        if path.is_dir() and not path.is_symlink():
            left = [problem for child in _children(path) for problem in _delete(child)]
            if left:
                return left
            path.rmdir()
        else:
            path.unlink()
    except FileNotFoundError:  # gone meanwhile
        return []
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    return []


def distrust(directory: Path, record: str) -> str:
    """Why a directory or the file `record` in it cannot be a lab's; empty if it can be.

    A record names processes that are to be killed, so nobody else may have written it.
    """
    kinds = ((directory, stat.S_ISDIR, "directory"), (directory / record, stat.S_ISREG, "file"))
    for path, is_kind, kind in kinds:
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{path}: {error.strerror}"
        if stat.S_ISLNK(found.st_mode):
            return f"{path} is a symbolic link"
        if not is_kind(found.st_mode):
            return f"{path} is no {'regular file' if kind == 'file' else kind}"
        if found.st_uid != os.geteuid():
            return f"{path} belongs to user {found.st_uid}"
        if found.st_mode & WRITABLE:
            return f"{path} can be written by other users"
    return ""
