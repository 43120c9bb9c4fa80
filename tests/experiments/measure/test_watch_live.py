"""The watcher on a real lab: disturbances are in the verdict, a calm window has none."""

import os
import re
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.model.modes import parse_mode, with_mode
from experiments.core.verdict import Seen, Thresholds, Window, judge
from experiments.measure.environment import lab_facts
from experiments.measure.watch import Watcher
from experiments.measure.watch_control import await_wire
from tests.labs import adopt_orphans, nothing_left, pinged, wait_for
from topologies.lab import started
from topologies.scenario import load as scenario

pytestmark = pytest.mark.root

SERVER_B = "172.16.166.125"
LOSSES = Thresholds(lost_upcalls_max=0, drops_max=0, control_lost_max=0, repeats_min=1)
BUSY = Thresholds(cpu_idle_min=0.2, repeats_min=1)
TICKS_APART = 4  # the kernel adds the sum up first, then shows each processor as it is by then


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    adopt_orphans()
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("labs")
        patch.setenv("OVERLAYLAB_RUN", str(path))
        yield path


@contextmanager
def made(home):
    overlay = with_mode(scenario.load("article").overlay, parse_mode("vxlan-l2pop"))
    with nothing_left(home), started(overlay) as lab:
        yield lab


@pytest.fixture(scope="module")
def lab(home):
    """One for all tests that leave it as it was."""
    with made(home) as lab:
        yield lab


@pytest.fixture
def other_lab(home):
    """One that may be broken."""
    with made(home) as lab:
        yield lab


def reasons(window, limits):
    return judge(Seen(repeats=1, windows={"this window": (window,)}), limits).reasons


def watched(lab, work) -> Window:
    watcher = Watcher(lab)
    with watcher.window():
        work()
    return watcher.windows[-1]


def some_pings(lab):
    return pinged(lab, "ServerA", SERVER_B, 10)


def calm(lab) -> Window:
    """A window of the same kind that nothing disturbs: the positive control of each test."""
    window = watched(lab, lambda: some_pings(lab))
    assert reasons(window, LOSSES) == ()
    return window


def test_a_calm_window_has_every_figure(lab):
    seen = calm(lab)

    assert seen.unseen == {}
    assert (seen.lost_upcalls, seen.drops, seen.control_lost) == (0, 0, 0)
    assert seen.control_median_ms > 0
    assert 0 <= seen.cpu_idle <= 1
    assert 0 <= seen.cpu_others <= 1
    assert seen.vswitchd_load >= 0
    assert seen.busiest in {"controller", "computer"}


@contextmanager
def hogs(lab):
    """Busy loops, one more than there are processors; they end with the lab, if not before."""
    loop = ("sh", "-c", "while :; do :; done")
    loops = [lab.start("management", *loop) for _ in range(os.cpu_count() + 1)]
    try:
        yield loops
    finally:
        for process in loops:
            process.kill()
            process.wait()


def is_running(process):
    """True if the process is the loop, and has had processor time."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")
    return fields[0].endswith("(sh") and int(fields[2].split()[11]) > 0


class Copied:
    """/proc/stat, and its content at each reading."""

    def __init__(self):
        self.read_texts = []

    def read_text(self):
        self.read_texts.append(Path("/proc/stat").read_text())
        return self.read_texts[-1]


def ticks(stat):
    """Idle ones and all, of the processors one by one, where the watcher takes their sum."""
    each = [line.split()[1:9] for line in stat.splitlines() if re.match(r"cpu\d", line)]
    return sum(int(of[3]) + int(of[4]) for of in each), sum(int(one) for of in each for one in of)


def test_the_idle_share_is_that_of_all_processors(lab):
    stat = Copied()
    watcher = Watcher(lab, stat)
    with watcher.window():
        some_pings(lab)

    (idle, whole), (idle_later, whole_later) = map(ticks, stat.read_texts)
    assert whole_later > whole
    of_all = watcher.windows[0].cpu_idle * (whole_later - whole)
    assert abs(of_all - (idle_later - idle)) <= TICKS_APART


def test_a_busy_processor_is_reported(lab):
    """With one loop more than processors, none is idle."""
    with hogs(lab) as loops:
        wait_for(lambda: all(map(is_running, loops)), "running loops")
        window = watched(lab, lambda: some_pings(lab))

    idle = f"CPU idle {100 * window.cpu_idle:.3g}%"
    assert reasons(window, BUSY) == (f"{idle} in this window; wanted at least 20%",)


def test_packets_dropped_by_the_sockets_of_a_switch_are_reported(lab):
    calm(lab)
    flood = ("ping", "-n", "-q", "-f", "-l3000", "-c5000", "-W1", "-s1400", SERVER_B)

    window = watched(lab, lambda: lab.attempt("ServerA", *flood, timeout_s=30))

    (reason,) = reasons(window, LOSSES)
    assert "packets dropped" in reason
    assert "the packet socket on " in reason
    assert sum(int(place.rpartition("(")[2][:-1]) for place in window.dropped_by) == window.drops
    calm(lab)


def test_packets_dropped_by_a_queue_are_reported(lab):
    calm(lab)
    shaper = "qdisc add dev underlay root tbf rate 80kbit burst 1600 limit 1600"
    lab.run("controller", "tc", *shaper.split())
    large = ("ping", "-n", "-q", "-i0.01", "-c30", "-W1", "-s1000", SERVER_B)

    try:
        window = watched(lab, lambda: lab.attempt("ServerA", *large))
    finally:
        lab.run("controller", "tc", "qdisc", "del", "dev", "underlay", "root")

    (reason,) = reasons(window, LOSSES)
    assert window.dropped_by == (f"the queue of underlay of controller ({window.drops})",)
    assert window.dropped_by[0] in reason


def test_a_lost_control_ping_is_reported(lab):
    calm(lab)
    lab.run("management", "ip", "link", "set", "control", "down")

    try:
        window = watched(lab, lambda: some_pings(lab))
    finally:
        lab.run("management", "ip", "link", "set", "control", "up")
        await_wire(lab)

    (reason,) = reasons(window, LOSSES)
    assert reason.startswith(f"{window.control_lost} control ping")


def test_a_dead_switch_is_reported(other_lab):
    calm(other_lab)
    other_lab.run("computer", "sh", "-c", "kill -9 $(cat /var/run/openvswitch/ovs-vswitchd.pid)")

    window = watched(other_lab, lambda: None)

    assert {"drops", "lost_upcalls", "vswitchd_load"} <= window.unseen.keys()
    assert any(each.startswith("drops could not be measured") for each in reasons(window, LOSSES))


def test_lab_facts_have_mtus_offloads_and_kernel_parameters(lab):
    found = lab_facts(lab)

    assert found["networks"]["vxlan_net"]["guest_mtu"] == 1450
    assert found["networks"]["vxlan_net"]["guest_offloads"]["tx-checksumming"] is False
    assert found["underlay"]["mtu"] == found["underlay_mtu"] == 1500
    assert found["sysctls"]["host"]["net.ipv4.conf.all.arp_ignore"] == "1"
    assert found["sysctls"]["guest"]["net.ipv6.conf.all.disable_ipv6"] == "0"
    assert found["sysctls"]["guest"]["net.ipv4.tcp_mtu_probing"].isdecimal()
