"""Copies counted in real labs, without faults and with a changed flood flow."""

import re
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import asdict

import pytest

from controller.model.names import tunnel_port_name
from experiments.core.experiment import Context
from experiments.core.groups import network_id
from experiments.core.verdict import Seen, judge, settled
from experiments.fanout.labs import predicted, staged
from experiments.fanout.probe import EXPERIMENT, Fanout
from experiments.fanout.words import COUNTS
from experiments.measure.watch import Watcher
from experiments.show.reports import report_on
from tests.experiments.fanout.ideal_lab import BARE, recorded
from tests.experiments.overriding import overriding
from topologies.lab import started

pytestmark = pytest.mark.root

POINT = {"mode": "vxlan-l2pop", "hosts": 4}
FLOOD = "table=22"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Four hosts; controller and computer2 are the members of the network of half of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
        with started(staged(BARE, POINT)) as lab:
            yield lab


@pytest.fixture
def measure(lab, tmp_path):
    def measure(seed=1):
        context = Context(
            keep=lambda *_: None,
            path=lambda name: tmp_path / f"{seed}-{name}",
            watch=nullcontext,
            say=lambda _: None,
            seed=seed,
        )
        return Fanout(frames_each=1)(lab, POINT, context)

    return measure


@contextmanager
def busy_loops(many):
    """So many processes that want a processor all the time."""
    argv = (sys.executable, "-c", "while True: pass")
    loops = [subprocess.Popen(argv) for _ in range(many)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


def counts(measured):
    return {
        (row["share"], row["kind"]): {name: row[name] for name in (*COUNTS, "misdelivered")}
        for row in measured.rows
    }


def ideal():
    return {
        (row["share"], row["kind"]): {**{name: row[name] for name in COUNTS}, "misdelivered": 0}
        for row in predicted(BARE, (POINT,))
    }


def test_every_cell_matches_its_prediction_with_any_seed(measure):
    first, second = measure(seed=1), measure(seed=2)

    assert counts(first) == counts(second) == ideal()
    for measured in (first, second):
        assert measured.lost == 0, measured.facts
        interfaces = measured.more["interfaces"]
        assert len(interfaces) == 4 + 6
        assert all(row["counted"] == row["captured"] for row in interfaces)
        assert all(row["counted"] > 0 for row in interfaces), (
            "the positive control: packets without the markers of captures"
        )


def flooding(lab, change):
    """Override the flood flow of the first host for the network of half of the hosts."""
    network = lab.overlay.network_of[network_id(50)]
    flow = next(
        line
        for line in lab.run("controller", "ovs-ofctl", "dump-flows", "br-tun", FLOOD).splitlines()
        if f"set_field:{network.segmentation_id:#x}->tun_id" in line
        or f"load:{network.segmentation_id:#x}->" in line
    )
    vlan, actions = re.search(r"dl_vlan=(\d+) actions=(\S+)", flow).groups()

    match = f"{FLOOD},dl_vlan={vlan}"
    return overriding(lab, "controller", "br-tun", match, change(actions))


def tunnel_to(lab, host):
    network = lab.overlay.network_of[network_id(50)]
    name = tunnel_port_name(network.network_type, lab.overlay.host(host).local_ip)
    return lab.run("controller", "ovs-vsctl", "get", "Interface", name, "ofport").strip()


def test_a_copy_to_a_host_without_a_member_is_unneeded_and_refutes_the_prediction(
    lab, measure, tmp_path
):
    extra = tunnel_to(lab, "computer")
    with flooding(lab, lambda actions: f"{actions},output:{extra}"):
        measured = measure()

    found = counts(measured)
    for (share, kind), cell in ideal().items():
        more = int(share == 50)
        wanted = {
            **cell,
            **{name: cell[name] + more for name in ("copies_sent", "arrived", "unneeded")},
        }
        assert found[share, kind] == wanted
    assert measured.lost == 0
    report = report_on(recorded(tmp_path, (POINT,), lambda _: measured))
    assert report.is_refuted
    assert report.findings[:2] == (
        "4 of 8 cells match their prediction exactly (8 frames)",
        "vxlan-l2pop, 4 hosts, 2 with a member, ARP known: sent 2, predicted 1; arrived 2, "
        "predicted 1; unneeded 1, predicted 0; computer received 1 of 0 (and 3 more)",
    )


def test_a_wrong_network_is_refuted_and_trusted_also_on_a_busy_machine(lab, measure):
    missing = tunnel_to(lab, "computer2")
    watcher = Watcher(lab)
    with (
        flooding(lab, lambda actions: actions.replace(f",output:{missing}", "")),
        busy_loops(4),
        watcher.window(),
    ):
        measured = measure(seed=3)

    assert counts(measured) != ideal()
    windows = {"repeat 1, wrong": tuple(watcher.windows)}
    assert watcher.windows[0].cpu_idle < 0.2, "the loops take the processors"
    seen = Seen(repeats=1, lost=measured.lost, windows=windows, counted=windows)
    verdict = judge(seen, EXPERIMENT.thresholds)
    assert settled(asdict(verdict), is_refuted=True)["trusted"], (verdict.reasons, verdict.doubts)


def test_a_copy_that_is_not_sent_is_missing_and_its_host_named(lab, measure, tmp_path):
    missing = tunnel_to(lab, "computer2")
    with flooding(
        lab, lambda actions: actions.replace(f"output:{missing}", "drop").replace(",drop", "")
    ):
        measured = measure()

    found = counts(measured)
    nothing = dict.fromkeys((*COUNTS, "misdelivered"), 0)
    assert all(found[key] == (nothing if key[0] == 50 else cell) for key, cell in ideal().items())
    assert measured.facts["guests_without_end_frame"] == ["s50g3"]
    assert measured.lost == 0, "the network does not reach it: that is a result, not a doubt"
    report = report_on(recorded(tmp_path, (POINT,), lambda _: measured))
    assert report.is_refuted
    assert "computer2 received 0 of 1" in report.findings[1]
    assert "s50g3" in report.findings[2]
