"""Ctrl-C during `plug`: the port can be unplugged and plugged again."""

import pytest

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
    """`plug` as a process of its own that is interrupted at `place`."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            attach(name).plug(port_id)


@pytest.mark.parametrize("scenario", ["article", "article-dhcp"])  # the latter: hybrid plug
def test_an_interrupted_plug_can_be_undone_and_repeated(home, scenario):
    with nothing_left(home), started(load(scenario).overlay) as lab:
        new, second = made(lab, "late"), made(lab, "ServerA")
        before = lab.run("controller", "ls", "/sys/class/net").split()
        for port_id in (new, second):
            for place in STEPS:
                broken_off(lab.name, port_id, place)
                attach(lab.name).unplug(port_id)
                assert lab.run("controller", "ls", "/sys/class/net").split() == before, place
        assert "late" not in lab.nodes()
        attach(lab.name).plug(new)
        attach(lab.name).plug(second)
        assert pinged(lab, "late", SERVER_B) == 1
        assert pinged(lab, "ServerA", SERVER_B) == 1
