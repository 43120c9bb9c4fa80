"""Measures `tunnels`: how many a lab has, and what a tunnel port costs a host."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from controller.model.parts import Host, Mechanism
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.frames import NOBODY
from experiments.measure.usage import memory_of
from experiments.tunnels import labs
from experiments.tunnels.question import QUESTION
from experiments.tunnels.words import DENSE

VSCTL = ("ovs-vsctl", "--timeout=60")
PIDFILE = "/var/run/openvswitch/ovs-vswitchd.pid"
BRIDGE = "br-more"  # only for ports of the ladder: no controller
TIMEOUT_S = 70.0
TUNNEL_TYPES = frozenset({"vxlan", "gre", "ip6gre", "geneve"})
REMOTE = "100.64.{}.{}"  # addresses without a host (RFC 6598)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnels:
    """Counts the tunnels of a lab; if all hosts share a network, adds ports to one host."""

    ladder: tuple[int, ...]  # tunnel ports to add at once, ascending

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        hosts = [_count(lab, host, context) for host in lab.overlay.hosts]
        first, steps = lab.overlay.hosts[0], tuple[Row, ...]()
        if point["membership"] == DENSE and first.tunnel_types and _has_ovs(first):
            with context.watch():  # this alone is timed
                steps = tuple(_steps(lab, first, self.ladder))
        rows = tuple(row for row, _ in hosts)
        pairs = {frozenset((str(row["host"]), peer)) for row, peers in hosts for peer in peers}
        lab_row = {
            **{
                f"{name}_in_all": sum(int(row[name] or 0) for row in rows)
                for name in ("ports", "rules", "devices", "flood")
            },
            "pairs": len(pairs),
            "ports_per_host": max(int(row["ports"] or 0) for row in rows),
        }
        return Measured(rows=(lab_row,), more={"hosts": rows, "ladder": steps}, untimed=not steps)


def _has_ovs(host: Host) -> bool:
    return host.mechanism is Mechanism.OPENVSWITCH


def _count(lab: Lab, host: Host, context: Context) -> tuple[Row, set[str]]:
    """A row of the table `hosts`, and the hosts to which there are tunnel ports."""
    names = {other.vtep: other.name for other in lab.overlay.hosts}
    remotes = tuple(_remotes(lab, host, context))
    flows = _flows(lab, host, context)
    devices, entries = _vxlan_devices(lab, host, context)
    memory = memory_of(_vswitchd_pid(lab, host)) if _has_ovs(host) else None
    row: Row = {
        "host": host.name,
        "ports": len(remotes),
        "rules": sum("hard_timeout" not in flow.partition("actions=")[0] for flow in flows),
        "devices": devices,
        "flood": entries + sum(flow.count("output:") for flow in flows if "table=22," in flow),
        "pss_kib": memory and memory.pss,
        "private_kib": memory and memory.private,
    }
    return row, {names.get(remote, remote) for remote in remotes}


def _remotes(lab: Lab, host: Host, context: Context) -> Iterator[str]:
    """The remote address of each tunnel port that exists; none without Open vSwitch."""
    columns = "--columns=type,ofport,options"
    done = lab.attempt(host.name, *VSCTL, "--format=json", columns, "list", "Interface")
    context.keep(f"{host.name}-interfaces.json", done.stdout)
    for kind, ofport, options in json.loads(done.stdout)["data"] if done.returncode == 0 else ():
        if kind in TUNNEL_TYPES and isinstance(ofport, int) and ofport > 0:
            yield str(dict(options[1])["remote_ip"])


def _flows(lab: Lab, host: Host, context: Context) -> list[str]:
    """The flows of br-tun; none if it does not exist."""
    text = lab.attempt(host.name, "ovs-ofctl", "dump-flows", "br-tun").stdout
    context.keep(f"{host.name}-br-tun.txt", text)
    return [line for line in text.splitlines() if "actions=" in line]


def _vxlan_devices(lab: Lab, host: Host, context: Context) -> tuple[int, int]:
    """VXLAN devices of the kernel, and their all-zeros FDB entries."""
    links = lab.run(host.name, "ip", "-json", "link", "show", "type", "vxlan")
    devices = {each["ifname"] for each in json.loads(links) if each}
    text = lab.run(host.name, "bridge", "fdb", "show")
    context.keep(f"{host.name}-fdb.txt", text)
    words = (line.split() for line in text.splitlines())
    return len(devices), sum(
        each[0] == NOBODY and each[2] in devices and "dst" in each for each in words
    )


def _vswitchd_pid(lab: Lab, host: Host) -> int:
    """The process of its ovs-vswitchd; raises CommandError if it does not run."""
    return int(lab.run(host.name, "cat", PIDFILE))


def _steps(lab: Lab, host: Host, ladder: tuple[int, ...]) -> Iterator[Row]:
    """Set-up time and memory of each number of ports, on a new bridge.

    The numbers ascend, since ovs-vswitchd keeps freed memory for later ports.
    """
    pid = _vswitchd_pid(lab, host)
    datapath = lab.run(host.name, *VSCTL, "get", "Bridge", "br-tun", "datapath_type").strip()
    add_bridge = ("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, f"datapath_type={datapath}")
    for ports in (0, *ladder):
        lab.run(host.name, *VSCTL, *add_bridge, "fail_mode=secure", timeout_s=TIMEOUT_S)
        begun = time.monotonic()
        lab.run(host.name, *VSCTL, *add_args(host, ports), timeout_s=TIMEOUT_S)
        setup_s = time.monotonic() - begun
        memory = memory_of(pid)
        yield {
            "type": str(host.tunnel_types[0]),
            "ports": ports,
            "setup_s": round(setup_s, 6),
            "pss_kib": memory.pss,
            "private_kib": memory.private,
        }
        lab.run(host.name, *VSCTL, "del-br", BRIDGE, timeout_s=TIMEOUT_S)


def add_args(host: Host, ports: int) -> tuple[str, ...]:
    """One transaction that adds so many tunnel ports, with Neutron's options.

    Without ports it is a transaction too: its time is that of ovs-vsctl itself.
    """
    words = ["--", "set", "Bridge", BRIDGE, f"external_ids:ports={ports}"]
    for number in range(ports):
        name, remote = f"more{number}", REMOTE.format(number >> 8, number & 255)
        words += ["--", "add-port", BRIDGE, name, "--", "set", "Interface", name]
        words += [f"type={host.tunnel_types[0]}", f"options:remote_ip={remote}"]
        words += [f"options:local_ip={host.local_ip}", "options:df_default=true"]
        words += ["options:in_key=flow", "options:out_key=flow"]
    return tuple(words)


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Tunnels(ladder=(1, 3, 7, 15, 63, 255, 511, 1023)),
    quick=Tunnels(ladder=(1, 15, 127, 255)),
    # Medians of eight labs per type, which 10% of stolen time changes little; counts are exact.
    thresholds=Thresholds(cpu_steal_max=0.1, cpu_others_max=0.2, repeats_min=1),
    watches=True,
    repeats=1,
    quick_factors={"mode": ("gre-mesh", "vxlan-l2pop"), "hosts": (2, 4, 8)},
    stage=labs.staged,
    predict=labs.predicted,
    hosts_factor="hosts",
)
