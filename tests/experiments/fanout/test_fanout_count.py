"""Copies counted in hand-made captures; and what is no copy, or one too few or many."""

import pytest

from experiments.fanout.cells import KNOWN, OTHER
from experiments.fanout.count import at_vteps, counted, rows, unsent
from experiments.fanout.labs import predicted
from tests.experiments.fanout.fanout_world import (
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
    stranger,
)

MODES = ("vlan", "gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "vxlan-l2pop-arp")
COUNTS = ("members", "copies_sent", "arrived", "unneeded", "heard")


def row_of(overlay, frame, packets):
    (row,) = rows(overlay, counted(overlay, [frame], packets))
    return row


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hosts", [2, 4, 7])
def test_an_ideal_lab_gives_what_was_foretold(mode, hosts):
    overlay, point = lab(mode, hosts), {"mode": mode, "hosts": hosts}
    wanted = {(each["share"], each["kind"]): each for each in predicted(BARE, (point,))}

    found = rows(overlay, counted(overlay, sent(overlay), all_seen(overlay, mode)))

    assert len(found) == len(wanted)
    for row in found:
        cell = wanted[row["share"], row["kind"]]
        assert {name: row[name] for name in COUNTS} == {name: cell[name] for name in COUNTS}
        assert row["misdelivered"] == 0
        answers = mode == "vxlan-l2pop-arp" and row["kind"] == KNOWN
        assert row["answered"] == int(answers)


@pytest.mark.parametrize("kind", [KNOWN, OTHER])
def test_a_lost_copy_is_missed_where_it_was_lost(kind):
    overlay = lab("vxlan-mesh")
    frame = one(overlay, 100, kind)
    packets = seen(overlay, "vxlan-mesh", frame)

    never_left = row_of(overlay, frame, [p for p in packets if p["ip.dst"] != "192.168.150.12"])
    lost_under_way = row_of(overlay, frame, [p for p in packets if p["node"] != "computer2"])

    assert (never_left["copies_sent"], never_left["arrived"]) == (2, 2)
    assert (lost_under_way["copies_sent"], lost_under_way["arrived"]) == (3, 2)
    assert (never_left["heard"], lost_under_way["heard"]) == (3, 2)


def test_a_doubled_copy_counts_twice():
    overlay = lab("vxlan-l2pop")
    frame = one(overlay, 100, OTHER)
    packets = seen(overlay, "vxlan-l2pop", frame)
    doubled = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
    heard = packets[-1]

    row = row_of(overlay, frame, [*packets, doubled, heard])

    assert (row["copies_sent"], row["arrived"], row["unneeded"], row["heard"]) == (3, 4, 0, 4)


def test_a_copy_to_a_host_without_a_member_is_in_vain():
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

    assert (row["copies_sent"], row["arrived"], row["unneeded"], row["heard"]) == (2, 2, 1, 1)


@pytest.mark.parametrize(
    ("node", "outer", "why"),
    [
        ("computer3", ("192.168.150.10", "192.168.150.11"), "a switch flooded it to another VTEP"),
        ("computer", ("192.168.150.11", "192.168.150.12"), "a receiver sent it on"),
        ("computer2", ("192.168.150.11", "192.168.150.12"), "it came from another than the sender"),
        ("computer", None, "it left its tunnel"),
    ],
)
def test_what_is_neither_sent_nor_arrived_is_astray(node, outer, why):
    overlay = lab("vxlan-mesh")
    frame = stranger(overlay)
    packets = seen(overlay, "vxlan-mesh", frame)

    row = row_of(overlay, frame, [*packets, packet(node, "underlay", frame, outer=outer)])

    assert row["misdelivered"] == 1, why
    assert (row["copies_sent"], row["arrived"]) == (3, 3)


def test_a_frame_that_comes_back_to_its_sender_is_astray():
    overlay = lab("gre-mesh")
    frame = stranger(overlay)
    packets = seen(overlay, "gre-mesh", frame)

    assert row_of(overlay, frame, [*packets, packets[0]])["misdelivered"] == 1
    assert row_of(overlay, frame, packets)["heard"] == 1


def test_an_answer_is_no_copy_and_another_guests_is_astray():
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

    assert (row["answered"], row["heard"], row["misdelivered"]) == (1, 0, 1)


def test_chatter_of_the_same_guest_is_not_counted():
    overlay = lab("vxlan-mesh")
    frame = stranger(overlay)
    packets = seen(overlay, "vxlan-mesh", frame)

    assert row_of(overlay, frame, [*packets, *chatter(overlay)]) == row_of(overlay, frame, packets)


def test_a_nonce_is_known_by_its_first_bytes_wherever_tshark_shows_it():
    # Behind a VLAN tag it calls the trailer otherwise, and may take its end for a checksum.
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


def test_a_frame_never_seen_at_its_sender_is_told():
    overlay = lab("vxlan-l2pop-arp")
    everything = sent(overlay)
    packets = all_seen(overlay, "vxlan-l2pop-arp")
    silent = origin(overlay, stranger(overlay))
    cut = [p for p in packets if p["frame.interface_name"] != qvo(silent)]

    assert unsent(counted(overlay, everything, packets)) == ()
    assert {each.share for each in unsent(counted(overlay, everything, cut))} == {50}


def test_every_vtep_has_its_own_row():
    overlay = lab("vxlan-mesh")
    frame = one(overlay, 50, OTHER)

    found = at_vteps(overlay, counted(overlay, [frame], seen(overlay, "vxlan-mesh", frame)))

    assert [
        (row["host"], row["is_member"], row["copies_sent"], row["arrived"], row["heard"])
        for row in found
    ] == [
        ("controller", 1, 3, 0, 0),
        ("computer", 0, 0, 1, 0),
        ("computer2", 1, 0, 1, 1),
        ("computer3", 0, 0, 1, 0),
    ]
