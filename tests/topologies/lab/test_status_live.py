"""`status` names every fault, whatever is dead or stopped, and the controller corrects what is its own.

While the controller is stopped it cannot hide a fault by correcting it.
"""

import json
import os
import signal
import time
from contextlib import contextmanager, suppress

import pytest

from controller.flows.ports import add_port_args, guest_port
from controller.model.modes import parse_mode, with_mode
from controller.model.names import int_port_name, tap_name
from controller.system.process import is_alive
from controller.system.waiting import scaled
from tests.labs import CommandLine, pinged, wait_for
from topologies.lab import started
from topologies.lab.status import ANSWER_S, status_of
from topologies.ledger import from_json
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SERVER_B = "172.16.166.125"
CORRECTED_S = 20


@pytest.fixture
def home(tmp_path, monkeypatch, need_root):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    return tmp_path / "labs"


def found(lab):
    return [f"{each['where']}: {each['found']}" for each in status_of(lab.name)["problems"]]


def is_named(lab, *words):
    return any(all(word in line for word in words) for line in found(lab))


def await_healthy(lab):
    last = []

    def is_healthy():
        last[:] = found(lab)
        return not last

    with suppress(AssertionError):
        wait_for(is_healthy, "health", CORRECTED_S)
    assert last == []


@contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def try_faults(lab, *faults, undo=()):
    """The control before them, each by its name, and health again, by `undo` or the controller."""
    assert found(lab) == []
    before = corrections(lab)
    with stopped(lab.ledger.living("controller").pid):
        for fault, _ in faults:
            lab.run("computer", *fault.split())
        lines = found(lab)
    assert any("the controller" in line and "is stopped by a signal" in line for line in lines)
    for fault, word in faults:
        named = [line for line in lines if line.startswith("host 'computer': ") and word in line]
        assert named, (fault, lines)
    assert not any(line.startswith("host 'controller'") for line in lines), lines
    for each in undo:
        lab.run("computer", *each.split())
    await_healthy(lab)
    assert undo or corrections(lab) != before, "corrected without a word"


def corrections(lab):
    (agent,) = (each for each in status_of(lab.name)["agents"] if each["host"] == "computer")
    return agent["corrected"]


def daemon(lab, name):
    (entry,) = (each for each in lab.ledger.entries("process") if each["role"] == name)
    return from_json(entry)


def test_open_vswitch(home):
    overlay = load("article").overlay
    with started(overlay, name="faults") as lab:
        port = next(each for each in overlay.ports if each.host == "computer")
        qvo, gre, vxlan = int_port_name(port.id), "gre-c0a8960a", "vxlan-c0a8960a"
        try_faults(
            lab,
            ("ovs-ofctl del-flows br-tun", "flows of br-tun"),
            ("ovs-ofctl mod-flows br-int table=0,actions=drop", "flows of br-int"),
            (f"ovs-vsctl --no-wait set Port {qvo} tag=77", f"VLAN tag of {qvo} is 77"),
            (f"ovs-vsctl del-port br-tun {gre}", f"port {gre} of br-tun is missing"),
            (f"ovs-vsctl set Interface {vxlan} options:remote_ip=192.168.150.77", "remote_ip"),
            ("ovs-vsctl del-port br-int patch-tun", "port patch-tun of br-int is missing"),
            ("ovs-vsctl set-fail-mode br-int standalone", "fail_mode of br-int is standalone"),
        )
        assert pinged(lab, "ServerA", SERVER_B) == 1
        try_faults(
            lab,
            ("ip link set underlay down", "underlay is down"),
            ("ip addr del 192.168.150.11/24 dev br-vtep", "br-vtep has no address"),
            ("ip link set br-vtep down", "br-vtep is down"),
            (f"ip link set {qvo} down", f"{qvo} is down"),
            ("ovs-ofctl add-flow br-tun priority=99,actions=drop", "1 not from the controller"),
            undo=(
                "ip link set underlay up",
                "ip link set br-vtep up",
                "ip addr add 192.168.150.11/24 dev br-vtep",
                f"ip link set {qvo} up",
                "ovs-ofctl --strict del-flows br-tun priority=99",
            ),
        )
        _guest_without_port(lab, port)
        assert pinged(lab, "ServerA", SERVER_B) == 1
        _dead_and_stopped(lab)


def _guest_without_port(lab, port):
    name = int_port_name(port.id)
    assert found(lab) == []
    lab.run("computer", "ovs-vsctl", "del-port", "br-int", name)
    assert is_named(
        lab, "host 'computer'", f"{name}, the port of guest 'ServerB', is not on br-int"
    )
    lab.net["computer"].plug(add_port_args(guest_port(port), None))
    await_healthy(lab)


def _dead_and_stopped(lab):
    for name in ("ovs-vswitchd", "ovsdb-server"):
        process = daemon(lab, f"{name} of computer")
        with stopped(process.pid), stopped(lab.ledger.living("controller").pid):
            begin = time.monotonic()
            lines = found(lab)
            assert time.monotonic() - begin < scaled(ANSWER_S)
            assert (
                f"host 'computer': {name}, process {process.pid}, is stopped by a signal" in lines
            )
            assert not any("host 'controller'" in line for line in lines)
        await_healthy(lab)
    process = daemon(lab, "ovs-vswitchd of computer")
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(process), "death")
    assert is_named(lab, "host 'computer'", f"ovs-vswitchd, process {process.pid}, has ended")


def test_linux_bridges(home):
    overlay = with_mode(load("article").overlay, parse_mode("kvxlan-l2pop"))
    line = CommandLine(home)
    with started(overlay, name="faults") as lab:
        network, port = overlay.networks[0], overlay.ports[1]
        bridge, tap = f"brq{network.id[:11]}", tap_name(port.id)
        assert pinged(lab, "ServerA", SERVER_B) == 1
        other = "192.168.150.10"
        for faults in (
            (
                ("ip link set vxlan-111 down", "interface vxlan-111 is down"),
                (f"ip link set {bridge} down", f"interface {bridge} is down"),
                (f"ip link set {tap} down", f"interface {tap} is down"),
                ("ip link set vxlan-111 mtu 1000", "MTU of vxlan-111 is 1000"),
                (f"ip link set {tap} mtu 1000", f"MTU of {tap} is 1000"),
            ),
            (
                ("ip link set vxlan-111 nomaster", f"vxlan-111 is no port of {bridge}"),
                (f"ip link set {tap} nomaster", f"{tap} is no port of {bridge}"),
                (f"bridge fdb del 00:00:00:00:00:00 dev vxlan-111 dst {other}", "no FDB entry"),
                ("ip neigh flush dev vxlan-111 nud permanent", "vxlan-111 has no neighbour"),
            ),
            (("ip link set vxlan-111 type vxlan learning", "vxlan-111 has other settings"),),
            (("ip link del vxlan-111", "vxlan-111 is missing"),),
        ):
            try_faults(lab, *faults)
            assert pinged(lab, "ServerA", SERVER_B) == 1, faults
        with stopped(lab.ledger.living("controller").pid):
            lab.run("computer", "ip", "link", "set", "vxlan-111", "down")
            done = line.run("status", "faults")
            assert done.returncode == 1
            assert (
                "wrong: host 'computer': interface vxlan-111 is down. The controller" in done.stdout
            )
            shown = line.run("status", "faults", "--format", "json")
            assert (shown.returncode, json.loads(shown.stdout)["healthy"]) == (1, False)
        await_healthy(lab)
        done = line.run("status", "faults")
        assert done.returncode == 0
        assert "corrected by the controller: host 'computer'" in done.stdout
        lab.run("computer", "ip", "link", "set", "underlay", "down")
        assert is_named(lab, "host 'computer'", "underlay is down")
