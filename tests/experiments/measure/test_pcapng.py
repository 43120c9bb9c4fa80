"""Interfaces and packets in the bytes of a pcapng file."""

from experiments.measure.frames import NONCE, marker
from experiments.measure.pcapng import has_packet, interfaces_in

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


def test_a_header_that_is_still_being_written_has_its_complete_interfaces():
    assert interfaces_in(HEAD) == ("eth0", "qvo")
    assert interfaces_in(HEAD[:-1]) == ("eth0",)
    assert interfaces_in(HEAD[:30]) == ()
    assert interfaces_in(b"") == ()


def test_a_packet_is_found_only_on_its_own_interface():
    frame = marker(b"x" * NONCE)
    repeat = bytes.fromhex("060000005c0000000100000000000000000000003c0000003c000000")
    data = HEAD + repeat + frame + b"\x5c\0\0\0"

    assert has_packet(data, frame, 1)
    assert not has_packet(data, frame, 0)
    assert not has_packet(data, marker(b"y" * NONCE), 1)
    assert not has_packet(frame, frame, 1)
