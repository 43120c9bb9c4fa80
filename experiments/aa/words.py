"""Names that the probe of `aa` and its report share."""

from math import comb

from experiments.core.verdict import INTERVAL_REPEATS_MIN

WARMUP, WARM = "warmup", "warm"  # phases
LABELS = ("a", "b")
FALSE_POSITIVES = "false positives"  # the prediction

FORMAT_2_VALUES = {"about": {"itself": FALSE_POSITIVES}}

DRAWS = 200
PER_DRAW = INTERVAL_REPEATS_MIN  # as `latency` has them: false positives are likeliest with fewest
ALLOWED = 17  # of DRAWS; see `chance_of_more`
FALSE_POSITIVE_RATE = 0.05  # of 95% intervals


def chance_of_more(allowed: int = ALLOWED) -> float:
    """The probability that correct intervals exclude 0 more often than `allowed` in DRAWS."""
    rate = FALSE_POSITIVE_RATE
    return 1 - sum(comb(DRAWS, n) * rate**n * (1 - rate) ** (DRAWS - n) for n in range(allowed + 1))
