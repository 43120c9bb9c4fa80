"""The stages of a ping, from captures at every hop of its path while it runs.

    guest       br-int ... wire            wire ... br-int       far guest
    eth0 ------ qvo   host    underlay == underlay  far host qvo ------ eth0

A ping is followed only if its request and its reply were seen exactly once at every hop, in the
order of the path; for any other the reason is kept.  Timestamps are the kernel's, in nanoseconds
of one clock, which all namespaces share.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from controller.model.parts import Port
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row, Value
from experiments.latency.pings import guest_path, ping
from experiments.latency.question import STAGE_COLUMNS
from experiments.latency.words import PING, REPLY, REQUEST, RTT, STAGES, UNMATCHED
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.packets import INTERFACE, NODE, all_of, stamp_ns
from experiments.measure.ping import Reply, Requests

WIRE = "underlay"  # a compute host's interface on the wire
# In the order of a request; a reply passes them in reverse.
HOPS = (
    "eth0 of the guest",
    "its port on br-int",
    "its host's wire",
    "the far host's wire",
    "the far port on br-int",
    "eth0 of the far guest",
)
PLACES = (
    *((REQUEST, hop) for hop in range(len(HOPS))),
    *((REPLY, hop) for hop in reversed(range(len(HOPS)))),
)
FIELDS = ("icmp.type", "icmp.ident", "icmp.seq", "ip.src", "ip.dst")  # tshark's names
DIRECTIONS = {"8": REQUEST, "0": REPLY}  # ICMP echo and echo reply (RFC 792)
CLOCK_US = 2.0  # ping truncates two timestamps to microseconds


class Hop(NamedTuple):
    """An interface on the path."""

    node: str
    interface: str


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
    """One ping: when it passed each of PLACES, or why it could not be followed."""

    seq: int
    stamps_ns: tuple[int, ...] = ()
    why_not: str = ""

    @property
    def latencies_us(self) -> tuple[float, ...]:
        """The time of each of STAGES; empty if the ping was not followed."""
        return tuple((later - earlier) / 1000 for earlier, later in pairwise(self.stamps_ns))

    @property
    def sum_us(self) -> float:
        """From the request at the guest's eth0 to the reply there."""
        return (self.stamps_ns[-1] - self.stamps_ns[0]) / 1000


def stage_rows(
    lab: Lab, pair: tuple[Port, Port], context: Context, *, pings: int
) -> tuple[Row, ...]:
    """Ping from the first guest to the second and follow each ping from hop to hop.

    Captures and ping's output are kept as `stages-*`.

    Raises:
        CommandError: an interface could not be captured.
        MeasureError: ping's output could not be read, or there were other pings between the two.
    """
    path, asked = hops(lab.overlay, pair), Requests(count=pings)
    where = {node: tuple(hop.interface for hop in path if hop.node == node) for node, _ in path}
    with (
        capturing(lab, where, lambda name: context.path(f"stages-{name}")) as files,
        context.watch(),
    ):
        keep = partial(context.keep, "stages-ping.txt")
        replies = ping(lab, guest_path(pair), asked, keep).replies
    echoes = of_pair(_echoes(files, path), str(pair[0].ipv4[0]), str(pair[1].ipv4[0]))
    found = passages(
        echoes, ident=_only(idents(echoes), pair), seqs=[reply.seq for reply in replies]
    )
    return tuple(
        row for passage, reply in zip(found, replies, strict=True) for row in _rows(passage, reply)
    )


def hops(overlay: Overlay, pair: tuple[Port, Port]) -> tuple[Hop, ...]:
    """The interfaces between two guests, in the order of HOPS.

    Raises:
        MeasureError: both are on one host, with no wire between them.
    """
    one, far = pair
    if one.host == far.host:
        raise MeasureError(
            f"both guests on {one.host!r}",
            where=f"stages from {one.device_id} to {far.device_id}",
            allowed="guests on two hosts",
            do="Choose a pair with a wire between them.",
        )
    near, distant = (
        (
            Hop(port.device_id, _interface(overlay, port)),
            Hop(port.host, overlay.device_of(port)),
            Hop(port.host, WIRE),
        )
        for port in pair
    )
    return (*near, *reversed(distant))


def _interface(overlay: Overlay, port: Port) -> str:
    """The port's interface in its guest: they are numbered in the order of the scenario."""
    own = [each.id for each in overlay.ports if each.host and each.device_id == port.device_id]
    return f"eth{own.index(port.id)}"


def _echoes(files: Captures, path: tuple[Hop, ...]) -> Iterator[Echo]:
    for packet in decoded(files, FIELDS, "icmp"):
        hop = path.index(Hop(packet[NODE], packet[INTERFACE]))
        values = {name: all_of(packet, name) for name in FIELDS}
        if found := echo(hop, stamp_ns(packet), values):
            yield found


def echo(hop: int, stamp_ns: int, values: Mapping[str, Sequence[str]]) -> Echo | None:
    """The echo packet with these values of FIELDS, outer headers first; None if it is another.

    An ICMP error quotes another packet, so it has two types and is no echo.
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
    """Requests from `source` to `target` and their replies, without all others."""
    ways = {REQUEST: (source, target), REPLY: (target, source)}
    return tuple(each for each in echoes if (each.source, each.target) == ways[each.direction])


def idents(echoes: Iterable[Echo]) -> tuple[int, ...]:
    """The ICMP identifiers at the first hop: one for each `ping` process of the guest."""
    return tuple(sorted({e.ident for e in echoes if (e.direction, e.hop) == PLACES[0]}))


def _only(found: tuple[int, ...], pair: tuple[Port, Port]) -> int:
    """The identifier of the measured ping."""
    if len(found) == 1:
        return found[0]
    raise MeasureError(
        f"{len(found)} identifiers of ICMP echo requests",
        where=f"capture in {pair[0].device_id}",
        allowed="one: that of the ping whose stages are measured",
        do=f"Stop other pings from there to {pair[1].device_id} while it runs.",
    )


def passages(echoes: Iterable[Echo], *, ident: int, seqs: Iterable[int]) -> tuple[Passage, ...]:
    """The passage of each ping of `ident`, in the order of `seqs`."""
    seen: dict[tuple[int, str, int], list[int]] = {}
    for each in echoes:
        if each.ident == ident:
            seen.setdefault((each.seq, each.direction, each.hop), []).append(each.stamp_ns)
    return tuple(
        _passage(seq, [seen.get((seq, direction, hop), []) for direction, hop in PLACES])
        for seq in seqs
    )


def _passage(seq: int, stamps: Sequence[Sequence[int]]) -> Passage:
    """From the timestamps at each of PLACES."""
    for (direction, hop), found in zip(PLACES, stamps, strict=True):
        if len(found) != 1:
            many = f"{len(found)} copies of the {direction}" if found else f"no {direction}"
            return Passage(seq, why_not=f"{many} at {HOPS[hop]}")
    once = tuple(found[0] for found in stamps)
    for (direction, hop), (earlier, later) in zip(PLACES[1:], pairwise(once), strict=True):
        if later < earlier:
            return Passage(seq, why_not=f"{direction} at {HOPS[hop]} before the hop before it")
    return Passage(seq, once)


def beyond_us(sum_us: float, rtt_ms: float) -> float:
    """By how much the stages exceed ping's round-trip time, beyond its clock and its rounding."""
    # ping prints 3 digits below 1 ms, 2 below 10, then 1, then none (iputils ping/ping_common.c
    # `gather_statistics`).
    digit_us = 10.0 ** sum(rtt_ms >= limit for limit in (1, 10, 100))
    return max(0.0, sum_us - rtt_ms * 1000 - digit_us / 2 - CLOCK_US)


def _rows(passage: Passage, reply: Reply) -> tuple[Row, ...]:
    """One row per stage and one for ping's round-trip time; or one with the reason."""
    if passage.why_not or reply.rtt_ms is None:
        why = passage.why_not or "ping received no reply"
        return (_row(passage.seq, PING, UNMATCHED, None, why),)
    timed = zip(STAGES, passage.latencies_us, strict=True)
    beyond = beyond_us(passage.sum_us, reply.rtt_ms)
    note = f"stages exceed it by {beyond:.1f} us" if beyond else None
    return (
        *(_row(passage.seq, *place, round(us, 3), None) for place, us in timed),
        _row(passage.seq, PING, RTT, round(reply.rtt_ms * 1000, 3), note),
    )


def _row(*values: Value) -> Row:
    return dict(zip(STAGE_COLUMNS, values, strict=True))
