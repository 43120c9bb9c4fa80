"""The command line of `ping -n -D`, and its output as samples.  Pure.

For ping of iputils (Debian's `iputils-ping`).  Its summary is read too; a count that differs from
the lines above it is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from controller.model.errors import MeasureError
from experiments.core.question import Row

# iputils ping/ping_common.c `gather_statistics`
REPLY = re.compile(
    r"^\[(?P<stamp>\d+\.\d+)\] \d+ bytes from \S+ icmp_seq=(?P<seq>\d+) ttl=\d+ "
    r"time=(?P<rtt>[\d.]+) ms(?P<dup> \(DUP!\))?$",
    re.MULTILINE,
)
TOTAL = re.compile(
    r"^(?P<sent>\d+) packets transmitted, (?P<received>\d+) received"
    r"(?:, \+(?P<dups>\d+) duplicates)?(?:, \+\d+ errors)?, .*packet loss",
    re.MULTILINE,
)

ADAPTIVE = 0  # as interval_ms: `ping -A`, which sends the next request after each answer
SLACK_S = 10.0  # for the start of ping, and its wait for the last reply
UNANSWERED_S = 1.0  # that `ping -A` waits before the next request, regardless of -W
TICKS_PER_ASKED = (
    4  # ping sends every 16 ms if 10 are requested (its timer has kernel ticks), 9 for 2
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Echo requests with the same settings, from one ping process."""

    count: int
    interval_ms: int = 10  # requested; the real one is longer; ADAPTIVE: as fast as answers arrive
    payload_bytes: int = 56  # of ICMP; the IPv4 packet has 28 bytes more
    wait_s: float = 2.0  # for the last answer

    @property
    def sent(self) -> int:
        """How many ping sends: one more than wanted, if it is more than one.

        Once a request is answered, ping waits for the last reply only two round trips or one
        interval (iputils `schedule_exit`): on a busy machine it reports a late reply as lost.
        """
        return self.count + (self.count > 1)

    def rows(self, pinged: "Pinged") -> "Iterator[Row]":
        """The samples as rows of a table: one per request."""
        return (
            {
                "interval_ms": self.interval_ms,
                "payload_bytes": self.payload_bytes,
                "seq": reply.seq,
                "received_s": reply.received_s,
                "rtt_ms": reply.rtt_ms,
                "copies": reply.copies,
            }
            for reply in pinged.replies
        )

    def read(self, text: str) -> "Pinged":
        """The samples in the output of `argv`, without the extra one at the end.

        Raises:
            MeasureError: see `parse_ping`.
        """
        return Pinged(parse_ping(text).replies[: self.count])

    def argv(self, address: object) -> tuple[str, ...]:
        """The command that sends them to `address`."""
        pace = ("-i", f"{self.interval_ms / 1000:g}") if self.interval_ms else ("-A",)
        return (
            "ping",
            "-n",
            "-D",
            *pace,
            "-c",
            str(self.sent),
            "-W",
            f"{self.wait_s:g}",
            "-s",
            str(self.payload_bytes),
            str(address),
        )

    @property
    def timeout_s(self) -> float:
        """The time by which ping has ended, even if all requests are lost."""
        each_s = TICKS_PER_ASKED * self.interval_ms / 1000 if self.interval_ms else UNANSWERED_S
        return SLACK_S + self.wait_s + self.sent * each_s

    @property
    def name(self) -> str:
        """The name of these settings in reports and run.json."""
        pace = f"{self.interval_ms} ms" if self.interval_ms else "adaptive"
        return f"{pace}, {self.payload_bytes} bytes"


@dataclass(frozen=True, slots=True)
class Reply:
    """One echo request and its reply; a lost one has no time."""

    seq: int  # 1 is the first request
    rtt_ms: float | None
    received_s: float | None  # Unix time at which the reply was read
    copies: int  # duplicate replies


@dataclass(frozen=True, slots=True)
class Pinged:
    """One run of ping: a `Reply` per request sent, in the order sent."""

    replies: tuple[Reply, ...]

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return sum(reply.rtt_ms is None for reply in self.replies)

    @property
    def duplicates(self) -> int:
        """Duplicate replies."""
        return sum(reply.copies for reply in self.replies)

    @property
    def kept_interval_ms(self) -> float | None:
        """Median interval of successive replies, which is longer than requested."""
        stamps = [(reply.seq, reply.received_s) for reply in self.replies]
        gaps = [
            (later - earlier) * 1000
            for (a, earlier), (b, later) in pairwise(stamps)
            if earlier is not None and later is not None and b == a + 1
        ]
        return round(median(gaps), 3) if gaps else None


def parse_ping(text: str) -> Pinged:
    """The samples in the output of `ping -n -D`.

    Raises:
        MeasureError: the summary is missing (ping was killed), or it contradicts the lines above it.
    """
    total = TOTAL.search(text)
    if total is None:
        raise _unreadable("no `packets transmitted` line", text)
    pinged = Pinged(_replies(text, sent=int(total["sent"])))
    counted = (len(pinged.replies) - pinged.lost, pinged.duplicates)
    said = (int(total["received"]), int(total["dups"] or 0))
    if counted != said:
        raise _unreadable(
            f"{counted[0]} replies and {counted[1]} duplicates in the lines, "
            f"{said[0]} and {said[1]} in the summary",
            text,
        )
    return pinged


def _replies(text: str, *, sent: int) -> tuple[Reply, ...]:
    found: dict[int, list[re.Match[str]]] = {}
    for line in REPLY.finditer(text):
        found.setdefault(int(line["seq"]), []).append(line)
    return tuple(_reply(seq, found.get(seq, [])) for seq in range(1, sent + 1))


def _reply(seq: int, lines: list[re.Match[str]]) -> Reply:
    if not lines:
        return Reply(seq, None, None, 0)
    return Reply(seq, float(lines[0]["rtt"]), float(lines[0]["stamp"]), len(lines) - 1)


def _unreadable(found: str, text: str) -> MeasureError:
    last = text.strip().splitlines()[-1:] or ["nothing"]
    return MeasureError(
        f"{found}; the last line was {last[0]!r}",
        where="output of ping",
        allowed="the lines and the summary of iputils' `ping -n -D`",
        do="raw/ has the complete output; `overlaylab doctor` shows which ping is installed.",
    )
