"""SIGINT, SIGTERM and SIGHUP as KeyboardInterrupt, deferred during clean-up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Whether a signal interrupts now; one that comes while shielded is deferred."""

    def __init__(self) -> None:
        self.shielded = True  # until all handlers are set
        self.pending = False

    def open(self) -> None:
        """Let signals interrupt from now on, and deliver the deferred one.

        Raises:
            KeyboardInterrupt: a signal was deferred.
        """
        self.shielded = False
        self.deliver()

    def deliver(self) -> None:
        """Deliver the deferred signal, if there is one.

        Raises:
            KeyboardInterrupt: a signal was deferred.
        """
        if self.pending:
            self.shielded, self.pending = True, False
            raise KeyboardInterrupt

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The handler of all three signals.

        Raises:
            KeyboardInterrupt: it is not shielded.
        """
        if self.shielded:
            self.pending = True
            return
        self.shielded = True  # a second one must not interrupt before the clean-up begins
        raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle the signals until the end of the block; do nothing outside the main thread.

    Raises:
        KeyboardInterrupt: a signal came; a deferred one is raised at the end of the block.
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
