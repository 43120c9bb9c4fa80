"""What the latency probe does to a real lab: each flush takes what it says, each path is the one it says."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from controller.model.names import int_port_name
from experiments.core.experiment import Context
from experiments.core.pairs import guests
from experiments.core.question import of_point
from experiments.latency.cold import Scene, colds, emptied
from experiments.latency.paths import guest_path, same_host_path, veth_path, vtep_path
from experiments.latency.probe import EXPERIMENT as LATENCY
from experiments.latency.probe import Pings
from experiments.measure.ping import Requests
from tests.labs import adopt_orphans, nothing_left
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SENT = Requests(count=30, interval_ms=2)  # far more than guests send of their own meanwhile
ONCE = Requests(count=1, wait_s=0.5)


@pytest.fixture
def home(tmp_path_factory, monkeypatch, need_root):
    """A place for labs of this test alone."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


def overlay_of(mode):
    return LATENCY.stage(LATENCY.narrow(load("article").overlay), {"mode": mode})


def pinged(lab, path, asked=ONCE):
    return asked.read(lab.attempt(path.node, *asked.argv(path.address)).stdout)


def found(lab):
    """What is known in the lab, looked up by other commands than the probe's."""
    source, target = guests(lab.overlay)
    flows = [
        line
        for host in (source.host, target.host)
        for bridge in ("br-int", "br-tun")
        for line in lab.run(host, "ovs-appctl", "dpif/dump-flows", bridge).splitlines()
        if source.mac_address in line and target.mac_address in line and "0x0800" in line
    ]
    ip = str(target.ipv4[0])
    far = str(lab.overlay.host(target.host).local_ip)
    return {
        "guest-arp": target.mac_address
        in lab.run(source.device_id, "ip", "-json", "neigh", "show", "to", ip),
        "learned-flow": target.mac_address
        in lab.run(source.host, "ovs-appctl", "bridge/dump-flows", "br-tun"),
        "megaflow": len(flows),
        "vtep-neighbour": far in lab.run(source.host, "ovs-appctl", "tnl/arp/show"),
    }


def test_each_flush_takes_what_it_says_and_is_made_good(home):
    with nothing_left(home), started(overlay_of("gre-mesh")) as lab:
        source, target = pair = guests(lab.overlay)
        path = guest_path(pair)
        scene = Scene(
            lab=lab,
            source=source,
            target=target,
            look=lambda node, *argv: lab.attempt(node, *argv).stdout,
        )
        as_raised = found(lab)
        # A guest's first IPv6 words may have taught the mesh already where it is.
        as_raised.pop("learned-flow")
        assert as_raised == {"guest-arp": False, "megaflow": 0, "vtep-neighbour": True}
        report = scene.as_raised()
        report.pop("far_guest_in_table_20")
        assert report == {
            "guest_arp_known": False,
            "megaflow_between_guests": False,
            "vtep_neighbour_known": True,
        }
        assert pinged(lab, path, Requests(count=3)).lost == 0

        levels = tuple(colds(scene))
        assert [cold.name for cold in levels] == [
            "guest-arp",
            "learned-flow",
            "megaflow",
            "vtep-neighbour",
        ]
        *flushed, vtep = levels
        seen = {}
        for cold in flushed:
            before = found(lab)
            assert all(before.values()), f"not all was known before {cold.name}: {before}"

            def ping(cold=cold):
                seen[cold.name] = {what for what, known in found(lab).items() if not known}
                return pinged(lab, path)

            report = emptied(cold, ping, partial(pinged, lab, path))
            assert report["known_when_warm_again"], cold.name
        # One thing is cold at a time.
        assert seen.pop("learned-flow") - {"megaflow"} == {"learned-flow"}
        assert seen == {"guest-arp": {"guest-arp"}, "megaflow": {"megaflow"}}
        assert_dropped(lab, path, vtep)
        assert pinged(lab, path, Requests(count=5)).lost == 0, "the far VTEP was not told again"


def assert_dropped(lab, path, vtep):
    """A packet that meets no MAC of its VTEP does not come back.

    Looking takes long enough for a guest's chatter to have OVS ask for it, now and then.
    """
    lost = []

    def ping():
        lost.append(pinged(lab, path).lost)

    for _ in range(3):
        assert found(lab)["vtep-neighbour"]
        report = emptied(vtep, ping, partial(pinged, lab, path))
        assert report["known_when_warm_again"]
        if lost[-1]:
            return
    raise AssertionError(f"answered each time: {lost}")


def counted(lab, node, interface):
    """Frames that an interface took in."""
    return int(lab.run(node, "cat", f"/sys/class/net/{interface}/statistics/rx_packets"))


def test_each_path_is_the_one_it_says(home):
    with nothing_left(home), started(overlay_of("flat")) as lab:
        pair = guests(lab.overlay)
        source = pair[0]
        at = {
            "br-int": (source.host, int_port_name(source.id)),
            "wire": ("underlay", "host1"),
        }

        def passed(path):
            """Where at least as many frames as were sent came through."""
            assert pinged(lab, path, Requests(count=2)).lost == 0
            before = {where: counted(lab, *place) for where, place in at.items()}
            assert pinged(lab, path, SENT).lost == 0
            return {
                where
                for where, place in at.items()
                if counted(lab, *place) - before[where] >= SENT.count
            }

        assert lab.overlay.hosts[0].name == source.host, "host1 is the source's wire"
        assert passed(guest_path(pair)) == {"br-int", "wire"}
        assert passed(same_host_path(lab, pair)) == {"br-int"}
        assert passed(vtep_path(lab, pair)) == {"wire"}
        with veth_path(lab, pair) as veth:
            assert passed(veth) == set()
            assert "direct0" in lab.run(source.device_id, "ip", "link", "show")
        assert "direct0" not in lab.run(source.device_id, "ip", "link", "show")


def test_a_lab_with_l2population_is_probed_from_cold_to_cold(home, tmp_path):
    probe = Pings(
        pings=6,
        warmup_pings=3,
        table=(Requests(count=5, interval_ms=0),),
        baseline_pings=3,
        cold_repeats=2,
        stages_in=(),
    )
    context = Context(
        keep=lambda name, text: (tmp_path / name).write_text(text) and None,
        path=lambda name: Path(tmp_path, name),
        watch=nullcontext,
        say=print,
        seed=1,
    )
    point = {"mode": "vxlan-l2pop-arp"}

    with started(overlay_of("vxlan-l2pop-arp")) as lab:
        measured = probe(lab, point, context)

    assert measured.facts["cold_as_raised"] == {
        "guest_arp_known": False,
        "megaflow_between_guests": False,
        "far_guest_in_table_20": True,
        "vtep_neighbour_known": True,
    }
    lost = {row["cold"] for row in measured.rows if row["rtt_ms"] is None}
    assert lost <= {"vtep-neighbour"}
    (vtep,) = measured.facts["flushed"].pop("vtep-neighbour")
    assert (vtep["known_after_ping"], vtep["known_when_warm_again"]) == (True, True)
    assert measured.facts["flushed"].pop("learned-flow").startswith("l2population states")
    for level, times in measured.facts["flushed"].items():
        assert [each.get("known_when_warm_again") for each in times] == [True, True], level
        assert len(of_point(measured.rows, {"cold": level})) == 2
    assert "tnl/neigh/show" in (tmp_path / "looked-up.txt").read_text()
