"""The hybrid plug as values: names, and the commands that join and part."""

from dataclasses import replace

import pytest

from controller.api.attributes import parse_body, view
from controller.api.errors import NeutronError
from controller.api.resources import host_from, with_host
from controller.model import dhcp
from controller.model.modes import parse_mode, with_mode
from controller.model.names import hybrid_names, int_port_name
from controller.switches.backend import AgentState
from tests.controller.small import RED, port, small
from topologies.nodes import hybrid
from topologies.scenario.load import load


def test_names_are_novas_and_fit_an_interface():
    id_ = "00a1bde0-be17-4c53-9d20-166117750000"
    names = (*hybrid_names(id_), int_port_name(id_))
    assert names == ("tap00a1bde0-be", "qbr00a1bde0-be", "qvb00a1bde0-be", "qvo00a1bde0-be")
    assert all(len(name) <= 14 for name in names)  # Nova's NIC_NAME_LEN


def test_a_direct_port_needs_nothing_but_its_own_device():
    one = port(1, RED, "h1")
    overlay = small(one)
    assert hybrid.host_end(overlay, one) == "qvo00000001-00"
    assert hybrid.joining(overlay, one) == ()
    assert hybrid.parting(overlay, one.id, "h1") == ("link del qvo00000001-00",)


def test_a_hybrid_port_gets_a_bridge_and_a_veth_of_the_networks_mtu():
    one = port(1, RED, "h1")
    overlay = small(one, hybrid_plug=True)
    assert hybrid.host_end(overlay, one) == "tap00000001-00"
    assert hybrid.joining(overlay, one) == (
        "link add qbr00000001-00 mtu 1450 type bridge stp_state 0 forward_delay 0 ageing_time 0 "
        "mcast_snooping 0",
        "link add qvb00000001-00 mtu 1450 type veth peer name qvo00000001-00 mtu 1450",
        "link set qvb00000001-00 master qbr00000001-00 up promisc on",
        "link set qvo00000001-00 up promisc on",
        "link set tap00000001-00 master qbr00000001-00 up",
        "link set qbr00000001-00 up",
    )
    gone = replace(overlay, ports=())
    for known in (overlay, gone):
        assert hybrid.parting(known, one.id, "h1") == (
            "link del tap00000001-00",
            "link del qbr00000001-00",
            "link del qvb00000001-00",
        )


@pytest.mark.parametrize("bound", ["h2", ""], ids=["to another host", "to none"])
def test_a_rebound_port_is_removed_where_it_is_plugged(bound):
    overlay = small(port(1, RED, bound))
    first, *others = overlay.hosts
    mixed = replace(overlay, hosts=(replace(first, hybrid_plug=True), *others))
    id_ = overlay.ports[0].id
    assert len(hybrid.parting(mixed, id_, "h1")) == 3, "h1's plug is hybrid"
    assert hybrid.parting(mixed, id_, "h2") == ("link del qvo00000001-00",)


def test_a_dhcp_server_has_no_hybrid_plug():
    guest = port(1, RED, "h1", device_id="g1")
    overlay = dhcp.with_servers(replace(small(guest, hybrid_plug=True), dhcp=True))
    guest, server = overlay.ports
    assert (hybrid.is_hybrid(overlay, guest), hybrid.is_hybrid(overlay, server)) == (True, False)
    assert len(hybrid.parting(overlay, server.id, "h1")) == 1


def test_a_mode_keeps_the_plug():
    carried = with_mode(load("article-dhcp").overlay, parse_mode("gre-l2pop"))
    assert all(host.hybrid_plug for host in carried.hosts)


AGENT = {"tunneling_ip": "192.0.2.9", "ovsdb_connection": "tcp:198.18.1.9:6640"}


def test_a_hosts_plug_is_set_at_its_creation_only():
    asked = {"agent": {"host": "h9", "configurations": {**AGENT, "ovs_hybrid_plug": True}}}
    host = host_from("h9", parse_body("agent", "create", asked)["configurations"])
    assert host.hybrid_plug
    assert not host_from("h9", AGENT).hybrid_plug
    overlay = with_host(small(), host)
    shown = view("agent", overlay, AgentState(host="h9", alive=True, wired=True))["configurations"]
    assert shown["ovs_hybrid_plug"] is True
    changed = {"agent": {"configurations": {"ovs_hybrid_plug": False}}}
    with pytest.raises(NeutronError, match="ovs_hybrid_plug"):
        parse_body("agent", "update", changed)
