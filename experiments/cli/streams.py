"""Standard streams that the caller has closed (`>&-`), or that lose their reader (`| head`)."""

import os
import sys
from contextlib import suppress


def open_closed() -> None:
    """Connect closed streams to /dev/null: no other file gets their numbers, no write fails."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    # Python has None for a stream that was closed when it started.
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")


def flush() -> None:
    """Write what is buffered.

    Raises:
        OSError: it cannot be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def discard_unwritable() -> None:
    """Connect a stream that cannot be written to /dev/null, so that the flush at exit succeeds."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
