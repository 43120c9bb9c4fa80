"""Ctrl-C, SIGTERM and a closed terminal, all as KeyboardInterrupt; none while cleaning up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Whether a signal may interrupt now; one that comes while shielded waits for the end."""

    def __init__(self) -> None:
        self.shielded = True  # until all handlers are set
        self.pending = False

    def open(self) -> None:
        """Let a signal interrupt from now on, and the one that came while shielded.

        Raises:
            KeyboardInterrupt: one came.
        """
        self.shielded = False
        self.deliver()

    def deliver(self) -> None:
        """Interrupt by the signal that came while shielded, if one came.

        Raises:
            KeyboardInterrupt: one came.
        """
        if self.pending:
            self.shielded, self.pending = True, False
            raise KeyboardInterrupt

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The handler of all three signals.

        Raises:
            KeyboardInterrupt: nothing is being cleaned up.
        """
        if self.shielded:
            self.pending = True
            return
        self.shielded = True  # a second one must not land before the cleanup begins
        raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle the signals until the end of the block; in a thread, leave them to the main one.

    Raises:
        KeyboardInterrupt: the block ended by itself, but a signal came while it was shielded.
    """
    state = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    before = {number: signal.signal(number, state.handle) for number in NUMBERS}
    try:
        state.open()
        yield state
    finally:
        state.shielded = True
        for number, handler in before.items():
            signal.signal(number, handler)
    state.deliver()
