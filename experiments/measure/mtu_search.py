"""The largest size that passes, by bisection and confirmed.  Pure: the caller tries the sizes."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from controller.model.errors import MeasureError

RESUMED_MAX = 4  # times that a confirmation may contradict the search

Passes = Callable[[int], bool]  # size -> does it pass?


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The largest size that passes; confirmed, as is that the next size does not pass."""

    largest: int
    steps: int  # sizes tried before the confirmation
    resumed: int  # times a confirmation contradicted the search


def largest_passing(passes: Passes, confirmed: Passes, *, low: int, high: int) -> Found:
    """The largest size of `low`..`high` that passes.

    `passes` may wrongly be False, as on a busy machine: `confirmed`, which tries harder, is called
    for the limit found and for the size above it; if it disagrees, the search continues from there.
    `high` + 1 is known not to pass.

    Raises:
        MeasureError: not even `low` passes, or search and confirmation never agree.
    """
    tried: list[int] = []

    def fails(size: int) -> bool:
        tried.append(size)
        return not passes(size)

    first, last, limit = low, high, low  # the limit is one of first..last
    for resumed in range(RESUMED_MAX + 1):
        limit = first + bisect_left(range(first + 1, last + 1), True, key=fails)
        if limit < high and confirmed(limit + 1):
            first, last = limit + 1, high
        elif confirmed(limit):
            return Found(largest=limit, steps=len(tried), resumed=resumed)
        elif limit == low:
            raise _failed(
                f"not even {low} bytes pass",
                allowed="a path on which the smallest size tried passes",
                do="Start the same lab with `overlaylab up` and ping; raw/ has the output of ping.",
            )
        else:
            first, last = low, limit - 1
    raise _failed(
        f"search and confirmation still differ at {limit} bytes",
        allowed=f"agreement after {RESUMED_MAX} contradictions",
        do="Run again when the machine is less busy; raw/ has the output of ping.",
    )


def _failed(found: str, *, allowed: str, do: str) -> MeasureError:
    return MeasureError(found, where="search for the largest packet", allowed=allowed, do=do)
