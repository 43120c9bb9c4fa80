"""How often the comparison of `latency` finds a difference between labs that do not differ.  Pure.

Each repeat in the pool has a lab labelled a and one labelled b.  A draw takes some repeats
without replacement, swaps the labels of each at random, and compares a with b as `latency`
compares levels.  An interval that excludes 0 is a false positive; of 95% intervals, one in
twenty is expected to be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.aa.words import ALLOWED, DRAWS, PER_DRAW
from experiments.show.statistics import Difference, Repeats, Samples, difference

Pool = Sequence[tuple[Samples, Samples]]  # the samples of a and b, by repeat
Compare = Callable[..., Difference]  # repeats, repeats, seed=


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The comparisons of all draws."""

    draws: tuple[Difference, ...]

    @property
    def false_positives(self) -> tuple[Difference, ...]:
        """Those whose interval excludes 0."""
        return tuple(
            each
            for each in self.draws
            if each.interval is not None and not each.interval.low <= 0 <= each.interval.high
        )

    @property
    def is_fair(self) -> bool:
        """True if there are no more false positives than allowed."""
        return len(self.false_positives) <= ALLOWED

    @property
    def half_width(self) -> float:
        """The median half width of the intervals: about the least difference that would be found."""
        widths = [each.interval.high - each.interval.low for each in self.draws if each.interval]
        return float(np.median(widths)) / 2


def check(pool: Pool, *, seed: int, compare: Compare = difference) -> Checked | None:
    """All draws, compared as levels and effects are; None if the pool has too few repeats."""
    if len(pool) < PER_DRAW:
        return None
    chance = np.random.default_rng(seed)
    drawn = [_draw(pool, chance) for _ in range(DRAWS)]
    return Checked(
        draws=tuple(compare(one, other, seed=nth) for nth, (one, other) in enumerate(drawn))
    )


def _draw(pool: Pool, chance: np.random.Generator) -> tuple[Repeats, Repeats]:
    """Some repeats of the pool, the labels of each as they are or swapped."""
    repeats = chance.choice(len(pool), PER_DRAW, replace=False)
    swaps = chance.integers(0, 2, PER_DRAW)
    pairs = [
        pool[repeat][::-1] if swap else pool[repeat]
        for repeat, swap in zip(repeats, swaps, strict=True)
    ]
    return [one for one, _ in pairs], [other for _, other in pairs]
