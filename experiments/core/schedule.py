"""Which lab is raised when: every point once in each block, in an order drawn by the seed.  Pure."""

from dataclasses import dataclass

import numpy as np

from experiments.core.question import Point, level_name
from experiments.core.results import RAW


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One fresh lab: which block, which place in it, which point."""

    repeat: int
    order: int
    point: Point

    @property
    def name(self) -> str:
        """How people call it."""
        return f"block {self.repeat}, {level_name(self.point)}"

    @property
    def folder(self) -> str:
        """Where its raw output goes; sorts in the order of the run."""
        return f"{RAW}/{self.repeat:02}-{self.order:02}-{'-'.join(map(str, self.point.values()))}"

    def seed(self, of_run: int) -> int:
        """A seed of its own, from the run's."""
        return int(np.random.SeedSequence((of_run, self.repeat, self.order)).generate_state(1)[0])


def schedule(points: tuple[Point, ...], repeats: int, seed: int) -> tuple[Round, ...]:
    """Every point once in each block, shuffled within it by `seed`."""
    draw = np.random.default_rng(seed)
    return tuple(
        Round(repeat=repeat, order=order, point=points[which])
        for repeat in range(1, repeats + 1)
        for order, which in enumerate(draw.permutation(len(points)), start=1)
    )
