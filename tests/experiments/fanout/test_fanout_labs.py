"""What is raised for `fanout`, what is sent, and what is foretold."""

from ipaddress import IPv4Address

import pytest

from experiments.fanout.cells import KINDS, KNOWN, OTHER, UNICAST, UNKNOWN
from experiments.fanout.labs import (
    Copies,
    copies_of,
    frames,
    members,
    network_id,
    predicted,
    sender,
    staged,
)
from experiments.fanout.probe import EXPERIMENT as FANOUT
from experiments.measure.frames import NONCE, arp_packet, ethernet, marker
from experiments.measure.pcapng import has_packet, interfaces_in
from tests.experiments.fanout.fanout_world import BARE, lab, one


@pytest.mark.parametrize(
    ("hosts", "share", "wanted"),
    [
        (2, 50, (0,)),
        (4, 50, (0, 2)),
        (3, 50, (0, 1)),
        (16, 50, tuple(range(0, 16, 2))),
        (4, 100, (0, 1, 2, 3)),
        (2, 100, (0, 1)),
    ],
)
def test_members_are_spread_and_the_first_host_is_one(hosts, share, wanted):
    assert members(hosts, share) == wanted


@pytest.mark.parametrize(
    ("mode", "kind", "wanted"),
    [
        ("gre-mesh", OTHER, (15, 15, 8, 7)),
        ("vxlan-mesh", KNOWN, (15, 15, 8, 7)),
        ("gre-l2pop", UNICAST, (7, 7, 0, 7)),
        ("vxlan-l2pop", KNOWN, (7, 7, 0, 7)),
        ("vxlan-l2pop-arp", KNOWN, (0, 0, 0, 0)),
        ("vxlan-l2pop-arp", UNKNOWN, (7, 7, 0, 7)),
        ("vlan", UNKNOWN, (1, 15, 8, 7)),
        ("kvxlan-multicast", KNOWN, (1, 7, 0, 7)),
        ("kvxlan-mesh", UNICAST, (15, 15, 8, 7)),
        ("kvxlan-l2pop", KNOWN, (0, 0, 0, 0)),
        ("kvxlan-l2pop", UNKNOWN, (0, 0, 0, 0)),
        ("kvxlan-l2pop", OTHER, (7, 7, 0, 7)),
    ],
)
def test_predictions_are_those_of_theory(mode, kind, wanted):
    sent, arrived, unneeded, heard = wanted
    assert copies_of(mode, 16, 8, kind) == Copies(
        copies_sent=sent, arrived=arrived, unneeded=unneeded, heard=heard
    )


def test_a_network_with_one_member_floods_in_mesh_alone_and_asks_for_nobody_known():
    report = predicted(BARE, ({"mode": "gre-mesh", "hosts": 2}, {"mode": "gre-l2pop", "hosts": 2}))
    alone = [row for row in report if row["share"] == 50]

    assert {row["kind"] for row in alone} == set(KINDS) - {KNOWN}
    assert {(row["mode"], row["copies_sent"], row["unneeded"], row["heard"]) for row in alone} == {
        ("gre-mesh", 1, 1, 0),
        ("gre-l2pop", 0, 0, 0),
    }


def test_everything_is_foretold_once():
    points = FANOUT.question.points()
    report = predicted(BARE, points)

    keys = {(row["mode"], row["hosts"], row["share"], row["kind"]) for row in report}
    assert len(keys) == len(report) == 9 * (7 + 3 * 8)


def test_the_lab_has_a_network_for_each_share_and_a_guest_on_each_member():
    overlay = lab("gre-l2pop", 8)

    assert len(overlay.hosts) == 8
    assert [len(overlay.members(network.id)) for network in overlay.networks] == [4, 8]
    assert sender(overlay, 50).host == sender(overlay, 100).host == overlay.hosts[0].name
    assert len({port.device_id for port in overlay.ports}) == 12
    assert all(network.segmentation_id < 4095 for network in overlay.networks)


def test_a_larger_scenario_is_cut():
    large = staged(lab(hosts=8), {"mode": "gre-mesh", "hosts": 2})
    assert large.hosts == lab("gre-mesh", hosts=2).hosts
    assert len(large.ports) == 3
    assert lab(hosts=16).hosts[:4] == lab(hosts=4).hosts


def test_every_mode_of_the_question_can_carry_it():
    for point in FANOUT.question.points():
        FANOUT.stage(BARE, point)


def test_frames_are_drawn_by_the_seed_and_nothing_else():
    overlay = lab()
    first, again, other = frames(overlay, 3, 1), frames(overlay, 3, 1), frames(overlay, 3, 2)

    assert first == again
    names = [[(each.share, each.kind, each.number) for each in some] for some in (first, other)]
    assert names[0] != names[1]
    assert sorted(names[0]) == sorted(names[1])
    assert not {each.nonce for each in first} & {each.nonce for each in other}
    assert len({each.nonce for each in first}) == len(first) == 24


def test_frames_pass_port_security_and_bear_their_nonce():
    overlay = lab()
    for share in (50, 100):
        source = sender(overlay, share)
        for kind in KINDS:
            frame = one(overlay, share, kind)
            assert frame.data[6:12].hex(":") == source.mac_address
            assert len(frame.data) == 60
            assert frame.nonce in frame.data
            assert (frame.data[0] & 1 == 0) is (kind == UNICAST)
            if kind in {KNOWN, UNKNOWN}:
                assert frame.data[22:28].hex(":") == source.mac_address
                assert IPv4Address(frame.data[28:32]) == source.ipv4[0]


def test_known_is_a_members_address_and_unknown_nobodys():
    overlay = lab()
    known, unknown = (IPv4Address(one(overlay, 50, kind).data[38:42]) for kind in (KNOWN, UNKNOWN))
    ports = list(overlay.active_ports(network_id(50)))

    assert known == ports[-1].ipv4[0] != sender(overlay, 50).ipv4[0]
    assert unknown not in {ip for port in overlay.ports for ip in port.ipv4}
    assert unknown in overlay.subnets[0].cidr
    strange = one(overlay, 50, UNICAST).data[:6].hex(":")
    assert strange not in {port.mac_address for port in overlay.ports}


def test_an_arp_request_is_as_rfc_826_has_it():
    pair = (
        ("02:00:00:00:00:01", IPv4Address("10.0.0.1")),
        ("00:00:00:00:00:00", IPv4Address("10.0.0.2")),
    )
    assert ethernet("ff:ff:ff:ff:ff:ff", pair[0][0], 0x0806, arp_packet(1, *pair)).hex() == (
        "ffffffffffff"
        "020000000001"
        "0806"
        "0001"
        "0800"
        "06"
        "04"
        "0001"
        "020000000001"
        "0a000001"
        "000000000000"
        "0a000002" + "00" * 18
    )


def test_a_marker_goes_where_no_bridge_forwards_and_no_kernel_answers():
    frame = marker(bytes(range(NONCE)))
    assert frame[:6].hex(":") == "01:80:c2:00:00:01"
    assert frame[20:22] == b"\0\x18"  # an ARP operation for experiments
    assert frame.endswith(bytes(range(NONCE)))
    assert len(frame) == 60


HEAD = bytes.fromhex(
    "0a0d0d0a"
    "1c000000"
    "4d3c2b1a"
    "01000000"
    "ffffffffffffffff"
    "1c000000"
    "01000000"
    "20000000"
    "0100"
    "0000"
    "00000400"
    "0200"
    "0400"
    "65746830"
    "00000000"
    "20000000"
    "01000000"
    "20000000"
    "0100"
    "0000"
    "00000400"
    "0200"
    "0300"
    "71766f00"
    "00000000"
    "20000000"
)


def test_a_header_in_the_making_has_the_interfaces_that_are_whole():
    assert interfaces_in(HEAD) == ("eth0", "qvo")
    assert interfaces_in(HEAD[:-1]) == ("eth0",)
    assert interfaces_in(HEAD[:30]) == ()
    assert interfaces_in(b"") == ()


def test_a_packet_is_found_on_its_own_interface_only():
    frame = marker(b"x" * NONCE)
    repeat = bytes.fromhex("060000005c0000000100000000000000000000003c0000003c000000")
    data = HEAD + repeat + frame + b"\x5c\0\0\0"

    assert has_packet(data, frame, 1)
    assert not has_packet(data, frame, 0)
    assert not has_packet(data, marker(b"y" * NONCE), 1)
    assert not has_packet(frame, frame, 1)
