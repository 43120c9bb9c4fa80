"""What the API shows: shapes and filters as Neutron's."""

import falcon.testing
import pytest

from controller.api.attributes import agent_id
from controller.api.wsgi import make_api
from tests.controller.api.api_backend import FakeBackend
from tests.controller.api.api_client import error_of


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def api(backend):
    return falcon.testing.TestClient(make_api(backend))


def test_the_versions(api):
    assert api.simulate_get("/").json == {
        "versions": [
            {
                "id": "v2.0",
                "status": "CURRENT",
                "links": [{"rel": "self", "href": "http://falconframework.org/v2.0/"}],
            }
        ]
    }


@pytest.mark.parametrize("path", ["/v2.0", "/v2.0/"])
def test_the_resources(api, path):
    shown = api.simulate_get(path).json["resources"]

    assert [one["collection"] for one in shown] == ["networks", "subnets", "ports", "agents"]
    assert shown[0] == {
        "name": "network",
        "collection": "networks",
        "links": [{"rel": "self", "href": "http://falconframework.org/v2.0/networks"}],
    }


def test_the_extensions(api):
    shown = api.simulate_get("/v2.0/extensions").json["extensions"]

    assert {"agent", "binding", "provider"} <= {one["alias"] for one in shown}
    assert api.simulate_get("/v2.0/extensions/agent").json == {"extension": shown[0]}
    assert api.simulate_get("/v2.0/extensions/bgp").status_code == 404


def test_a_network_as_neutron_shows_it(api):
    network = {
        "id": "net-1",
        "name": "red",
        "mtu": 1450,
        "status": "ACTIVE",
        "admin_state_up": True,
        "subnets": ["sub-1"],
        "provider:network_type": "vxlan",
        "provider:segmentation_id": 111,
        "provider:physical_network": None,
        "shared": False,
        "router:external": False,
        "port_security_enabled": True,
        "tenant_id": "",
        "project_id": "",
    }

    assert api.simulate_get("/v2.0/networks").json == {"networks": [network]}
    assert api.simulate_get("/v2.0/networks/net-1").json == {"network": network}


def test_a_subnet_as_neutron_shows_it(api):
    subnet = {
        "id": "sub-1",
        "name": "red4",
        "network_id": "net-1",
        "cidr": "172.16.166.0/24",
        "ip_version": 4,
        "gateway_ip": "172.16.166.1",
        "allocation_pools": [{"start": "172.16.166.100", "end": "172.16.166.102"}],
        "enable_dhcp": False,
        "dns_nameservers": [],
        "host_routes": [],
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "tenant_id": "",
        "project_id": "",
    }

    assert api.simulate_get("/v2.0/subnets").json == {"subnets": [subnet]}
    assert api.simulate_get("/v2.0/subnets/sub-1").json == {"subnet": subnet}


def test_a_port_as_neutron_shows_it(api):
    port = {
        "id": "port-1",
        "name": "a",
        "network_id": "net-1",
        "mac_address": "fa:16:3e:7a:f5:1d",
        "fixed_ips": [{"subnet_id": "sub-1", "ip_address": "172.16.166.100"}],
        "status": "ACTIVE",
        "admin_state_up": True,
        "device_id": "ServerA",
        "device_owner": "compute:nova",
        "binding:host_id": "controller",
        "binding:vif_type": "ovs",
        "binding:vnic_type": "normal",
        "port_security_enabled": True,
        "allowed_address_pairs": [],
        "security_groups": [],
        "tenant_id": "",
        "project_id": "",
    }

    assert api.simulate_get("/v2.0/ports").json == {"ports": [port]}
    assert api.simulate_get("/v2.0/ports/port-1").json == {"port": port}


def test_an_agent_as_neutron_shows_it(api):
    agent = {
        "id": agent_id("computer"),
        "agent_type": "Open vSwitch agent",
        "binary": "neutron-openvswitch-agent",
        "host": "computer",
        "topic": "N/A",
        "alive": True,
        "admin_state_up": True,
        "heartbeat_timestamp": "2024-05-01T00:00:00+00:00",
        "configurations": {
            "tunnel_types": ["gre", "vxlan"],
            "tunneling_ip": "192.168.150.11",
            "l2_population": False,
            "arp_responder_enabled": False,
            "bridge_mappings": {},
            "datapath_type": "netdev",
            "ovsdb_connection": "tcp:192.168.150.11:6640",
            "wired": True,
            "alarm": "",
            "corrected": [],
        },
    }

    assert api.simulate_get("/v2.0/agents", params={"host": "computer"}).json == {"agents": [agent]}
    assert api.simulate_get(f"/v2.0/agents/{agent['id']}").json == {"agent": agent}
    assert len(api.simulate_get("/v2.0/agents").json["agents"]) == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b"]),
        ("name=b", ["b"]),
        ("name=a&name=b", ["a", "b"]),
        ("name=a&status=DOWN", []),
        ("mac_address=fa%3A16%3a3e:7a:f5:1d", ["a"]),
        ("fixed_ips=ip_address%3D172.16.166.101", ["b"]),
        ("name=", []),
    ],
)
def test_a_list_is_filtered_by_its_query(api, query, names):
    body = {"port": {"name": "b", "network_id": "net-1"}}
    assert api.simulate_post("/v2.0/ports", json=body).status_code == 201

    shown = api.simulate_get("/v2.0/ports", query_string=query).json["ports"]

    assert [port["name"] for port in shown] == names


def test_fields_cut_lists_and_single_resources(api):
    query = "fields=id&fields=name"

    assert api.simulate_get("/v2.0/ports", query_string=query).json == {
        "ports": [{"id": "port-1", "name": "a"}]
    }
    assert api.simulate_get("/v2.0/ports/port-1", query_string=query).json == {
        "port": {"id": "port-1", "name": "a"}
    }


def test_an_unknown_filter_is_refused(api):
    assert error_of(api.simulate_get("/v2.0/networks", query_string="nmae=red")) == (
        400,
        "HTTPBadRequest",
        "['nmae'] is invalid attribute for filtering",
    )
