"""Requests and texts of switches that are nearly right: an answer, and never a traceback."""

import json

import falcon.testing
from hypothesis import given
from hypothesis import strategies as st

from controller.api.wsgi import make_api
from controller.explain.ofproto import copies, parse_trace
from controller.flows.text import normalise
from controller.model.errors import SwitchError
from tests.controller.api.api_backend import FakeBackend
from tests.fuzz.made import EXTREME, changed, edited, junk, values
from tests.fuzz.tried import count, tried
from tests.topologies.trace.played_lab import FOLDER

BODIES = {
    "networks": {"network": {"name": "n", "provider:network_type": "vxlan", "provider:segmentation_id": 7, "mtu": 1400}},
    "subnets": {"subnet": {"network_id": "net-1", "cidr": "10.0.0.0/24", "ip_version": 4, "gateway_ip": "10.0.0.1",
                           "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}], "enable_dhcp": False}},
    "ports": {"port": {"network_id": "net-1", "name": "p", "mac_address": "fa:16:3e:00:00:09", "device_id": "s",
                       "fixed_ips": [{"subnet_id": "sub-1", "ip_address": "172.16.166.101"}],
                       "binding:host_id": "computer", "admin_state_up": True}},
    "agents": {"agent": {"host": "third", "agent_type": "Open vSwitch agent", "configurations": {
        "tunneling_ip": "192.168.150.12", "tunnel_types": ["vxlan"], "ovsdb_connection": "tcp:198.18.1.3:6640"}}},
}  # fmt: skip
IDS = st.sampled_from(("net-1", "sub-1", "port-1", "x", "..", "%00", "%ff", "a b", "é"))
QUERIES = st.sampled_from(
    ("", "?fields=id", "?name=red", "?name", "?x=%ff", "?limit=-1", "?&&=", "?id=net-1&id=x")
)


@st.composite
def requests(draw):
    """Method, path and body of a request."""
    kind = draw(st.sampled_from(sorted(BODIES)))
    method = draw(st.sampled_from(("POST", "PUT", "PUT", "DELETE", "GET", "PATCH", "OPTIONS")))
    path = f"/v2.0/{kind}" + (f"/{draw(IDS)}" if method in {"PUT", "DELETE"} else "")
    path = draw(
        st.just(path) | st.just(f"{path}/{draw(IDS)}") | st.sampled_from(("/", "/v2.0", "/x"))
    )
    data = draw(changed(BODIES[kind]) | st.just(BODIES[kind]) | values)
    text = json.dumps(data)
    return (
        method,
        path + draw(QUERIES),
        draw(st.just(text) | edited(text) | st.sampled_from(("", "[" * 9999))),
    )


@tried(40)
@given(st.lists(requests(), min_size=1, max_size=4))
def test_any_requests_are_answered_as_by_neutron(sent):
    backend = FakeBackend()
    api = falcon.testing.TestClient(make_api(backend))
    for method, path, body in sent:
        count("API")
        answer = api.simulate_request(
            method, path.partition("?")[0], query_string=path.partition("?")[2],
            body=body.encode("utf-8", "surrogatepass"), headers={"content-type": "application/json"},
        )  # fmt: skip
        assert answer.status_code in {200, 201, 204, 400, 404, 405, 409, 413, 415}, (
            method,
            path,
            body,
            answer.text,
        )
        if answer.status_code >= 400 and answer.text:
            assert answer.json["NeutronError"]["message"]
        for kind in ("networks", "subnets", "ports", "agents"):
            assert api.simulate_get(f"/v2.0/{kind}").status_code == 200


TRACES = [path.read_text("utf-8") for path in sorted(FOLDER.glob("*.txt"))]


@tried(100)
@given(st.sampled_from(TRACES).flatmap(edited) | junk)
def test_any_trace_is_parsed_or_refused(text):
    count("traces")
    try:
        found = parse_trace(text)
        copies(found.datapath)
    except SwitchError:
        return
    assert found.sections


@tried(50)
@given(st.sampled_from(("priority=1,in_port=2 actions=output:3", "table=2, priority=0 actions=drop")).flatmap(edited)
       | st.sampled_from([str(each) for each in EXTREME]) | junk)  # fmt: skip
def test_any_dump_of_flows_is_read(text):
    count("dumps")
    assert isinstance(normalise(text), list)
