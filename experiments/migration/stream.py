"""Numbered datagrams: `stream.py send ADDRESS PORT INTERVAL_S` and `stream.py receive PORT`.

Runs in a guest with the standard library only, until it is terminated.  The receiver prints lines,
which `parse_log` reads:

    gap  LAST_NUMBER LAST_NS NUMBER NS    nothing arrived for too long, or numbers are missing
    beat NUMBER NS                        every 20 datagrams without a gap

Times are those of CLOCK_MONOTONIC, which all namespaces of a machine share.
"""

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NUMBER = struct.Struct("!q")
RCVBUFFORCE = 33  # SO_RCVBUFFORCE (asm-generic/socket.h); Python does not name it
BUFFER = 1 << 22  # bytes: seconds of the stream
BEAT = 20  # datagrams
QUIET_NS = 5_000_000  # a pause of five intervals is a gap even if nothing is lost


def send(address: str, port: int, interval_s: float) -> None:
    """Send at fixed times; a late datagram does not delay the others."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, number = time.monotonic(), 0
    while True:
        time.sleep(max(0.0, began + number * interval_s - time.monotonic()))
        with contextlib.suppress(OSError):  # no carrier: this number is missing
            out.sendto(NUMBER.pack(number), (address, port))
        number += 1


def receive(port: int) -> None:
    """Print gaps and beats."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, BUFFER)
    server.bind(("", port))
    last, last_ns = -1, time.monotonic_ns()
    while True:
        (number,) = NUMBER.unpack(server.recv(NUMBER.size))
        now_ns = time.monotonic_ns()
        if number != last + 1 or now_ns - last_ns > QUIET_NS:
            print("gap", last, last_ns, number, now_ns, flush=True)
        elif number % BEAT == 0:
            print("beat", number, now_ns, flush=True)
        last, last_ns = number, now_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The time between two datagrams that is too long, or in which numbers are missing."""

    begin_ns: int
    end_ns: int
    lost: int

    @property
    def length_ms(self) -> float:
        """Its length."""
        return (self.end_ns - self.begin_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Received:
    """The log up to now."""

    gaps: tuple[Gap, ...]
    last_ns: int  # arrival of the last datagram in the log; 0: none

    def within(self, begin_ns: int, end_ns: int) -> tuple[Gap, ...]:
        """The gaps that overlap a period."""
        return tuple(gap for gap in self.gaps if gap.end_ns > begin_ns and gap.begin_ns < end_ns)


def parse_log(text: str) -> Received:
    """The log of `stream.py receive`; an incomplete last line is ignored.

    Raises:
        ValueError: a line is not one of the receiver.
    """
    lines = text[: text.rfind("\n") + 1].splitlines()
    gaps = tuple(_gaps(lines))
    times = [int(line.split()[-1]) for line in lines]
    return Received(gaps, max(times, default=0))


def _gaps(lines: Iterable[str]) -> Iterator[Gap]:
    for line in lines:
        kind, *figures = line.split()
        if kind == "gap":
            last, begin_ns, number, end_ns = map(int, figures)
            if last >= 0:  # nothing can be missing before the first datagram
                yield Gap(begin_ns=begin_ns, end_ns=end_ns, lost=max(0, number - last - 1))
        elif kind != "beat":
            raise ValueError(line)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        receive(int(sys.argv[2]))
