"""Helpers of the lab's tests: the command line, and a check that nothing is left behind."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
CLI = (sys.executable, "-c", "from experiments.cli.main import console; console()")


def environment(home):
    """The environment of a command line whose labs are separate from all others."""
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OVERLAYLAB_RUN": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@dataclass
class CommandLine:
    """The command line, with its own labs, which are taken down at the end."""

    home: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.run("down", "--all")

    def run(self, *argv, timeout_s=60, **options):
        return subprocess.run(
            [*CLI, *argv],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=environment(self.home),
            cwd=ROOT,
            **options,
        )

    def start(self, *argv, **options):
        self.started.append(
            subprocess.Popen(
                [*CLI, *argv],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(self.home),
                cwd=ROOT,
                **options,
            )
        )
        return self.started[-1]


def adopt_orphans():
    """Become the parent of all orphaned descendants, also of detached ones."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stats() -> Iterator[tuple[int, int, str]]:
    """pid, parent, state of all processes."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        yield int(path.parent.name), int(parent), state


def descendants() -> frozenset[int]:
    """Living processes that descend from this one."""
    parents = {pid: parent for pid, parent, state in stats() if state not in "ZX"}
    found = set()
    for pid in parents:
        line = pid
        while line in parents and line != os.getpid():
            line = parents[line]
        if line == os.getpid() and pid != line:
            found.add(pid)
    return frozenset(found)


def shown(*argv):
    return frozenset(
        subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    )


def without_counters(line):
    return re.sub(r" (qlen \d+|state \w+)", "", line)


@dataclass(frozen=True)
class World:
    """Everything that a lab could leave on the machine; of processes, the descendants of this one.

    A namespace lives as long as a process, a mount or an open file keeps it.
    """

    processes: frozenset[int]
    namespaces: frozenset[str]
    links: frozenset[str]
    mounts: frozenset[str]
    sockets: frozenset[str]
    labs: frozenset[str]

    def added_since(self, before: "World") -> dict[str, frozenset[str]]:
        names = tuple(self.__dataclass_fields__)
        pairs = {name: getattr(self, name) - getattr(before, name) for name in names}
        return {name: more for name, more in pairs.items() if more}


def world(home: Path) -> World:
    pids = descendants()
    return World(
        processes=pids,
        namespaces=frozenset(namespaces(pids)),
        links=frozenset(map(without_counters, shown("ip", "-o", "link", "show"))),
        mounts=frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
        sockets=frozenset(listening(home, pids)),
        labs=frozenset(path.name for path in home.glob("*")) if home.exists() else frozenset(),
    )


def namespaces(pids):
    """Network and mount namespaces that these processes, or our own open files, keep."""
    paths = [
        Path(f"/proc/{pid}/ns/{kind}") for pid in (*pids, os.getpid()) for kind in ("net", "mnt")
    ]
    for path in (*paths, *Path("/proc/self/fd").iterdir()):
        try:
            target = os.readlink(path)  # noqa: PTH115  no path: `net:[1]`
        except OSError:
            continue
        if re.match(r"(net|mnt):", target):
            yield target


def listening(home, pids):
    """Listening sockets in the root namespace; UNIX ones only of labs and of the machine's OVS.

    Sockets of other programs on this machine are ignored; those of the kernel are not.
    """
    for line in shown("ss", "-Hlntup"):
        protocol, state, _, _, local, *_ = line.split()
        holders = set(map(int, re.findall(r"pid=(\d+)", line)))
        if not holders or holders & {*pids, os.getpid()}:
            yield f"{protocol} {state} {local}"
    for line in Path("/proc/net/unix").read_text().splitlines():
        if str(home) in line or "/run/openvswitch" in line:
            yield line.split()[-1]


def wait_for(condition: Callable[[], object], what: str, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what} within {timeout_s} s"
        time.sleep(0.02)
    return found


@contextmanager
def nothing_left(home: Path) -> Iterator[World]:
    """Fail if the block leaves anything on the machine."""
    before = world(home)
    yield before
    deadline = time.monotonic() + 5  # the kernel removes dead namespaces a moment later
    while (left := world(home).added_since(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"left behind: {left}"


def replies(lab, source: str, target: str, count=1) -> list[int]:
    """Which of `count` echo requests were answered, by number from 1, in the order of answers.

    After the first reply ping ignores `-W` and waits for the last reply only one interval, which is
    too short on a busy machine.  With a deadline it waits for `count` replies and meanwhile sends
    more requests; replies to those beyond `count` are ignored.
    """
    patience = ("-W1",) if count == 1 else ("-w2",)
    done = lab.attempt(source, "ping", "-n", *patience, "-i0.05", f"-c{count}", target)
    numbers = map(int, re.findall(r"icmp_seq=(\d+) ttl=", done.stdout))
    return [number for number in numbers if number <= count]


def pinged(lab, source: str, target: str, count=1) -> int:
    """How many of `count` echo requests were answered, in a second or two."""
    return len(set(replies(lab, source, target, count)))


def end(process, number=signal.SIGINT, timeout_s=30):
    process.send_signal(number)
    out, err = process.communicate(timeout=timeout_s)
    return process.returncode, out, err
