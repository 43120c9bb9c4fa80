"""Waiting for frames, on descriptors too large for `select`."""

import pytest

from experiments.measure.sockets import received, without
from tests.experiments.descriptors import high_socket_pairs


@pytest.fixture
def pairs():
    with high_socket_pairs(3) as made:
        yield made


def test_nodes_that_did_not_receive_their_nonce_are_returned(pairs):
    (a, to_a), (b, to_b), (c, _) = pairs
    to_a.send(b"something else")
    to_a.send(b"head, nonce of a")
    to_b.send(b"nonce of a")

    awaited = {"a": (a, b"nonce of a"), "b": (b, b"nonce of b"), "c": (c, b"nonce of c")}

    assert without(awaited, timeout_s=0.05) == ["b", "c"]


def test_a_nonce_that_has_arrived_is_found_even_after_the_timeout(pairs):
    (a, to_a), *_ = pairs
    to_a.send(b"something else")
    to_a.send(b"nonce of a")

    assert without({"a": (a, b"nonce of a")}, timeout_s=0) == []


def test_a_frame_after_the_nonce_stays_in_the_socket(pairs):
    receiver, sender = pairs[0]
    sender.send(b"nonce 1")
    sender.send(b"nonce 2")

    assert without({"a": (receiver, b"nonce 1")}, timeout_s=0.05) == []
    assert receiver.recv(100) == b"nonce 2"


def test_frames_come_with_the_key_of_their_socket_until_done(pairs):
    (a, to_a), (b, to_b), _ = pairs
    to_a.send(b"1")
    to_b.send(b"2")
    found = set()

    for each in received({"a": a, "b": b}, lambda: len(found) == 2, timeout_s=5):
        found.add(each)

    assert found == {("a", b"1"), ("b", b"2")}


def test_frames_that_have_arrived_are_returned_after_the_timeout(pairs):
    (a, to_a), *_ = pairs
    to_a.send(b"1")
    to_a.send(b"2")

    assert list(received({"a": a}, lambda: False, timeout_s=0)) == [("a", b"1"), ("a", b"2")]
