"""All six network types in one lab: provider bridges, local networks, tenants that overlap."""

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.encap import NetworkType
from controller.model.errors import LabError
from controller.model.parts import Host
from experiments.measure.captures import capturing, decoded
from tests.labs import pinged
from topologies.lab import attach, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SCENARIO = load("type-drivers").overlay
NEIGHBOUR = "10.0.0.12"
PAIRS = {  # who pings 10.0.0.12, and who that is in the same network
    "flat1": "flat2",
    "vlan1": "vlan2",
    "other1": "other2",
    "geneve1": "geneve3",
    "local1": "local2",
    "red1": "red3",
    "blue1": "blue2",
    "green2": "green3",
}
COUNT = 3


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
        with started(SCENARIO) as lab:
            yield lab


def requests_heard(lab):
    """Echo requests that each guest has answered so far, by its kernel's own count."""
    return {guest: _requests(lab.run(guest, "cat", "/proc/net/snmp")) for guest in PAIRS.values()}


def _requests(snmp):
    heads, values = re.findall(r"^Icmp: (.*)$", snmp, re.MULTILINE)
    return int(dict(zip(heads.split(), values.split(), strict=True))["InEchos"])


@pytest.mark.parametrize("source", PAIRS)
def test_equal_addresses_of_other_tenants_are_never_reached(lab, source):
    before = requests_heard(lab)
    assert pinged(lab, source, NEIGHBOUR, COUNT) == COUNT
    after = requests_heard(lab)

    more = {guest: after[guest] - before[guest] for guest in after}
    assert more.pop(PAIRS[source]) >= COUNT, "a late answer has ping ask once more"
    assert set(more.values()) == {0}


def test_a_local_network_does_not_leave_its_host(lab, tmp_path):
    """The control: another network's frames are seen on the same wires."""
    wires = {"node1": ("underlay", "ext-physnet1"), "node3": ("underlay",)}
    with capturing(lab, wires, lambda name: tmp_path / name) as files:
        assert pinged(lab, "local1", "10.0.0.13", 2) == 0
        assert pinged(lab, "local3", "10.0.0.11", 1) == 0
        assert pinged(lab, "red1", NEIGHBOUR, 1) == pinged(lab, "flat1", NEIGHBOUR, 1) == 1
    packets = decoded(files, ("eth.src",))

    seen = {mac for packet in packets for mac in packet["eth.src"].split("\x1f")}
    of = {port.device_id: port.mac_address for port in SCENARIO.ports}
    assert {of["red1"], of["flat1"], of["red3"]} <= seen
    assert not seen & {of["local1"], of["local2"], of["local3"]}


def test_flat_is_untagged_and_vlan_tagged_on_the_physical_network_only(lab, tmp_path):
    wires = {"physnet1": ("host1", "host2"), "node1": ("underlay",), "node3": ("underlay",)}
    with capturing(lab, wires, lambda name: tmp_path / name) as files:
        for guest in ("flat1", "vlan1", "other1", "green2"):
            assert pinged(lab, guest, NEIGHBOUR, 1) == 1
    packets = decoded(files, ("vlan.id", "eth.src", "gre.key"), "icmp")

    of = {port.mac_address: port.device_id for port in SCENARIO.ports}
    sources = ("flat1", "vlan1", "other1")
    tags = {
        (of[packet["eth.src"]], packet["vlan.id"])
        for packet in packets
        if packet["node"] == "physnet1" and of.get(packet["eth.src"]) in sources
    }
    assert tags == {("flat1", ""), ("vlan1", "4093"), ("other1", "4094")}
    # node3 is at the end of green's tunnel, which is the control; no bare frame crosses there.
    below = [packet for packet in packets if packet["node"] != "physnet1"]
    assert {packet["gre.key"] for packet in below} == {"0xffffffff"}


def test_the_largest_frames_cross_the_provider_bridge(lab):
    """The flat and vlan networks have the wire's own MTU, the tag beside it."""
    for guest in ("flat1", "vlan1"):
        size = str(SCENARIO.underlay_mtu - 28)  # IP and ICMP
        done = lab.attempt(guest, "ping", "-nc1", "-W1", "-Mdo", f"-s{size}", NEIGHBOUR)
        assert done.returncode == 0, done.stdout


def test_a_host_without_the_bridge_is_not_wired(lab):
    def links(node):
        return lab.run(node, "ip", "-br", "link")

    assert "ext-physnet1" in links("node1")
    assert "ext-" not in links("node3")
    assert re.findall(r"^(host\d)", links("physnet1"), re.MULTILINE) == ["host1", "host2"]
    assert "br-ex" not in lab.run("node3", "ovs-vsctl", "list-br")


def create(lab, **asked):
    provider = {f"provider:{word}": value for word, value in asked.items()}
    return lab.api("POST", "/v2.0/networks", {"network": provider})["network"]


def drop(lab, *networks):
    for network in networks:
        lab.api("DELETE", f"/v2.0/networks/{network['id']}")


def shown(network):
    return network["provider:network_type"], network["provider:segmentation_id"]


def test_segment_ranges_are_exhausted_and_freed_through_the_api(lab):
    for asked in (
        {},
        {"network_type": "geneve"},
        {"network_type": "vlan"},
        {"network_type": "gre"},
    ):
        with pytest.raises(LabError, match="No tenant network is available for allocation"):
            create(lab, **asked)
    red = next(network for network in lab.overlay.networks if network.name == "red")
    spare = create(lab, network_type="vxlan", segmentation_id=5)
    assert shown(spare) == ("vxlan", 5)  # by its id, beside the range
    drop(lab, spare)
    assert red.segmentation_id == 2**24 - 2


@pytest.mark.parametrize(
    ("kind", "most"),
    [("vlan", 4094), ("vxlan", 2**24 - 1), ("geneve", 2**24 - 1), ("gre", 2**32 - 1)],
)
def test_the_edges_through_the_api(lab, kind, most):
    physical = {"physical_network": "physnet1"} if kind == "vlan" else {}
    for id_ in (0, most + 1):
        with pytest.raises(LabError, match=rf"segmentation_id out of range \(1 through {most}\)"):
            create(lab, network_type=kind, segmentation_id=id_, **physical)
    taken = {
        network.segmentation_id for network in lab.overlay.networks if network.network_type == kind
    }
    made = [
        create(lab, network_type=kind, segmentation_id=id_, **physical) for id_ in {1, most} - taken
    ]
    assert {1, most} <= taken | {network["provider:segmentation_id"] for network in made}
    drop(lab, *made)


def test_a_host_that_is_added_is_wired_to_its_physical_networks(lab):
    mapped = (("physnet1", "br-ex"), ("physnet9", "br-nine"))
    host = Host(
        name="node4",
        local_ip=ip_address("192.0.2.4"),
        bridge_mappings=mapped,
        tunnel_types=(NetworkType.VXLAN,),
        l2_population=True,
    )
    other = attach(lab.name)  # another process's view of it
    other.add_host(host)
    flat = next(network.id for network in SCENARIO.networks if network.name == "flat")
    body = {
        "network_id": flat,
        "binding:host_id": "node4",
        "device_id": "flat4",
        "fixed_ips": [{"ip_address": "10.0.0.14"}],
    }
    port = other.api("POST", "/v2.0/ports", {"port": body})["port"]
    other.plug(port["id"])
    try:
        assert pinged(lab, "flat4", NEIGHBOUR, 1) == 1
        assert "host4" in lab.run("physnet9", "ip", "-br", "link")
    finally:
        other.unplug(port["id"])
        other.api("DELETE", f"/v2.0/ports/{port['id']}")
        other.remove_host("node4")


def test_the_model_refuses_a_port_where_the_wire_is_missing():
    port = replace(SCENARIO.ports[0], host="node3")
    with pytest.raises(Exception, match="physical network 'physnet1'; allowed: none"):
        replace(SCENARIO, ports=(port,))
