"""Waiting for frames, with more open files than `select` can handle."""

import os
import resource
import socket
from contextlib import ExitStack

import pytest

from experiments.measure.sockets import heard, without

SELECT_MOST = 1024  # FD_SETSIZE of glibc


@pytest.fixture
def pairs():
    """Three pairs of connected sockets whose descriptors are all above FD_SETSIZE."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as undo:
        undo.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        while (opened := os.open(os.devnull, os.O_RDONLY)) < SELECT_MOST:
            undo.callback(os.close, opened)
        undo.callback(os.close, opened)
        made = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(3)]
        for each in (end for pair in made for end in pair):
            undo.enter_context(each)
            assert each.fileno() > SELECT_MOST
        yield made


def test_nodes_that_did_not_receive_their_nonce_are_returned(pairs):
    (a, to_a), (b, to_b), (c, _) = pairs
    to_a.send(b"something else")
    to_a.send(b"head, nonce of a")
    to_b.send(b"nonce of a")

    awaited = {"a": (a, b"nonce of a"), "b": (b, b"nonce of b"), "c": (c, b"nonce of c")}

    assert without(awaited, timeout_s=0.05) == ["b", "c"]


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

    for each in heard({"a": a, "b": b}, lambda: len(found) == 2, timeout_s=5):
        found.add(each)

    assert found == {("a", b"1"), ("b", b"2")}


def test_frames_that_have_arrived_are_returned_after_the_timeout(pairs):
    (a, to_a), *_ = pairs
    to_a.send(b"1")
    to_a.send(b"2")

    assert list(heard({"a": a}, lambda: False, timeout_s=0)) == [("a", b"1"), ("a", b"2")]
