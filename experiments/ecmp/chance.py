"""How evenly flows spread over equal paths: entropy, and what chance alone makes of it.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb, exp, factorial, log2

TAIL = 0.0011  # chance for one path to get too few, or too many: 32 flows on two are 8..24
FALSE_ALARM = 1e-4  # chance for a run to have more samples outside than `tolerated`


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Flows on one path, from `low` to `high`, both included."""

    low: int
    high: int
    outside: float  # chance that any path leaves it; never told too small


def entropy_bits(counts: Sequence[int]) -> float:
    """Shannon's entropy of the shares; 0 if all is on one path, log2(paths) if all are equal."""
    total = sum(counts)
    shares = [count / total for count in counts if count]
    return abs(sum(share * log2(share) for share in shares))


def most_bits(flows: int, paths: int) -> float:
    """The greatest entropy that so many flows can have: a flow is never split."""
    return log2(min(flows, paths))


def chances(flows: int, paths: int) -> list[float]:
    """Probability that a path gets 0, 1, ... flows, if each takes any path alike (binomial)."""
    return [
        comb(flows, on_it) * (paths - 1) ** (flows - on_it) / paths**flows
        for on_it in range(flows + 1)
    ]


def expected_bits(flows: int, paths: int) -> float:
    """The mean entropy over all draws; below `most_bits`, since chance is never quite even."""
    found = chances(flows, paths)
    shares = [on_it / flows for on_it in range(flows + 1)]
    return sum(
        -paths * chance * share * log2(share)
        for chance, share in zip(found[1:-1], shares[1:-1], strict=True)
    )


def band(flows: int, paths: int) -> Band:
    """What a path gets in all draws but those of `TAIL` at either end."""
    found = chances(flows, paths)
    few, many, low, high = 0.0, 0.0, 0, flows
    while few + found[low] <= TAIL:
        few, low = few + found[low], low + 1
    while many + found[high] <= TAIL:
        many, high = many + found[high], high - 1
    # Of two paths, what one has too much the other lacks: that is one event, not two.
    events = 1 if paths == 2 else paths
    return Band(low=low, high=high, outside=min(1.0, events * (few + many)))


def tolerated(outside: Iterable[float]) -> int:
    """How many samples, each with its chance, may be outside their band (Poisson's limit)."""
    mean, at = sum(outside), 0
    below = exp(-mean)
    while 1 - below > FALSE_ALARM:
        at += 1
        below += exp(-mean) * mean**at / factorial(at)
    return at
