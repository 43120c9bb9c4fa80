"""OVSDB's answer, as captured from Open vSwitch 3.1, read as values."""

import json
from dataclasses import replace

from controller.switches.reading import binding_of, parse_reading, plugged, status_changes
from tests.controller.small import BLUE, RED, port, small

A, B = port(1, RED, "h1"), port(2, BLUE, "h1")


def table(headings: str, *rows: list) -> str:
    return json.dumps({"headings": headings.split(), "data": rows})


def ovsdb(*, tag: object = 7, ofport: object = 2, iface_id: str = A.id, net: str = RED) -> str:
    ids = [["iface-id", iface_id], ["attached-mac", A.mac_address]]
    return "\n".join(
        [
            table(
                "name datapath_id datapath_type ports",
                [
                    "br-int",
                    "0000de7928e28a49",
                    "netdev",
                    ["set", [["uuid", "u1"], ["uuid", "u2"], ["uuid", "u3"]]],
                ],
                ["br-tun", ["set", []], "", ["uuid", "u4"]],
            ),
            table(
                "_uuid name tag other_config",
                [["uuid", "u1"], "br-int", ["set", []], ["map", []]],
                [["uuid", "u2"], "patch-tun", ["set", []], ["map", []]],
                [["uuid", "u3"], "qvo00000001-00", tag, ["map", [["net_uuid", net]]]],
                [["uuid", "u4"], "br-tun", ["set", []], ["map", []]],
            ),
            table(
                "name type ofport options external_ids error",
                ["br-int", "internal", 65534, ["map", []], ["map", []], ["set", []]],
                [
                    "patch-tun",
                    "patch",
                    1,
                    ["map", [["peer", "patch-int"]]],
                    ["map", []],
                    ["set", []],
                ],
                ["qvo00000001-00", "", ofport, ["map", []], ["map", ids], ["set", []]],
                ["br-tun", "internal", 65534, ["map", []], ["map", []], "no such device"],
            ),
        ]
    )


def test_bridges_ports_and_numbers():
    reading = parse_reading(ovsdb())
    assert reading["br-int"].dpid == 0xDE7928E28A49
    assert reading["br-tun"].dpid is None
    assert [reading[b].datapath_type for b in ("br-int", "br-tun")] == ["netdev", "system"]
    assert reading["br-int"].ports["qvo00000001-00"].ofport == 2
    assert reading["br-int"].ports["qvo00000001-00"].tag == 7
    assert list(reading["br-tun"].ports) == ["br-tun"]
    assert reading["br-tun"].ports["br-tun"].error == "no such device"
    assert reading["br-int"].ports["patch-tun"].options == {"peer": "patch-int"}


def test_the_binding_is_read_from_tags_and_ofports():
    binding = binding_of(small(A, B), "h1", parse_reading(ovsdb()))
    assert binding.local_vlans == {RED: 7}
    assert binding.ofports == {"br-int": {"patch-tun": 1, "qvo00000001-00": 2}, "br-tun": {}}
    assert binding.dead == frozenset()


def test_a_port_unknown_to_neutron_is_dead():
    for overlay in (
        small(B),
        small(replace(A, admin_state_up=False), B),
        small(replace(A, host="h2"), B),
    ):
        binding = binding_of(overlay, "h1", parse_reading(ovsdb()))
        assert binding.dead == {"qvo00000001-00"}


def test_a_port_in_the_dead_vlan_gives_its_network_no_vlan():
    assert binding_of(small(A), "h1", parse_reading(ovsdb(tag=4095))).local_vlans == {}
    assert binding_of(small(A), "h1", parse_reading(ovsdb(tag=["set", []]))).local_vlans == {}


def test_a_port_without_a_number_is_not_plugged():
    assert plugged(parse_reading(ovsdb(ofport=-1))) == {}
    assert plugged(parse_reading(ovsdb(ofport=["set", []]))) == {}


def test_status_follows_what_is_plugged():
    overlay = small(replace(A, status="DOWN"), B)
    assert status_changes(overlay, "h1", parse_reading(ovsdb())) == {A.id: "ACTIVE", B.id: "DOWN"}
    assert status_changes(overlay, "h2", parse_reading(ovsdb())) == {}


def test_a_host_without_br_int_changes_no_port_status():
    empty = "\n".join(
        table(headings)
        for headings in (
            "name datapath_id datapath_type ports",
            "_uuid name tag other_config",
            "name type ofport options external_ids error",
        )
    )
    assert status_changes(small(A), "h1", parse_reading(empty)) == {}
