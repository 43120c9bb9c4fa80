"""Losses between two readings, from real output of the kernel and OVS."""

import pytest

from controller.model.errors import MeasureError
from experiments.measure import watch_counts as counts
from experiments.measure.counters import RX_DROPPED, TX_DROPPED, device_columns
from experiments.measure.netlink import Drops
from experiments.measure.watch_control import Control, read_control
from tests.experiments.fake_bench import ping_output

STAT = "cpu  22882 0 4336 318369 574 0 101 756 0 0\ncpu0 6735 0 1804 164559 35 0 22 394 0 0\n"
# ServerB of a lab in which ServerA sent ten broadcasts of EtherType 0x88b5, all of which arrived.
DEVICES = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  eth0:     730      11    0   10    0     0          0         0      266       3    0    2    0     0       0          0
"""
SOFTNET = """\
00165920 00000000 00000041 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
0017171a 0000001f 00000047 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
"""
DPCTL = """\
netdev@ovs-netdev:
  lookups: hit:1145 missed:8 lost:3
  flows: 8
  port 0: ovs-netdev (tap)
  port 1: underlay
"""
COVERAGE = """\
Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=5f726928:
xlate_actions              0.0/sec     0.000/sec        0.0000/sec   total: 6
drop_action_of_pipeline    0.0/sec     0.017/sec        0.0003/sec   total: 1
datapath_drop_upcall_error   0.0/sec     0.000/sec        0.0000/sec   total: 4
datapath_drop_lock_error   0.0/sec     0.000/sec        0.0000/sec   total: 2
netdev_sent                0.0/sec     0.000/sec        0.0000/sec   total: 150
100 events never hit
"""


def discarded(names, sockets=(), queues=(), devices=DEVICES):
    return counts.Discarded(names, sockets, queues, devices)


def test_the_first_line_of_proc_stat_is_all_processors():
    assert counts.parse_cpu(STAT) == (22882, 0, 4336, 318369, 574, 0, 101, 756)


def test_idle_includes_waiting_for_a_disk_and_steal_stands_apart():
    after = (22932, 0, 4336, 318409, 584, 0, 101, 776)

    # 50 user + 40 idle + 10 iowait + 20 steal = 120
    assert counts.cpu_fractions(counts.parse_cpu(STAT), after) == {"idle": 0.4167, "steal": 0.1667}


def test_a_counter_that_decreases_by_a_tick_is_ignored():
    before, after = (0, 0, 0, 100, 10, 0, 0, 5), (10, 0, 0, 190, 9, 0, 0, 4)

    assert counts.cpu_fractions(before, after) == {"idle": 0.9, "steal": 0.0}


def test_a_window_within_one_tick_has_no_fractions():
    ticks = counts.parse_cpu(STAT)

    assert counts.cpu_fractions(ticks, ticks) is None


def test_a_process_whose_name_holds_spaces_and_brackets():
    stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 0 0 0 0 250 50 7 9 20 0 5 0 1234 0 0\n"

    assert counts.parse_ticks(stat) == 300


def test_a_dead_process_is_an_error():
    with pytest.raises(ValueError, match=r"process 42 \(ovs-vswitchd\) is dead"):
        counts.parse_ticks("42 (ovs-vswitchd) Z 1 42 42 0 -1 4194560 0 0 0 0 250 50 7 9 20 0 5 0\n")


def test_devices_have_drops_on_receipt_and_on_sending():
    devices = device_columns(DEVICES)

    dropped = {name: (each[RX_DROPPED], each[TX_DROPPED]) for name, each in devices.items()}
    assert dropped == {"lo": (0, 0), "eth0": (10, 2)}


def test_the_backlog_is_the_second_column_in_hexadecimal():
    assert counts.parse_backlog(SOFTNET) == 31


def test_upcalls_lost_are_those_of_all_datapaths():
    assert counts.parse_lost(DPCTL) == 3
    assert counts.parse_lost(DPCTL + DPCTL.replace("netdev@", "system@")) == 6


def test_an_answer_without_lookups_is_an_error():
    with pytest.raises(
        ValueError, match="no `lookups` line in dpctl/show: 'ovs-vswitchd: no datapaths'"
    ):
        counts.parse_lost("ovs-vswitchd: no datapaths")


def test_drops_of_the_pipeline_are_not_losses():
    assert counts.datapath_counts("computer", COVERAGE) == {
        ("the datapath of computer (upcall error)", 0): 4,
        ("the datapath of computer (lock error)", 0): 2,
    }


def test_frames_without_a_listener_are_losses_in_a_host_but_not_in_a_guest():
    guest = counts.kernel_counts("ServerB", discarded({}), is_guest=True)
    host = counts.kernel_counts("computer", discarded({}), is_guest=False)

    assert {place for (place, _), count in guest.items() if count} == {"eth0 of ServerB, sending"}
    assert host["eth0 of computer, receiving", 0] == 10


def test_sockets_and_queues_by_the_names_of_their_interfaces():
    sockets = (Drops(4, 77, 5), Drops(4, 78, 1), Drops(0, 79, 2))
    seen = discarded({4: "underlay"}, sockets=sockets, queues=(Drops(4, 1, 14),), devices="")

    assert counts.kernel_counts("computer", seen, is_guest=False) == {
        ("the packet socket on underlay of computer", 77): 5,
        ("the packet socket on underlay of computer", 78): 1,
        ("the packet socket on all interfaces of computer", 79): 2,
        ("the queue of underlay of computer", 1): 14,
    }


def test_losses_are_differences_of_two_readings_most_first():
    before = {("a", 1): 5, ("a", 2): 9, ("b", 0): 7, ("gone", 0): 3}
    after = {("a", 1): 6, ("a", 3): 1, ("b", 0): 7, ("new", 0): 4}

    added = counts.added(before, after)

    assert list(added.items()) == [("new", 4), ("a", 2)]


def test_a_closed_socket_does_not_hide_the_losses_of_another():
    assert counts.added({("a", 1): 5}, {("a", 2): 5}) == {"a": 5}


@pytest.mark.parametrize(
    ("backlog", "left"),
    [(3, {"x of y, receiving": 3}), (5, {"x of y, receiving": 3, "the backlog of a processor": 2})],
)
def test_the_backlog_counts_nothing_that_a_device_has_counted(backlog, left):
    lost = {"x of y, receiving": 3, "the backlog of a processor": backlog}

    assert counts.without_double_count(lost) == left


def test_the_control_ping_has_a_median():
    assert read_control(ping_output(5, 0.03)) == Control(0.0303, 0)


def test_the_last_reply_may_be_under_way_and_is_not_lost():
    assert read_control(ping_output(5, 0.03, lose=(5,))).lost == 0
    assert read_control(ping_output(5, 0.03, lose=(2, 5))).lost == 1


def test_too_few_replies_have_no_median():
    assert read_control(ping_output(2, 0.03)) == Control(None, 0)


def test_a_ping_that_could_not_start_is_an_error():
    """Otherwise its figures would be missing from some windows without notice."""
    with pytest.raises(MeasureError, match="Network is unreachable"):
        read_control("ping: connect: Network is unreachable\n")


@pytest.mark.parametrize("text", ["", "PING 192.0.2.2 (192.0.2.2) 56(84) bytes of data.\n"])
def test_a_ping_that_ended_before_its_first_request_has_no_result(text):
    assert read_control(text) == Control(None, None)


def test_frames_that_found_a_full_buffer_are_those_of_sockets_queues_and_the_backlog():
    lost = {
        "the packet socket on underlay of host1": 3,
        "the queue of eth0 of guest1": 2,
        "the backlog of a processor": 1,
        "brq1 of host1, receiving": 9,
        "the datapath of host1 (invalid port)": 4,
    }
    assert counts.overflows(lost) == {
        "the packet socket on underlay of host1": 3,
        "the queue of eth0 of guest1": 2,
        "the backlog of a processor": 1,
    }
