"""The stages of a ping from its packets at every hop, or why it could not be followed."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.latency.stages import (
    FIELDS,
    HOPS,
    PLACES,
    Echo,
    Passage,
    beyond_us,
    echo,
    idents,
    of_pair,
    passages,
)
from experiments.latency.words import ANSWER, REPLY, REQUEST, STAGES
from experiments.measure.ping import parse_ping

A, B = "172.16.166.117", "172.16.166.125"
RECORDED = Path(__file__).with_name("stage_packets")
OURS, OTHER, FROM_FAR = 28371, 28369, 28370  # two pings from A at once, one from B
SECOND_NS = 10**9
STEPS_US = (9, 189, 5, 122, 4, 19, 1, 21, 2, 286, 3)  # of each stage, all different


def ping(seq=1, ident=7, begin_ns=1_795_399_170 * SECOND_NS, steps_us=STEPS_US):
    """The twelve packets of one ping at its hops."""
    stamps = [begin_ns + 1000 * sum(steps_us[:at]) for at in range(len(PLACES))]
    ways = {REQUEST: (A, B), REPLY: (B, A)}
    return [
        Echo(hop, stamp, way, ident, seq, *ways[way])
        for (way, hop), stamp in zip(PLACES, stamps, strict=True)
    ]


def only(echoes, seq=1, ident=7) -> Passage:
    (found,) = passages(echoes, ident=ident, seqs=[seq])
    return found


def test_the_stages_are_in_the_order_of_the_path_there_and_back():
    assert [hop for _, hop in PLACES] == [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0]
    assert len(STAGES) == len(PLACES) - 1
    assert STAGES[5] == (ANSWER, "answer")
    there = [stage for way, stage in STAGES if way == REQUEST]
    assert there == ["guest-out", "switch", "wire", "far-switch", "guest-in"]
    back = [stage for way, stage in STAGES if way == REPLY]
    assert back == ["guest-out", "far-switch", "wire", "switch", "guest-in"]


def test_each_stage_is_the_time_between_two_hops():
    found = only(ping())

    assert found.why_not == ""
    assert found.latencies_us == STEPS_US
    assert found.sum_us == sum(STEPS_US)


def test_stages_have_nanoseconds():
    echoes = ping()
    echoes[1] = replace(echoes[1], stamp_ns=echoes[1].stamp_ns + 1)

    assert only(echoes).latencies_us[:2] == (9.001, 188.999)


def test_the_order_in_which_files_are_read_does_not_matter():
    assert only(list(reversed(ping()))) == only(ping())


@pytest.mark.parametrize("at", range(len(PLACES)))
def test_a_ping_without_a_packet_at_one_hop_is_not_followed(at):
    way, hop = PLACES[at]
    found = only([each for place, each in enumerate(ping()) if place != at])

    assert found == Passage(1, why_not=f"no {way} at {HOPS[hop]}")
    assert found.latencies_us == ()


@pytest.mark.parametrize("at", range(len(PLACES)))
def test_a_ping_with_a_duplicate_at_one_hop_is_not_followed(at):
    way, hop = PLACES[at]
    echoes = ping()
    found = only([*echoes, replace(echoes[at], stamp_ns=echoes[at].stamp_ns + 50)])

    assert found == Passage(1, why_not=f"2 copies of the {way} at {HOPS[hop]}")


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 3), (0, 5)])
def test_a_ping_with_swapped_hops_is_not_followed(one, other):
    swapped = {one: other, other: one}
    echoes = [replace(each, hop=swapped.get(each.hop, each.hop)) for each in ping()]

    assert only(echoes).why_not.endswith("before the hop before it")


@pytest.mark.parametrize("at", range(1, len(PLACES)))
def test_a_ping_with_a_timestamp_before_that_of_the_last_hop_is_not_followed(at):
    echoes = ping()
    echoes[at] = replace(echoes[at], stamp_ns=echoes[at - 1].stamp_ns - 1)
    way, hop = PLACES[at]

    assert only(echoes).why_not == f"{way} at {HOPS[hop]} before the hop before it"


def test_stages_may_take_no_time():
    assert only(ping(steps_us=(0,) * 11)).latencies_us == (0,) * 11


def test_pings_with_the_same_seq_are_distinguished_by_their_ident():
    later = ping(ident=8, begin_ns=5 * SECOND_NS, steps_us=(50,) * 11)
    both = [each for pair in zip(ping(), later, strict=True) for each in pair]

    assert only(both).latencies_us == STEPS_US
    assert only(both, ident=8).latencies_us == (50,) * 11
    assert idents(both) == (7, 8)


def test_every_requested_seq_has_a_passage_in_order():
    second = ping(seq=2, begin_ns=5 * SECOND_NS)[:-1]
    found = passages([*second, *ping(seq=3), *ping()], ident=7, seqs=(1, 2, 3, 4))

    assert [each.seq for each in found] == [1, 2, 3, 4]
    assert [each.why_not for each in found] == [
        "",
        f"no reply at {HOPS[0]}",
        "",
        f"no request at {HOPS[0]}",
    ]


def test_pings_in_the_other_direction_and_between_others_are_left_out():
    other_way = [replace(each, source=each.target, target=each.source) for each in ping()]
    others = [replace(each, source="172.16.166.9") for each in ping()]

    assert of_pair([*other_way, *others], A, B) == ()
    assert of_pair([*other_way, *ping()], A, B) == tuple(ping())


VALUES = {
    "icmp.type": ("8",),
    "icmp.ident": ("7",),
    "icmp.seq": ("1",),
    "ip.src": ("192.168.150.10", A),
    "ip.dst": ("192.168.150.11", B),
}


def test_an_echo_has_the_innermost_addresses():
    assert echo(2, 5, VALUES) == Echo(2, 5, REQUEST, 7, 1, A, B)
    reply = {**VALUES, "icmp.type": ("0",), "ip.src": (B,), "ip.dst": (A,)}
    assert echo(2, 5, reply) == Echo(2, 5, REPLY, 7, 1, B, A)


@pytest.mark.parametrize("kinds", [(), ("3", "8"), ("11", "8"), ("13",)])
def test_other_icmp_packets_are_no_echo(kinds):
    assert echo(2, 5, {**VALUES, "icmp.type": kinds}) is None


@pytest.mark.parametrize(
    ("sum_us", "rtt_ms", "beyond"),
    [
        (600.0, 0.600, 0),
        (602.4, 0.600, 0),
        (603.5, 0.600, 1.0),  # three digits
        (1696.0, 1.69, 0),
        (1698.0, 1.69, 1.0),  # two
        (15251.0, 15.2, 0),
        (15253.0, 15.2, 1.0),  # one
        (120_500.0, 120, 0),
        (120_503.0, 120, 1.0),  # none
        (300.0, 0.600, 0),
    ],
)
def test_stages_may_exceed_ping_by_its_clock_and_its_rounding(sum_us, rtt_ms, beyond):
    assert beyond_us(sum_us, rtt_ms) == pytest.approx(beyond)


def recorded():
    """Packets of a real lab (vxlan-l2pop) as tshark printed them, with ARP and markers."""
    with (RECORDED / "vxlan.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            values = {name: tuple(line[name].split(";")) if line[name] else () for name in FIELDS}
            yield echo(int(line["hop"]), int(line["stamp_ns"]), values)


@pytest.fixture(scope="module")
def real():
    every = tuple(recorded())
    assert None in every, "there was other traffic"
    return tuple(each for each in every if each)


def printed(ident):
    return parse_ping((RECORDED / f"ping-{ident}.txt").read_text(encoding="utf-8")).replies


@pytest.mark.parametrize("ident", [OURS, OTHER])
def test_real_pings_are_followed_through_the_tunnel_and_match_ping(real, ident):
    replies = printed(ident)
    ours = of_pair(real, A, B)
    found = passages(ours, ident=ident, seqs=[reply.seq for reply in replies])

    assert [each.why_not for each in found] == [""] * 4
    for each, reply in zip(found, replies, strict=True):
        assert beyond_us(each.sum_us, reply.rtt_ms) == 0
        assert each.sum_us > 0.8 * 1000 * reply.rtt_ms


def test_the_stages_of_one_real_ping_exceed_the_round_trip_of_another(real):
    found = passages(of_pair(real, A, B), ident=OTHER, seqs=[2, 3])

    assert all(beyond_us(each.sum_us, printed(OURS)[each.seq - 1].rtt_ms) > 100 for each in found)


def test_real_pings_from_both_guests_are_distinguished(real):
    assert idents(of_pair(real, A, B)) == (OTHER, OURS)
    assert FROM_FAR not in {each.ident for each in of_pair(real, A, B)}
    assert {each.ident for each in of_pair(real, B, A)} == {FROM_FAR}


def test_without_packets_on_the_wire_no_real_ping_is_followed(real):
    outside = [each for each in of_pair(real, A, B) if HOPS[each.hop] != "its host's wire"]
    found = passages(outside, ident=OURS, seqs=[1, 2, 3, 4])

    assert {each.why_not for each in found} == {"no request at its host's wire"}
