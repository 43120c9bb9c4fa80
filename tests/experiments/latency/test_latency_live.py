"""The flushes and paths of the latency probe in a real lab."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from controller.model.names import int_port_name
from experiments.core.experiment import Context
from experiments.core.pairs import guests
from experiments.latency.caches import Scene, caches, ping_when_empty
from experiments.latency.pings import Pinger, guest_path, same_host_path, veth_path, vtep_path
from experiments.latency.probe import EXPERIMENT as LATENCY
from experiments.latency.probe import Pings
from experiments.measure.ping import Requests
from tests.labs import adopt_orphans, nothing_left
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SENT = Requests(count=30, interval_ms=2)  # many more than guests send unasked meanwhile
ONCE = Requests(count=1, wait_s=0.5)


@pytest.fixture
def home(tmp_path_factory, monkeypatch, need_root):
    """A folder for the labs of this test."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


def overlay_of(mode):
    return LATENCY.stage(LATENCY.narrow(load("article").overlay), {"mode": mode})


def pinged(lab, path, asked=ONCE):
    return asked.read(lab.attempt(path.node, *asked.argv(path.address)).stdout)


def found(lab):
    """Which caches are filled, looked up with other commands than those of the probe."""
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


def stop_background_traffic(lab):
    """Guests send only the packets of the test, so that nothing else fills a cache.

    Five seconds after a ping its target checks its ARP entry with a request to the other guest,
    from which br-tun learns the flow again that the test deleted: on a busy machine, between the
    last lookup of the probe and that of the test.  IPv6 sends at times of its own.
    """
    for port in guests(lab.overlay):
        for setting in (
            "net.ipv4.neigh.eth0.delay_first_probe_time=3600",
            "net.ipv6.conf.eth0.disable_ipv6=1",
        ):
            lab.run(port.device_id, "sysctl", "-qw", setting)


def test_each_flush_empties_only_its_cache_which_is_filled_again(home):
    with nothing_left(home), started(overlay_of("gre-mesh")) as lab:
        pair = guests(lab.overlay)
        path = guest_path(pair)
        scene = Scene(Pinger(lab), *pair)
        at_start = found(lab)
        # The mesh may have learned from a guest's first IPv6 packets.
        at_start.pop("learned-flow")
        assert at_start == {"guest-arp": False, "megaflow": 0, "vtep-neighbour": True}
        known = scene.known_at_start()
        known.pop("far_guest_in_table_20")
        assert known == {
            "guest_arp_known": False,
            "megaflow_between_guests": False,
            "vtep_neighbour_known": True,
        }
        stop_background_traffic(lab)
        assert pinged(lab, path, Requests(count=3)).lost == 0

        every = tuple(caches(scene))
        assert [cache.name for cache in every] == [
            "guest-arp",
            "learned-flow",
            "megaflow",
            "vtep-neighbour",
        ]
        *flushed, vtep = every
        seen = {}
        for cache in flushed:
            before = found(lab)
            assert all(before.values()), f"not all caches were filled before {cache.name}: {before}"

            def ping(cache=cache):
                seen[cache.name] = {what for what, known in found(lab).items() if not known}
                return pinged(lab, path)

            facts = ping_when_empty(cache, ping, partial(pinged, lab, path))
            assert facts["known_after_refill"], cache.name
        # One cache is empty at a time.
        assert seen.pop("learned-flow") - {"megaflow"} == {"learned-flow"}
        assert seen == {"guest-arp": {"guest-arp"}, "megaflow": {"megaflow"}}
        assert_dropped(lab, path, vtep)
        assert pinged(lab, path, Requests(count=5)).lost == 0, "the far VTEP was not set again"


def assert_dropped(lab, path, vtep):
    """A ping without the MAC of the far VTEP is lost.

    Looking it up takes so long that a packet of a guest may make OVS resolve it, now and then.
    """
    lost = []

    def ping():
        lost.append(pinged(lab, path).lost)

    for _ in range(3):
        assert found(lab)["vtep-neighbour"]
        facts = ping_when_empty(vtep, ping, partial(pinged, lab, path))
        assert facts["known_after_refill"]
        if lost[-1]:
            return
    raise AssertionError(f"answered each time: {lost}")


def counted(lab, node, interface):
    """Frames that an interface received."""
    return int(lab.run(node, "cat", f"/sys/class/net/{interface}/statistics/rx_packets"))


def test_pings_of_each_path_pass_its_interfaces(home):
    with nothing_left(home), started(overlay_of("flat")) as lab:
        pair = guests(lab.overlay)
        source = pair[0]
        at = {
            "br-int": (source.host, int_port_name(source.id)),
            "wire": ("underlay", "host1"),
        }

        def passed(path):
            """The places that at least as many frames passed as were sent."""
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


def test_the_probe_measures_a_lab_with_l2population(home, tmp_path):
    probe = Pings(
        pings=6,
        warmup_pings=3,
        conditions=(Requests(count=5, interval_ms=0),),
        baseline_pings=3,
        cache_repeats=2,
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

    assert measured.facts["known_at_start"] == {
        "guest_arp_known": False,
        "megaflow_between_guests": False,
        "far_guest_in_table_20": True,
        "vtep_neighbour_known": True,
    }
    lost = {row["cache"] for row in measured.rows if row["rtt_ms"] is None}
    assert lost <= {"vtep-neighbour"}
    (vtep,) = measured.facts["flushed"].pop("vtep-neighbour")
    assert (vtep["known_after_ping"], vtep["known_after_refill"]) == (True, True)
    assert measured.facts["flushed"].pop("learned-flow").startswith("l2population installs")
    for cache, times in measured.facts["flushed"].items():
        assert [each.get("known_after_refill") for each in times] == [True, True], cache
        assert sum(row["cache"] == cache for row in measured.rows) == 2
    assert "tnl/neigh/show" in (tmp_path / "looked-up.txt").read_text()
