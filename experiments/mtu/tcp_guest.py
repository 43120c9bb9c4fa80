"""One TCP transfer between guests: `tcp.py serve PORT`, `tcp.py send ADDRESS PORT BYTES SEND_S DEADLINE_S`.

Runs inside a guest, by Python alone.  iperf3 would tell neither how far a transfer came that
hangs nor the MSS it used, and waits for its own control connection, which the same path carries.

The sender is greeted first: a small request and its answer, which any path carries.  Then it
sends in bulk, until BYTES are sent or SEND_S are over; the far end, told by the end of the
stream, answers with what it got.  DEADLINE_S bounds all that comes after the greeting.
"""

import json
import socket
import struct
import sys
import threading
import time

GREETING = b"hello" * 20
CHUNK = bytes(65536)
RETRY_S = 0.005  # between connection attempts that were refused: nobody listens yet
IDLE_S = 10.0
GREETING_S = 4.0  # a lost SYN is sent again after 1 s and after 3 s (RFC 6298); then it is the path
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: what hangs is thrown away
# struct tcp_info (linux/tcp.h): where each figure stands
FIGURES = {"mss": ("I", 16), "pmtu": ("I", 60), "retransmits": ("I", 100), "acked": ("Q", 120)}


def serve(port: int) -> None:
    """Take connections for ever, each in a thread of its own."""
    with socket.create_server(("", port), backlog=16) as door:
        while True:
            threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()


def answer(link: socket.socket) -> None:
    """Greet back, count what comes, and tell the sender."""
    with link:
        link.settimeout(IDLE_S)
        try:
            link.recv(len(GREETING), socket.MSG_WAITALL)
            link.sendall(b"!")
            link.sendall(json.dumps(counted(link)).encode())
        except OSError:
            return  # the sender gave up; it tells why


def counted(link: socket.socket) -> "dict[str, float]":
    """How many bytes come, and in what time: from before the first to the last."""
    received, begin = 0, time.monotonic()
    last = begin
    while got := link.recv(len(CHUNK)):
        received, last = received + len(got), time.monotonic()
    return {"received": received, "seconds": last - begin}


def send(
    address: str, port: int, wanted: int, send_s: float, deadline_s: float
) -> "dict[str, object]":
    """Do one transfer; what was not reached is None."""
    report: dict[str, object] = {
        "connected": False,
        "greeted": False,
        "sent": 0,
        "received": None,
        "seconds": None,
    }
    try:
        with connected(address, port, time.monotonic() + GREETING_S) as link:
            report["connected"] = True
            try:
                greet(link, report)
                begin = time.monotonic()
                transfer(link, report, wanted, begin + send_s, begin + deadline_s)
            finally:
                report.update(figures(link))
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    except OSError as error:
        report["error"] = str(error)
    return report


def connected(address: str, port: int, end: float) -> socket.socket:
    """A connection; a refusal is tried again until `end`."""
    while True:
        try:
            return socket.create_connection((address, port), timeout=left(end))
        except ConnectionRefusedError:
            if time.monotonic() + RETRY_S > end:
                raise
            time.sleep(RETRY_S)


def greet(link: socket.socket, report: "dict[str, object]") -> None:
    """Be greeted: a small request, a smaller answer."""
    link.settimeout(GREETING_S)
    link.sendall(GREETING)
    report["greeted"] = link.recv(1) == b"!"


def transfer(  # the parts of one transfer
    link: socket.socket, report: "dict[str, object]", wanted: int, send_end: float, end: float
) -> None:
    """Send in bulk, and hear what arrived."""
    link.settimeout(left(end))
    report["acked_before"] = figures(link)["acked"]
    report["sent"] = sent(link, wanted, min(send_end, end))
    link.shutdown(socket.SHUT_WR)
    link.settimeout(left(end))
    with link.makefile("rb") as replies:
        report.update(json.loads(replies.read() or b"{}"))


def sent(link: socket.socket, wanted: int, end: float) -> int:
    """How many bytes the kernel took until all are sent or the time is over."""
    taken = 0
    while taken < wanted and time.monotonic() < end:
        link.settimeout(left(end))
        try:
            taken += link.send(CHUNK[: wanted - taken])
        except TimeoutError:
            break
    return taken


def left(end: float) -> float:
    """The time until `end`; never 0, which would mean without waiting."""
    return max(0.001, end - time.monotonic())


def figures(link: socket.socket) -> "dict[str, int]":
    """What the sender's kernel knows of the connection."""
    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return {name: struct.unpack_from(kind, info, at)[0] for name, (kind, at) in FIGURES.items()}


def main(argv: "list[str]") -> None:
    """Serve or send; a sender prints one line of JSON."""
    if argv[0] == "serve":
        serve(int(argv[1]))
    else:
        address, port, wanted, send_s, deadline_s = argv[1:]
        print(json.dumps(send(address, int(port), int(wanted), float(send_s), float(deadline_s))))


if __name__ == "__main__":
    main(sys.argv[1:])
