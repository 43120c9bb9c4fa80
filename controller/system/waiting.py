"""Waits for a condition with a deadline: `wait_for`."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from controller.model.errors import WaitError

T = TypeVar("T")
LOAD_MOST = 4.0  # a deadline grows by this factor at most
LOADAVG = Path("/proc/loadavg")


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
        return load_of(LOADAVG.read_text(), os.cpu_count() or 1)


def load_of(loadavg: str, cores: int) -> float:
    """The load for each core, 1 to LOAD_MOST, from /proc/loadavg (proc(5)).

    The mean of the last minute, or the processes that run now if they are more: the mean follows
    a machine that has just become busy only after a minute.
    """
    averaged, _, _, running, _ = loadavg.split()
    found = max(float(averaged), float(running.partition("/")[0])) / cores
    return min(max(found, 1.0), LOAD_MOST)


def scaled(timeout_s: float, clock: Clock | None = None) -> float:
    """The time limit [s] that grows with the load of this machine; `timeout_s` is for an idle one."""
    return timeout_s * (clock or Clock()).load()


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
        if waited_s >= limit_s:  # the machine may have become busier since
            load = max(load, clock.load())
            limit_s = timeout_s * load
        if waited_s >= limit_s:
            factor = f" ({timeout_s:g} s x {load:.1f} for the machine's load)" if load > 1 else ""
            raise WaitError(
                f"timed out after {waited_s:.1f} s",
                where=f"waiting for {what}",
                allowed=f"{limit_s:g} s{factor}",
                do="Try again when the machine is less busy; `overlaylab doctor` shows what it lacks.",
            )
        clock.sleep(min(every_s, limit_s - waited_s))
    return found
