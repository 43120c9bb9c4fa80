"""Guests that move, and guests and hosts that are added again at once."""

import json
import os
import signal
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from controller.model.errors import LabError, ModelError
from controller.model.modes import parse_mode, with_mode
from tests.labs import pinged
from topologies.lab import hosts, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

ADDRESS = "172.16.166.117"  # ServerA's


@pytest.fixture
def home(tmp_path, monkeypatch, need_root):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    return tmp_path / "labs"


def article(mode):
    return with_mode(load("article").overlay, parse_mode(mode))


def port_of(lab, guest):
    return next(port for port in lab.overlay.ports if port.device_id == guest)


def has_device(lab, host, port):
    links = json.loads(lab.run(host, "ip", "-j", "link", "show"))
    return lab.overlay.device_of(port) in {link["ifname"] for link in links}


def test_a_guest_that_cannot_move_stays_on_its_host(home):
    """The host lacks the physical network, its switch is dead, the guest is not plugged."""
    with started(load("type-drivers").overlay) as lab:
        flat = port_of(lab, "flat1")
        with pytest.raises(ModelError, match="physical network 'physnet1'"):
            lab.move(flat.id, "node3")
        assert pinged(lab, "flat1", "10.0.0.12") == 1

        tunnelled = port_of(lab, "geneve1")
        server = lab.run("node3", "cat", "/var/run/openvswitch/ovsdb-server.pid")
        os.kill(int(server), signal.SIGKILL)
        with pytest.raises(LabError, match="node3"):
            lab.move(tunnelled.id, "node3")
        assert has_device(lab, "node1", tunnelled)
        lab.unplug(tunnelled.id)
        assert not has_device(lab, "node1", tunnelled)
        with pytest.raises(LabError, match="has no interface"):
            lab.move(tunnelled.id, "node2")


def test_a_move_that_the_api_refuses_is_undone(home, monkeypatch):
    with started(article("kvxlan-mesh")) as lab:
        port = port_of(lab, "ServerA")
        asked = lab.api

        def refusing(method, path, body=None):
            if method == "PUT":
                raise LabError("no", where="API", allowed="yes", do="-")
            return asked(method, path, body)

        monkeypatch.setattr(lab, "api", refusing)
        with pytest.raises(LabError, match="no"):
            lab.move(port.id, "computer")
        monkeypatch.undo()
        assert has_device(lab, "controller", port)
        lab.move(port.id, "computer")
        assert has_device(lab, "computer", port)
        lab.await_ready()
        assert pinged(lab, "ServerB", ADDRESS, 3) == 3


@pytest.mark.parametrize("mode", ["vxlan-l2pop-arp", "kvxlan-mesh"])
def test_a_guest_that_is_plugged_again_is_reachable_at_once(mode, home):
    """The first packet arrives, each time."""
    with started(article(mode)) as lab:
        port = port_of(lab, "ServerA")
        for _ in range(4):
            lab.unplug(port.id)
            lab.plug(port.id)
            assert pinged(lab, "ServerB", ADDRESS, 1) == 1


def test_the_links_of_a_removed_host_are_gone_at_once(home, monkeypatch):
    """The kernel removes them some time after their namespace; a new host may need the name at once."""
    with started(article("kvxlan-mesh")) as lab:
        third = replace(lab.overlay.hosts[0], name="third", local_ip=ip_address("192.168.150.12"))
        left = []
        for _ in range(2):
            lab.add_host(third)
            # An open namespace is kept, as if the kernel were slow.
            with monkeypatch.context() as patched, Path(f"/proc/{lab.pid('third')}/ns/net").open():
                patched.setattr(
                    hosts, "await_wired", lambda lab: left.append(lab.run("underlay", "ip", "link"))
                )
                lab.remove_host("third")
        assert [("host2@" in each, "host3@" in each) for each in left] == [(True, False)] * 2
        lab.await_ready()
