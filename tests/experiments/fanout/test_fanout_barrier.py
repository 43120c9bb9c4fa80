"""Guests that missed the end-of-test frame."""

from experiments.fanout import probe as fanout
from experiments.measure.captures import Captures
from tests.controller.small import small


def test_a_barrier_that_never_came_leaves_the_count_open():
    measured = fanout._measured(small(), (), (), Captures(), ["g2"])

    assert measured.lost == 1  # of which the verdict allows none
    assert measured.facts["guests_without_barrier"] == ["g2"]
