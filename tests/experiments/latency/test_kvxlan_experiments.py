"""What the experiments make of labs without Open vSwitch."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from controller.model.modes import parse_mode, with_mode
from experiments.core.results import Run
from experiments.core.verdict import Seen, Thresholds, Window, judge
from experiments.fanout.cells import OTHER
from experiments.fanout.count import counted, rows
from experiments.latency.cold import NOTHING, Scene, absent, colds
from experiments.latency.cold_kernel import KERNEL_ARP, KERNEL_AS_RAISED, KERNEL_FDB
from experiments.measure.watch import Watcher
from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.report_kernel import judge_kernel, kernel_finding, spoken_of
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED
from tests.experiments.fanout.fanout_world import lab, members_of, one, packet
from topologies.scenario.load import load

GROUP = "239.0.4.26"  # of VNI 1050: the network of half of the hosts
SENDER = "192.168.150.10"


def count(*wires):
    """One broadcast on the network of half of four hosts, by multicast, seen on these wires."""
    overlay = lab("kvxlan-multicast")
    frame = one(overlay, 50, OTHER)
    source, other = members_of(overlay, frame)
    seen = [packet(source.host, overlay.device_of(source), frame)]
    seen += [packet(node, "underlay", frame, outer=outer) for node, outer in wires]
    seen += [packet(other.host, overlay.device_of(other), frame)]
    (row,) = rows(overlay, counted(overlay, (frame,), seen))
    return {
        name: row[name] for name in ("copies_sent", "arrived", "unneeded", "heard", "misdelivered")
    }


def test_a_packet_to_the_group_has_arrived_wherever_the_switch_brings_it():
    sent = ("controller", (SENDER, GROUP))
    assert count(sent, ("computer2", (SENDER, GROUP))) == {
        "copies_sent": 1,
        "arrived": 1,
        "unneeded": 0,
        "heard": 1,
        "misdelivered": 0,
    }
    flooded = count(
        sent, *((host, (SENDER, GROUP)) for host in ("computer", "computer2", "computer3"))
    )
    assert (flooded["arrived"], flooded["unneeded"], flooded["misdelivered"]) == (3, 2, 0)


def test_another_networks_group_is_astray():
    assert count(("computer2", (SENDER, "239.0.4.27")))["misdelivered"] == 1


@dataclass
class KernelBench:
    """A lab whose VXLAN device and guest know each other until told to forget."""

    overlay: object
    known: set = field(default_factory=lambda: {"arp", "fdb"})
    asked: list = field(default_factory=list)

    def run(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        self.known -= {"fdb"} if argv[:3] == ("bridge", "fdb", "del") else set()
        self.known -= {"arp"} if argv[:4] == ("ip", "-4", "neigh", "flush") else set()
        return ""

    def attempt(self, node, *argv, timeout_s=10):
        far = self.overlay.ports[1]
        said = f"{far.mac_address} dev vxlan-111 master brq2175ed07-99 \n00:00:00:00:00:00 dst 192.168.150.11 self permanent\n"
        if "fdb" in self.known:
            said += f"{far.mac_address} dst 192.168.150.11 self \n"
        if argv[0] == "ip":
            said = (
                f"{far.ipv4[0]} lladdr {far.mac_address} REACHABLE\n" if "arp" in self.known else ""
            )
        return CompletedProcess(argv, 0, said, "")


def scene(mode):
    lab = KernelBench(with_mode(load("article").overlay, parse_mode(mode)))
    source, target = lab.overlay.ports

    def look(node, *argv):
        assert argv[0] in {"bridge", "ip"}, "nobody asks Open vSwitch"
        return lab.attempt(node, *argv).stdout

    return Scene(lab=lab, source=source, target=target, look=look)


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("kvxlan-mesh", [KERNEL_ARP, KERNEL_FDB]),
        ("kvxlan-multicast", [KERNEL_ARP, KERNEL_FDB]),
        ("kvxlan-l2pop", [KERNEL_ARP]),
    ],
)
def test_what_can_be_cold_there_is_known_until_it_is_flushed(mode, names):
    here = scene(mode)
    found = list(colds(here))
    assert [cold.name for cold in found] == names
    for cold in found:
        assert cold.known()
        cold.flush()
        assert not cold.known()
    assert here.first == KERNEL_AS_RAISED != NOTHING
    assert set(absent(here)) == {KERNEL_FDB} - set(names)
    here.rouse()  # there is no daemon to be waked
    assert here.as_raised() == {
        "guest_arp_known": False,
        "far_guest_in_fdb": "fdb" in here.lab.known,
    }


def test_a_lab_without_open_vswitch_has_no_figures_of_it(tmp_path):
    @dataclass
    class Double:
        overlay: object

        def pid(self, _):
            return 2**22 + 1  # nobody's: every look fails

    (tmp_path / "stat").write_text("cpu  1 0 0 1 0 0 0 0 0 0\n")
    watcher = Watcher(Double(scene("kvxlan-mesh").overlay), tmp_path / "stat")
    with watcher.window():
        pass
    (seen,) = watcher.windows
    assert set(seen.absent) == {"vswitchd_load", "lost_upcalls"}
    assert set(seen.unseen) == {"drops", "control_median_ms", "control_lost"}


def test_a_figure_that_a_lab_cannot_have_is_no_reason_for_doubt():
    limits = Thresholds(vswitchd_load_max=0.9, lost_upcalls_max=0, repeats_min=1)
    of_kernel = Window(absent=("vswitchd_load", "lost_upcalls"))
    assert judge(Seen(repeats=1, windows={"r": (of_kernel,)}), limits).trusted
    assert len(judge(Seen(repeats=1, windows={"r": (Window(),)}), limits).reasons) == 2
    busy = Window(vswitchd_load=0.95, lost_upcalls=0)
    both = Seen(repeats=1, windows={"r": (of_kernel,), "s": (busy,)})
    (reason,) = judge(both, limits).reasons
    assert "busy 95%" in reason, "a lab without daemons does not thin out another's load"


POINT = {"mode": "kvxlan-mesh", "underlay_mtu": 1500}
SAMPLE = {**POINT, "largest_bytes": 1450}
SIZE = {**POINT, "guest": "too large", "df": 1, "ip_bytes": 1451, "outcome": "ICMP frag needed"}
TCP = {**POINT, "guest": "too large", "outcome": "hangs after the handshake"}
SOON = {**POINT, "guest": "too large, soon told", "outcome": "completes"}
RIGHT = {**POINT, "guest": "right", "outcome": "completes"}


def mtu_run(*, samples=(SAMPLE,), size=SIZE, tcp=TCP, soon=SOON, right=RIGHT):
    tables = {"samples": samples, "outcomes": (size,), "tcp": (tcp, soon, right)}
    return Run(Path(), MTU.question, {}, tables)


def test_the_kernel_tells_who_sends_too_much():
    assert judge_kernel(mtu_run(), ())[0] == CONFIRMED
    assert kernel_finding(mtu_run()) == (
        "Kernel VXLAN, MTU too large: TCP hangs 1 of 1, completes 1 of 1 once told by ICMP"
    )
    for spoilt in (
        mtu_run(size={**SIZE, "outcome": "silently dropped"}),
        mtu_run(tcp={**TCP, "outcome": "completes"}),
        mtu_run(soon={**SOON, "outcome": "hangs after the handshake"}),
        mtu_run(right={**RIGHT, "outcome": "hangs after the handshake"}),
    ):
        assert judge_kernel(spoilt, ())[0] == REFUTED


def test_without_the_kernel_nothing_is_said_of_it():
    run = mtu_run(
        samples=({**SAMPLE, "mode": "gre-mesh"},),
        size={**SIZE, "mode": "gre-mesh"},
        tcp={**TCP, "mode": "gre-mesh"},
        soon={**TCP, "mode": "gre-mesh"},
        right={**RIGHT, "mode": "gre-mesh"},
    )
    assert judge_kernel(run, ())[0] == NOT_JUDGED
    assert kernel_finding(run) == ""
    assert len(spoken_of(run)) == len(spoken_of(mtu_run())) - 1
    assert replace(run.question, predictions=spoken_of(run)).predictions[-1].of == "goodput"
