"""The machine and the program that made a run: runs of unlike hosts are never merged."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path

from controller.model.errors import CommandError
from controller.model.parts import Port
from controller.model.site_parts import WAN
from controller.model.sites import Sites
from controller.system import commands
from experiments.core.experiment import Lab, described
from experiments.measure.limits import limits
from experiments.measure.namespace import look_into, read_sysctls

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("overlaylab", "os-ken", "numpy", "scipy", "matplotlib")
RYU_PACKAGES = ".venv-ryu/lib/python3*/site-packages"  # Ryu has an environment of its own
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
CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")

# Read where they act: some belong to the machine, the others to each network namespace.
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
    """The host, its kernel and its programs; `app` is the framework the controller runs under."""
    with ThreadPoolExecutor() as at_once:
        context = dict(zip(TOOLS, at_once.map(_tool_version, TOOLS.values()), strict=True))
    return {
        "host": platform.node(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "governor": _told(CPUFREQ / "scaling_governor"),
        "frequency_max_khz": _told(CPUFREQ / "cpuinfo_max_freq"),
        "clocksource": _told(CLOCK),
        "virtualisation": virtualisation(
            Path("/proc/cpuinfo").read_text(), _said("systemd-detect-virt")
        ),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "limits": limits(),
        "load_average": [round(each, 2) for each in os.getloadavg()],  # of 1, 5 and 15 minutes
        "sysctls": read_sysctls(MACHINE_SYSCTLS),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES} | _framework(app),
        "tools": context,
    }


def virtualisation(cpuinfo: str, detected: str) -> str | None:
    """What the machine runs inside of: a hypervisor by the processor's flag, and systemd's word."""
    flags = re.search(r"^(?:flags|Features)\s*: (.+)$", cpuinfo, re.MULTILINE)
    below = ("hypervisor",) if flags and "hypervisor" in flags.group(1).split() else ()
    word = detected.strip()
    return ", ".join((*below, *((word,) if word not in {"", "none"} else ()))) or None


def source(root: Path = ROOT) -> dict[str, object]:
    """The revision of the program, and whether its files differ from it; None outside git."""
    # Under sudo the tree is another user's, which git refuses unless told on its command line.
    git = ("git", "-c", f"safe.directory={root}", "-C", str(root))
    revision = _said(*git, "rev-parse", "HEAD").strip()
    if not revision:
        return {"git_revision": None, "git_dirty": None}
    changed = _said(*git, "status", "--porcelain").splitlines()
    return {"git_revision": revision, "git_dirty": bool(changed), "git_changed_files": len(changed)}


def lab_facts(lab: Lab) -> dict[str, object]:
    """MTUs [bytes], offloads and kernel parameters, read in the nodes where they act.

    Of each network the first guest stands for all, and the first compute host for the others.
    """
    overlay = described(lab)
    if isinstance(overlay, Sites):
        return _site_facts(lab, overlay)
    first = {port.network_id: port for port in reversed(overlay.ports) if _is_node(port)}
    networks = {overlay.network_of[each].name: port.device_id for each, port in first.items()}
    host = overlay.hosts[0].name
    return {
        "underlay_mtu": overlay.underlay_mtu,
        "hosts": len(overlay.hosts),
        "networks": {name: _guest(lab, guest) for name, guest in networks.items()},
        "underlay": {"host": host, **_interface(lab, host, "underlay")},
        "sysctls": {
            "guest": _sysctls(lab, next(iter(networks.values()), ""), GUEST_SYSCTLS),
            "host": _sysctls(lab, host, HOST_SYSCTLS),
        },
    }


def _site_facts(lab: Lab, sites: Sites) -> dict[str, object]:
    """The same of two sites: a station stands for each LAN, and the calling site's router."""
    first = {site.name: site.stations[0].name for site in sites.sites}
    host = sites.near.router
    return {
        "underlay_mtu": sites.underlay_mtu,
        "hosts": len(sites.hosts),
        "networks": {name: _guest(lab, station) for name, station in first.items()},
        "underlay": {"host": host, **_interface(lab, host, WAN)},
        "sysctls": {
            "guest": _sysctls(lab, first[sites.near.name], GUEST_SYSCTLS),
            "host": _sysctls(lab, host, HOST_SYSCTLS),
        },
    }


def _is_node(port: Port) -> bool:
    return bool(port.device_id and port.host)


def _guest(lab: Lab, node: str) -> dict[str, object]:
    found = _interface(lab, node, "eth0")
    return {"guest": node, **{f"guest_{name}": value for name, value in found.items()}}


def _interface(lab: Lab, node: str, name: str) -> dict[str, object]:
    # mnexec gives each node a /sys that shows its own interfaces.
    mtu = _told(Path(f"/proc/{lab.pid(node)}/root/sys/class/net/{name}/mtu"))
    offloads = parse_offloads(lab.run(node, "ethtool", "-k", name))
    return {"mtu": int(mtu) if mtu else None, "offloads": offloads}


def _sysctls(lab: Lab, node: str, names: tuple[str, ...]) -> dict[str, str]:
    """Kernel parameters of a node; empty of one that is no process, as a test's double."""
    pid = lab.pid(node) if node else 0
    return look_into({node: pid}, lambda _: read_sysctls(names))[node] if pid else {}


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


def _told(path: Path) -> str | None:
    """What a file of the kernel says, None if this kernel has it not."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _framework(app: str) -> dict[str, str | None]:
    if app != "ryu":
        return {}
    found = metadata.distributions(name="ryu", path=[str(each) for each in ROOT.glob(RYU_PACKAGES)])
    return {"ryu": next((each.version for each in found), None)}


@cache  # of a run with several experiments; `mn` takes a third of a second to say it
def _tool_version(argv: tuple[str, ...]) -> str | None:
    return first_version(_said(*argv))


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
