"""Waits for a condition with a deadline: `wait_for`."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from controller.model.errors import WaitError

T = TypeVar("T")
LOAD_MOST = 4.0  # a deadline grows by this factor at most


class Clock:
    """The clock and the load of this machine; a test passes its own."""

    def now_s(self) -> float:
        """Seconds since a fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Do nothing for `seconds`."""
        time.sleep(seconds)

    def load(self) -> float:
        """Processes that want to run for each core, 1 to LOAD_MOST."""
        return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), LOAD_MOST)


def wait_for(
    condition: Callable[[], T],
    timeout_s: float,
    *,
    what: str,
    every_s: float = 0.05,
    clock: Clock | None = None,
) -> T:
    """Check `condition` every `every_s` seconds; return its first truthy value.

    Args:
        timeout_s: the limit on an idle machine; it grows with the machine's load.
        what: completes "waiting for", as in "the API to answer".

    Raises:
        WaitError: the condition was still false at the deadline.
    """
    clock = clock or Clock()
    begin_s, load = clock.now_s(), clock.load()
    limit_s = timeout_s * load
    while not (found := condition()):
        waited_s = clock.now_s() - begin_s
        if waited_s >= limit_s:
            scaled = f" ({timeout_s:g} s x {load:.1f} for the machine's load)" if load > 1 else ""
            raise WaitError(
                f"timed out after {waited_s:.1f} s",
                where=f"waiting for {what}",
                allowed=f"{limit_s:g} s{scaled}",
                do="Try again when the machine is less busy; `overlaylab doctor` shows what it lacks.",
            )
        clock.sleep(min(every_s, limit_s - waited_s))
    return found
