"""The largest size that passes, by bisection and confirmed.  Pure: what passes is asked of the caller."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.model.errors import MeasureError

RESUMED_MAX = 4  # times that a confirmation may send the search back

Asked = Callable[[int], bool]  # size -> does it pass?


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The largest size that passes; it was confirmed, and so was that the next one does not."""

    largest: int
    steps: int  # sizes tried before the confirmation
    resumed: int  # times a confirmation contradicted the search


def largest_passing(passes: Asked, confirmed: Asked, *, low: int, high: int) -> Found:
    """The largest size of `low`..`high` that passes.

    `passes` may err towards False, as on a busy machine: `confirmed` is asked of the limit
    and of the size above it, with more patience, and what it says takes the search up again.
    `high` + 1 is known not to pass.

    Raises:
        MeasureError: not even `low` passes, or search and confirmation never agree.
    """
    search, limit = _Search(passes, low, high + 1), low
    for resumed in range(RESUMED_MAX + 1):
        limit = search.narrow()
        if limit < high and confirmed(limit + 1):
            search = _Search(passes, limit + 1, high + 1, search.steps)
        elif confirmed(limit):
            return Found(largest=limit, steps=search.steps, resumed=resumed)
        elif limit == low:
            raise _nothing(low)
        else:
            search = _Search(passes, low, limit, search.steps)
    raise _unsteady(limit)


@dataclass(slots=True)
class _Search:
    """`low` passes, `beyond` does not."""

    passes: Asked
    low: int
    beyond: int
    steps: int = 0

    def narrow(self) -> int:
        """Halve until the two are neighbours."""
        while self.beyond - self.low > 1:
            middle = (self.low + self.beyond) // 2
            self.steps += 1
            if self.passes(middle):
                self.low = middle
            else:
                self.beyond = middle
        return self.low


def _nothing(low: int) -> MeasureError:
    return MeasureError(
        f"not even {low} bytes pass",
        where="search for the largest packet",
        allowed="a path that carries the smallest size tried",
        do="Raise the same lab with `overlaylab up` and ping; raw/ has what ping said.",
    )


def _unsteady(limit: int) -> MeasureError:
    return MeasureError(
        f"search and confirmation still differ at {limit} bytes",
        where="search for the largest packet",
        allowed=f"agreement after being taken up {RESUMED_MAX} times",
        do="Run again when the machine is calm; raw/ has what ping said.",
    )
