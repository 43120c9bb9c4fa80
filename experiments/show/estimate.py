"""One figure of several labs or repeats: the median and its interval.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from experiments.core.question import Prediction
from experiments.show import judge
from experiments.show.report import counted
from experiments.show.statistics import bootstrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The median, with its 95% interval from six values on, else their range."""

    value: float
    low: float
    high: float
    count: int
    is_interval: bool

    def span(self, of: str, form: str) -> str:
        """Such as `95% interval of 8 labs: 11.6 to 12.1`, `range of 4 labs: ...`, `1 lab`."""
        if self.count == 1:
            return counted(1, of)
        what = "95% interval of" if self.is_interval else "range of"
        return f"{what} {counted(self.count, of)}: {self.low:{form}} to {self.high:{form}}"


def estimate(values: Sequence[float], seed: int) -> Estimate:
    """The estimate from one value of each lab or repeat.

    Raises:
        ValueError: there are none.
    """
    found = np.array(values)
    within = bootstrap(len(found), lambda picked: np.median(found[picked], axis=-1), seed=seed)
    low, high = (within.low, within.high) if within else (min(values), max(values))
    return Estimate(
        value=median(values), low=low, high=high, count=len(values), is_interval=within is not None
    )


def outcome(prediction: Prediction, found: Sequence[Estimate]) -> str:
    """`judge.of_ranges` of estimates."""
    return judge.of_ranges(prediction, found)
