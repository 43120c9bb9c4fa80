"""What the API changes, and what it refuses to."""

from dataclasses import replace
from uuid import UUID

import falcon.testing
import pytest

from controller.api.attributes import agent_id
from controller.api.wsgi import make_api
from tests.controller.api.api_backend import CONFIGURATIONS, FakeBackend
from tests.controller.api.api_client import error_of


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def api(backend):
    return falcon.testing.TestClient(make_api(backend))


def test_a_network_with_its_subnet_and_port_is_created_and_deleted(api, backend):
    before = backend.overlay
    made = api.simulate_post("/v2.0/networks", json={"network": {"name": "blue"}})
    network = made.json["network"]
    subnet = api.simulate_post(
        "/v2.0/subnets", json={"subnet": {"network_id": network["id"], "cidr": "10.0.0.0/24"}}
    ).json["subnet"]
    port = api.simulate_post(
        "/v2.0/ports", json={"port": {"network_id": network["id"], "binding:host_id": "computer"}}
    ).json["port"]

    assert made.status_code == 201
    assert str(UUID(network["id"])) == network["id"]
    assert (network["provider:network_type"], network["provider:segmentation_id"]) == (
        "vxlan",
        1000,
    )
    assert subnet["gateway_ip"] == "10.0.0.1"
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.0.2"}]
    assert (port["status"], port["binding:vif_type"]) == ("DOWN", "ovs")
    assert len({network["id"], subnet["id"], port["id"]}) == 3

    refused = api.simulate_delete(f"/v2.0/networks/{network['id']}")
    assert error_of(refused)[:2] == (409, "NetworkInUse")
    for path in (f"ports/{port['id']}", f"subnets/{subnet['id']}", f"networks/{network['id']}"):
        gone = api.simulate_delete(f"/v2.0/{path}")
        assert (gone.status_code, gone.content) == (204, b"")
        assert api.simulate_get(f"/v2.0/{path}").status_code == 404
    assert backend.overlay == before


@pytest.mark.parametrize(
    ("path", "kind", "requested"),
    [
        ("networks/net-1", "network", {"name": "blue"}),
        ("subnets/sub-1", "subnet", {"name": "blue4"}),
        ("ports/port-1", "port", {"name": "c", "admin_state_up": False}),
    ],
)
def test_an_update_shows_the_new_state_and_keeps_it(api, path, kind, requested):
    answer = api.simulate_put(f"/v2.0/{path}", json={kind: requested})

    assert answer.status_code == 200
    assert answer.json[kind].items() >= requested.items()
    assert api.simulate_get(f"/v2.0/{path}").json == answer.json


def test_a_refused_change_changes_nothing(api, backend):
    before = backend.overlay
    body = {"network": {"provider:network_type": "vxlan", "provider:segmentation_id": 111}}

    assert error_of(api.simulate_post("/v2.0/networks", json=body)) == (
        409,
        "TunnelIdInUse",
        "Unable to create the network. The tunnel ID 111 is in use.",
    )
    assert backend.overlay is before


def test_a_model_error_is_a_bad_request(api):
    body = {"port": {"name": "x", "network_id": "net-1", "binding:host_id": "nowhere"}}

    assert error_of(api.simulate_post("/v2.0/ports", json=body)) == (
        400,
        "InvalidInput",
        (
            "Invalid input for operation: port 'x': host 'nowhere' does not exist; allowed: "
            "controller, computer. Name an existing host."
        ),
    )


def test_an_agent_is_added_changed_and_removed(api, backend):
    body = {"agent": {"host": "third", "configurations": CONFIGURATIONS}}
    made = api.simulate_post("/v2.0/agents", json=body)
    path = f"/v2.0/agents/{made.json['agent']['id']}"
    again = api.simulate_post("/v2.0/agents", json=body)
    changed = api.simulate_put(
        path, json={"agent": {"configurations": {"arp_responder_enabled": True}}}
    )

    assert (made.status_code, again.status_code, changed.status_code) == (201, 200, 200)
    assert made.json["agent"]["configurations"].items() >= CONFIGURATIONS.items()
    assert (
        changed.json["agent"]["configurations"].items()
        >= {
            **CONFIGURATIONS,
            "arp_responder_enabled": True,
        }.items()
    )
    assert api.simulate_delete(path).status_code == 204
    assert [host.name for host in backend.overlay.hosts] == ["controller", "computer"]
    assert error_of(api.simulate_get(path))[:2] == (404, "AgentNotFound")


def test_an_agent_with_bound_ports_is_not_removed(api, backend):
    refused = api.simulate_delete(f"/v2.0/agents/{agent_id('controller')}")

    assert error_of(refused)[:2] == (409, "AgentInUse")
    assert len(backend.overlay.hosts) == 2


def test_bound_ports_are_checked_inside_the_change_that_removes_a_host(api, backend, monkeypatch):
    """A check before the change could see an older overlay."""
    edits = []
    monkeypatch.setattr(backend, "change", edits.append)

    removed = api.simulate_delete(f"/v2.0/agents/{agent_id('controller')}")

    assert (removed.status_code, len(edits)) == (204, 1)
    free = replace(backend.overlay, ports=())
    assert edits[0](free).hosts == free.hosts[1:]


def test_a_host_needs_its_addresses(api):
    body = {"agent": {"host": "x", "configurations": {"tunnel_types": ["flat"]}}}

    assert error_of(api.simulate_post("/v2.0/agents", json=body)) == (
        400,
        "InvalidInput",
        (
            "Invalid input for operation: "
            "agent.configurations: 'tunneling_ip' is a required property; "
            "agent.configurations: 'ovsdb_connection' is a required property; "
            "agent.configurations.tunnel_types.0: 'flat' is not one of ['gre', 'vxlan', 'geneve']."
        ),
    )


def test_two_requests_at_once_that_change_one_agent_both_take_effect(api, backend, monkeypatch):
    path, change = f"/v2.0/agents/{agent_id('computer')}", backend.change

    def put(**configurations):
        return api.simulate_put(path, json={"agent": {"configurations": configurations}})

    def change_after_another(edit, **options):
        monkeypatch.undo()
        put(l2_population=True, ovsdb_connection="tcp:198.18.1.9:6640")
        return change(edit, **options)

    monkeypatch.setattr(backend, "change", change_after_another)
    shown = put(arp_responder_enabled=True).json["agent"]["configurations"]

    assert (shown["l2_population"], shown["arp_responder_enabled"]) == (True, True)
    assert shown["ovsdb_connection"] == "tcp:198.18.1.9:6640"


@pytest.mark.parametrize(("address", "status"), [("netns:12:345", 200), ("netns:12", 400)])
def test_the_address_of_a_linux_bridge_host_has_a_pid_and_a_start_time(api, address, status):
    body = {"agent": {"configurations": {"ovsdb_connection": address}}}
    changed = api.simulate_put(f"/v2.0/agents/{agent_id('computer')}", json=body)

    assert changed.status_code == status
