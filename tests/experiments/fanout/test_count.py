"""Copies counted in made-up captures: none, one too few, one too many, and packets that are none."""

import pytest

from experiments.fanout.count import counted, frame_rows, unsent, vtep_rows
from experiments.fanout.labs import predicted
from experiments.fanout.probe import measured
from experiments.fanout.words import COUNTS, KNOWN, OTHER
from experiments.measure.captures import Captures
from tests.experiments.fanout.ideal_lab import (
    BARE,
    all_seen,
    chatter,
    lab,
    members_of,
    one,
    origin,
    packet,
    qvo,
    seen,
    sent,
    unknown_unicast,
)

MODES = ("vlan", "gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "vxlan-l2pop-arp")


def row_of(overlay, frame, packets):
    (row,) = frame_rows(overlay, counted(overlay, [frame], packets))
    return row


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hosts", [2, 4, 7])
def test_counts_of_a_lab_without_faults_are_as_predicted(mode, hosts):
    overlay, point = lab(mode, hosts), {"mode": mode, "hosts": hosts}
    wanted = {(each["share"], each["kind"]): each for each in predicted(BARE, (point,))}

    found = frame_rows(overlay, counted(overlay, sent(overlay), all_seen(overlay, mode)))

    assert len(found) == len(wanted)
    for row in found:
        cell = wanted[row["share"], row["kind"]]
        names = ("members", *COUNTS)
        assert {name: row[name] for name in names} == {name: cell[name] for name in names}
        assert row["misdelivered"] == 0
        answers = mode == "vxlan-l2pop-arp" and row["kind"] == KNOWN
        assert row["answered"] == int(answers)


@pytest.mark.parametrize("kind", [KNOWN, OTHER])
def test_a_lost_copy_is_missing_from_the_counts_after_the_loss(kind):
    overlay = lab("vxlan-mesh")
    frame = one(overlay, 100, kind)
    packets = seen(overlay, "vxlan-mesh", frame)

    never_left = row_of(overlay, frame, [p for p in packets if p["ip.dst"] != "192.168.150.12"])
    lost_in_transit = row_of(overlay, frame, [p for p in packets if p["node"] != "computer2"])

    assert (never_left["copies_sent"], never_left["arrived"]) == (2, 2)
    assert (lost_in_transit["copies_sent"], lost_in_transit["arrived"]) == (3, 2)
    assert (never_left["delivered"], lost_in_transit["delivered"]) == (3, 2)


def test_a_duplicate_counts_twice():
    overlay = lab("vxlan-l2pop")
    frame = one(overlay, 100, OTHER)
    packets = seen(overlay, "vxlan-l2pop", frame)
    doubled = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
    delivered = packets[-1]

    row = row_of(overlay, frame, [*packets, doubled, delivered])

    assert (row["copies_sent"], row["arrived"], row["unneeded"], row["delivered"]) == (3, 4, 0, 4)


def test_a_copy_to_a_host_without_a_member_is_unneeded():
    overlay = lab("vxlan-l2pop")
    frame = one(overlay, 50, OTHER)
    packets = seen(overlay, "vxlan-l2pop", frame)
    outer = "192.168.150.10", "192.168.150.11"  # computer has no guest on the network
    assert [port.host for port in members_of(overlay, frame)] == ["controller", "computer2"]

    row = row_of(
        overlay,
        frame,
        [
            *packets,
            packet("controller", "underlay", frame, outer=outer),
            packet("computer", "underlay", frame, outer=outer),
        ],
    )

    assert (row["copies_sent"], row["arrived"], row["unneeded"], row["delivered"]) == (2, 2, 1, 1)


@pytest.mark.parametrize(
    ("node", "outer", "why"),
    [
        ("computer3", ("192.168.150.10", "192.168.150.11"), "a switch flooded it to another VTEP"),
        ("computer", ("192.168.150.11", "192.168.150.12"), "a receiver forwarded it"),
        (
            "computer2",
            ("192.168.150.11", "192.168.150.12"),
            "it came from another host than the sender's",
        ),
        ("computer", None, "it is outside its tunnel"),
    ],
)
def test_a_packet_neither_sent_by_the_sender_nor_arrived_at_its_target_is_misdelivered(
    node, outer, why
):
    overlay = lab("vxlan-mesh")
    frame = unknown_unicast(overlay)
    packets = seen(overlay, "vxlan-mesh", frame)

    row = row_of(overlay, frame, [*packets, packet(node, "underlay", frame, outer=outer)])

    assert row["misdelivered"] == 1, why
    assert (row["copies_sent"], row["arrived"]) == (3, 3)


def test_a_frame_that_comes_back_to_its_sender_is_misdelivered():
    overlay = lab("gre-mesh")
    frame = unknown_unicast(overlay)
    packets = seen(overlay, "gre-mesh", frame)

    assert row_of(overlay, frame, [*packets, packets[0]])["misdelivered"] == 1
    assert row_of(overlay, frame, packets)["delivered"] == 1


def test_an_arp_reply_is_not_a_copy_and_one_at_another_guest_is_misdelivered():
    overlay = lab("vxlan-l2pop-arp")
    frame = one(overlay, 100, KNOWN)
    other = members_of(overlay, frame)[1]

    row = row_of(
        overlay,
        frame,
        [
            *seen(overlay, "vxlan-l2pop-arp", frame),
            packet(other.host, qvo(other), frame, opcode="2"),
        ],
    )

    assert (row["answered"], row["delivered"], row["misdelivered"]) == (1, 0, 1)


def test_other_packets_of_the_sender_are_not_counted():
    overlay = lab("vxlan-mesh")
    frame = unknown_unicast(overlay)
    packets = seen(overlay, "vxlan-mesh", frame)

    assert row_of(overlay, frame, [*packets, *chatter(overlay)]) == row_of(overlay, frame, packets)


def test_the_first_bytes_of_a_nonce_identify_a_frame_in_any_field_of_tshark():
    # After a VLAN tag the trailer has another name, and tshark may take its end for a checksum.
    overlay = lab("vlan")
    frame = one(overlay, 100, KNOWN)
    packets = seen(overlay, "vlan", frame)
    moved = [
        {**p, "eth.trailer": "", "vlan.trailer": p["eth.trailer"][:-8]}
        if p["frame.interface_name"] == "underlay"
        else p
        for p in packets
    ]

    assert row_of(overlay, frame, moved) == row_of(overlay, frame, packets)
    assert row_of(overlay, frame, moved)["copies_sent"] == 1


def test_a_frame_never_seen_at_its_sender_is_reported_as_unsent():
    overlay = lab("vxlan-l2pop-arp")
    everything = sent(overlay)
    packets = all_seen(overlay, "vxlan-l2pop-arp")
    source = origin(overlay, unknown_unicast(overlay))
    cut = [p for p in packets if p["frame.interface_name"] != qvo(source)]

    assert unsent(counted(overlay, everything, packets)) == ()
    assert {each.share for each in unsent(counted(overlay, everything, cut))} == {50}


def test_every_vtep_has_its_own_row():
    overlay = lab("vxlan-mesh")
    frame = one(overlay, 50, OTHER)

    found = vtep_rows(overlay, counted(overlay, [frame], seen(overlay, "vxlan-mesh", frame)))

    assert [
        (row["host"], row["is_member"], row["copies_sent"], row["arrived"], row["delivered"])
        for row in found
    ] == [
        ("controller", 1, 3, 0, 0),
        ("computer", 0, 0, 1, 0),
        ("computer2", 1, 0, 1, 1),
        ("computer3", 0, 0, 1, 0),
    ]


def test_a_guest_that_missed_the_end_of_test_frame_makes_the_counts_unreliable():
    overlay = lab("vxlan-mesh")
    counts = counted(overlay, sent(overlay), all_seen(overlay, "vxlan-mesh"))

    found = measured(overlay, counts, (), Captures(), ["s100g3"])

    assert found.lost == 1  # the verdict allows none
    assert found.facts["guests_without_end_frame"] == ["s100g3"]


def test_a_guest_that_received_nothing_is_counted_as_not_reached():
    overlay = lab("vxlan-mesh")
    frames = sent(overlay)
    reached_by_none = [
        packet
        for packet in all_seen(overlay, "vxlan-mesh")
        if packet["node"] != "computer3" or packet["frame.interface_name"] == "underlay"
    ]
    counts = counted(overlay, frames, reached_by_none)

    found = measured(overlay, counts, (), Captures(), ["s100g4"])

    assert found.lost == 0
    assert found.facts["guests_without_end_frame"] == ["s100g4"]
    assert any(row["delivered"] < row["arrived"] for row in found.rows if row["share"] == 100)
