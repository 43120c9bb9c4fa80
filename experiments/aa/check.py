"""Labs held against labs of the same kind: how often is nothing called a difference?  Pure.

From a pool of blocks, each with a lab labelled a and one labelled b, a draw takes some blocks
without replacement, swaps the labels of each or not, and compares a with b as `latency`
compares levels.  An interval that leaves out 0 is wrong; those of 95% may be, one in twenty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from experiments.core.verdict import INTERVAL_REPEATS_MIN
from experiments.show.statistics import LEVEL, Difference, Repeats, Samples, difference

DRAWS = 200
PER_DRAW = INTERVAL_REPEATS_MIN  # as few as `latency` takes: fewer blocks are harder to be right on
ALLOWED = 17  # of DRAWS; see `chance_of_more`

Pool = Sequence[tuple[Samples, Samples]]  # the samples of a and b, block by block
Compare = Callable[..., Difference]  # blocks, blocks, seed=


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of the draws."""

    draws: tuple[Difference, ...]

    @property
    def wrong(self) -> tuple[Difference, ...]:
        """Those whose interval leaves out 0."""
        return tuple(each for each in self.draws if is_called_different(each))

    @property
    def is_fair(self) -> bool:
        """True if no more are wrong than chance allows."""
        return len(self.wrong) <= ALLOWED


def is_called_different(found: Difference) -> bool:
    """True if 0 lies outside of the interval."""
    return found.interval is not None and not found.interval.low <= 0 <= found.interval.high


def chance_of_more(allowed: int = ALLOWED) -> float:
    """How likely intervals that keep their promise leave out 0 more often than `allowed` of DRAWS."""
    return float(stats.binom.sf(allowed, DRAWS, 1 - LEVEL))


def check(pool: Pool, *, seed: int, compare: Compare = difference) -> Checked | None:
    """All draws, compared as levels and effects are; None if the pool has too few blocks."""
    if len(pool) < PER_DRAW:
        return None
    drawn = enumerate(_drawn(pool, seed))
    return Checked(draws=tuple(compare(one, other, seed=nth) for nth, (one, other) in drawn))


def _drawn(pool: Pool, seed: int) -> list[tuple[Repeats, Repeats]]:
    """DRAWS times some blocks of the pool, in each the labels as they are or swapped."""
    chance = np.random.default_rng(seed)
    return [_one(pool, chance) for _ in range(DRAWS)]


def _one(pool: Pool, chance: np.random.Generator) -> tuple[Repeats, Repeats]:
    repeats = chance.choice(len(pool), PER_DRAW, replace=False)
    swaps = chance.integers(0, 2, PER_DRAW)
    pairs = [
        pool[repeat][::-1] if swap else pool[repeat]
        for repeat, swap in zip(repeats, swaps, strict=True)
    ]
    return [one for one, _ in pairs], [other for _, other in pairs]
