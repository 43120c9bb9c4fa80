"""Two agents must not claim one thing: a second one is refused with 409, and nothing has changed."""

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


def post(api, host="third", **configurations):
    body = {"agent": {"host": host, "configurations": {**CONFIGURATIONS, **configurations}}}
    return api.simulate_post("/v2.0/agents", json=body)


def put(api, host, **configurations):
    body = {"agent": {"configurations": configurations}}
    return api.simulate_put(f"/v2.0/agents/{agent_id(host)}", json=body)


def state_of(backend):
    return backend.overlay, dict(backend.ovsdb)


SAME_OVSDB = [
    ("tcp:198.18.1.3:6640", "tcp:198.18.1.3:6640"),
    ("tcp:198.18.1.3:6640", "tcp:198.18.1.3:06640"),
    ("tcp:198.18.1.3:6640", "tcp:198.18.1.3"),
    ("tcp:198.18.1.3:6640", "ssl:198.18.1.3:6640"),
    ("tcp:[fd00::1]:6640", "tcp:[fd00:0::0:1]:6640"),
    ("unix:/run/a/db.sock", "unix:/run/b/../a//db.sock"),
    ("netns:12:345", "netns:12:345"),
]


@pytest.mark.parametrize(("theirs", "given"), SAME_OVSDB)
def test_the_ovsdb_of_another_host_is_409(api, backend, theirs, given):
    assert (
        post(api, "second", tunneling_ip="192.168.150.13", ovsdb_connection=theirs).status_code
        == 201
    )
    before = state_of(backend)
    said = (
        409,
        "AgentAddressInUse",
        f"Unable to register host {{}}: ovsdb_connection {given} is that of host second.",
    )

    added = said_by(post(api, "third", ovsdb_connection=given))
    changed = said_by(put(api, "computer", ovsdb_connection=given))

    assert added == (*said[:2], said[2].format("third"))
    assert changed == (*said[:2], said[2].format("computer"))
    assert state_of(backend) == before


def said_by(response):
    error = response.json["NeutronError"]
    return response.status_code, error["type"], error["message"]


def test_another_ovsdb_is_accepted(api):
    assert post(api, "third", ovsdb_connection="tcp:198.18.1.3:6641").status_code == 201
    fourth = {"tunneling_ip": "192.168.150.14", "ovsdb_connection": "tcp:198.18.1.3:6642"}
    assert post(api, "fourth", **fourth).status_code == 201
    assert put(api, "fourth", ovsdb_connection="tcp:198.18.1.3:6643").status_code == 200


@pytest.mark.parametrize("change", [post, put])
def test_the_tunneling_ip_of_another_host_is_409(api, backend, change):
    before = state_of(backend)
    assert error_of(change(api, "computer", tunneling_ip="192.168.150.10")) in [
        (
            409,
            "AgentAddressInUse",
            "Unable to register host computer: tunneling_ip 192.168.150.10 is that of host controller.",
        ),
        (
            409,
            "AgentExists",
            "The agent of host computer exists with other values: tunneling_ip, tunnel_types, "
            "l2_population. Change it with PUT, or delete it first.",
        ),
    ]
    assert error_of(post(api, "third", tunneling_ip="192.168.150.10")) == (
        409,
        "AgentAddressInUse",
        "Unable to register host third: tunneling_ip 192.168.150.10 is that of host controller.",
    )
    assert state_of(backend) == before


def test_a_known_host_with_other_values_is_409(api, backend):
    assert post(api).status_code == 201
    before = state_of(backend)
    exists = "The agent of host third exists with other values: "
    advice = ". Change it with PUT, or delete it first."

    assert post(api).status_code == 200
    assert said_by(post(api, tunneling_ip="192.168.150.99")) == (
        409,
        "AgentExists",
        f"{exists}tunneling_ip{advice}",
    )
    assert said_by(post(api, ovsdb_connection="tcp:198.18.1.77:6640")) == (
        409,
        "AgentExists",
        f"{exists}ovsdb_connection{advice}",
    )
    assert state_of(backend) == before
