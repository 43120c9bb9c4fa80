"""The parser with real output of ping (iputils 20221126, between two namespaces)."""

from pathlib import Path

import pytest

from controller.model.errors import MeasureError
from experiments.measure.ping import ADAPTIVE, Reply, Requests, parse_ping

OUTPUT = Path(__file__).with_name("ping_output")


def captured(name: str) -> str:
    return (OUTPUT / f"{name}.txt").read_text(encoding="utf-8")


def test_each_reply_becomes_a_sample():
    pinged = parse_ping(captured("plain"))

    assert [reply.rtt_ms for reply in pinged.replies] == [0.321, 0.068, 0.068, 0.068, 0.068]
    assert pinged.replies[1] == Reply(2, 0.068, 1795387832.469028, 0)
    assert (pinged.lost, pinged.duplicates) == (0, 0)


def test_a_lost_request_is_a_sample_without_a_time():
    pinged = parse_ping(captured("loss"))

    assert [reply.seq for reply in pinged.replies] == list(range(1, 16))
    assert [reply.seq for reply in pinged.replies if reply.rtt_ms is None] == [4, 5, 6]
    assert pinged.lost == 3


def test_duplicates_are_counted_and_the_first_reply_is_the_sample():
    pinged = parse_ping(captured("dup"))

    assert [(reply.rtt_ms, reply.copies) for reply in pinged.replies] == [
        (0.045, 1),
        (0.040, 1),
        (0.070, 0),
    ]
    assert (pinged.lost, pinged.duplicates) == (0, 2)


@pytest.mark.parametrize(("name", "sent"), [("none", 3), ("unreach", 2)])
def test_missing_answers_and_icmp_errors_are_losses(name, sent):
    pinged = parse_ping(captured(name))

    assert (len(pinged.replies), pinged.lost) == (sent, sent)
    assert pinged.kept_interval_ms is None


def test_the_real_interval_is_longer_than_the_requested_one():
    asked_ms = 10

    real_ms = parse_ping(captured("loss")).kept_interval_ms

    assert real_ms == pytest.approx(16, abs=0.5)
    assert real_ms > asked_ms


def test_incomplete_output_is_an_error():
    with pytest.raises(MeasureError) as caught:
        parse_ping(captured("plain").partition("\n---")[0])

    assert str(caught.value) == (
        "output of ping: no `packets transmitted` line; the last line was '[1795387832.517048] 64 bytes "
        "from 172.16.166.118: icmp_seq=5 ttl=64 time=0.068 ms'; allowed: the lines and the summary of "
        "iputils' `ping -n -D`. raw/ has the complete output; `overlaylab doctor` shows which ping is installed."
    )


def test_a_missing_line_contradicts_the_summary():
    lines = captured("plain").splitlines(keepends=True)

    with pytest.raises(MeasureError, match="4 replies and 0 duplicates in the lines, 5 and 0 in"):
        parse_ping("".join(lines[:2] + lines[3:]))


def test_empty_output_is_an_error():
    with pytest.raises(MeasureError, match="last line was 'nothing'"):
        parse_ping("")


def test_the_command_line_of_requests():
    asked = Requests(count=7, interval_ms=2, payload_bytes=1400, wait_s=0.5)

    assert asked.argv("10.0.0.1") == (
        "ping",
        "-n",
        "-D",
        "-i",
        "0.002",
        "-c",
        "8",
        "-W",
        "0.5",
        "-s",
        "1400",
        "10.0.0.1",
    )
    assert asked.name == "2 ms, 1400 bytes"


def test_the_extra_request_at_the_end_is_not_counted():
    """In `loss`, 15 were sent; had 6 been wanted, the seventh and all after would not count."""
    assert (Requests(count=6).sent, Requests(count=1).sent) == (7, 1)
    pinged = Requests(count=6).read(captured("loss"))

    assert [reply.seq for reply in pinged.replies] == [1, 2, 3, 4, 5, 6]
    assert pinged.lost == 3


def test_adaptive_requests_have_no_interval():
    asked = Requests(count=7, interval_ms=ADAPTIVE)

    assert "-A" in asked.argv("10.0.0.1")
    assert "-i" not in asked.argv("10.0.0.1")
    assert asked.name == "adaptive, 56 bytes"


@pytest.mark.parametrize("interval_ms", [2, 10, 100, ADAPTIVE])
def test_the_timeout_is_enough_for_all_requests_lost_at_the_real_interval(interval_ms):
    """9 ms kept where 2 are asked, 16 where 10 are; one a second adaptively."""
    real_s = {2: 0.009, 10: 0.016, 100: 0.104, ADAPTIVE: 1.0}[interval_ms]
    asked = Requests(count=1000, interval_ms=interval_ms)

    assert asked.timeout_s > 1000 * real_s + asked.wait_s
