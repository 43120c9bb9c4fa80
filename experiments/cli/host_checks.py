"""What a machine has and lacks for a lab, from facts that `doctor` gathers.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.model.dhcp import PROGRAMS as DHCP_PROGRAMS
from controller.model.errors import HostError
from experiments.cli.needs import PYTHON

# program: its Debian package
PROGRAMS = {
    "mnexec": "mininet",
    "ovs-vswitchd": "openvswitch-switch",
    "ovsdb-server": "openvswitch-common",
    "ovsdb-tool": "openvswitch-common",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-ofctl": "openvswitch-common",
    "ovs-appctl": "openvswitch-common",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "sysctl": "procps",
    "ethtool": "ethtool",
    "tcpdump": "tcpdump",
    "tshark": "tshark",
    "dumpcap": "tshark",  # Debian has it in wireshark-common, which tshark depends on
    "ifconfig": "mininet",  # in net-tools, which mininet depends on, and which its links call
}
# program: its Debian package, and the only thing that needs it
OPTIONAL = {
    **{
        program: (package, "a scenario with `dhcp: true`")
        for program, package in DHCP_PROGRAMS.items()
    },
    "nft": ("nftables", "a scenario with `sites:`, or the experiment filter,"),
    "iptables-restore": ("iptables", "the experiment filter"),
    "iperf3": ("iperf3", "the experiment throughput"),
    "dot": ("graphviz", "`overlaylab graph`, for .svg, .png and .pdf,"),
}
TUN, PACKET, FOLDER = "/dev/net/tun", "packet sockets", "folder of labs"
# what is tried without changing anything: how to have it
ABILITIES = {
    TUN: "`modprobe tun`, or give the container that device; only `--datapath system` needs none.",
    PACKET: "Load the kernel module af_packet, or give the container CAP_NET_RAW.",
    FOLDER: "Make it writable, or set OVERLAYLAB_RUN to another folder.",
}
OLDEST_OVS = (2, 17)  # Ubuntu 22.04's


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about a machine.

    Attributes:
        programs: the path of each program; None if it was not found.
        modules: whether each Python package can be imported.
        trials: the error of each trial in a temporary network namespace, empty if it worked;
            without root there are none.
        abilities: the error of each of ABILITIES, empty if it can be used; without root there
            are none.
    """

    is_root: bool
    programs: Mapping[str, str | None]
    modules: Mapping[str, bool]
    ovs_version: tuple[int, ...] = ()
    trials: Mapping[str, str] = field(default_factory=dict)
    abilities: Mapping[str, str] = field(default_factory=dict)
    has_kernel_ovs: bool = False
    has_ryu: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a lab needs or can use.

    Attributes:
        is_needed: without it no lab can be started.
        is_there: None if it could not be tried.
        remedy: how to install or fix it; empty if that is impossible or not needed.
    """

    name: str
    is_needed: bool
    is_there: bool | None
    found: str
    remedy: str = ""


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Everything checked, what is needed first."""
    return (*needed(facts), *_trials(facts), *_extras(facts))


def needed(facts: Facts) -> tuple[Finding, ...]:
    """What takes milliseconds: root, programs, the version of OVS, Python packages, abilities."""
    able = (
        _trial(name, True, facts.abilities.get(name), remedy) for name, remedy in ABILITIES.items()
    )
    return (_root(facts), *_programs(facts), *_version(facts), *_modules(facts), *able)


def is_ready(all_findings: tuple[Finding, ...]) -> bool:
    """True if a lab can be started, as far as it could be checked."""
    return all(each.is_there is not False for each in all_findings if each.is_needed)


def host_error(all_findings: tuple[Finding, ...]) -> HostError:
    """One error with everything needed that is missing."""
    lacking = [each for each in all_findings if each.is_needed and each.is_there is False]
    return HostError(
        "; ".join(f"{each.name}: {each.found}" for each in lacking),
        where="this machine",
        allowed="root, and all that `overlaylab doctor` lists as needed",
        do=" ".join(dict.fromkeys(each.remedy for each in lacking)),
    )


def _root(facts: Facts) -> Finding:
    found, remedy = ("yes", "") if facts.is_root else ("no", "Run it with sudo, or as root.")
    return Finding("root", True, facts.is_root, found, remedy)


def _programs(facts: Facts) -> Iterator[Finding]:
    for program, package in PROGRAMS.items():
        path = facts.programs.get(program)
        yield Finding(program, True, path is not None, path or "not found", _install(path, package))


def _install(path: str | None, package: str) -> str:
    """How to install a program that was not found."""
    return "" if path else f"`apt-get install {package}` as root, or `make ready`."


def _version(facts: Facts) -> Iterator[Finding]:
    if facts.programs.get("ovs-vswitchd"):
        found, oldest = (".".join(map(str, each)) for each in (facts.ovs_version, OLDEST_OVS))
        is_there = facts.ovs_version >= OLDEST_OVS
        remedy = "" if is_there else f"Install Open vSwitch {oldest} or later."
        yield Finding("Open vSwitch", True, is_there, found or "unknown version", remedy)


def _modules(facts: Facts) -> Iterator[Finding]:
    for module, source in {**PYTHON, "mininet": "Debian's package `mininet`"}.items():
        is_there = facts.modules.get(module, False)
        found = "can be imported" if is_there else f"cannot be imported (from {source})"
        remedy = "" if is_there else "`make ready` installs it."
        yield Finding(f"Python {module}", True, is_there, found, remedy)


def _trials(facts: Facts) -> Iterator[Finding]:
    remedy = "Use a kernel or a container that can create them in a network namespace."
    yield _trial("veth and bridge", True, facts.trials.get("bridge"), remedy)
    yield _trial("netem", False, facts.trials.get("netem"))


def _trial(name: str, is_needed: bool, error: str | None, remedy: str = "") -> Finding:  # noqa: FBT001
    """The finding of a trial; `error` is empty if it worked, None if it was not tried."""
    is_there = None if error is None else not error
    found = "not tried: needs root" if error is None else error or "works"
    return Finding(name, is_needed, is_there, found, remedy if error else "")


def _extras(facts: Facts) -> Iterator[Finding]:
    kernel = "present" if facts.has_kernel_ovs else "absent: --datapath netdev, the default"
    yield Finding("Open vSwitch kernel module", False, facts.has_kernel_ovs, kernel)
    for program, (package, who) in OPTIONAL.items():
        path = facts.programs.get(program)
        found = path or f"absent: only {who} needs it"
        yield Finding(program, False, path is not None, found, _install(path, package))
    ryu = "in .venv-ryu" if facts.has_ryu else "absent: os-ken, the default, does the same"
    remedy = "" if facts.has_ryu else "`make ready-ryu` installs it."
    yield Finding("Ryu 4.34", False, facts.has_ryu, ryu, remedy)
