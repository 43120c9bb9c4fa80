"""The receiver's log of the stream: when datagrams arrived, and gaps between them.  Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The time between two datagrams that is too long, or in which numbers are missing."""

    begin_ns: int
    end_ns: int
    lost: int

    @property
    def length_ms(self) -> float:
        """Its length."""
        return (self.end_ns - self.begin_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Received:
    """The log up to now."""

    gaps: tuple[Gap, ...]
    last_ns: int  # arrival of the last datagram in the log; 0: none

    def within(self, begin_ns: int, end_ns: int) -> tuple[Gap, ...]:
        """The gaps that overlap a period."""
        return tuple(gap for gap in self.gaps if gap.end_ns > begin_ns and gap.begin_ns < end_ns)


def parse_log(text: str) -> Received:
    """The log of `stream.py receive`; an incomplete last line is ignored.

    Raises:
        ValueError: a line is not one of the receiver.
    """
    lines = text[: text.rfind("\n") + 1].splitlines()
    gaps = tuple(_gaps(lines))
    times = [int(line.split()[-1]) for line in lines]
    return Received(gaps, max(times, default=0))


def _gaps(lines: Iterable[str]) -> Iterator[Gap]:
    for line in lines:
        kind, *figures = line.split()
        if kind == "gap":
            last, begin_ns, number, end_ns = map(int, figures)
            if last >= 0:  # nothing can be missing before the first datagram
                yield Gap(begin_ns=begin_ns, end_ns=end_ns, lost=max(0, number - last - 1))
        elif kind != "beat":
            raise ValueError(line)
