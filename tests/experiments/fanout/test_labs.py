"""The labs of `fanout`, the frames sent there, and the predicted counts."""

from ipaddress import IPv4Address

import pytest

from experiments.core.groups import network_id
from experiments.fanout.labs import (
    counts_of,
    frames,
    members,
    predicted,
    sender,
    staged,
)
from experiments.fanout.probe import EXPERIMENT as FANOUT
from experiments.fanout.words import KINDS, KNOWN, OTHER, UNICAST, UNKNOWN
from tests.experiments.fanout.ideal_lab import BARE, lab, one


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
def test_members_are_spread_evenly_and_include_the_first_host(hosts, share, wanted):
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
def test_predicted_counts(mode, kind, wanted):
    sent, arrived, unneeded, delivered = wanted
    assert counts_of(mode, 16, 8, kind) == {
        "copies_sent": sent,
        "arrived": arrived,
        "unneeded": unneeded,
        "delivered": delivered,
    }


def test_with_one_member_only_a_mesh_floods_and_no_known_address_is_asked_for():
    rows = predicted(BARE, ({"mode": "gre-mesh", "hosts": 2}, {"mode": "gre-l2pop", "hosts": 2}))
    alone = [row for row in rows if row["share"] == 50]

    assert {row["kind"] for row in alone} == set(KINDS) - {KNOWN}
    assert {
        (row["mode"], row["copies_sent"], row["unneeded"], row["delivered"]) for row in alone
    } == {
        ("gre-mesh", 1, 1, 0),
        ("gre-l2pop", 0, 0, 0),
    }


def test_every_cell_is_predicted_once():
    points = FANOUT.question.points()
    rows = predicted(BARE, points)

    keys = {(row["mode"], row["hosts"], row["share"], row["kind"]) for row in rows}
    assert len(keys) == len(rows) == 9 * (7 + 3 * 8)


def test_the_lab_has_a_network_for_each_share_and_a_guest_on_each_member():
    overlay = lab("gre-l2pop", 8)

    assert len(overlay.hosts) == 8
    assert [len(overlay.members(network.id)) for network in overlay.networks] == [4, 8]
    assert sender(overlay, 50).host == sender(overlay, 100).host == overlay.hosts[0].name
    assert len({port.device_id for port in overlay.ports}) == 12
    assert all(network.segmentation_id < 4095 for network in overlay.networks)


def test_a_larger_scenario_is_reduced_to_the_number_of_hosts():
    large = staged(lab(hosts=8), {"mode": "gre-mesh", "hosts": 2})
    assert large.hosts == lab("gre-mesh", hosts=2).hosts
    assert len(large.ports) == 3
    assert lab(hosts=16).hosts[:4] == lab(hosts=4).hosts


def test_a_lab_can_be_staged_for_every_point():
    for point in FANOUT.question.points():
        FANOUT.stage(BARE, point)


def test_frames_and_their_order_depend_only_on_the_seed():
    overlay = lab()
    first, again, other = frames(overlay, 3, 1), frames(overlay, 3, 1), frames(overlay, 3, 2)

    assert first == again
    names = [[(each.share, each.kind, each.number) for each in some] for some in (first, other)]
    assert names[0] != names[1]
    assert sorted(names[0]) == sorted(names[1])
    assert not {each.nonce for each in first} & {each.nonce for each in other}
    assert len({each.nonce for each in first}) == len(first) == 24


def test_frames_have_the_address_of_their_sender_and_their_nonce():
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


def test_a_known_address_is_that_of_a_member_and_an_unknown_one_is_unused():
    overlay = lab()
    known, unknown = (IPv4Address(one(overlay, 50, kind).data[38:42]) for kind in (KNOWN, UNKNOWN))
    ports = list(overlay.active_ports(network_id(50)))

    assert known == ports[-1].ipv4[0] != sender(overlay, 50).ipv4[0]
    assert unknown not in {ip for port in overlay.ports for ip in port.ipv4}
    assert unknown in overlay.subnets[0].cidr
    target = one(overlay, 50, UNICAST).data[:6].hex(":")
    assert target not in {port.mac_address for port in overlay.ports}
