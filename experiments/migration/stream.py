"""Numbered datagrams: `stream.py send ADDRESS PORT INTERVAL_S` and `stream.py receive PORT`.

Runs in a guest with the standard library only, until it is terminated.  The receiver prints lines:

    gap  LAST_NUMBER LAST_NS NUMBER NS    nothing arrived for too long, or numbers are missing
    beat NUMBER NS                        every 20 datagrams without a gap

Times are those of CLOCK_MONOTONIC, which all namespaces of a machine share.
"""

import contextlib
import socket
import struct
import sys
import time

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


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        receive(int(sys.argv[2]))
