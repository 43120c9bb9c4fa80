"""What is not there, bad requests, and trouble behind the API: always Neutron's form."""

import json
import logging

import falcon.testing
import pytest

from controller.api.body import BODY_MAX
from controller.api.wsgi import make_api
from controller.model.errors import SwitchError
from tests.controller.api.api_backend import CONFIGURATIONS, FakeBackend
from tests.controller.api.api_client import error_of

NOT_FOUND = {"type": "HTTPNotFound", "message": "The resource could not be found.", "detail": ""}


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def api(backend):
    return falcon.testing.TestClient(make_api(backend))


@pytest.mark.parametrize("path", ["/v3", "/v2.0/routers", "/v2.0/ports/port-1/tags"])
def test_an_unknown_path_is_404_in_neutrons_form(api, path):
    response = api.simulate_get(path)

    assert (response.status_code, response.json) == (404, {"NeutronError": NOT_FOUND})


@pytest.mark.parametrize(
    ("path", "type_", "printed"),
    [
        ("networks/no", "NetworkNotFound", "Network no could not be found."),
        ("subnets/no", "SubnetNotFound", "Subnet no could not be found."),
        ("ports/no", "PortNotFound", "Port no could not be found."),
        ("agents/no", "AgentNotFound", "Agent no could not be found."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_id_is_404_by_its_kind(api, method, path, type_, printed):
    body = {path.split("/")[0][:-1]: {}}

    answer = api.simulate_request(method, f"/v2.0/{path}", json=body)

    assert error_of(answer) == (404, type_, printed)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/v2.0/networks/net-1", "GET, PUT, DELETE"),
        ("PUT", "/v2.0/networks", "GET, POST"),
        ("POST", "/", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_405_in_neutrons_form(api, method, path, allowed):
    response = api.simulate_request(method, path)

    assert error_of(response) == (
        405,
        "HTTPMethodNotAllowed",
        "The method is not allowed for this resource.",
    )
    assert set(response.headers["allow"].split(", ")) >= set(allowed.split(", "))


def post(api, raw, media="application/json"):
    return api.simulate_post("/v2.0/networks", body=raw, headers={"Content-Type": media})


def test_only_json_is_read(api):
    ours = b'{"network": {"name": "x"}}'

    assert error_of(post(api, ours, "text/xml"))[:2] == (415, "HTTPUnsupportedMediaType")
    assert post(api, ours, "application/json; charset=utf-8").status_code == 201


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 60000,
        b'{"network": {"mtu": NaN}}',
        b'{"network": {"mtu": ' + b"9" * 5000 + b"}}",
        b"null",
    ],
)
def test_a_bad_body_is_a_bad_request(api, raw):
    status, _type, printed = error_of(post(api, raw))

    assert status == 400
    assert "Traceback" not in printed


def test_a_large_body_is_refused(api, backend):
    frame = len('{"network": {"name": ""}}')
    fits = b'{"network": {"name": "' + b"x" * (BODY_MAX - frame) + b'"}}'

    assert error_of(post(api, fits))[:2] == (400, "InvalidInput")  # too long a name, but read
    assert error_of(post(api, fits + b" "))[:2] == (413, "HTTPContentTooLarge")
    assert len(backend.overlay.networks) == 1


def test_an_internal_error_is_logged_and_hidden_from_the_client(api, backend, monkeypatch, caplog):
    def broken():
        message = "the secret is 42"
        raise RuntimeError(message)

    monkeypatch.setattr(backend, "agents", broken)
    with caplog.at_level(logging.ERROR):
        response = api.simulate_get("/v2.0/agents")

    assert error_of(response) == (
        500,
        "HTTPInternalServerError",
        "Request Failed: internal server error while processing your request.",
    )
    assert caplog.messages == ["GET /v2.0/agents failed"]
    assert "the secret is 42" in caplog.text
    assert "Traceback" in caplog.text


def test_an_error_of_the_lab_is_a_503_with_its_advice(api, backend, monkeypatch, caplog):
    def silent(edit, **_):
        raise SwitchError("silent", where="host third", allowed="an answer", do="Look at it.")

    monkeypatch.setattr(backend, "change", silent)
    body = {"agent": {"host": "third", "configurations": CONFIGURATIONS}}

    assert error_of(api.simulate_post("/v2.0/agents", json=body)) == (
        503,
        "SwitchError",
        "host third: silent; allowed: an answer. Look at it.",
    )
    assert caplog.messages == ["request failed"]


def test_an_odd_name_survives(api):
    name = 'vxlan 网络 😀 "'
    made = post(api, json.dumps({"network": {"name": name}}).encode())

    assert made.json["network"]["name"] == name


def test_where_neutron_has_its_own_text_the_detail_has_what_is_allowed(api):
    body = {"subnet": {"network_id": "net-1", "cidr": "10.0.0.0/29", "gateway_ip": "10.0.0.7"}}

    answer = api.simulate_post("/v2.0/subnets", json=body)

    assert (answer.status_code, answer.json["NeutronError"]) == (
        400,
        {
            "type": "InvalidInput",
            "message": "Invalid input for operation: Gateway 10.0.0.7 is not valid on subnet "
            "10.0.0.0/29.",
            "detail": "subnet '10.0.0.0/29': gateway_ip 10.0.0.7; allowed: 10.0.0.1..10.0.0.6, or "
            "null. Correct the address.",
        },
    )
