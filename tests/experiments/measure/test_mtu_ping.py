"""What iputils 20221126 printed, for each thing that may become of a size."""

import pytest

from controller.model.errors import MeasureError
from experiments.measure.mtu_ping import parse_sized, ping_argv

PASSED = """PING 172.16.166.125 (172.16.166.125) 1472(1500) bytes of data.
[1795398580.403117] 1480 bytes from 172.16.166.125: icmp_seq=1 ttl=64 time=0.626 ms
[1795398580.403703] 1480 bytes from 172.16.166.125: icmp_seq=2 ttl=64 time=0.605 ms
[1795398580.403762] 1480 bytes from 172.16.166.125: icmp_seq=3 ttl=64 time=0.666 ms

--- 172.16.166.125 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 1ms
rtt min/avg/max/mdev = 0.605/0.658/0.706/0.037 ms, pipe 3
"""
SILENT = """PING 172.16.166.125 (172.16.166.125) 1423(1451) bytes of data.

--- 172.16.166.125 ping statistics ---
3 packets transmitted, 0 received, 100% packet loss, time 31ms

"""
REFUSED = """PING 172.16.166.125 (172.16.166.125) 1673(1701) bytes of data.

--- 172.16.166.125 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 16ms

ping: local error: message too long, mtu=1700
ping: local error: message too long, mtu=1700
"""
FRAG_NEEDED = """PING 10.9.2.2 (10.9.2.2) 1422(1450) bytes of data.
[1795398574.147317] From 10.9.1.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)

--- 10.9.2.2 ping statistics ---
3 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1002ms
pipe 2
ping: local error: message too long, mtu=1400
ping: local error: message too long, mtu=1400
"""
SENDMSG = """PING 10.9.2.2 (10.9.2.2) 65508(65536) bytes of data.

--- 10.9.2.2 ping statistics ---
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms

ping: sendmsg: Message too long
"""


def test_all_came_back():
    pinged = parse_sized(PASSED)

    assert (pinged.sent, pinged.answered) == (3, 3)
    assert pinged.is_whole
    assert pinged.is_settled
    assert not pinged.is_refused
    assert pinged.told_mtu is None


def test_some_came_back_is_not_all():
    pinged = parse_sized(PASSED.replace("3 received", "2 received"))

    assert not pinged.is_whole
    assert not pinged.is_settled


def test_silence_says_nothing():
    pinged = parse_sized(SILENT)

    assert (pinged.sent, pinged.answered, pinged.told_mtu, pinged.told_by) == (3, 0, None, "")
    assert not pinged.is_refused
    assert not pinged.is_settled  # it may be asked again


def test_the_own_kernel_refuses_and_says_what_mtu_it_knows():
    pinged = parse_sized(REFUSED)

    assert pinged.is_refused
    assert pinged.is_settled
    assert pinged.refused_mtu == 1700
    assert pinged.told_mtu is None


def test_a_kernel_may_refuse_without_an_mtu():
    pinged = parse_sized(SENDMSG)

    assert pinged.is_refused
    assert pinged.refused_mtu is None


def test_a_router_tells_its_mtu():
    pinged = parse_sized(FRAG_NEEDED)

    assert (pinged.told_mtu, pinged.told_by) == (1400, "10.9.1.1")
    assert pinged.is_settled


def test_an_end_without_a_summary_is_an_error():
    with pytest.raises(MeasureError) as caught:
        parse_sized("ping: invalid -M argument: probe\n")

    assert str(caught.value) == (
        "output of ping: no `packets transmitted` line; the last line was 'ping: invalid -M argument: "
        "probe'; allowed: the summary of iputils' ping. Look in raw/ for all of it; `overlaylab "
        "doctor` tells which ping is installed."
    )


def test_a_packet_of_1450_bytes_has_a_payload_of_1422():
    argv = ping_argv("10.0.0.1", 1450, df=True, count=3, wait_s=0.1)

    assert argv[argv.index("-s") + 1] == "1422"
    assert argv[argv.index("-M") + 1] == "do"
    assert argv[argv.index("-l") + 1] == "3"  # at once
    assert "dont" in ping_argv("10.0.0.1", 1450, df=False, count=3, wait_s=0.1)
