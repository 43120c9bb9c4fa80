"""Linux bridges and the kernel's VXLAN: what is on the wires, and what comes and goes."""

import json
import os
import signal
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.flows.linuxbridge import kernel_change, segments
from controller.model.errors import ModelError
from controller.model.modes import parse_mode, with_mode
from controller.model.names import derived_id
from controller.switches.linuxbridge_worker import read_kernel
from experiments.core.experiment import Context
from experiments.core.groups import grouped
from experiments.fanout.labs import predicted, staged
from experiments.fanout.probe import Fanout
from experiments.fanout.words import COUNTS
from experiments.mtu.path import Path
from experiments.mtu.tcp import Bulk, serving, transfer
from tests.experiments.fanout.ideal_lab import BARE
from tests.labs import CommandLine, adopt_orphans, nothing_left, pinged, wait_for
from topologies.lab import attach, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

MODES = ("kvxlan-multicast", "kvxlan-mesh", "kvxlan-l2pop")
SERVER_A, SERVER_B = "172.16.166.117", "172.16.166.125"
NEIGHBOURS_OF_A = ("ip", "-4", "neigh", "show", "dev", "eth0")


@pytest.fixture
def home(tmp_path, monkeypatch, need_root):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    return tmp_path / "labs"


def article(mode):
    return with_mode(load("article").overlay, parse_mode(mode))


def context(folder, name="run"):
    return Context(
        keep=lambda *_: None,
        path=lambda file: folder / f"{name}-{file}",
        watch=nullcontext,
        say=lambda _: None,
        seed=1,
    )


def as_is(lab):
    """The kernel of every host has the devices and entries of the overlay."""
    return all(
        kernel_change(segments(lab.overlay, host), read_kernel(lab.pid(host.name))).lines == 0
        for host in lab.overlay.hosts
    )


@pytest.mark.parametrize("mode", MODES)
def test_every_copy_on_every_wire_is_as_predicted(mode, home, tmp_path):
    """The positive control: every member receives the end-of-test frame; counters equal captures."""
    point = {"mode": mode, "hosts": 4}
    with started(staged(BARE, point)) as lab:
        measured = Fanout(frames_each=1)(lab, point, context(tmp_path))
        assert as_is(lab)
    found = {
        (row["share"], row["kind"]): [row[name] for name in (*COUNTS, "misdelivered")]
        for row in measured.rows
    }
    assert found == {
        (row["share"], row["kind"]): [*(row[name] for name in COUNTS), 0]
        for row in predicted(BARE, (point,))
    }
    assert measured.lost == 0, measured.facts
    assert measured.facts["guests_without_end_frame"] == []
    assert all(row["counted"] > 0 for row in measured.more["interfaces"])


def test_without_snooping_the_group_reaches_every_host(home, tmp_path):
    """The control for `a non-member's port gets none`: one that does is seen to."""
    point = {"mode": "kvxlan-multicast", "hosts": 4}
    with started(staged(BARE, point)) as lab:
        lab.run(
            "underlay", "ip", "link", "set", "br-underlay", "type", "bridge", "mcast_snooping", "0"
        )
        measured = Fanout(frames_each=1)(lab, point, context(tmp_path))
    half = [row for row in measured.rows if row["share"] == 50]
    assert {(row["copies_sent"], row["arrived"], row["unneeded"]) for row in half} == {(1, 3, 2)}


@pytest.mark.parametrize("mode", MODES)
def test_guests_ping_and_can_be_plugged_and_unplugged(mode, home, tmp_path):
    with nothing_left(home), started(article(mode)) as lab:
        assert pinged(lab, "ServerA", SERVER_B, 3) == 3
        assert "mtu 1450" in lab.run("ServerA", "ip", "link", "show", "eth0")
        _transfer(lab, tmp_path)
        lab.restart_controller()
        assert as_is(lab)
        _plug(attach(lab.name))
        _another_host(lab)
        assert as_is(lab)
        assert pinged(lab, "ServerA", SERVER_B, 3) == 3


def _transfer(lab, folder):
    source, target = lab.overlay.ports
    path = Path(lab=lab, source=source, target=target, context=context(folder))
    with serving(path):
        shown = transfer(path, Bulk(wanted_bytes=10**7, send_s=5, deadline_s=5), "done")
    assert shown["received"] == shown["sent"] == 10**7
    assert shown["mss"] == 1450 - 52  # IPv4 20, TCP 20, its timestamps 12


def _plug(lab):
    """A guest comes and goes, by a process that did not raise the lab."""
    made = lab.api(
        "POST",
        "/v2.0/ports",
        {
            "port": {
                "network_id": lab.overlay.networks[0].id,
                "binding:host_id": "computer",
                "device_id": "ServerC",
            }
        },
    )["port"]
    assert (made["status"], made["binding:vif_type"]) == ("DOWN", "bridge")
    lab.plug(made["id"])
    address = made["fixed_ips"][0]["ip_address"]
    lab.await_ready()
    assert pinged(lab, "ServerA", address, 3) == 3
    lab.unplug(made["id"])
    wait_for(
        lambda: lab.api("GET", f"/v2.0/ports/{made['id']}")["port"]["status"] == "DOWN", "port DOWN"
    )
    lab.api("DELETE", f"/v2.0/ports/{made['id']}")
    lab.await_ready()
    assert as_is(lab)


def _another_host(lab):
    # The next guest has the address of the last one: a request that the proxy answers does not
    # tell others of its new MAC.
    lab.run("ServerA", "ip", "neigh", "flush", "dev", "eth0")
    host = replace(lab.overlay.hosts[0], name="third", local_ip=ip_address("192.168.150.12"))
    lab.add_host(host)
    made = lab.api(
        "POST",
        "/v2.0/ports",
        {
            "port": {
                "network_id": lab.overlay.networks[0].id,
                "binding:host_id": "third",
                "device_id": "ServerD",
            }
        },
    )["port"]
    lab.plug(made["id"])
    lab.await_ready()
    assert pinged(lab, "ServerD", SERVER_A, 3) == 3
    with pytest.raises(ModelError, match="it has the server ServerD"):
        lab.remove_host("third")
    lab.unplug(made["id"])
    lab.api("DELETE", f"/v2.0/ports/{made['id']}")
    lab.remove_host("third")


def test_more_networks_have_groups_than_a_socket_joins_by_default(home):
    """Linux lets a socket join 20 (igmp_max_memberships), and a host's VXLAN devices share one."""
    networks = 22
    with started(_side_by_side(networks)) as lab:
        shown = json.loads(lab.run("underlay", "bridge", "-j", "mdb", "show"))
        joined = {(each["port"], each["grp"]) for part in shown for each in part["mdb"]}
        groups = {each for each in joined if each[1].startswith("239.")}
        assert len(groups) == 2 * networks
        first, last = lab.overlay.ports[-2:]
        assert pinged(lab, first.device_id, str(last.fixed_ips[0])) == 1


def _side_by_side(networks):
    """Two hosts, and a guest on each in each of so many networks."""
    one = grouped(BARE, {"mode": "kvxlan-multicast", "hosts": 2}, {0: (0, 1)})
    copies = [(str(number), derived_id("net", str(number))) for number in range(networks)]
    return replace(
        one,
        networks=tuple(
            replace(one.networks[0], id=id_, name=n, segmentation_id=1000 + int(n))
            for n, id_ in copies
        ),
        subnets=tuple(
            replace(one.subnets[0], id=derived_id("subnet", n), network_id=id_) for n, id_ in copies
        ),
        ports=tuple(
            replace(
                port,
                id=derived_id(port.name, n),
                network_id=id_,
                name=f"{port.name}-{n}",
                device_id=f"{port.name}-{n}",
            )
            for n, id_ in copies
            for port in one.ports
        ),
    )


def test_the_proxy_answers_on_the_host_and_drops_unknown_requests(home):
    with started(article("kvxlan-l2pop")) as lab:

        def sent():
            return int(
                lab.run("controller", "cat", "/sys/class/net/vxlan-111/statistics/tx_packets")
            )

        assert pinged(lab, "ServerA", SERVER_B) == 1, "the positive control"
        lab.run("ServerA", "ip", "neigh", "flush", "dev", "eth0")
        lab.run("computer", "ip", "link", "set", "underlay", "down")
        before = sent()
        assert pinged(lab, "ServerA", SERVER_B) == 0, "the wire is cut"
        assert "fa:16:3e:29:99:6a" in lab.run("ServerA", *NEIGHBOURS_OF_A), "answered all the same"
        assert sent() > before, "the ping itself did go out"
        assert pinged(lab, "ServerA", "172.16.166.126") == 0
        assert "172.16.166.126 FAILED" in lab.run("ServerA", *NEIGHBOURS_OF_A).replace(
            "INCOMPLETE", "FAILED"
        )


@pytest.mark.parametrize("mode", MODES)
def test_two_networks_with_the_same_addresses_are_isolated(mode, home):
    """Two members each, on the same two hosts; one has an address more than the other."""
    base = load("article").overlay
    network = replace(
        base.networks[0], id="b" * 8 + base.networks[0].id[8:], name="blue", segmentation_id=222
    )
    subnet = replace(base.subnets[0], id="blue", name="blue", network_id=network.id)
    ports = tuple(
        replace(
            port,
            id="b" * 8 + port.id[8:],
            name=f"blue{n}",
            device_id=f"blue{n}",
            network_id=network.id,
            fixed_ips=(ip_address(f"172.16.166.{125 + n}"),),
        )
        for n, port in enumerate(base.ports)
    )
    both = replace(
        base,
        networks=(*base.networks, network),
        subnets=(*base.subnets, subnet),
        ports=(*base.ports, *ports),
    )
    with started(with_mode(both, parse_mode(mode))) as lab:
        assert pinged(lab, "ServerA", SERVER_B, 2) == 2, "ServerB, not blue0, which has its address"
        assert pinged(lab, "blue0", "172.16.166.126", 2) == 2
        assert pinged(lab, "ServerA", "172.16.166.126") == 0
        assert pinged(lab, "blue1", SERVER_A) == 0
        assert "fa:16:3e:29:99:6a" in lab.run("ServerA", *NEIGHBOURS_OF_A)


def test_status_shows_it_and_down_removes_it(tmp_path_factory, need_root):
    adopt_orphans()
    with CommandLine(tmp_path_factory.mktemp("labs")) as line, nothing_left(line.home):
        assert (
            line.run(
                "up", "article", "--mode", "kvxlan-l2pop", "--name", "k", "--detach"
            ).returncode
            == 0
        )
        status = json.loads(line.run("status", "k", "--format", "json").stdout)
        (host,) = (node for node in status["nodes"] if node["name"] == "controller")
        assert (status["datapath"], host["flows"]) == ("kernel", {})
        assert host["tunnels"] == [
            {
                "name": "vxlan-111",
                "type": "vxlan",
                "vni": 111,
                "group": "",
                "floods_to": ["192.168.150.11"],
                "stated": 1,
                "answers_for": 1,
            },
        ]
        assert "vxlan-111 to 192.168.150.11" in line.run("status", "k").stdout
        shown = line.run(
            "exec", "k", "controller", "--", "bridge", "fdb", "show", "dev", "vxlan-111"
        )
        assert "fa:16:3e:29:99:6a dst 192.168.150.11 self permanent" in shown.stdout
        os.kill(status["holder_pid"], signal.SIGKILL)
        assert line.run("down", "k").returncode == 0
