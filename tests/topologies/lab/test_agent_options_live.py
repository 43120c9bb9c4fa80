"""A lab with options of its agents and address pairs: rows and flows as offline, and packets pass."""

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump, normalise
from tests.labs import adopt_orphans, nothing_left, pinged
from topologies.lab import started
from topologies.lab.live import await_wired
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SCENARIO = """
summary: options of agents
release: current
agent:
  tunnel_types: [vxlan]
  vxlan_udp_port: 8472
  tunnel_csum: true
  dscp: 46
  explicitly_egress_direct: true
  int_peer_patch_port: to-tun
  tun_peer_patch_port: to-int
hosts:
  - {name: node1, local_ip: 192.0.2.11}
  - {name: node2, local_ip: 192.0.2.12}
networks:
  - {name: red, network_type: vxlan, segmentation_id: 111, subnets: [{cidr: 10.0.0.0/24}]}
ports:
  - {server: a, host: node1, network: red, fixed_ips: [10.0.0.1]}
  - {server: near, host: node1, network: red, fixed_ips: [10.0.0.2]}
  - {server: b, host: node2, network: red, fixed_ips: [10.0.0.3]}
"""
SECOND = "10.0.0.100"  # an address that b has besides its own


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    file = path / "options.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, nothing_left(path):
        patch.setenv("OVERLAYLAB_RUN", str(path))
        with started(load(file).overlay) as one:
            yield one


def test_packets_pass_on_one_host_and_between_two(lab):
    assert pinged(lab, "a", "10.0.0.3") == 1
    assert pinged(lab, "a", "10.0.0.2") == 1


def test_rows_and_flows_are_those_of_the_options(lab):
    get = ("ovs-vsctl", "get")
    vxlan = "vxlan-c000020c"
    options = lab.run("node1", *get, "Interface", vxlan, "options")
    for option in ('dst_port="8472"', 'csum="true"', 'tos="184"'):
        assert option in options
    assert "mac-table-size" in lab.run("node1", *get, "Bridge", "br-tun", "other_config")
    config = lab.run("node1", *get, "Port", "to-tun", "other_config")
    assert 'mcast-snooping-flood="false"' in config
    for bridge in ("br-int", "br-tun"):
        wanted = dump(bridge_flows(lab.overlay, new_binding(lab.overlay, "node1"), bridge))
        argv = ("ovs-ofctl", "-OOpenFlow13", "--names", "--no-stats", "dump-flows", bridge)
        there = normalise(lab.run("node1", *argv))
        assert [line for line in there if "table=20, hard_timeout" not in line] == wanted


def test_a_guest_answers_for_a_second_address_only_with_a_pair(lab):
    """As for VRRP: the address moves to a guest, whose port must have the pair."""
    lab.run("b", "ip", "address", "add", f"{SECOND}/24", "dev", "eth0")
    assert pinged(lab, "a", "10.0.0.3") == 1  # the control: b answers
    assert pinged(lab, "a", SECOND) == 0
    port = next(port for port in lab.overlay.ports if port.name == "b")
    body = {"port": {"allowed_address_pairs": [{"ip_address": SECOND}]}}
    shown = lab.api("PUT", f"/v2.0/ports/{port.id}", body)["port"]["allowed_address_pairs"]
    assert shown == [{"ip_address": SECOND, "mac_address": port.mac_address}]
    await_wired(lab)
    assert pinged(lab, "a", SECOND) == 1
