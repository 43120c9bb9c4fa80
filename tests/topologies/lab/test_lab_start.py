"""The article's lab alive: pings, MTU, isolation, and the machine untouched."""

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.errors import LabError
from controller.model.modes import parse_mode, with_mode
from tests.labs import adopt_orphans, nothing_left, pinged, wait_for, world
from topologies.lab import attach, started
from topologies.nodes.nodes import Segment
from topologies.scenario import load as scenario

pytestmark = pytest.mark.root

SERVER_A, SERVER_B = "172.16.166.117", "172.16.166.125"


@pytest.fixture
def home(tmp_path_factory, monkeypatch, need_root):
    """A place for labs of this test alone."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


@pytest.fixture
def article():
    return scenario.load("article").overlay


@pytest.mark.parametrize(("source", "target"), [("ServerA", SERVER_B), ("ServerB", SERVER_A)])
@pytest.mark.parametrize("mode", [None, "gre-l2pop-arp", "flat"])
def test_no_packet_is_lost_from_the_first_one(home, article, source, target, mode):
    overlay = with_mode(article, parse_mode(mode) if mode else None)
    with nothing_left(home), started(overlay) as lab:
        assert pinged(lab, source, target, 1) == 1
        assert pinged(lab, source, target, 5) == 5


def test_guests_get_mac_address_and_mtu_of_their_network(home, article):
    with started(article) as lab:
        shown = lab.run("ServerA", "ip", "address", "show", "dev", "eth0")
        assert "mtu 1450" in shown
        assert "fa:16:3e:7a:f5:1d" in shown
        assert "172.16.166.117/24" in shown
        limits = {
            size: lab.attempt("ServerA", "ping", "-c1", "-W1", "-Mdo", f"-s{size}", SERVER_B)
            for size in (1422, 1423)
        }  # 1450 less IP 20 and ICMP 8
        assert limits[1422].returncode == 0, "the largest packet of the MTU must pass"
        assert limits[1423].returncode != 0
        assert "mtu=1450" in limits[1423].stderr + limits[1423].stdout


@pytest.mark.parametrize("underlay_mtu", [1400, 9000])
def test_the_underlay_mtu_is_set_everywhere_and_carries_the_largest_packet(
    home, article, underlay_mtu
):
    with started(replace(article, underlay_mtu=underlay_mtu)) as lab:
        for node, device in (
            ("controller", "underlay"),
            ("controller", "br-vtep"),
            ("underlay", "host1"),
            ("underlay", "br-underlay"),
        ):
            assert f"mtu {underlay_mtu} " in lab.run(node, "ip", "link", "show", device), (
                node,
                device,
            )
        size = underlay_mtu - 50 - 28  # VXLAN; IP and ICMP
        assert (
            lab.attempt("ServerA", "ping", "-c1", "-W1", "-Mdo", f"-s{size}", SERVER_B).returncode
            == 0
        )


def test_bridges_and_ports_match_a_compute_node(home, article):
    with started(article) as lab:
        assert {"br-int", "br-tun", "br-vtep"} == set(
            lab.run("controller", "ovs-vsctl", "list-br").split()
        )
        ports = lab.run("controller", "ovs-ofctl", "-OOpenFlow13", "show", "br-tun")
        assert re.findall(r"(\d)\((\S+)\):", ports) == [
            ("1", "patch-int"),
            ("2", "gre-c0a8960b"),
            ("3", "vxlan-c0a8960b"),
        ]


def test_nothing_is_added_to_the_root_namespace(home, article):
    with nothing_left(home) as before, started(article) as lab:
        # These do show: it would notice.  Others on this machine may open a socket for a moment.
        shown = {"processes", "namespaces", "labs"}
        wait_for(lambda: set(world(home).added_since(before)) == shown, "untouched machine")
        assert world(home).added_since(before)["labs"] == {lab.name}


def test_two_labs_are_isolated(home, article):
    with nothing_left(home), started(article) as one:
        with started(article) as other:
            assert pinged(one, "ServerA", SERVER_B) == pinged(other, "ServerA", SERVER_B) == 1
            assert one.pid("ServerA") != other.pid("ServerA")
        assert pinged(one, "ServerA", SERVER_B, 3) == 3


def test_a_taken_name_is_an_error_and_the_first_lab_goes_on(home, article):
    with started(article, name="mine") as lab:
        with (
            pytest.raises(LabError, match=r"lab 'mine' exists.*overlaylab down mine"),
            started(article, name="mine"),
        ):
            pass
        assert pinged(lab, "ServerA", SERVER_B) == 1


def test_a_lab_that_is_not_ready_in_time_names_what_is_missing_and_leaves_nothing(
    home, article, monkeypatch
):
    def attach_all_but_one(self, intf, attach=Segment.attach):
        if (self.name, intf) != ("management", "host2"):
            attach(self, intf)

    monkeypatch.setattr(Segment, "attach", attach_all_but_one)
    monkeypatch.setattr("topologies.nodes.ready.await_ready.__kwdefaults__", {"timeout_s": 5.0})
    with nothing_left(home), pytest.raises(LabError) as caught, started(article):
        pass
    assert "missing a living switch on host 'computer'; allowed: ready within 5 s" in str(
        caught.value
    )


def test_a_lab_is_taken_down_if_say_fails(home, article):
    def say(text):
        if "starting" not in text:
            raise BrokenPipeError(text)

    with nothing_left(home), pytest.raises(BrokenPipeError), started(article, say=say):
        pass


@pytest.mark.parametrize(
    "vteps", [("fd00:150::10", "fd00:150::11"), ("192.168.150.10", "10.9.8.7")]
)
def test_vteps_may_have_ipv6_or_be_in_different_subnets(home, article, vteps):
    hosts = [
        replace(host, local_ip=ip_address(vtep))
        for host, vtep in zip(article.hosts, vteps, strict=True)
    ]
    with started(replace(article, hosts=tuple(hosts))) as lab:
        assert pinged(lab, "ServerA", SERVER_B, 3) == 3


def reach(lab, node, address, *route):
    """Whether an address of the management network answers from `node`, by a route of its own."""
    lab.run(node, "ip", "route", "replace", f"{address}/32", *route)
    try:
        return lab.attempt(node, "ping", "-c2", "-W1", "-i0.2", address).returncode == 0
    finally:
        lab.run(node, "ip", "route", "del", f"{address}/32")


def test_the_underlay_cannot_reach_management(home, article):
    """As does whoever knows the VTEP's MAC; with the kernel's plain rule it would work."""
    with started(article) as lab:
        assert lab.attempt("neutron", "ping", "-c1", "-W1", "198.18.1.1").returncode == 0
        way = ("via", "192.168.150.10", "dev", "br-vtep", "src", "192.168.150.11")
        lab.run("controller", "ip", "rule", "add", "pref", "0", "lookup", "local")
        assert reach(lab, "computer", "198.18.1.1", *way), "the probe must work where it may"
        lab.run("controller", "ip", "rule", "del", "pref", "0")
        assert not reach(lab, "computer", "198.18.1.1", *way)


def test_a_tenant_cannot_reach_management(home, article):
    """A guest sends to the MAC of its own port on the host."""
    with started(article) as lab:
        port = "qvo00a1bde0-be"
        mac = lab.run("controller", "cat", f"/sys/class/net/{port}/address").strip()
        lab.run("ServerA", "ip", "neigh", "replace", "172.16.166.1", "lladdr", mac, "dev", "eth0")
        way = ("via", "172.16.166.1", "dev", "eth0")
        lab.run("controller", "ip", "route", "add", SERVER_A, "dev", port)
        lab.run(
            "controller",
            "ip",
            "neigh",
            "replace",
            SERVER_A,
            "lladdr",
            "fa:16:3e:7a:f5:1d",
            "dev",
            port,
        )
        lab.run("controller", "ip", "rule", "add", "pref", "0", "lookup", "local")
        assert reach(lab, "ServerA", "198.18.1.1", *way), "the probe must work where it may"
        lab.run("controller", "ip", "rule", "del", "pref", "0")
        assert not reach(lab, "ServerA", "198.18.1.1", *way)


def network_body(name, number):
    return {
        "network": {
            "name": name,
            "provider:network_type": "vxlan",
            "provider:segmentation_id": number,
        }
    }


def test_a_port_is_plugged_and_unplugged_from_another_process_object(home, article):
    with nothing_left(home), started(article) as owner:
        lab = attach(owner.name)
        network = article.networks[0].id
        body = {
            "port": {
                "network_id": network,
                "binding:host_id": "computer",
                "device_id": "ServerC",
                "name": "c",
            }
        }
        port = lab.api("POST", "/v2.0/ports", body)["port"]
        assert port["status"] == "DOWN"
        lab.plug(port["id"])
        address = port["fixed_ips"][0]["ip_address"]
        assert pinged(owner, "ServerA", address, 3) == 3
        assert "mtu 1450" in owner.run("ServerC", "ip", "link", "show", "eth0")
        with pytest.raises(LabError, match="plugged already"):
            lab.plug(port["id"])
        lab.unplug(port["id"])
        assert "ServerC" not in owner.nodes()
        wait_for(
            lambda: lab.api("GET", f"/v2.0/ports/{port['id']}")["port"]["status"] == "DOWN",
            "port DOWN",
        )
        assert pinged(owner, "ServerA", SERVER_B, 3) == 3


def test_an_interface_keeps_its_number_when_another_goes(home, article):
    with nothing_left(home), started(article) as lab:
        wanted = {
            "network_id": article.networks[0].id,
            "binding:host_id": "computer",
            "device_id": "ServerC",
        }

        def plugged():
            port = lab.api("POST", "/v2.0/ports", {"port": wanted})["port"]
            attach(lab.name).plug(port["id"])
            return port

        def macs():
            shown = lab.run("ServerC", "ip", "-o", "link", "show")
            return dict(re.findall(r"(eth\d+)@.* link/ether (\S+)", shown))

        first, second, third = plugged(), plugged(), plugged()
        attach(lab.name).unplug(second["id"])
        assert macs() == {"eth0": first["mac_address"], "eth2": third["mac_address"]}
        fourth = plugged()
        assert macs() == {
            "eth0": first["mac_address"],
            "eth1": fourth["mac_address"],
            "eth2": third["mac_address"],
        }
        attach(lab.name).unplug(first["id"])
        assert plugged()["mac_address"] == macs()["eth0"]


def test_the_controller_is_restarted(home, article):
    with nothing_left(home), started(article) as lab:
        before = lab.ledger.living("controller")
        lab.restart_controller()
        assert lab.ledger.living("controller") not in {before, None}
        assert pinged(lab, "ServerA", SERVER_B, 3) == 3
