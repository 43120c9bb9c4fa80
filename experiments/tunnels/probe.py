"""The experiment `tunnels`: how many there are, and what one costs a host."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from controller.model.parts import Host
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.frames import NOBODY
from experiments.measure.memory import memory_of
from experiments.tunnels import labs as stage
from experiments.tunnels.question import QUESTION

VSCTL = ("ovs-vsctl", "--timeout=60")
PIDFILE = "/var/run/openvswitch/ovs-vswitchd.pid"
BRIDGE = "br-more"  # a bridge of the ladder alone: nobody's controller looks at it
TIMEOUT_S = 70.0
TUNNELS_OF_OVS = frozenset({"vxlan", "gre", "ip6gre", "geneve"})
NOWHERE = "100.64.{}.{}"  # far ends that there are not (RFC 6598)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnels:
    """Counts the tunnels of a lab; where all share a network, adds more to one host, step by step."""

    ladder: tuple[int, ...]  # tunnel ports of one host of a mesh of one host more, rising

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        hosts = tuple(_host_row(lab, host, context) for host in lab.overlay.hosts)
        first = lab.overlay.hosts[0]
        climbs = point["membership"] == stage.DENSE and first.tunnel_types and _pid(lab, first)
        steps = _watched_steps(lab, first, self.ladder, context) if climbs else ()
        shown = tuple({name: row[name] for name in row if name != "peers"} for row in hosts)
        more = {"hosts": shown, "ladder": steps}
        return Measured(rows=(_lab_row(hosts),), more=more, untimed=not steps)


def _lab_row(hosts: tuple[Row, ...]) -> Row:
    pairs = {
        frozenset((str(row["host"]), peer)) for row in hosts for peer in str(row["peers"]).split()
    }
    ports = [int(str(row["ports"])) for row in hosts]
    return {
        "ports_in_all": sum(ports),
        "pairs": len(pairs),
        "ports_per_host": max(ports),
        **{
            f"{name}_in_all": sum(int(str(row[name])) for row in hosts)
            for name in ("rules", "devices", "flood")
        },
    }


def _host_row(lab: Lab, host: Host, context: Context) -> Row:
    remotes = tuple(_remotes(lab, host, context))
    names = {other.vtep: other.name for other in lab.overlay.hosts}
    memory = memory_of(pid) if (pid := _pid(lab, host)) else None
    rules = _rules(lab, host, context)
    stated = [rule for rule in rules if "hard_timeout" not in rule.partition("actions=")[0]]
    devices, entries = _kernel(lab, host, context)
    return {
        "host": host.name,
        "ports": len(remotes),
        "rules": len(stated),
        "devices": devices,
        "flood": entries + sum(rule.count("output:") for rule in rules if "table=22," in rule),
        "pss_kib": memory and memory.pss,
        "private_kib": memory and memory.private,
        "peers": " ".join(sorted({names.get(ip, ip) for ip in remotes})),
    }


def _remotes(lab: Lab, host: Host, context: Context) -> Iterator[str]:
    """The far end of each tunnel port that is open; none where there is no Open vSwitch."""
    columns = "--columns=type,ofport,options"
    said = lab.attempt(host.name, *VSCTL, "--format=json", columns, "list", "Interface")
    context.keep(f"{host.name}-interfaces.json", said.stdout)
    for kind, ofport, options in json.loads(said.stdout)["data"] if said.returncode == 0 else ():
        if kind in TUNNELS_OF_OVS and isinstance(ofport, int) and ofport > 0:
            yield str(dict(options[1])["remote_ip"])


def _rules(lab: Lab, host: Host, context: Context) -> list[str]:
    """Rules of br-tun; none where there is none."""
    said = lab.attempt(host.name, "ovs-ofctl", "dump-flows", "br-tun").stdout
    context.keep(f"{host.name}-br-tun.txt", said)
    return [line for line in said.splitlines() if "actions=" in line]


def _kernel(lab: Lab, host: Host, context: Context) -> tuple[int, int]:
    """VXLAN devices of Linux itself, and how many far ends or groups they flood to."""
    links = lab.run(host.name, "ip", "-json", "link", "show", "type", "vxlan")
    devices = {each["ifname"] for each in json.loads(links) if each}
    said = lab.run(host.name, "bridge", "fdb", "show")
    context.keep(f"{host.name}-fdb.txt", said)
    words = (line.split() for line in said.splitlines())
    return len(devices), sum(
        each[0] == NOBODY and each[2] in devices and "dst" in each for each in words
    )


def _pid(lab: Lab, host: Host) -> int | None:
    """Its ovs-vswitchd, if it has one."""
    said = lab.attempt(host.name, "cat", PIDFILE)
    return int(said.stdout) if said.returncode == 0 else None


def _watched_steps(
    lab: Lab, host: Host, ladder: tuple[int, ...], context: Context
) -> tuple[Row, ...]:
    """The ladder, and the machine watched while it is climbed: it alone is timed."""
    with context.watch():
        return tuple(_steps(lab, host, ladder))


def _steps(lab: Lab, host: Host, ladder: tuple[int, ...]) -> Iterator[Row]:
    """Ever more tunnel ports, each time from none; memory once freed is used again, so it rises."""
    pid = _pid(lab, host)
    assert pid is not None  # asked before  # noqa: S101
    datapath = lab.run(host.name, *VSCTL, "get", "Bridge", "br-tun", "datapath_type").strip()
    made = ("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, f"datapath_type={datapath}")
    for ports in (0, *ladder):
        lab.run(host.name, *VSCTL, *made, "fail_mode=secure", timeout_s=TIMEOUT_S)
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
    """One transaction that makes so many tunnel ports, each as Neutron's but for its far end.

    With none of them it still is one, so that the price of the process itself is known.
    """
    words = ["--", "set", "Bridge", BRIDGE, f"external_ids:ports={ports}"]
    for number in range(ports):
        name, remote = f"more{number}", NOWHERE.format(number >> 8, number & 255)
        words += ["--", "add-port", BRIDGE, name, "--", "set", "Interface", name]
        words += [f"type={host.tunnel_types[0]}", f"options:remote_ip={remote}"]
        words += [f"options:local_ip={host.local_ip}", "options:df_default=true"]
        words += ["options:in_key=flow", "options:out_key=flow"]
    return tuple(words)


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Tunnels(ladder=(1, 3, 7, 15, 63, 255, 511, 1023)),
    quick=Tunnels(ladder=(1, 15, 127, 255)),
    # Medians of eight ladders a type, which a tenth of the time stolen moves little; counts are exact.
    thresholds=Thresholds(cpu_steal_max=0.1, repeats_min=1),
    watches=True,
    repeats=1,
    quick_factors={"mode": ("gre-mesh", "vxlan-l2pop"), "hosts": (2, 4, 8)},
    stage=stage.staged,
    predict=stage.predicted,
    hosts_factor="hosts",
)
