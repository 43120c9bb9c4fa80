"""The legs of a packet's path, from the table `hops`: each wire and each tunnel interface once.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.core.results import Run
from experiments.walk.headers import GRE, IP, Header, Stack, parse_stack

Hop = Mapping[str, Any]  # a row of the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A wire, captured at both ends, or an interface inside a router."""

    rows: tuple[Hop, ...]

    @property
    def is_inside(self) -> bool:
        """True if it is an interface inside a router."""
        return len(self.rows) == 1

    @property
    def ends(self) -> tuple[str, str]:
        """The ends of a wire in the order of passing; or a router and its interface."""
        first, last = self.rows[0], self.rows[-1]
        return first["node"], first["interface"] if self.is_inside else last["node"]

    @property
    def where(self) -> str:
        """Its name."""
        return (" " if self.is_inside else " - ").join(self.ends)

    @property
    def stack(self) -> Stack:
        """The headers at its start."""
        return parse_stack(self.rows[0]["stack"] or "")

    @property
    def ips(self) -> tuple[Header, ...]:
        """Its IP headers, outermost first."""
        return tuple(header for header in self.stack if header.protocol == IP)

    @property
    def inner(self) -> Header | None:
        """The IP header that the sender made."""
        return self.ips[-1] if self.ips else None

    @property
    def outer(self) -> Header | None:
        """The IP header of the tunnel."""
        return self.ips[0] if len(self.ips) > 1 else None

    @property
    def gre(self) -> Header | None:
        """The GRE header."""
        return next((header for header in self.stack if header.protocol == GRE), None)

    @property
    def ttls(self) -> tuple[int, ...]:
        """The TTL of each IP header, outermost first."""
        return tuple(map(int, (self.rows[0]["ttl"] or "").split()))

    @property
    def frame_bytes(self) -> int:
        """Length of the frame."""
        return int(self.rows[0]["frame_bytes"] or 0)


def legs_of(run: Run, way: str, repeat: int) -> tuple[Leg, ...]:
    """The legs of one way, in the order of passing."""
    hops = run.tables["hops"].filter(way=way, repeat=repeat).sort("hop")
    return tuple(_legs(hops.rows(named=True)))


def _legs(hops: Sequence[Hop]) -> Iterator[Leg]:
    """Two consecutive interfaces of different nodes are the ends of a wire."""
    at = 0
    while at < len(hops):
        is_wire = at + 1 < len(hops) and hops[at]["node"] != hops[at + 1]["node"]
        yield Leg(rows=tuple(hops[at : at + 1 + is_wire]))
        at += 1 + is_wire


def repeats_of(run: Run) -> tuple[int, ...]:
    """The repeats that were measured."""
    return tuple(run.tables["hops"]["repeat"].unique(maintain_order=True))
