"""A numbered datagram every millisecond: `stream.py send ADDRESS PORT INTERVAL_S`, `stream.py hear PORT`.

Runs inside a guest, by Python alone; both run until they are ended.  The hearer prints, by lines:

    gap  LAST_NUMBER LAST_NS NUMBER NS    nothing came between the two, or numbers are missing
    beat NUMBER NS                        every 20 datagrams: it still flows

Times are of CLOCK_MONOTONIC, which all namespaces of a machine share.
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
QUIET_NS = 5_000_000  # a pause of five intervals is told, also if nothing was lost


def send(address: str, port: int, interval_s: float) -> None:
    """Send for ever, each at its own time; one that is late does not shift the others."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, number = time.monotonic(), 0
    while True:
        time.sleep(max(0.0, began + number * interval_s - time.monotonic()))
        with contextlib.suppress(OSError):  # no carrier just now: the number is missing
            out.sendto(NUMBER.pack(number), (address, port))
        number += 1


def hear(port: int) -> None:
    """Tell of what comes, and above all of what does not."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, BUFFER)
    door.bind(("", port))
    last, last_ns = -1, time.monotonic_ns()
    while True:
        (number,) = NUMBER.unpack(door.recv(NUMBER.size))
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
        hear(int(sys.argv[2]))
