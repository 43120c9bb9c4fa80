"""What a stream's hearer wrote, read: when it flowed, and what was missing meanwhile.  Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Nothing came between two datagrams, for longer than it should, or with numbers missing."""

    begin_ns: int
    end_ns: int
    lost: int

    @property
    def length_ms(self) -> float:
        """How long nothing came."""
        return (self.end_ns - self.begin_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was heard until now."""

    gaps: tuple[Gap, ...]
    last_ns: int  # when the last datagram that is known of came; 0: none did

    def within(self, begin_ns: int, end_ns: int) -> tuple[Gap, ...]:
        """The gaps that touch a time."""
        return tuple(gap for gap in self.gaps if gap.end_ns > begin_ns and gap.begin_ns < end_ns)


def heard(text: str) -> Heard:
    """What the lines of `stream.py hear` say; a last line without its end is left for later.

    Raises:
        ValueError: it is not what the hearer writes.
    """
    lines = text[: text.rfind("\n") + 1].splitlines()
    gaps = tuple(_gaps(lines))
    times = [int(line.split()[-1]) for line in lines]
    return Heard(gaps, max(times, default=0))


def _gaps(lines: Iterable[str]) -> Iterator[Gap]:
    for line in lines:
        kind, *figures = line.split()
        if kind == "gap":
            last, begin_ns, number, end_ns = map(int, figures)
            if last >= 0:  # before the first datagram there is nothing to miss
                yield Gap(begin_ns=begin_ns, end_ns=end_ns, lost=max(0, number - last - 1))
        elif kind != "beat":
            raise ValueError(line)
