"""Packet counters of interfaces, read at a known moment and compared with a capture.

A reading is useless for an interface on which a frame passed meanwhile.  So there are several
before and after, and the first reading without a frame is used.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GUARD_NS = 1_000_000  # from the timestamp of a frame until both ends of its wire have counted it
GAP_NS = 2_000_000  # between readings; longer than the guard, so that one frame cannot affect two
# Columns of /proc/net/dev after the name (net/core/net-procfs.c).
RECEIVED, RX_DROPPED, SENT, TX_DROPPED = 1, 3, 9, 11

Place = tuple[str, str]  # node, interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Packets received plus packets sent, by node and interface, at one moment."""

    begun_ns: int  # since 1970, as captures are stamped
    ended_ns: int
    packets: Mapping[Place, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """Packets of one interface between two readings: counted, and captured."""

    place: Place
    counted: int | None  # None: a frame passed during every reading
    captured: int | None

    @property
    def difference(self) -> int:
        """Frames that one of the two lacks; 1 if there was no quiet reading."""
        if self.counted is None or self.captured is None:
            return 1
        return abs(self.counted - self.captured)


def read(pids: Mapping[str, int]) -> Reading:
    """All interfaces of the network namespaces of these processes, by node."""
    begun_ns = time.time_ns()
    texts = {node: Path(f"/proc/{pid}/net/dev").read_text() for node, pid in pids.items()}
    ended_ns = time.time_ns()
    return Reading(begun_ns=begun_ns, ended_ns=ended_ns, packets=parse(texts))


def read_often(pids: Mapping[str, int], times: int) -> tuple[Reading, ...]:
    """Several readings, one after the other."""
    found = [read(pids)]
    while len(found) < times:
        while time.time_ns() < found[-1].ended_ns + GAP_NS:
            time.sleep(GAP_NS / 10**9)
        found.append(read(pids))
    return tuple(found)


def parse(texts: Mapping[str, str]) -> dict[Place, int]:
    """Packets by node and interface, from /proc/net/dev of each node."""
    return {
        (node, name): columns[RECEIVED] + columns[SENT]
        for node, text in texts.items()
        for name, columns in device_columns(text).items()
    }


def device_columns(text: str) -> dict[str, tuple[int, ...]]:
    """All counters by interface, from /proc/net/dev, which has two lines of heads."""
    lines = (line.partition(":") for line in text.splitlines()[2:])
    return {name.strip(): tuple(map(int, counters.split())) for name, _, counters in lines}


def reconciled(
    place: Place, stamps_ns: Sequence[int], before: Iterable[Reading], after: Iterable[Reading]
) -> Reconciled:
    """The increase of the counter and the number of captured frames between two readings."""
    first = next((each for each in before if is_quiet(each, stamps_ns)), None)
    last = next((each for each in after if is_quiet(each, stamps_ns)), None)
    if first is None or last is None:
        return Reconciled(place=place, counted=None, captured=None)
    return Reconciled(
        place=place,
        counted=last.packets[place] - first.packets[place],
        captured=sum(first.ended_ns < stamp < last.begun_ns for stamp in stamps_ns),
    )


def is_quiet(reading: Reading, stamps_ns: Iterable[int]) -> bool:
    """True if no frame can have been counted during the reading."""
    begun, ended = reading.begun_ns - GUARD_NS, reading.ended_ns
    return not any(begun <= stamp <= ended for stamp in stamps_ns)
