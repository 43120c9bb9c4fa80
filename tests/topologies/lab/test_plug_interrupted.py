"""`plug` that is interrupted, killed, or meets another one: nothing is half-made, one wins."""

import os
import threading
from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.errors import LabError, OverlayError
from tests.labs import adopt_orphans, nothing_left, pinged
from topologies.lab import attach, started
from topologies.nodes.compute import ComputeHost
from topologies.nodes.nodes import Guest
from topologies.nodes.wires import Wire
from topologies.scenario.load import load

pytestmark = pytest.mark.root

STEPS = ((Wire, "makeIntfPair"), (Guest, "set_up"), (ComputeHost, "plug"))
SERVER_B = "172.16.166.125"


@pytest.fixture
def home(tmp_path, monkeypatch):
    adopt_orphans()
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path))
    return tmp_path


def made(lab, guest):
    """A port of the article's network for `guest`, on the host of ServerA."""
    body = {
        "network_id": lab.overlay.networks[0].id,
        "device_id": guest,
        "binding:host_id": "controller",
    }
    return lab.api("POST", "/v2.0/ports", {"port": body})["port"]["id"]


def broken_off(name, port_id, place):
    """`plug` as a process of its own that is interrupted at `place`, once: its clean-up is not."""
    with pytest.MonkeyPatch.context() as patch:

        def interrupted(*_, **__):
            patch.undo()
            raise KeyboardInterrupt

        patch.setattr(*place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            attach(name).plug(port_id)


def killed(name, port_id, place):
    """`plug` as a process of its own that is killed at `place`."""
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*place, lambda *_, **__: os._exit(9))
            attach(name).plug(port_id)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("scenario", ["article", "article-dhcp"])  # the latter: hybrid plug
def test_an_interrupted_plug_leaves_nothing_and_can_be_repeated(home, scenario):
    with nothing_left(home), started(load(scenario).overlay) as lab:
        new, second = made(lab, "late"), made(lab, "ServerA")
        before = lab.run("controller", "ls", "/sys/class/net").split()
        for port_id in (new, second):
            for place in STEPS:
                broken_off(lab.name, port_id, place)
                assert lab.run("controller", "ls", "/sys/class/net").split() == before, place
                killed(lab.name, port_id, place)
                attach(lab.name).unplug(port_id)
                assert lab.run("controller", "ls", "/sys/class/net").split() == before, place
        assert "late" not in lab.nodes()
        attach(lab.name).plug(new)
        attach(lab.name).plug(second)
        assert pinged(lab, "late", SERVER_B) == 1
        assert pinged(lab, "ServerA", SERVER_B) == 1


def at_once(lab, *changes):
    """What each change answers, begun at the same time over objects of their own."""
    ready, answers = threading.Barrier(len(changes)), {}

    def run(number, change, *args):
        own = attach(lab.name)
        ready.wait(10)
        try:
            answers[number] = getattr(own, change)(*args)
        except OverlayError as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=(n, *each)) for n, each in enumerate(changes)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return [answers[number] for number in range(len(changes))]


def status_of(lab, port_id):
    return lab.api("GET", f"/v2.0/ports/{port_id}")["port"]["status"]


def test_changes_at_once(home):
    with nothing_left(home), started(load("article").overlay) as lab:
        one, two, twice, gone = (made(lab, guest) for guest in ("late", "late", "again", "gone"))

        # Two ports of one guest: both are plugged, each with an interface of its own.
        assert at_once(lab, ("plug", one), ("plug", two)) == [None, None]
        assert {status_of(lab, each) for each in (one, two)} == {"ACTIVE"}
        assert "eth1" in lab.run("late", "ls", "/sys/class/net").split()

        # One port: one wins.
        answers = at_once(lab, ("plug", twice), ("plug", twice), ("plug", twice))
        errors = [each for each in answers if each is not None]
        assert len(errors) == 2
        assert all(f"port {twice} is plugged already" in str(error) for error in errors)

        # A process that has had its object all the time sees what others have changed.
        at_once(lab, ("unplug", one), ("unplug", twice))
        assert status_of(lab, one) == "DOWN"
        lab.plug(one)
        assert pinged(lab, "late", SERVER_B) == 1

        # The port is deleted while it is plugged: an error, and nothing is left.
        processes = lab.ledger.processes()
        with pytest.MonkeyPatch.context() as patch:
            real = Guest.set_up

            def deleted(self, *args):
                patch.undo()
                lab.api("DELETE", f"/v2.0/ports/{gone}")
                real(self, *args)

            patch.setattr(Guest, "set_up", deleted)
            with pytest.raises(LabError, match="could not be found"):
                attach(lab.name).plug(gone)
        assert "gone" not in lab.nodes()
        assert lab.ledger.processes() == processes

        # Two hosts, one of them twice; then the same hosts are removed.
        third, fourth = (
            replace(lab.overlay.hosts[0], name=name, local_ip=ip_address(ip), written_ip="")
            for name, ip in (("third", "192.168.150.30"), ("fourth", "192.168.150.31"))
        )
        hosts = lab.overlay.hosts
        answers = at_once(lab, *(("add_host", each) for each in (third, fourth, third)))
        assert sorted("used 2 times" in str(each) for each in answers) == [False, False, True]
        assert {third, fourth} < set(lab.overlay.hosts)
        answers = at_once(lab, *(("remove_host", each) for each in ("third", "fourth", "third")))
        assert sorted("no host 'third'" in str(each) for each in answers) == [False, False, True]
        assert lab.overlay.hosts == hosts
