"""Counters compared with captures: equal, different, or never quiet."""

from experiments.measure.counters import GUARD_NS, Reading, parse, reconciled

PLACE = ("h1", "underlay")
TEXT = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
underlay:12616      70    0    0    0     0          0         0    10296      60    0    0    0     0       0          0
"""
MS = 1_000_000


def reading(at_ms, packets):
    begun = at_ms * MS
    return Reading(begun_ns=begun, ended_ns=begun + MS // 10, packets={PLACE: packets})


def outcomes(stamps_ms, before, after):
    found = reconciled(PLACE, [int(each * MS) for each in stamps_ms], before, after)
    return found.counted, found.captured, found.difference


def test_packets_of_both_directions_are_read_by_node_and_interface():
    assert parse({"h1": TEXT, "h2": TEXT})[PLACE] == 130
    assert parse({"h1": TEXT})["h1", "lo"] == 0


def test_frames_between_two_readings_equal_what_was_counted():
    assert outcomes([5, 20, 30, 99], [reading(10, 1)], [reading(50, 3)]) == (2, 2, 0)


def test_a_frame_that_counter_or_capture_lacks_is_a_difference():
    assert outcomes([20], [reading(10, 1)], [reading(50, 3)]) == (2, 1, 1)
    assert outcomes([20, 30, 40], [reading(10, 1)], [reading(50, 3)]) == (2, 3, 1)


def test_a_reading_during_a_frame_is_left_out():
    before = [reading(10, 1), reading(14, 2)]
    # The frame of 9.9 ms may have been counted before or after the first reading.
    assert outcomes([9.9, 20], before, [reading(50, 3)]) == (1, 1, 0)
    after = [reading(50, 3), reading(54, 4)]
    assert outcomes([20, 50.05], [reading(10, 2)], after) == (2, 2, 0)


def test_an_interface_that_was_never_quiet_has_no_counts():
    assert outcomes([9.9], [reading(10, 1)], [reading(50, 3)]) == (None, None, 1)
    assert outcomes([], [], [reading(50, 3)]) == (None, None, 1)


def test_readings_are_further_apart_than_the_guard():
    from experiments.measure.counters import GAP_NS

    assert GAP_NS > GUARD_NS
