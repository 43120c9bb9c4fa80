"""Hosts as agents, and what Neutron shows of each value."""

from dataclasses import replace

import pytest

from controller.api import attributes, resources
from controller.model.encap import NetworkType
from controller.switches.backend import AgentState
from tests.controller.api.resource_requests import OVERLAY, port, refused, subnet


def test_a_host_is_added_changed_and_removed():
    configurations = {
        "tunneling_ip": "192.168.150.12",
        "tunnel_types": ["gre"],
        "l2_population": True,
        "arp_responder_enabled": True,
        "bridge_mappings": {"physnet1": "br-ex"},
        "ovsdb_connection": "tcp:198.18.1.3:6640",
    }
    third = resources.host_from("third", configurations)
    more = resources.with_host(OVERLAY, third)
    changed = resources.host_from("third", {"l2_population": False}, third)

    assert more.hosts == (*OVERLAY.hosts, third)
    assert (third.tunnel_types, third.bridge_mappings) == (
        (NetworkType.GRE,),
        (("physnet1", "br-ex"),),
    )
    assert third.is_arp_responder
    assert changed == replace(third, l2_population=False)
    assert resources.with_host(more, changed).hosts == (*OVERLAY.hosts, changed)
    assert resources.without_host(more, "third") == OVERLAY


def test_a_host_with_bound_ports_cannot_be_removed():
    assert refused(resources.without_host, OVERLAY, "controller") == (
        409,
        "AgentInUse",
        (
            "Unable to forget host controller. 1 port(s) are bound there: "
            "delete them or bind them elsewhere first."
        ),
    )


def test_a_port_is_active_only_while_frames_can_pass():
    up = OVERLAY.ports[0]
    shown = [
        attributes.view("port", OVERLAY, one)["status"]
        for one in (
            up,
            replace(up, status="DOWN"),
            replace(up, admin_state_up=False),
            replace(up, host=""),
        )
    ]

    assert shown == ["ACTIVE", "DOWN", "DOWN", "DOWN"]
    assert attributes.view("port", OVERLAY, replace(up, host=""))["binding:vif_type"] == "unbound"


def test_each_address_is_shown_once_with_its_own_subnet():
    both = port(subnet(cidr="2001:db8::/64"))

    assert attributes.view("port", both, both.port_of["port-n"])["fixed_ips"] == [
        {"subnet_id": "sub-1", "ip_address": "172.16.166.101"},
        {"subnet_id": "sub-n", "ip_address": "2001:db8::2"},
    ]


def test_an_agent_answers_arp_only_with_l2population():
    host = replace(OVERLAY.hosts[0], arp_responder=True)
    state = AgentState(host=host.name, alive=True, wired=True)
    shown = [
        attributes.view("agent", resources.with_host(OVERLAY, one), state)["configurations"]
        for one in (host, replace(host, l2_population=True))
    ]

    assert [one["arp_responder_enabled"] for one in shown] == [False, True]


ROWS = [
    {
        "id": "1",
        "name": "a",
        "up": True,
        "number": 111,
        "none": None,
        "ips": [{"ip_address": "10.0.0.1", "subnet_id": "s"}],
        "subnets": ["s", "t"],
    },
    {"id": "2", "name": "b", "up": False, "number": 11, "none": "x", "ips": [], "subnets": []},
]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ([], "12"),
        ([("name", "a")], "1"),
        ([("name", "a"), ("name", "b")], "12"),
        ([("name", "a"), ("id", "2")], ""),
        ([("up", "True")], "1"),
        ([("up", "false")], "2"),
        ([("up", "0")], "2"),
        ([("number", "11")], "2"),
        ([("none", "")], "1"),
        ([("ips", "ip_address=10.0.0.1")], "1"),
        ([("ips", "ip_address=10.0.0.2")], ""),
        ([("ips", "subnet_id=s")], "1"),
        ([("subnets", "t")], "1"),
    ],
)
def test_a_list_is_filtered(query, ids):
    assert "".join(row["id"] for row in attributes.selected(ROWS, query, ROWS[0])) == ids


def test_a_list_shows_the_fields_asked_for():
    query = [("fields", "id"), ("fields", "name"), ("name", "b")]

    assert attributes.selected(ROWS, query, ROWS[0]) == [{"id": "2", "name": "b"}]


def test_an_unknown_filter_is_refused_even_for_an_empty_list():
    assert refused(attributes.selected, [], [("nmae", "a"), ("aeg", "1")], {"name"}) == (
        400,
        "HTTPBadRequest",
        "['aeg', 'nmae'] is invalid attribute for filtering",
    )


def test_every_filter_is_an_attribute_that_is_shown():
    shown = attributes.view("network", OVERLAY, OVERLAY.networks[0])
    assert shown.keys() >= set(attributes.filters("network"))
    assert attributes.view("subnet", OVERLAY, OVERLAY.subnets[0]).keys() >= set(
        attributes.filters("subnet")
    )
    assert attributes.view("port", OVERLAY, OVERLAY.ports[0]).keys() >= set(
        attributes.filters("port")
    )
