"""Writes to a host's OVSDB: only differences, and only in our rows."""

from dataclasses import replace

import pytest

from controller.flows.binding import Binding
from controller.flows.pipeline import match
from controller.flows.ports import DEAD_VLAN_TAG, add_port_args, guest_port, switch_ports
from controller.model.errors import SwitchError
from controller.switches.ovsdb import failed_ports, missing_ports, stale_ports, tag_args
from controller.switches.reading import BridgeRow, PortRow
from controller.switches.wire import oxm
from tests.controller.small import RED, port, small

A = port(1, RED, "h1")
OVERLAY = small(A, port(2, RED, "h2"))
HOST = OVERLAY.host("h1")
WANTED = switch_ports(OVERLAY, HOST)


def reading(*more: PortRow, **changed: object) -> dict[str, BridgeRow]:
    """A host that has all it should; `changed`: fields of its port to h2 that differ."""
    bridges: dict[str, dict[str, PortRow]] = {"br-int": {}, "br-tun": {}}
    for number, wanted in enumerate(WANTED, start=1):
        row = PortRow(name=wanted.name, type=wanted.type, ofport=number, options=wanted.options)
        if wanted.name == "vxlan-c0000202":
            row = replace(row, **changed)
        bridges[wanted.bridge][wanted.name] = row
    for row in more:
        bridges["br-tun" if row.type else "br-int"][row.name] = row
    return {name: BridgeRow(name=name, dpid=1, ports=ports) for name, ports in bridges.items()}


def missing(**changed: object) -> list[str]:
    return [wanted.name for wanted in missing_ports(WANTED, reading(**changed))]


def test_a_host_with_all_ports_has_no_missing_ports():
    assert missing() == []


def test_a_port_with_other_options_or_of_another_type_is_missing():
    assert missing(options={"remote_ip": "192.0.2.9"}) == ["vxlan-c0000202"]
    assert missing(type="gre") == ["vxlan-c0000202"]


def test_only_our_own_ports_are_stale():
    ours = PortRow(name="vxlan-c0000299", type="vxlan", ofport=9)
    by_hand = PortRow(name="to-the-lab-next-door", type="vxlan", ofport=10)
    here = reading(ours, by_hand)
    elsewhere = {"br-user": BridgeRow(name="br-user", dpid=2, ports={ours.name: ours})}
    assert stale_ports(HOST, WANTED, {**here, **elsewhere}) == [("br-tun", "vxlan-c0000299")]


@pytest.mark.parametrize("kind", ["gre", "ip6gre"])
def test_a_gre_tunnel_port_is_ours_in_both_releases(kind):
    ours = PortRow(name="gre-evm7o3p2pbv", type=kind, ofport=9)
    assert stale_ports(HOST, WANTED, reading(ours)) == [("br-tun", ours.name)]


def test_a_port_that_could_not_be_made_is_reported_with_the_reason():
    assert failed_ports(WANTED, reading()) == {}
    assert failed_ports(WANTED, reading(ofport=None, error="no such device")) == {
        "vxlan-c0000202": "no such device"
    }


def test_a_port_that_was_removed_after_it_was_added_is_reported():
    seen = reading()
    del seen["br-tun"].ports["vxlan-c0000202"]
    assert failed_ports(WANTED, seen) == {"vxlan-c0000202": "removed meanwhile"}


def test_a_flow_that_names_a_port_without_a_number_is_refused_with_the_name_of_the_port():
    with pytest.raises(SwitchError, match="port 'patch-tun': it has no OpenFlow port number"):
        oxm(match(in_port="patch-tun"), {"patch-int": 1})


def test_a_guests_port_starts_dead_and_is_made_only_once():
    add, settings = add_port_args(guest_port(A), None)[1:8], add_port_args(guest_port(A), None)[8:]
    assert add == [
        "--may-exist",
        "add-port",
        "br-int",
        "qvo00000001-00",
        "tag=4095",
        "vlan_mode=trunk",
        "trunks=4095",
    ]
    assert not [word for word in settings if "tag" in word or "trunk" in word]


def test_tags_are_written_only_where_they_differ():
    guest = PortRow(name="qvo00000001-00", ofport=2, tag=7, net_uuid=RED, iface_id=A.id)
    binding = Binding(host="h1", local_vlans={RED: 7})
    assert tag_args(OVERLAY, binding, reading(guest)) == []
    fresh = replace(guest, tag=DEAD_VLAN_TAG, net_uuid="")
    printed = " ".join(tag_args(OVERLAY, binding, reading(fresh)))
    assert printed.startswith(
        f'-- --if-exists set Port {guest.name} tag=7 other_config:net_uuid="{RED}"'
    )
    assert printed.endswith(f"-- --if-exists clear Port {guest.name} vlan_mode trunks")


def test_a_dead_port_loses_its_network_even_without_a_device():
    gone = PortRow(name="qvo00000001-00", ofport=None, tag=7, net_uuid=RED, iface_id=A.id)
    dead = Binding(host="h1", dead=frozenset({gone.name}))
    assert tag_args(OVERLAY, dead, reading(gone)) == [
        "--",
        "--if-exists",
        "set",
        "Port",
        gone.name,
        "tag=4095",
        "--",
        "--if-exists",
        "remove",
        "Port",
        gone.name,
        "other_config",
        "net_uuid",
    ]
