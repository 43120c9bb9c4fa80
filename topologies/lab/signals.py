"""Ctrl-C, SIGTERM and a closed terminal, all as KeyboardInterrupt; none while cleaning up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Whether a signal may interrupt now; one that comes while shielded is only noted."""

    def __init__(self) -> None:
        self.shielded = False
        self.noted = False

    def open(self) -> None:
        """Let signals interrupt from now on, and the one that came while shielded.

        Raises:
            KeyboardInterrupt: one came.
        """
        self.shielded = False
        if self.noted:
            raise KeyboardInterrupt

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The handler of all three signals.

        Raises:
            KeyboardInterrupt: nothing is being cleaned up.
        """
        self.noted = True
        if not self.shielded:
            raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle the signals until the end of the block; in a thread, leave them to the main one."""
    state = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    before = {number: signal.signal(number, state.handle) for number in NUMBERS}
    try:
        yield state
    finally:
        state.shielded = True
        for number, handler in before.items():
            signal.signal(number, handler)
