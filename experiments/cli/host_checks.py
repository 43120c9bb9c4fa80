"""What a machine has and lacks, judged from facts.  Pure: `doctor` gathers the facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.model.dhcp import PROGRAMS as DHCP_PROGRAMS
from controller.model.errors import HostError
from experiments.cli.needs import PYTHON

# program: the Debian package that brings it
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
# program: the package, and what alone needs it
OPTIONAL = {
    **{
        program: (package, "a scenario with `dhcp: true`")
        for program, package in DHCP_PROGRAMS.items()
    },
    "nft": ("nftables", "a scenario with `sites:`, or the experiment filter,"),
    "iptables-restore": ("iptables", "the experiment filter"),
    "iperf3": ("iperf3", "the experiment throughput"),
}
OLDEST_OVS = (2, 17)  # Ubuntu 22.04's
ROOT_REMEDY = "Run it with sudo, or as root."
READY_REMEDY = "`make ready` installs it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was looked at.

    Attributes:
        programs: where each program is; None where there is none.
        modules: whether each Python package can be imported.
        trials: what each trial in a throw-away namespace answered, empty if it worked;
            a trial that could not be made (no root) is absent.
    """

    is_root: bool
    programs: Mapping[str, str | None]
    modules: Mapping[str, bool]
    ovs_version: tuple[int, ...] = ()
    trials: Mapping[str, str] = field(default_factory=dict)
    has_kernel_ovs: bool = False
    has_ryu: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a lab needs, or may use.

    Attributes:
        is_needed: no lab without it.
        is_there: None where it could not be tried.
        remedy: the command that mends it; empty where nothing does, or nothing has to.
    """

    name: str
    is_needed: bool
    is_there: bool | None
    found: str
    remedy: str = ""


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Everything looked at, the needed first."""
    return (*needed(facts), *_trials(facts), *_extras(facts))


def needed(facts: Facts) -> tuple[Finding, ...]:
    """What can be told at a glance: root, programs, their versions, Python packages."""
    return (_root(facts), *_programs(facts), *_version(facts), *_modules(facts))


def is_ready(all_findings: tuple[Finding, ...]) -> bool:
    """Whether a lab can be raised; what could not be tried does not count against it."""
    return all(each.is_there is not False for each in all_findings if each.is_needed)


def host_error(all_findings: tuple[Finding, ...]) -> HostError:
    """Everything needed that is not there, as one error."""
    lacking = [each for each in all_findings if each.is_needed and each.is_there is False]
    return HostError(
        "; ".join(f"{each.name}: {each.found}" for each in lacking),
        where="this machine",
        allowed="root, and all that `overlaylab doctor` lists as needed",
        do=" ".join(dict.fromkeys(each.remedy for each in lacking)),
    )


def _root(facts: Facts) -> Finding:
    if facts.is_root:
        return Finding("root", is_needed=True, is_there=True, found="yes")
    return Finding("root", is_needed=True, is_there=False, found="needs root", remedy=ROOT_REMEDY)


def _programs(facts: Facts) -> Iterator[Finding]:
    for program, package in PROGRAMS.items():
        path = facts.programs.get(program)
        remedy = "" if path else f"`apt-get install {package}` as root, or `make ready`."
        yield Finding(program, True, path is not None, path or "not found", remedy)


def _version(facts: Facts) -> Iterator[Finding]:
    if facts.programs.get("ovs-vswitchd"):
        found, oldest = (".".join(map(str, each)) for each in (facts.ovs_version, OLDEST_OVS))
        is_there = facts.ovs_version >= OLDEST_OVS
        remedy = "" if is_there else f"Install Open vSwitch {oldest} or later."
        yield Finding("Open vSwitch", True, is_there, found or "no version told", remedy)


def _modules(facts: Facts) -> Iterator[Finding]:
    brought = {**PYTHON, "mininet": "Debian's package `mininet`"}
    for module, source in brought.items():
        is_there = facts.modules.get(module, False)
        found = "can be imported" if is_there else f"cannot be imported (from {source})"
        yield Finding(f"Python {module}", True, is_there, found, "" if is_there else READY_REMEDY)


def _trials(facts: Facts) -> Iterator[Finding]:
    answer = facts.trials.get("bridge")
    yield Finding(
        "veth and bridge",
        True,
        _is_empty(answer),
        _told(answer),
        "Use a kernel, or a container, that may create them in a network namespace."
        if answer
        else "",
    )
    answer = facts.trials.get("netem")
    yield Finding("netem", False, _is_empty(answer), _told(answer))


def _extras(facts: Facts) -> Iterator[Finding]:
    kernel = "present" if facts.has_kernel_ovs else "absent: --datapath netdev, the default"
    yield Finding("Open vSwitch kernel module", False, facts.has_kernel_ovs, kernel)
    for program, (package, who) in OPTIONAL.items():
        path = facts.programs.get(program)
        remedy = "" if path else f"`apt-get install {package}` as root, or `make ready`."
        report = path or f"absent: only {who} needs it"
        yield Finding(program, False, path is not None, report, remedy)
    ryu = "in .venv-ryu" if facts.has_ryu else "absent: os-ken, the default, does the same"
    remedy = "" if facts.has_ryu else "`make ready-ryu` installs it."
    yield Finding("Ryu 4.34", False, facts.has_ryu, ryu, remedy)


def _is_empty(answer: str | None) -> bool | None:
    return None if answer is None else not answer


def _told(answer: str | None) -> str:
    return "not tried: needs root" if answer is None else answer or "works"
