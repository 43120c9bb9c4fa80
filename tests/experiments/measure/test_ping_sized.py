"""Output of iputils 20221126 for each possible result of pings of one size."""

import pytest

from controller.model.errors import MeasureError
from experiments.measure.ping import parse_sized, sized_ping_argv

PASSED = """PING 172.16.166.125 (172.16.166.125) 1472(1500) bytes of data.
[1795398580.403117] 1480 bytes from 172.16.166.125: icmp_seq=1 ttl=64 time=0.626 ms
[1795398580.403703] 1480 bytes from 172.16.166.125: icmp_seq=2 ttl=64 time=0.605 ms
[1795398580.403762] 1480 bytes from 172.16.166.125: icmp_seq=3 ttl=64 time=0.666 ms

--- 172.16.166.125 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 1ms
rtt min/avg/max/mdev = 0.605/0.658/0.706/0.037 ms, pipe 3
"""
UNANSWERED = """PING 172.16.166.125 (172.16.166.125) 1423(1451) bytes of data.

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


def test_all_answered():
    pinged = parse_sized(PASSED)

    assert (pinged.sent, pinged.answered) == (3, 3)
    assert pinged.is_complete
    assert pinged.is_final
    assert not pinged.is_refused
    assert pinged.icmp_mtu is None


def test_some_answered_is_not_complete():
    pinged = parse_sized(PASSED.replace("3 received", "2 received"))

    assert not pinged.is_complete
    assert not pinged.is_final


def test_no_answer_and_no_error():
    pinged = parse_sized(UNANSWERED)

    assert (pinged.sent, pinged.answered, pinged.icmp_mtu, pinged.icmp_from) == (3, 0, None, "")
    assert not pinged.is_refused
    assert not pinged.is_final  # another attempt is useful


def test_the_own_kernel_refuses_and_prints_its_mtu():
    pinged = parse_sized(REFUSED)

    assert pinged.is_refused
    assert pinged.is_final
    assert pinged.refused_mtu == 1700
    assert pinged.icmp_mtu is None


def test_a_kernel_may_refuse_without_an_mtu():
    pinged = parse_sized(SENDMSG)

    assert pinged.is_refused
    assert pinged.refused_mtu is None


def test_a_router_sends_its_mtu_by_icmp():
    pinged = parse_sized(FRAG_NEEDED)

    assert (pinged.icmp_mtu, pinged.icmp_from) == (1400, "10.9.1.1")
    assert pinged.is_final


def test_an_end_without_a_summary_is_an_error():
    with pytest.raises(MeasureError) as caught:
        parse_sized("ping: invalid -M argument: probe\n")

    assert str(caught.value) == (
        "output of ping: no `packets transmitted` line; the last line was 'ping: invalid -M argument: "
        "probe'; allowed: the lines and the summary of iputils' `ping -n -D`. raw/ has the complete "
        "output; `overlaylab doctor` shows which ping is installed."
    )


def test_a_packet_of_1450_bytes_has_a_payload_of_1422():
    argv = sized_ping_argv("10.0.0.1", 1450, df=True, count=3, wait_s=0.1)

    assert argv[argv.index("-s") + 1] == "1422"
    assert argv[argv.index("-M") + 1] == "do"
    assert argv[argv.index("-l") + 1] == "3"  # at once
    assert "dont" in sized_ping_argv("10.0.0.1", 1450, df=False, count=3, wait_s=0.1)
