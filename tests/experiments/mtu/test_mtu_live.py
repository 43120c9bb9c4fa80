"""The probe of `mtu` in real labs: its results are measured, not predicted."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest

from experiments.core.experiment import Context
from experiments.core.pairs import guests, narrowed
from experiments.mtu.labs import with_large_guests
from experiments.mtu.path import Path, last_place
from experiments.mtu.probe import CONFIRM, SEARCH, STREAM, Sizes
from experiments.mtu.tcp import serving, transfer
from experiments.mtu.words import COMPLETES, HANGS, RIGHT, TOO_LARGE
from tests.labs import wait_for
from topologies.lab import Lab, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

POINT = {"mode": "vxlan-l2pop", "underlay_mtu": 1500}
PROBE = Sizes(goodput_mtus=(), goodput_round=(0,), transfers=1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
        with started(with_large_guests(narrowed(load("article").overlay), POINT)) as lab:
            yield lab


@pytest.fixture
def context(tmp_path) -> Context:
    return Context(
        keep=lambda name, text: None,
        path=tmp_path.joinpath,
        watch=nullcontext,
        say=lambda _: None,
        seed=1,
    )


@pytest.fixture
def path(lab, context) -> Iterator[Path]:
    source, target = guests(lab.overlay)
    path = Path(lab=lab, source=source, target=target, context=context)
    yield path
    path.set_guest_mtu(1700)


def set_wires(lab: Lab, mtu: int) -> None:
    for host in lab.overlay.hosts:
        # The switch sets its ports' MTU itself; `ip link` would be undone.
        lab.run(host.name, "ovs-vsctl", "set", "Interface", "underlay", f"mtu_request={mtu}")
        wait_for(lambda host=host: mtu_of(lab, host.name) == mtu, f"an MTU of {mtu}")


def mtu_of(lab: Lab, host: str) -> int:
    return int(lab.run(host, "cat", "/sys/class/net/underlay/mtu"))


def test_vxlan_on_1500_takes_1450_and_a_narrower_wire_less(lab, context, path):
    measured = PROBE(lab, POINT, context)
    (row,) = measured.rows
    assert (row["largest_bytes"], row["stopped_by"]) == (1450, "path")
    assert {row["guest"]: row["outcome"] for row in measured.more["tcp"]} == {
        TOO_LARGE: HANGS,
        RIGHT: COMPLETES,
    }
    (fast,) = measured.more["goodput"]
    assert fast["outcome"] == COMPLETES
    assert fast["mbit_s"] > 0
    assert_dropped_in_the_switch(measured.more["outcomes"])

    set_wires(lab, 1400)
    try:
        path.set_guest_mtu(1700)
        (row,) = PROBE(lab, POINT, context).rows
    finally:
        set_wires(lab, 1500)
    assert row["largest_bytes"] == 1350


def assert_dropped_in_the_switch(outcomes):
    over = [row for row in outcomes if row["size"] == "limit + 1" and row["guest"] == TOO_LARGE]
    assert [row["reached"] for row in over] == ["guest_port", "guest_port"]
    controls = [row for row in outcomes if row["size"].startswith("control")]
    assert [(row["answered"], row["reached"]) for row in controls] == [(5, "far_port")] * 4


def test_packets_dropped_by_the_far_wire_leave_the_near_host(lab, path):
    lab.run("underlay", "ip", "link", "set", "host2", "mtu", "1000")
    try:
        before = path.counters()
        assert path.ping(1450, SEARCH, df=True, why="over").answered == 0
        after = path.counters()
    finally:
        lab.run("underlay", "ip", "link", "set", "host2", "mtu", "1500")
    grown = {place: after[place] - before[place] for place in after}
    sent = SEARCH.count * SEARCH.tries
    assert last_place(1450 * sent, grown) == "wire_out"
    assert path.ping(1450, CONFIRM, df=True, why="control").is_complete


def test_small_packets_pass_where_large_ones_do_not(path):
    assert path.ping(1450, CONFIRM, df=True, why="control").is_complete
    assert path.ping(1451, SEARCH, df=True, why="over").answered == 0
    assert path.ping(1701, SEARCH, df=True, why="own").refused_mtu == 1700


def test_a_transfer_reports_its_progress(path):
    patient = replace(STREAM, deadline_s=1.5)  # a kernel sends again after 0.2 s at the earliest
    with serving(path):
        hung = transfer(path, patient, "hung")
        path.set_guest_mtu(1450)
        done = transfer(path, patient, "done")
    refused = transfer(path, STREAM, "refused")  # the server has ended

    assert (hung["connected"], hung["greeted"], hung["received"]) == (True, True, None)
    assert (hung["acked"], hung["mss"]) == (hung["acked_before"], 1700 - 52)
    assert hung["retransmits"] > 0
    assert done["received"] == done["sent"] > 0
    assert done["mss"] == 1450 - 52  # IPv4 20, TCP 20, its timestamps 12
    assert (refused["connected"], refused["greeted"]) == (False, False)
