"""The goodput or CPU time of one cell of `throughput` divided by that of another.  Pure.

A cell is all transfers of one mode, protocol and packet size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import polars as pl

from experiments.core.question import Prediction
from experiments.show import judge
from experiments.show.report import CONFIRMED, UNDECIDED
from experiments.show.statistics import Estimate, estimate
from experiments.throughput import words
from experiments.throughput.words import TCP, UDP

SMALL, MIDDLE, LARGEST = "128", "576", "largest"
SIZES = (SMALL, MIDDLE, LARGEST)
GOODPUT, CPU = "goodput_mbit_s", "cpu_s_per_gb"
KEY = ("mode", "protocol", "size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Which cells are divided by which others, and what is compared."""

    column: str = GOODPUT
    mode: tuple[str, str] = ("^", "")  # a pattern of modes; its replacement gives the other mode
    sizes: tuple[str, ...] = SIZES
    other_size: str = ""  # by default the same
    protocols: tuple[str, ...] = (TCP, UDP)


RATIOS: Mapping[str, Ratio] = {  # by what a prediction is about
    words.GRE_TO_VXLAN: Ratio(mode=("^gre-", "vxlan-")),
    words.L2POP_TO_MESH: Ratio(mode=("-l2pop$", "-mesh")),
    words.MIDDLE_TO_SMALL: Ratio(sizes=(MIDDLE,), other_size=SMALL, protocols=(UDP,)),
    words.KERNEL_TO_USER: Ratio(mode=("^kvxlan-", "vxlan-"), sizes=(LARGEST,)),
    words.CPU_SMALL_TO_MIDDLE: Ratio(column=CPU, sizes=(SMALL,), other_size=MIDDLE),
    words.CPU_USER_TO_KERNEL: Ratio(column=CPU, mode=("^vxlan-", "kvxlan-"), sizes=(LARGEST,)),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """The ratio of medians of every pair of cells: of all their transfers, and within each repeat."""

    pairs: pl.DataFrame  # columns `name` and `ratio`
    repeats: pl.DataFrame  # columns `repeat` and `ratio`; several pairs in each repeat

    @property
    def ratios(self) -> list[float]:
        """The ratio of each pair, in ascending order."""
        return self.pairs["ratio"].sort().to_list()

    def estimate(self, seed: int) -> Estimate:
        """The median pair of each repeat, over repeats."""
        by_repeat = self.repeats.group_by("repeat", maintain_order=True).agg(
            pl.col("ratio").median()
        )
        return estimate(by_repeat["ratio"].to_list() or [median(self.ratios)], seed)

    def text(self, seed: int) -> str:
        """The estimate, how repeats differ, and how pairs differ."""
        found, ratios = self.estimate(seed), self.ratios
        repeats = found.span("repeat", ".2f")
        pairs = f"{len(ratios)} pairs: {ratios[0]:.2f} to {ratios[-1]:.2f}"
        within = f"{repeats}, {pairs}" if len(ratios) > 1 else repeats
        return f"{found.value:.2f} ({within})"

    def outside(self, prediction: Prediction) -> pl.DataFrame:
        """The pairs whose ratio is outside the prediction's bounds."""
        low, high = prediction.low or 0, prediction.high or float("inf")
        return self.pairs.filter(~pl.col("ratio").is_between(low, high))

    def outcome(self, prediction: Prediction, seed: int) -> str:
        """By the interval or range of repeats; confirmed only if no pair is outside the bounds.

        One repeat judges nothing.
        """
        by_repeats = judge.of_ranges(prediction, (self.estimate(seed),))
        is_doubtful = by_repeats == CONFIRMED and not self.outside(prediction).is_empty()
        return UNDECIDED if is_doubtful else by_repeats


def compared(transfers: pl.DataFrame, ratio: Ratio) -> Compared:
    """A ratio of all cells that it applies to.

    Args:
        transfers: the samples, with the column `size`.
    """
    return Compared(_divided(transfers, ratio), _divided(transfers, ratio, "repeat"))


def _divided(transfers: pl.DataFrame, ratio: Ratio, *within: str) -> pl.DataFrame:
    medians = (
        transfers.group_by(*KEY, *within, maintain_order=True)
        .agg(value=pl.col(ratio.column).median())
        .filter(pl.col("value") > 0)
    )
    size = pl.lit(ratio.other_size) if ratio.other_size else pl.col("size")
    cells = medians.filter(
        pl.col("mode").str.contains(ratio.mode[0]),
        pl.col("size").is_in(ratio.sizes),
        pl.col("protocol").is_in(ratio.protocols),
    ).with_columns(other_mode=pl.col("mode").str.replace(*ratio.mode), other_size=size)
    return cells.join(
        medians,
        left_on=["other_mode", "protocol", "other_size", *within],
        right_on=[*KEY, *within],
        suffix=" of other",
        maintain_order="left",
    ).select(
        *within,
        name=pl.format("{} / {}, {} {}", "mode", "other_mode", "protocol", "size"),
        ratio=pl.col("value") / pl.col("value of other"),
    )
