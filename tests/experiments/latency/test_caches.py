"""The caches of labs without Open vSwitch."""

from dataclasses import dataclass, field
from subprocess import CompletedProcess

import pytest

from controller.model.modes import parse_mode, with_mode
from experiments.latency.caches import Scene, absent, caches, first_pings
from experiments.latency.pings import Pinger
from experiments.latency.words import KERNEL_ARP, KERNEL_FDB, KERNEL_NEW_LAB, NO_CACHE
from experiments.measure.ping import Requests
from topologies.scenario.load import load

ONE = Requests(count=1)


@dataclass
class KernelBench:
    """A lab whose FDB entry and ARP entry exist until they are deleted."""

    overlay: object
    known: set = field(default_factory=lambda: {"arp", "fdb"})
    asked: list = field(default_factory=list)

    def run(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        self.known -= {"fdb"} if argv[:3] == ("bridge", "fdb", "del") else set()
        self.known -= {"arp"} if argv[:4] == ("ip", "-4", "neigh", "flush") else set()
        return ""

    def attempt(self, node, *argv, timeout_s=10):
        assert argv[0] in {"bridge", "ip"}, "no command is for Open vSwitch"
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
    return Scene(Pinger(lab), *lab.overlay.ports)


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("kvxlan-mesh", [KERNEL_ARP, KERNEL_FDB]),
        ("kvxlan-multicast", [KERNEL_ARP, KERNEL_FDB]),
        ("kvxlan-l2pop", [KERNEL_ARP]),
    ],
)
def test_caches_of_kernel_labs_are_filled_until_they_are_flushed(mode, names):
    here = scene(mode)
    found = list(caches(here))
    assert [cache.name for cache in found] == names
    for cache in found:
        assert cache.is_filled()
        cache.flush()
        assert not cache.is_filled()
    assert here.new_lab == KERNEL_NEW_LAB != NO_CACHE
    assert set(absent(here)) == {KERNEL_FDB} - set(names)
    here.wake_daemons()  # there is none, so no command is run
    assert here.known_at_start() == {
        "guest_arp_known": False,
        "far_guest_in_fdb": "fdb" in here.pinger.lab.known,
    }


def test_first_pings_measured_twice_are_reported_once_each():
    here = scene("kvxlan-mesh")
    lab = here.pinger.lab
    lost = CompletedProcess((), 0, "1 packets transmitted, 0 received, 100% packet loss\n", "")
    answer = lab.attempt
    lab.attempt = lambda node, *argv, timeout_s=10: (
        lost if argv[0] == "ping" else answer(node, *argv)
    )

    found = [first_pings(here, ONE, 1, 1, turn=0) for _ in range(2)]

    assert [len(each[KERNEL_ARP]) for each in found] == [1, 1]
