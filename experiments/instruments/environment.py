"""The machine and the program that made a run: runs of unlike hosts are never merged."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from experiments.experiment import Bench
from topologies import commands
from topologies.errors import CommandError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("overlaylab", "os-ken", "numpy", "scipy", "matplotlib")
TOOLS: Mapping[str, tuple[str, ...]] = {
    "ovs": ("ovs-vswitchd", "--version"),
    "mininet": ("mn", "--version"),
    "ping": ("ping", "-V"),
}


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


def lab_facts(bench: Bench) -> dict[str, object]:
    """The underlay's MTU [bytes], and what a guest of each network has: its MTU and offloads."""
    overlay = bench.overlay
    first = {port.network_id: port for port in reversed(overlay.ports) if port.device_id}
    return {
        "underlay_mtu": overlay.underlay_mtu,
        "hosts": len(overlay.hosts),
        "networks": {
            overlay.network_of[network].name: _guest_interface(bench, port.device_id)
            for network, port in first.items()
        },
    }


def _guest_interface(bench: Bench, node: str) -> dict[str, object]:
    return {
        "guest": node,
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
