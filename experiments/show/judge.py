"""Results of predictions: by exact cells, by bounds, or by whatever a report decides itself.  Pure.

Nothing is judged by an unreliable run.
"""

from collections.abc import Iterable

from controller.model.wording import counted
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED, Outcome, is_trusted
from experiments.show.statistics import Estimate, Interval

MATCHES, MISMATCH, NOT_MEASURED = "matches", "mismatch", "not measured"  # results of cells
NO_INTERVAL = "no confidence interval"
LEAST_FAVOURABLE = (REFUTED, NOT_JUDGED, UNDECIDED, CONFIRMED)  # first
Range = Interval | Estimate  # where a value lies


def judged(
    run: Run,
    prediction: Prediction,
    outcome: str,
    found: str,
    *,
    name: str | None = None,
    is_main: bool = False,
) -> Outcome:
    """A prediction with its outcome; not judged if the run is unreliable.

    Args:
        outcome: CONFIRMED, REFUTED, UNDECIDED or NOT_JUDGED.
        found: what was measured, in words with figures.
        name: by default what the prediction is about.
    """
    about = "" if prediction.about == "baseline" else prediction.about
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        outcome=outcome if is_trusted(run) else NOT_JUDGED,
        found=found,
        name=about if name is None else name,
        is_main=is_main,
    )


def exact(run: Run, prediction: Prediction, results: Iterable[str], found: str = "") -> Outcome:
    """A prediction of exact values, from the results of the cells it is about.

    Args:
        results: the column `result` of `exact_cells`.
        found: by default how many cells match.
    """
    results = tuple(results)
    matching = f"{results.count(MATCHES)} of {counted(len(results), 'cell')} match"
    return judged(run, prediction, of_cells(results), found or matching)


def within(run: Run, prediction: Prediction, ranges: Iterable[Range | None], found: str) -> Outcome:
    """A prediction with bounds, from intervals or estimates; None: too few samples for one."""
    return judged(run, prediction, of_ranges(prediction, ranges), found)


def of_cells(results: Iterable[str]) -> str:
    """Refuted by any mismatch, confirmed if all cells match; else undecided."""
    found = set(results)
    if MISMATCH in found:
        return REFUTED
    return CONFIRMED if found == {MATCHES} else UNDECIDED


def of_ranges(prediction: Prediction, ranges: Iterable[Range | None]) -> str:
    """Confirmed if all lie within the prediction's bounds, refuted if one lies outside; else undecided.

    Not judged if a range is missing, or from one value, or the prediction has no bounds.
    """
    found = tuple(ranges)
    known = [each for each in found if each is not None and not _is_single(each)]
    if len(known) < len(found) or (prediction.low is None and prediction.high is None):
        return NOT_JUDGED
    low = float("-inf") if prediction.low is None else prediction.low
    high = float("inf") if prediction.high is None else prediction.high
    if any(each.high < low or each.low > high for each in known):
        return REFUTED
    within = all(low <= each.low and each.high <= high for each in known)
    return CONFIRMED if known and within else UNDECIDED


def _is_single(found: Range) -> bool:
    """True of an estimate from one repeat or lab, whose spread is unknown."""
    return isinstance(found, Estimate) and found.count == 1


def of_all(outcomes: Iterable[str]) -> str:
    """The outcome of a prediction about several things: the least favourable one."""
    found = set(outcomes)
    return next(outcome for outcome in LEAST_FAVOURABLE if outcome in found)
