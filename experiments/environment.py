"""The machine and the program that made a run: runs of unlike hosts are never merged."""

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from experiments.experiment import Bench
from topologies import commands
from topologies.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("overlaylab", "os-ken", "numpy", "scipy", "matplotlib")
TOOLS: Mapping[str, tuple[str, ...]] = {
    "ovs": ("ovs-vswitchd", "--version"),
    "mininet": ("mn", "--version"),
    "ping": ("ping", "-V"),
}
CPU_FIELDS = 8  # user nice system idle iowait irq softirq steal; guest time is in user (proc(5))


class CpuMeter:
    """How the processors of this machine were used since it was made."""

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._before = parse_cpu(stat.read_text())

    def stop(self) -> dict[str, float]:
        """Fractions of all processor time since it was made: `idle` and `steal`."""
        return cpu_fractions(self._before, parse_cpu(self._stat.read_text()))


def parse_cpu(stat: str) -> tuple[int, ...]:
    """The ticks of all processors together, by proc(5)'s order of fields."""
    return tuple(int(field) for field in stat.split("\n", 1)[0].split()[1 : CPU_FIELDS + 1])


def cpu_fractions(before: Sequence[int], after: Sequence[int]) -> dict[str, float]:
    """Parts of the ticks between two looks; waiting for a disk is idle too."""
    spent = [late - early for early, late in zip(before, after, strict=True)]
    total = sum(spent) or 1
    return {"idle": round((spent[3] + spent[4]) / total, 4), "steal": round(spent[7] / total, 4)}


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def machine() -> dict[str, object]:
    """The host, its kernel and its programs."""
    return {
        "host": platform.node(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "tools": {name: first_version(_said(*argv)) for name, argv in TOOLS.items()},
    }


def source(root: Path = ROOT) -> dict[str, object]:
    """The revision of the program, and whether its files differ from it; None outside git."""
    # Under sudo the tree is another user's, which git refuses unless told on its command line.
    git = ("git", "-c", f"safe.directory={root}", "-C", str(root))
    revision = _said(*git, "rev-parse", "HEAD").strip()
    if not revision:
        return {"git_revision": None, "git_dirty": None}
    changed = _said(*git, "status", "--porcelain").splitlines()
    return {"git_revision": revision, "git_dirty": bool(changed), "git_changed_files": len(changed)}


def guest_interface(bench: Bench, node: str) -> dict[str, object]:
    """The MTU [bytes] of a guest's interface, and what its driver may do for it."""
    return {
        "guest_mtu": int(bench.run(node, "cat", "/sys/class/net/eth0/mtu")),
        "guest_offloads": parse_offloads(bench.run(node, "ethtool", "-k", "eth0")),
    }


def parse_offloads(text: str) -> dict[str, bool]:
    """Features by `ethtool -k`'s names; those fixed off are left out."""
    features = re.findall(r"^(?:\t)?([a-z0-9-]+): (on|off)( \[fixed\])?", text, re.MULTILINE)
    return {name: state == "on" for name, state, fixed in features if state == "on" or not fixed}


def first_version(text: str) -> str | None:
    """The first thing in a program's answer that looks like a version."""
    found = re.search(r"\d+(?:\.\d+)+|20\d{6}", text)
    return found.group() if found else None


def argv() -> list[str]:
    """What was typed."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def _cpu_model() -> str:
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return named.group(1) if named else platform.processor()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _said(*argv: str) -> str:
    """What a command said of itself; a program that is not there says nothing."""
    try:
        done = commands.attempt(*argv)
    except CommandError:
        return ""
    return "" if done.returncode else done.stdout + done.stderr
