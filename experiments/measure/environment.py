"""The machine and the program of a run; runs on different machines are never merged."""

import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath

from controller.model.errors import CommandError
from controller.model.names import UNDERLAY
from controller.model.sites import WAN, Sites
from controller.system import commands
from experiments.core.experiment import Lab, described
from experiments.measure.namespace import look_into

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("overlaylab", "os-ken", "numpy", "scipy", "matplotlib")
RYU_PACKAGES = ".venv-ryu/lib/python3*/site-packages"  # Ryu has its own environment
TOOLS: Mapping[str, tuple[str, ...]] = {
    "ovs": ("ovs-vswitchd", "--version"),
    "mininet": ("mn", "--version"),
    "ping": ("ping", "-V"),
    "tshark": ("tshark", "--version"),
    "dumpcap": ("dumpcap", "--version"),
    "iproute2": ("ip", "-V"),
    "ethtool": ("ethtool", "--version"),
}
CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")
CGROUPS = Path("/sys/fs/cgroup")
CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")

# Some belong to the machine, the others to each network namespace.
MACHINE_SYSCTLS = (
    "net.core.rmem_max",
    "net.core.rmem_default",
    "net.core.wmem_max",
    "net.core.wmem_default",
    "net.core.netdev_max_backlog",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.busy_poll",
    "net.core.busy_read",
    "net.core.default_qdisc",
    "net.core.optmem_max",
    "kernel.timer_migration",
    "kernel.sched_rt_runtime_us",
)
GUEST_SYSCTLS = (
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_base_mss",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_retries2",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.ipv6.conf.all.disable_ipv6",
)
HOST_SYSCTLS = (
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.arp_ignore",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.neigh.default.gc_stale_time",
    "net.ipv6.conf.all.disable_ipv6",
)


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def machine(app: str = "os-ken") -> dict[str, object]:
    """The host, its kernel and its programs; `app` is the framework of the controller."""
    with ThreadPoolExecutor() as at_once:
        tools = dict(zip(TOOLS, at_once.map(_tool_version, TOOLS.values()), strict=True))
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.+)$", cpuinfo, re.MULTILINE)
    return {
        "host": platform.node(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": model.group(1) if model else platform.processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "governor": _content(CPUFREQ / "scaling_governor"),
        "frequency_max_khz": _content(CPUFREQ / "cpuinfo_max_freq"),
        "clocksource": _content(CLOCK),
        "virtualisation": virtualisation(cpuinfo, _output("systemd-detect-virt")),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "limits": limits(),
        "load_average": [round(each, 2) for each in os.getloadavg()],  # of 1, 5 and 15 minutes
        "sysctls": read_sysctls(MACHINE_SYSCTLS),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES} | _framework(app),
        "tools": tools,
    }


def virtualisation(cpuinfo: str, detected: str) -> str | None:
    """Virtualisation of the machine: hypervisor flag of the processor, and `systemd-detect-virt`."""
    flags = re.search(r"^(?:flags|Features)\s*: (.+)$", cpuinfo, re.MULTILINE)
    below = ("hypervisor",) if flags and "hypervisor" in flags.group(1).split() else ()
    word = detected.strip()
    return ", ".join((*below, *((word,) if word not in {"", "none"} else ()))) or None


def limits(root: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> dict[str, float | None]:
    """Limits of control groups on this process: processors and memory [MiB]; None: not limited.

    Versions 1 and 2; the smallest limit of the group of the process and of all groups above it.
    """
    text = own.read_text() if own.exists() else ""
    cpus = filter(None, map(_cpus, _groups(root, text, "cpu")))
    memory = filter(None, map(_memory, _groups(root, text, "memory")))
    return {"cpus": min(cpus, default=None), "memory_mib": min(memory, default=None)}


def _groups(root: Path, text: str, controller: str) -> Iterator[Path]:
    """Folders of a controller for this process, from /proc/self/cgroup; its own group first.

    A line is `number:controllers:path`; version 2 names no controllers (cgroups(7)).
    """
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = root / controller if names else root
        inner = PurePosixPath(path.lstrip("/"))
        yield from (top / each for each in (inner, *inner.parents))


def _cpus(folder: Path) -> float | None:
    if (file := folder / "cpu.max").exists():
        quota, period = file.read_text().split()
        return None if quota == "max" else round(int(quota) / int(period), 2)
    quota = _content(folder / "cpu.cfs_quota_us") or "-1"
    if quota == "-1":
        return None
    return round(int(quota) / int((folder / "cpu.cfs_period_us").read_text()), 2)


def _memory(folder: Path) -> float | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        if (file := folder / name).exists():
            limit = file.read_text().strip()
            # In version 1 "no limit" is the largest number of pages.
            return None if limit == "max" or int(limit) >= 2**62 else int(limit) // 2**20
    return None


def source(root: Path = ROOT) -> dict[str, object]:
    """The git revision, and whether files differ from it; None outside git."""
    # Under sudo the tree belongs to another user; git refuses that without this option.
    git = ("git", "-c", f"safe.directory={root}", "-C", str(root))
    revision = _output(*git, "rev-parse", "HEAD").strip()
    if not revision:
        return {"git_revision": None, "git_dirty": None}
    changed = _output(*git, "status", "--porcelain").splitlines()
    return {"git_revision": revision, "git_dirty": bool(changed), "git_changed_files": len(changed)}


def lab_facts(lab: Lab) -> dict[str, object]:
    """MTUs [bytes], offloads and kernel parameters, read in the nodes.

    From the first guest of each network and the first compute host; in a lab of two sites from
    the first station of each LAN and the router of the near site.
    """
    overlay = described(lab)
    if isinstance(overlay, Sites):
        guests = {site.name: site.stations[0].name for site in overlay.sites}
        first, host, device = guests[overlay.near.name], overlay.near.router, WAN
    else:
        guests = {
            overlay.network_of[port.network_id].name: port.device_id
            for port in reversed(overlay.ports)  # the first one counts
            if port.device_id and port.host
        }
        first, host, device = next(iter(guests.values()), ""), overlay.hosts[0].name, UNDERLAY
    return {
        "underlay_mtu": overlay.underlay_mtu,
        "hosts": len(overlay.hosts),
        "networks": {name: _guest(lab, guest) for name, guest in guests.items()},
        "underlay": {"host": host, **_interface(lab, host, device)},
        "sysctls": {
            "guest": _sysctls(lab, first, GUEST_SYSCTLS),
            "host": _sysctls(lab, host, HOST_SYSCTLS),
        },
    }


def _guest(lab: Lab, node: str) -> dict[str, object]:
    found = _interface(lab, node, "eth0")
    return {"guest": node, **{f"guest_{name}": value for name, value in found.items()}}


def _interface(lab: Lab, node: str, name: str) -> dict[str, object]:
    # mnexec gives each node a /sys that shows its own interfaces.
    mtu = _content(Path(f"/proc/{lab.pid(node)}/root/sys/class/net/{name}/mtu"))
    offloads = parse_offloads(lab.run(node, "ethtool", "-k", name))
    return {"mtu": int(mtu) if mtu else None, "offloads": offloads}


def _sysctls(lab: Lab, node: str, names: tuple[str, ...]) -> dict[str, str]:
    """Kernel parameters of a node; empty if it has no process, as in tests."""
    pid = lab.pid(node) if node else 0
    return look_into({node: pid}, lambda _: read_sysctls(names))[node] if pid else {}


def read_sysctls(names: Iterable[str]) -> dict[str, str]:
    """Values of the kernel parameters that exist, by name; whitespace is reduced to single spaces.

    /proc/sys/net is that of the namespace of the reading thread (`look_into`).
    """
    paths = {name: Path("/proc/sys", *name.split(".")) for name in names}
    return {
        name: " ".join(path.read_text().split()) for name, path in paths.items() if path.exists()
    }


def parse_offloads(text: str) -> dict[str, bool]:
    """Features by their names in `ethtool -k`, without those that are fixed to off."""
    features = re.findall(r"^(?:\t)?([a-z0-9-]+): (on|off)( \[fixed\])?", text, re.MULTILINE)
    return {name: state == "on" for name, state, fixed in features if state == "on" or not fixed}


def first_version(text: str) -> str | None:
    """The first text in the output of a program that looks like a version."""
    found = re.search(r"\d+(?:\.\d+)+|20\d{6}", text)
    return found.group() if found else None


def argv() -> list[str]:
    """The command line."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def _content(path: Path) -> str | None:
    """Content of a file of the kernel; None if this kernel does not have it."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _framework(app: str) -> dict[str, str | None]:
    if app != "ryu":
        return {}
    found = metadata.distributions(name="ryu", path=[str(each) for each in ROOT.glob(RYU_PACKAGES)])
    return {"ryu": next((each.version for each in found), None)}


@cache  # for runs of several experiments; `mn --version` takes a third of a second
def _tool_version(argv: tuple[str, ...]) -> str | None:
    return first_version(_output(*argv))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _output(*argv: str) -> str:
    """The output of a command; empty if the program is missing or fails."""
    try:
        done = commands.attempt(*argv)
    except CommandError:
        return ""
    return "" if done.returncode else done.stdout + done.stderr
