"""Servers and hosts that are added and removed by name: they work at once, and nothing is half-made."""

import json
import os

import pytest

from controller.model.additions import new_server
from controller.model.errors import LabError, ModelError, UsageError
from controller.model.modes import parse_mode, with_mode
from tests.labs import CommandLine, adopt_orphans, nothing_left, pinged, stats
from topologies.lab import attach, hosts, started
from topologies.lab.base import LabBase
from topologies.lab.status import status_of
from topologies.nodes.compute import ComputeHost
from topologies.nodes.nodes import Guest
from topologies.nodes.wires import Wire
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SERVER_A, SERVER_B = "172.16.166.117", "172.16.166.125"
NETWORK = {"network": "vxlan_net"}
SERVER_STEPS = ((Wire, "makeIntfPair"), (Guest, "set_up"), (ComputeHost, "plug"))
HOST_STEPS = ((ComputeHost, "bring_up"), (LabBase, "await_ready"))  # before and after the agent


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    adopt_orphans()
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("labs")
        patch.setenv("OVERLAYLAB_RUN", str(home))
        yield home


@pytest.fixture(scope="module")
def lab(home):
    overlay = with_mode(load("article").overlay, parse_mode("vxlan-l2pop-arp"))
    with nothing_left(home), started(overlay) as lab:
        yield lab


def processes(lab):
    """Those of the lab, without the programs by which the controller reads the switches.

    Such a program may begin and end between two readings of the controller's children, but it is
    not there at each of three looks.
    """
    controller = lab.ledger.living("controller").pid
    before = {pid for pid, parent, _ in stats() if parent == controller}
    found = set.intersection(*(set(lab.ledger.processes()) for _ in range(3)))
    reads = before | {pid for pid, parent, _ in stats() if parent == controller}
    return {each for each in found if each.pid not in reads}


def there(lab):
    """What a change could leave: overlay, nodes, processes, and the interfaces in every node."""
    return {
        "overlay": lab.overlay,
        "nodes": lab.nodes(),
        "processes": processes(lab),
        **{name: sorted(lab.run(name, "ls", "/sys/class/net").split()) for name in lab.nodes()},
    }


def test_a_server_on_a_new_host_is_reached_at_once_and_removed_with_it(lab):
    before, wanted = there(lab), new_server(lab.overlay, "late", host="computer", **NETWORK)
    address = str(wanted.fixed_ips[0])
    assert pinged(lab, "ServerA", address) == 0  # so that the replies below are its own

    host = lab.add_new_host("third")
    assert str(host.local_ip) == "192.168.150.12"
    assert "192.168.150.12" in lab.run("controller", "ovs-appctl", "tnl/neigh/show")
    port = lab.add_server("late", host="third", **NETWORK)
    assert (port.mac_address, port.fixed_ips) == (wanted.mac_address, wanted.fixed_ips)
    assert [pinged(lab, "late", each) for each in (SERVER_A, SERVER_B)] == [1, 1]
    assert pinged(lab, "ServerA", address) == 1
    status = status_of(lab.name)
    assert status["healthy"], status["problems"]
    assert {"late", "third"} <= {node["name"] for node in status["nodes"]}
    assert {"late", "third"} <= set(attach(lab.name).net.nameToNode)

    with pytest.raises(ModelError, match="it has the server late"):
        lab.remove_host("third")
    assert pinged(lab, "late", SERVER_A) == 1
    tunnels = ("ovs-vsctl", "list-ports", "br-tun")
    assert "c0a8960c" in lab.run("controller", *tunnels)
    assert lab.remove_host("third", with_servers=True) == ("late",)
    assert there(lab) == before
    assert "c0a8960c" not in lab.run("controller", *tunnels)
    assert pinged(lab, "ServerA", SERVER_B) == 1


def test_the_next_owner_of_an_address_is_reached_at_once(lab):
    """With the ARP responder no request tells the others of its MAC."""
    first = lab.add_server("first", host="computer", **NETWORK)
    address = str(first.fixed_ips[0])
    assert pinged(lab, "ServerA", address) == 1
    lab.remove_server("first")
    second = lab.add_server("second", host="controller", **NETWORK)
    assert str(second.fixed_ips[0]) == address
    assert second.mac_address != first.mac_address
    assert pinged(lab, "ServerA", address) == 1
    lab.remove_server("second")


def broken_off(lab, place, change, *args, **options):
    """A change by another object of the lab that is interrupted at `place`; its clean-up is not."""
    with pytest.MonkeyPatch.context() as patch:

        def interrupted(*_, **__):
            patch.undo()
            raise KeyboardInterrupt

        patch.setattr(*place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            getattr(attach(lab.name), change)(*args, **options)


def killed(lab, place, change, *args, **options):
    """A change by another process that is killed at `place`."""
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*place, lambda *_, **__: os._exit(9))
            getattr(attach(lab.name), change)(*args, **options)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_an_interrupted_server_leaves_nothing_and_a_killed_one_can_be_removed(lab):
    before = there(lab)
    for place in SERVER_STEPS:
        broken_off(lab, place, "add_server", "late", host="computer", **NETWORK)
        assert there(lab) == before, place
        killed(lab, place, "add_server", "late", host="computer", **NETWORK)
        assert there(lab) != before, place
        with pytest.raises(ModelError, match="there is a server with this name"):
            attach(lab.name).add_server("late", host="computer", **NETWORK)
        attach(lab.name).remove_server("late")
        assert there(lab) == before, place


def test_an_interrupted_host_leaves_nothing_and_a_killed_one_can_be_removed(lab):
    before = there(lab)
    for place in HOST_STEPS:
        broken_off(lab, place, "add_new_host", "third")
        assert there(lab) == before, place
        killed(lab, place, "add_new_host", "third")
        assert there(lab) != before, place
        attach(lab.name).remove_host("third")
        assert there(lab) == before, place


def test_a_host_that_the_controller_refuses_leaves_no_node(lab):
    """What fails may be the controller itself, so ending the nodes must not depend on it."""
    before = there(lab)
    with pytest.MonkeyPatch.context() as patch:

        def dead(*_, **__):
            raise LabError("no answer", where="the API", allowed="an answer", do="Wait.")

        start = hosts._start
        patch.setattr(
            hosts, "_start", lambda *args: (start(*args), patch.setattr(LabBase, "api", dead))
        )
        with pytest.raises(LabError, match="no answer"):
            lab.add_new_host("third")
    assert there(lab) == before


def test_a_server_that_the_controller_cannot_wire_is_undone(lab):
    before = there(lab)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("topologies.lab.live.DEADLINE_S", 0.5)
        patch.setattr(ComputeHost, "plug", lambda *_: None)  # br-int never gets the port
        with pytest.raises(LabError, match="status ACTIVE"):
            lab.add_server("late", host="computer", **NETWORK)
    assert there(lab) == before


def test_names_that_do_not_exist_are_wrong_input(lab):
    for change, name in ((lab.remove_server, "ServrA"), (lab.remove_host, "computr")):
        with pytest.raises(UsageError, match=r"Did you mean `(ServerA|computer)`\?"):
            change(name)
    with pytest.raises(ModelError, match=r"there is a node with this name \(segment\)"):
        hosts.assert_free(lab, "underlay")


def test_the_command_line(lab, home):
    line = CommandLine(home)
    added = line.run(
        *("server", "add", lab.name, "late", "--host", "computer", "--network", "vxlan_net"),
        *("--ip", "172.16.166.7", "--mac", "02:00:00:00:00:07", "--format", "json"),
    )
    document = json.loads(added.stdout)
    assert document["server"]["fixed_ips"] == ["172.16.166.7"]
    assert document["server"]["mac_address"] == "02:00:00:00:00:07"
    assert document["peers"] == {"ServerA": SERVER_A, "ServerB": SERVER_B}
    assert pinged(lab, "late", SERVER_A) == 1
    removed = line.run("server", "remove", lab.name, "late")
    assert (removed.returncode, removed.stdout, removed.stderr) == (0, "removed: late\n", "")
    assert "late" not in lab.nodes()
