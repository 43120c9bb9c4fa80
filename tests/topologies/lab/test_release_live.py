"""A lab of the current release: its own tables, tunnels by their own names, and packets pass."""

from dataclasses import replace

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump, normalise
from tests.labs import adopt_orphans, nothing_left, pinged
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

AT_LENGTH = "fd00:150:0::11"  # node2's VTEP, as nobody should write it


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """IPv6 VTEPs, all three tunnel types and l2population, as Neutron 29 would have them."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    with pytest.MonkeyPatch.context() as patch, nothing_left(path):
        patch.setenv("OVERLAYLAB_RUN", str(path))
        base = load("ipv6-underlay").overlay
        first, second, *more = base.hosts
        hosts = (first, replace(second, written_ip=AT_LENGTH), *more)
        with started(replace(base, release="current", hosts=hosts)) as one:
            yield one


@pytest.mark.parametrize(
    ("one", "other"), [("red1", "red2"), ("green1", "green2"), ("blue2", "blue3")]
)
def test_the_first_packet_passes_in_every_type(lab, one, other):
    port = next(port for port in lab.overlay.ports if port.name == other)
    assert pinged(lab, one, str(port.ipv4[0])) == 1
    assert pinged(lab, one, str(port.ipv6[0])) == 1


@pytest.mark.parametrize("bridge", ["br-int", "br-tun"])
def test_live_flows_match_the_offline_text(lab, bridge):
    for host in lab.overlay.hosts:
        wanted = dump(bridge_flows(lab.overlay, new_binding(lab.overlay, host.name), bridge))
        argv = ("ovs-ofctl", "-OOpenFlow13", "--names", "--no-stats", "dump-flows", bridge)
        there = normalise(lab.run(host.name, *argv))
        assert [line for line in there if "table=20, hard_timeout" not in line] == wanted
        assert any("goto_table:58" in line or "arp_tha" in line for line in there)


def test_tunnel_names_have_the_hash_of_the_address_as_written(lab):
    ports = lab.run("node1", "ovs-vsctl", "list-ports", "br-tun").split()
    (gre,) = (port for port in ports if port.startswith("gre-"))
    assert gre.startswith("gre-zotyyj57g")  # as Neutron 29 names vxlan-zotyyj57g
    argv = ("ovs-vsctl", "get", "Interface", gre, "type", "options:remote_ip", "error")
    assert lab.run("node1", *argv).split() == ["ip6gre", f'"{AT_LENGTH}"', "[]"]
