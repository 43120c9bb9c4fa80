"""Which guests `pingall` pings, and by which address."""

from topologies.plan.pings import pings
from topologies.scenario import load as scenarios

SCENARIO = """
hosts: [{name: a, local_ip: 192.0.2.1}, {name: b, local_ip: 192.0.2.2}]
agent: {tunnel_types: [vxlan]}
networks:
  - {name: red, network_type: vxlan, segmentation_id: 1, subnets: [{cidr: 10.0.0.0/24}]}
  - {name: blue, network_type: vxlan, segmentation_id: 2, subnets: [{cidr: 10.0.0.0/24}]}
  - {name: six, network_type: vxlan, segmentation_id: 3, subnets: [{cidr: "2001:db8::/64"}]}
ports:
  - {server: port1, host: a, network: red}
  - {server: port2, host: b, network: red}
  - {server: port3, host: b, network: blue}
  - {server: port4, host: a, network: blue}
  - {server: port5, host: a, network: six}
  - {server: port6, host: b, network: six}
"""


def test_guests_are_pinged_within_each_network_only(tmp_path):
    (file := tmp_path / "s.yaml").write_text(SCENARIO)
    overlay = scenarios.load(str(file)).overlay
    interfaces = (("one", 0), ("two", 0), ("two", 1), ("three", 0), ("three", 1), ("two", 2))
    plugged = dict(zip((port.id for port in overlay.ports), interfaces, strict=True))
    found = {
        (p.source, p.interface, p.target, str(p.address), p.network)
        for p in pings(overlay, plugged)
    }
    assert found == {
        ("one", "eth0", "two", "10.0.0.3", "red"),
        ("two", "eth0", "one", "10.0.0.2", "red"),
        ("two", "eth1", "three", "10.0.0.3", "blue"),
        ("three", "eth0", "two", "10.0.0.2", "blue"),
        ("three", "eth1", "two", "2001:db8::3", "six"),
        ("two", "eth2", "three", "2001:db8::2", "six"),
    }
    del plugged[overlay.ports[0].id]
    assert all("one" not in {p.source, p.target} for p in pings(overlay, plugged))
