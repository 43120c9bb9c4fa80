"""The stages of a ping, from the times at which its packets passed each hop.  Pure.

A ping enters only if its request and its reply were seen exactly once at every hop, in the
order of the path; of every other it is said why not.  Stamps are nanoseconds of one clock:
namespaces share the machine's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# On the way of a request; a reply passes the same in the other direction.
HOPS = (
    "eth0 of the guest",
    "its port on br-int",
    "its host's wire",
    "the far host's wire",
    "the far port on br-int",
    "eth0 of the far guest",
)
REQUEST, ANSWER, REPLY = "request", "answer", "reply"
STAGES = (  # (direction, stage): in the order of time
    (REQUEST, "guest-out"),
    (REQUEST, "switch"),
    (REQUEST, "wire"),
    (REQUEST, "far-switch"),
    (REQUEST, "guest-in"),
    (ANSWER, "answer"),
    (REPLY, "guest-out"),
    (REPLY, "far-switch"),
    (REPLY, "wire"),
    (REPLY, "switch"),
    (REPLY, "guest-in"),
)
PING, RTT, UNMATCHED = "ping", "rtt", "unmatched"  # what ping said: a direction, its two "stages"
PLACES = (
    *((REQUEST, hop) for hop in range(len(HOPS))),
    *((REPLY, hop) for hop in reversed(range(len(HOPS)))),
)
FIELDS = ("icmp.type", "icmp.ident", "icmp.seq", "ip.src", "ip.dst")  # tshark's names
DIRECTIONS = {"8": REQUEST, "0": REPLY}  # ICMP echo and echo reply (RFC 792)
CLOCK_US = 2.0  # ping cuts two stamps to whole microseconds


@dataclass(frozen=True, slots=True)
class Echo:
    """One echo packet, seen at one hop."""

    hop: int  # of HOPS
    stamp_ns: int
    direction: str
    ident: int
    seq: int
    source: str  # of the innermost IP header
    target: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One ping: when it passed each of PLACES, or why that cannot be said."""

    seq: int
    stamps_ns: tuple[int, ...] = ()
    why_not: str = ""

    @property
    def latencies_us(self) -> tuple[float, ...]:
        """Of each of STAGES; empty if it did not enter."""
        return tuple((later - earlier) / 1000 for earlier, later in pairwise(self.stamps_ns))

    @property
    def sum_us(self) -> float:
        """From the request at the guest's eth0 to the reply there."""
        return (self.stamps_ns[-1] - self.stamps_ns[0]) / 1000


def echo(hop: int, stamp_ns: int, values: Mapping[str, Sequence[str]]) -> Echo | None:
    """The echo packet that has these values of FIELDS, outer first; None if it is another.

    An ICMP error quotes the packet it is about, so it has two types and is no echo.
    """
    kinds = values["icmp.type"]
    if len(kinds) != 1 or kinds[0] not in DIRECTIONS:
        return None
    return Echo(
        hop,
        stamp_ns,
        DIRECTIONS[kinds[0]],
        int(values["icmp.ident"][-1]),
        int(values["icmp.seq"][-1]),
        values["ip.src"][-1],
        values["ip.dst"][-1],
    )


def of_pair(echoes: Iterable[Echo], source: str, target: str) -> tuple[Echo, ...]:
    """Those of pings from `source` to `target`, request and reply; other traffic is left out."""
    ways = {REQUEST: (source, target), REPLY: (target, source)}
    return tuple(each for each in echoes if (each.source, each.target) == ways[each.direction])


def idents(echoes: Iterable[Echo]) -> tuple[int, ...]:
    """The identifiers of the pings that left the guest: one for each `ping` that ran there."""
    return tuple(sorted({e.ident for e in echoes if (e.direction, e.hop) == PLACES[0]}))


def passages(echoes: Iterable[Echo], *, ident: int, seqs: Iterable[int]) -> tuple[Passage, ...]:
    """What became of each ping of `ident`, in the order of `seqs`."""
    seen: dict[tuple[int, str, int], list[int]] = {}
    for each in echoes:
        if each.ident == ident:
            seen.setdefault((each.seq, each.direction, each.hop), []).append(each.stamp_ns)
    return tuple(
        _passage(seq, [seen.get((seq, direction, hop), []) for direction, hop in PLACES])
        for seq in seqs
    )


def _passage(seq: int, stamps: Sequence[Sequence[int]]) -> Passage:
    """Of the stamps at each of PLACES."""
    for (direction, hop), found in zip(PLACES, stamps, strict=True):
        if len(found) != 1:
            return Passage(seq, why_not=f"{_counted(found, direction)} at {HOPS[hop]}")
    once = tuple(found[0] for found in stamps)
    for (direction, hop), (earlier, later) in zip(PLACES[1:], pairwise(once), strict=True):
        if later < earlier:
            return Passage(seq, why_not=f"{direction} at {HOPS[hop]} before the hop before it")
    return Passage(seq, once)


def _counted(found: Sequence[int], direction: str) -> str:
    return f"{len(found)} copies of the {direction}" if found else f"no {direction}"


def beyond_us(sum_us: float, rtt_ms: float) -> float:
    """By how much the stages exceed what ping said, more than its clock and its digits explain."""
    return max(0.0, sum_us - rtt_ms * 1000 - _digit_us(rtt_ms) / 2 - CLOCK_US)


def _digit_us(rtt_ms: float) -> float:
    """The last digit that ping prints: 3 below 1 ms, 2 below 10, then 1, then none.

    Source: iputils ping/ping_common.c `gather_statistics`.
    """
    return next(
        (digit for below, digit in ((1, 1.0), (10, 10.0), (100, 100.0)) if rtt_ms < below), 1000.0
    )
