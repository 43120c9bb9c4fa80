"""Routed underlays alive: guests ping, spines share VXLAN and not GRE, hosts come and go."""

import json
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.errors import HostError
from controller.model.modes import parse_mode, with_mode
from controller.model.underlay import Shape, Underlay
from experiments.core.experiment import Context
from experiments.ecmp.probe import EXPERIMENT as ECMP
from experiments.filter import labs as filter_labs
from experiments.filter.probe import EXPERIMENT as FILTER
from tests.labs import ROOT, CommandLine, adopt_orphans, environment, nothing_left, pinged
from topologies.lab import attach, started
from topologies.scenario import load as scenario

pytestmark = pytest.mark.root


@pytest.fixture
def home(tmp_path_factory, monkeypatch, need_root):
    """A place for labs of this test alone."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


@pytest.fixture
def fabric():
    return scenario.load("leaf-spine").overlay


def context():
    return Context(
        keep=lambda *_: None, path=lambda _: None, watch=nullcontext, say=lambda _: None, seed=5
    )


def test_a_leaf_spine_starts_and_hosts_are_added_and_removed(home, fabric):
    with nothing_left(home), started(fabric) as lab:
        assert pinged(lab, "red1", "10.1.0.14", 1) == 1  # the first packet already
        assert pinged(lab, "blue4", "10.2.0.11", 3) == 3
        assert lab.run("leaf1", "sysctl", "-n", "net.ipv4.fib_multipath_hash_policy") == "1\n"
        assert lab.run("leaf1", "ip", "route", "show", "default").count("nexthop") == 2
        one = replace(fabric.hosts[0], name="late", local_ip=ip_address("192.0.2.99"))
        for _ in range(2):
            lab.add_host(one)
            assert pinged(lab, "late", "192.0.2.14") == 1
            assert {"leaf5", "spine1"} <= set(attach(lab.name).net.nameToNode)
            lab.remove_host("late")
            assert "leaf5" not in lab.nodes()
        assert pinged(lab, "red2", "10.1.0.13") == 1


def test_a_wan_is_crossed_hop_by_hop_also_with_linux_bridges(home, fabric):
    wan = replace(fabric, underlay=Underlay(shape=Shape.WAN, wan_mtu=1492), underlay_mtu=1500)
    with started(with_mode(wan, parse_mode("kvxlan-mesh"))) as lab:
        for target in ("10.1.0.12", "10.1.0.13", "10.1.0.14"):
            assert pinged(lab, "red1", target, 3) == 3
        # node1 and node2 have four routers between them, node1 and node3 three.
        hops = {
            vtep: lab.run("node1", "ping", "-nc1", "-W2", vtep)
            for vtep in ("192.0.2.12", "192.0.2.13")
        }
        assert "ttl=60" in hops["192.0.2.12"]
        assert "ttl=61" in hops["192.0.2.13"]
        sized = {
            size: lab.attempt(
                "node1", "ping", "-nc1", "-W2", "-Mdo", f"-s{size - 28}", "192.0.2.12"
            )
            for size in (1492, 1493)
        }
        assert sized[1492].returncode == 0
        assert "mtu = 1492" in sized[1493].stdout  # ICMP from transit1


@pytest.mark.parametrize(("mode", "is_spread"), [("vxlan-mesh", True), ("gre-mesh", False)])
def test_vxlan_flows_use_both_spines_by_port_and_gre_one(home, fabric, mode, is_spread):
    point = {"mode": mode, "spines": 2}
    with started(ECMP.stage(fabric, point)) as lab:
        found = ECMP.quick(lab, point, context())
    assert found.lost == 0
    by_ports = [row for row in found.rows if row["hash_policy"] == 1 and row["flows"] == 512]
    # The kernel's hash has a new seed at every boot: 256 on each spine, give or take 11.
    assert all((row["least"] >= 256 - 6 * 11) is is_spread for row in by_ports)
    assert all(row["split"] == 0 for row in found.rows)
    of_vteps = [row for row in found.rows if row["hash_policy"] == 0]
    assert all((row["least"], row["most"]) == (0, row["flows"]) for row in of_vteps)


def test_a_filter_separates_tenants_by_inner_headers_only(home, fabric):
    point = {"mode": "vxlan-mesh"}
    with started(FILTER.stage(fabric, point)) as lab:
        found = FILTER.quick.__class__(rounds=1)(lab, point, context())
    keys = ("rule", "what", "count", "forwarded")
    wanted = filter_labs.predicted(fabric, (point,))
    assert [{k: row.get(k) for k in keys} for row in found.rows] == [
        {k: row.get(k) for k in keys} for row in wanted
    ]
    assert all(row["us_per_packet"] > 0 for row in found.more["cost"])


def test_without_netem_a_delay_is_refused_before_the_start(home, tmp_path, fabric):
    """For real where the kernel has no netem; where it has, packets are delayed."""
    slow = replace(fabric, underlay=replace(fabric.underlay, delay_ms=20.0))
    tried = ("unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
        with started(slow) as lab:
            assert "netem" in lab.run("node1", "tc", "qdisc", "show", "dev", "underlay")
            shown = lab.run("red1", "ping", "-nqc3", "-i0.2", "10.1.0.14")
            assert float(shown.rpartition("= ")[2].partition("/")[0]) >= 40
        return
    with (
        nothing_left(home),
        pytest.raises(HostError, match="no kernel module sch_netem"),
        started(slow),
    ):
        pass
    text = (ROOT / "topologies/scenarios/leaf-spine.yaml").read_text()
    (tmp_path / "slow.yaml").write_text(text.replace("spines: 2", "spines: 2\n  loss_percent: 1"))
    with CommandLine(home) as line:
        done = line.run("up", str(tmp_path / "slow.yaml"), "--detach")
        assert (done.returncode, done.stdout) == (4, "")
        assert "no kernel module sch_netem" in done.stderr
        assert json.loads(line.run("status", "--format", "json").stdout) == {"labs": []}


def test_netem_stays_after_ovs_has_started(home, fabric, monkeypatch):
    """OVS takes every queue away from a port that it is given, unless it is told to leave it."""
    stand_in = (
        "tc",
        "qdisc",
        "add",
        "dev",
        "underlay",
        "root",
        "tbf",
        "rate",
        "1gbit",
        "burst",
        "100k",
        "latency",
        "10ms",
    )
    monkeypatch.setattr("topologies.nodes.wires.impairments", lambda *_: [stand_in])
    monkeypatch.setattr("topologies.nodes.routers.assert_able", lambda _: None)
    slow = replace(fabric, hosts=fabric.hosts[:2], ports=(), underlay=Underlay(delay_ms=1.0))
    with started(slow) as lab:
        assert "tbf" in lab.run("node1", "tc", "qdisc", "show", "dev", "underlay")


@pytest.mark.parametrize(
    "topology", ["leaf-spine,scenario=article,spines=3", "wan,scenario=article"]
)
def test_mn_starts_the_topologies(home, topology):
    argv = ["mn", "--custom", "topologies/overlay.py", "--topo", topology, "--test", "pingall"]
    with nothing_left(home):
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
            env=environment(home),
        )
    assert "Results: 0% dropped (2/2 received)" in done.stdout + done.stderr
