"""How evenly flows spread over equal paths: their entropy, and what random choice gives.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr
from scipy.stats import binom, entropy, poisson

TAIL = 0.0011  # chance that one path gets too few, or too many: 32 flows on two paths are 8..24
FALSE_ALARM = 1e-4  # chance that a run has more draws outside their band than `tolerated`


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Flows on one path, from `low` to `high`, both included."""

    low: int
    high: int
    outside: float  # chance that any path is outside; an upper bound for more than two paths


def entropy_bits(counts: Sequence[int]) -> float:
    """Shannon entropy of the shares; 0 if all flows are on one path, log2(paths) if all are equal."""
    return float(entropy(counts, base=2))


def most_bits(flows: int, paths: int) -> float:
    """The largest entropy possible for this number of flows: a flow is never split."""
    return log2(min(flows, paths))


def chances(flows: int, paths: int) -> NDArray[np.float64]:
    """Probability that a path gets 0, 1, ... flows, if each flow takes a random path (binomial)."""
    found: NDArray[np.float64] = binom.pmf(np.arange(flows + 1), flows, 1 / paths)
    return found


def expected_bits(flows: int, paths: int) -> float:
    """The mean entropy over all draws; below `most_bits`, since a random choice is rarely even."""
    shares = np.arange(flows + 1) / flows
    return float(paths * chances(flows, paths) @ entr(shares) / np.log(2))


def band(flows: int, paths: int) -> Band:
    """The flows that a path gets in all draws except `TAIL` at either end."""
    on_path = binom(flows, 1 / paths)
    low, high = int(on_path.ppf(TAIL)), int(on_path.isf(TAIL))
    # With two paths, one has too many exactly when the other has too few: one event, not two.
    events = 1 if paths == 2 else paths
    outside = events * float(on_path.cdf(low - 1) + on_path.sf(high))
    return Band(low=low, high=high, outside=min(1.0, outside))


def tolerated(outside: Iterable[float], *, false_alarm: float = FALSE_ALARM) -> int:
    """How many draws, each with its chance, may be outside their band (Poisson's limit)."""
    return int(poisson.isf(false_alarm, sum(outside)))
