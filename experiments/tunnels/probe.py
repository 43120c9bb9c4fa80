"""The experiment `tunnels`: how many there are, and what one costs a host."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from controller.model.modes import MODES, Flooding, Mode
from controller.model.parts import Host, Mechanism
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.measure.frames import NOBODY
from experiments.measure.memory import memory_of
from experiments.tunnels import labs as stage

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

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab."""
        hosts = tuple(_host_row(bench, host, tools) for host in bench.overlay.hosts)
        first = bench.overlay.hosts[0]
        climbs = point["membership"] == stage.DENSE and first.tunnel_types and _pid(bench, first)
        steps = _watched_steps(bench, first, self.ladder, tools) if climbs else ()
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


def _host_row(bench: Bench, host: Host, tools: Tools) -> Row:
    remotes = tuple(_remotes(bench, host, tools))
    names = {other.vtep: other.name for other in bench.overlay.hosts}
    memory = memory_of(pid) if (pid := _pid(bench, host)) else None
    rules = _rules(bench, host, tools)
    stated = [rule for rule in rules if "hard_timeout" not in rule.partition("actions=")[0]]
    devices, entries = _kernel(bench, host, tools)
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


def _remotes(bench: Bench, host: Host, tools: Tools) -> Iterator[str]:
    """The far end of each tunnel port that is open; none where there is no Open vSwitch."""
    columns = "--columns=type,ofport,options"
    said = bench.attempt(host.name, *VSCTL, "--format=json", columns, "list", "Interface")
    tools.keep(f"{host.name}-interfaces.json", said.stdout)
    for kind, ofport, options in json.loads(said.stdout)["data"] if said.returncode == 0 else ():
        if kind in TUNNELS_OF_OVS and isinstance(ofport, int) and ofport > 0:
            yield str(dict(options[1])["remote_ip"])


def _rules(bench: Bench, host: Host, tools: Tools) -> list[str]:
    """Rules of br-tun; none where there is none."""
    said = bench.attempt(host.name, "ovs-ofctl", "dump-flows", "br-tun").stdout
    tools.keep(f"{host.name}-br-tun.txt", said)
    return [line for line in said.splitlines() if "actions=" in line]


def _kernel(bench: Bench, host: Host, tools: Tools) -> tuple[int, int]:
    """VXLAN devices of Linux itself, and how many far ends or groups they flood to."""
    links = bench.run(host.name, "ip", "-json", "link", "show", "type", "vxlan")
    devices = {each["ifname"] for each in json.loads(links) if each}
    said = bench.run(host.name, "bridge", "fdb", "show")
    tools.keep(f"{host.name}-fdb.txt", said)
    words = (line.split() for line in said.splitlines())
    return len(devices), sum(
        each[0] == NOBODY and each[2] in devices and "dst" in each for each in words
    )


def _pid(bench: Bench, host: Host) -> int | None:
    """Its ovs-vswitchd, if it has one."""
    said = bench.attempt(host.name, "cat", PIDFILE)
    return int(said.stdout) if said.returncode == 0 else None


def _watched_steps(
    bench: Bench, host: Host, ladder: tuple[int, ...], tools: Tools
) -> tuple[Row, ...]:
    """The ladder, and the machine watched while it is climbed: it alone is timed."""
    with tools.watch():
        return tuple(_steps(bench, host, ladder))


def _steps(bench: Bench, host: Host, ladder: tuple[int, ...]) -> Iterator[Row]:
    """Ever more tunnel ports, each time from none; memory once freed is used again, so it rises."""
    pid = _pid(bench, host)
    assert pid is not None  # asked before  # noqa: S101
    datapath = bench.run(host.name, *VSCTL, "get", "Bridge", "br-tun", "datapath_type").strip()
    made = ("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, f"datapath_type={datapath}")
    for ports in (0, *ladder):
        bench.run(host.name, *VSCTL, *made, "fail_mode=secure", timeout_s=TIMEOUT_S)
        begun = time.monotonic()
        bench.run(host.name, *VSCTL, *add_args(host, ports), timeout_s=TIMEOUT_S)
        setup_s = time.monotonic() - begun
        memory = memory_of(pid)
        yield {
            "type": str(host.tunnel_types[0]),
            "ports": ports,
            "setup_s": round(setup_s, 6),
            "pss_kib": memory.pss,
            "private_kib": memory.private,
        }
        bench.run(host.name, *VSCTL, "del-br", BRIDGE, timeout_s=TIMEOUT_S)


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


def _not_of(flooding: tuple[Flooding, ...], mechanism: Mechanism) -> tuple[str, ...]:
    """Modes that a prediction about others does not speak of."""

    def is_other(mode: Mode) -> bool:
        return mode.flooding not in flooding or mode.mechanism is not mechanism

    return tuple(str(mode) for mode in MODES if is_other(mode))


L2POP = (Flooding.L2POP, Flooding.L2POP_ARP)
TUNNELS = Experiment(
    question=Question(
        name="tunnels",
        asks="How many tunnels do N hosts need, and what does one cost a host?",
        unit="ports",
        value="ports_in_all",
        factors={
            "mode": ("gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "kvxlan-mesh"),
            "membership": (stage.DENSE, stage.PAIRS),
            "hosts": (2, 4, 8, 16),
        },
        teller="tunnels",
        predictions=(
            Prediction(
                says="mesh: N-1 tunnel ports on every host, N(N-1) in all, for N(N-1)/2 pairs, "
                "whoever shares a network",
                because="an agent makes a port to every VTEP that it hears of; VXLAN as GRE, since "
                "a port is only the address of a far end, and each end keeps its own",
                silent_on=_not_of((Flooding.MESH,), Mechanism.OPENVSWITCH),
            ),
            Prediction(
                says="l2pop: ports only to hosts that share a network: N-1 if all do, 1 if two do",
                because="l2population names a VTEP to those who have a port on its network",
                silent_on=_not_of(L2POP, Mechanism.OPENVSWITCH),
            ),
            Prediction(
                says="the kernel's VXLAN has no tunnel port at all: one device for each network, and "
                "the far ends as its entries, N-1 on every host, or one group",
                because="a VXLAN device has no far end of its own; where a frame goes, its FDB says",
                silent_on=_not_of(tuple(Flooding), Mechanism.LINUXBRIDGE),
            ),
            Prediction(
                says="a tunnel port takes 5 to 25 KiB of ovs-vswitchd's memory, GRE as VXLAN",
                because="a port is a row, a netdev and two hash entries; a first look said 12 KiB",
                of="memory",
                low=5.0,
                high=25.0,
            ),
            Prediction(
                says="set-up time grows with ports at least in proportion and at most with their "
                "square, GRE as VXLAN: by a power of 0.9 to 2.1, from about a quarter of the most "
                "ports on, the price of a transaction of none taken off",
                because="each port is a row and a netdev that are made one by one, and may be looked "
                "up among all the others, but not among pairs of them; a tenth either way is for noise",
                of="set-up",
                low=0.9,
                high=2.1,
            ),
        ),
        columns={
            "mode": "how the overlay is carried",
            "membership": "dense: a guest of one network on every host; pairs: a network for "
            "every two hosts; either way one guest a host",
            "hosts": "compute hosts, each one VTEP",
            "ports_in_all": "tunnel ports of all br-tun together; each tunnel has two ends",
            "pairs": "pairs of hosts of which one has a tunnel port to the other",
            "ports_per_host": "the most that one host has",
            "rules_in_all": "rules of all br-tun together, without learned ones",
            "devices_in_all": "VXLAN devices of Linux itself, on all hosts together",
            "flood_in_all": "far ends, or multicast groups, that hosts send a broadcast to, by table 22 "
            "or by FDB entries for all zeros; over all hosts and networks",
        },
        more={
            "hosts": {
                "host": "compute host",
                "ports": "its tunnel ports",
                "rules": "of its br-tun, without learned ones",
                "devices": "its VXLAN devices of Linux itself",
                "flood": "far ends or groups that it sends a broadcast to, over its networks",
                "pss_kib": "of its ovs-vswitchd [KiB]: what is shared by many counts in part, so "
                "that it falls with hosts",
                "private_kib": "of its ovs-vswitchd [KiB]: what is not shared",
            },
            "ladder": {
                "type": "of the tunnel ports that were added to the first host",
                "ports": "how many, on a bridge of their own that was empty before",
                "setup_s": "from the start of one ovs-vsctl with all of them in one transaction to "
                "its end: ovs-vswitchd has made them [s]; no flows, no far ends",
                "pss_kib": "of its ovs-vswitchd with them [KiB]",
                "private_kib": "of its ovs-vswitchd with them [KiB]: not shared",
            },
        },
    ),
    probe=Tunnels(ladder=(1, 3, 7, 15, 63, 255, 511, 1023)),
    quick=Tunnels(ladder=(1, 15, 127, 255)),
    # Medians of eight ladders a type, which a tenth of the time stolen moves little; counts are exact.
    thresholds=Thresholds(cpu_steal_max=0.1, blocks_min=1),
    watches=True,
    blocks=1,
    quick_factors={"mode": ("gre-mesh", "vxlan-l2pop"), "hosts": (2, 4, 8)},
    stage=stage.staged,
    foretell=stage.foretold,
    hosts_factor="hosts",
)
