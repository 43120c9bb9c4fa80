"""Command lines of ping, and its output as values.  Pure.

For ping of iputils (Debian's `iputils-ping`); its texts are in ping/ping.c and ping/ping_common.c.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median

from controller.model.errors import MeasureError
from experiments.core.question import Row

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

FRAG_NEEDED = re.compile(r"From (\S+) icmp_seq=\d+ Frag needed and DF set \(mtu = (\d+)\)")
LOCAL_ERROR = re.compile(
    r"local error: [Mm]essage too long, mtu[=:]\s*(\d+)|sendmsg: Message too long"
)
IP_AND_ICMP = 28  # bytes: IPv4 20, ICMP echo 8 (RFC 791, RFC 792)

ADAPTIVE = 0  # as interval_ms: `ping -A`, which sends the next request after each answer
SLACK_S = 10.0  # for the start of ping, and its wait for the last reply
UNANSWERED_S = 1.0  # that `ping -A` waits before the next request, regardless of -W
# ping sends every 16 ms if 10 are requested (its timer has kernel ticks), every 9 ms for 2.
INTERVAL_FACTOR = 4


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
        settings = {"interval_ms": self.interval_ms, "payload_bytes": self.payload_bytes}
        return ({**settings, **asdict(reply)} for reply in pinged.replies)

    def read(self, text: str) -> "Pinged":
        """The samples in the output of `argv`, without the extra one at the end.

        Raises:
            MeasureError: see `parse_ping`.
        """
        return Pinged(parse_ping(text).replies[: self.count])

    def argv(self, address: object) -> tuple[str, ...]:
        """The command that sends them to `address`."""
        pace = f"-i {self.interval_ms / 1000:g}" if self.interval_ms else "-A"
        limits = f"-c {self.sent} -W {self.wait_s:g} -s {self.payload_bytes}"
        return ("ping", "-n", "-D", *pace.split(), *limits.split(), str(address))

    @property
    def timeout_s(self) -> float:
        """The time by which ping has ended, even if all requests are lost."""
        each_s = INTERVAL_FACTOR * self.interval_ms / 1000 if self.interval_ms else UNANSWERED_S
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
    total = _total(text)
    lines: dict[int, list[re.Match[str]]] = defaultdict(list)
    for line in REPLY.finditer(text):
        lines[int(line["seq"])].append(line)
    pinged = Pinged(
        tuple(
            Reply(seq, float(found[0]["rtt"]), float(found[0]["stamp"]), len(found) - 1)
            if (found := lines[seq])
            else Reply(seq, None, None, 0)
            for seq in range(1, int(total["sent"]) + 1)
        )
    )
    replies, duplicates = len(pinged.replies) - pinged.lost, pinged.duplicates
    if (replies, duplicates) != (int(total["received"]), int(total["dups"] or 0)):
        raise _unreadable(
            f"{replies} replies and {duplicates} duplicates in the lines, "
            f"{total['received']} and {total['dups'] or 0} in the summary",
            text,
        )
    return pinged


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedPings:
    """The result of a few pings of one size."""

    sent: int
    answered: int
    icmp_mtu: int | None = None  # of an ICMP "fragmentation needed"
    icmp_from: str = ""  # its sender
    is_refused: bool = False  # by the sender's own kernel: message too long
    refused_mtu: int | None = None  # in the error of that kernel

    @property
    def is_complete(self) -> bool:
        """True if all were answered."""
        return self.sent > 0 and self.answered == self.sent

    @property
    def is_final(self) -> bool:
        """True if a second attempt is not needed: all were answered, or an error explains why not."""
        return self.is_complete or self.is_refused or self.icmp_mtu is not None


def sized_ping_argv(
    target: str, ip_bytes: int, *, df: bool, count: int, wait_s: float
) -> tuple[str, ...]:
    """The command that sends `count` packets of one size at once and waits `wait_s` for replies.

    A kernel that refuses to send makes ping wait its interval, hence a short one.
    """
    path_mtu = f"-M {'do' if df else 'dont'} -s {ip_bytes - IP_AND_ICMP}"
    pace = f"-c {count} -l {count} -i 0.002 -W {wait_s:g}"
    return ("ping", "-n", "-D", *path_mtu.split(), *pace.split(), target)


def parse_sized(text: str) -> SizedPings:
    """The result of `sized_ping_argv`, from standard output and standard error together.

    Raises:
        MeasureError: there is no summary.
    """
    total, needed, local = _total(text), FRAG_NEEDED.search(text), LOCAL_ERROR.search(text)
    return SizedPings(
        sent=int(total["sent"]),
        answered=int(total["received"]),
        icmp_mtu=int(needed[2]) if needed else None,
        icmp_from=needed[1] if needed else "",
        is_refused=local is not None,
        refused_mtu=int(local[1]) if local and local[1] else None,
    )


def _total(text: str) -> re.Match[str]:
    """The summary of ping."""
    total = TOTAL.search(text)
    if total is None:
        raise _unreadable("no `packets transmitted` line", text)
    return total


def _unreadable(found: str, text: str) -> MeasureError:
    last = text.strip().splitlines()[-1:] or ["nothing"]
    return MeasureError(
        f"{found}; the last line was {last[0]!r}",
        where="output of ping",
        allowed="the lines and the summary of iputils' `ping -n -D`",
        do="raw/ has the complete output; `overlaylab doctor` shows which ping is installed.",
    )
