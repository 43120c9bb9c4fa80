"""Marked frames found in captures."""

from dataclasses import dataclass

import pytest

from experiments.measure.frames import nonce_of
from experiments.measure.packets import NONCE_IN, REPEATED, marked_packets


@dataclass(frozen=True)
class Frame:
    nonce: bytes


FRAMES = (Frame(nonce_of(1)), Frame(nonce_of(2)))


def packet(**fields):
    return {**dict.fromkeys(NONCE_IN, ""), **fields}


@pytest.mark.parametrize("field", NONCE_IN)
def test_a_packet_is_of_the_frame_whose_nonce_it_has_in_any_field(field):
    found = packet(**{field: FRAMES[1].nonce.hex() + "0000"})

    assert list(marked_packets([found], FRAMES)) == [(FRAMES[1], found)]


def test_the_end_of_a_nonce_may_be_missing():
    found = packet(**{"eth.trailer": FRAMES[0].nonce.hex()[:-8]})

    assert [frame for frame, _ in marked_packets([found], FRAMES)] == [FRAMES[0]]


def test_the_nonce_may_be_in_any_value_of_a_field():
    found = packet(**{"data.data": REPEATED.join(["00" * 18, FRAMES[0].nonce.hex()])})

    assert [frame for frame, _ in marked_packets([found], FRAMES)] == [FRAMES[0]]


def test_packets_without_a_known_nonce_are_left_out():
    assert not list(marked_packets([packet(), packet(**{"data.data": nonce_of(3).hex()})], FRAMES))
