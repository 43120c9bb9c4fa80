"""One TCP transfer between guests: `serve PORT`, `send ADDRESS PORT BYTES SEND_S DEADLINE_S`.

Runs inside a guest, by Python alone.  iperf3 would report neither the progress of a transfer that
hangs nor its MSS, and it waits for its own control connection, which uses the same path.

First the sender gets a greeting: a small request and its answer, which pass on any path.  Then it
sends bulk data until BYTES are sent or SEND_S are over; at the end of the stream the receiver
answers with what it got.  DEADLINE_S is the limit of everything after the greeting.
"""

import json
import socket
import struct
import sys
import threading
import time

GREETING = b"hello" * 20
CHUNK = bytes(65536)
IDLE_S = 10.0
GREETING_S = 4.0  # a lost SYN is retransmitted after 1 s and 3 s (RFC 6298)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER without time: discard unsent data
# struct tcp_info (linux/tcp.h): type and offset
FIGURES = {"mss": ("I", 16), "pmtu": ("I", 60), "retransmits": ("I", 100), "acked": ("Q", 120)}


def serve(port: int) -> None:
    """Accept connections for ever, each in its own thread."""
    with socket.create_server(("", port), backlog=16) as server:
        while True:
            threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


def answer(link: socket.socket) -> None:
    """Answer the greeting, count what arrives, and report it to the sender."""
    with link:
        link.settimeout(IDLE_S)
        try:
            link.recv(len(GREETING), socket.MSG_WAITALL)
            link.sendall(b"!")
            link.sendall(json.dumps(received(link)).encode())
        except OSError:
            return  # the sender gave up and reports why


def received(link: socket.socket) -> dict[str, float]:
    """The bytes that arrive, and the seconds until the last of them."""
    count, begin = 0, time.monotonic()
    last = begin
    while data := link.recv(len(CHUNK)):
        count, last = count + len(data), time.monotonic()
    return {"received": count, "seconds": last - begin}


def send(
    address: str, port: int, wanted: int, send_s: float, deadline_s: float
) -> dict[str, object]:
    """Do one transfer; a figure that it did not reach is None."""
    report: dict[str, object] = {
        "connected": False,
        "greeted": False,
        "sent": 0,
        "received": None,
        "seconds": None,
    }
    try:
        with socket.create_connection((address, port), timeout=GREETING_S) as link:
            report["connected"] = True
            try:
                link.sendall(GREETING)
                report["greeted"] = link.recv(1) == b"!"
                begin = time.monotonic()
                transfer(link, report, wanted, begin + send_s, begin + deadline_s)
            finally:
                report.update(figures(link))
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    except OSError as error:
        report["error"] = str(error)
    return report


def transfer(
    link: socket.socket, report: dict[str, object], wanted: int, send_end: float, end: float
) -> None:
    """Send bulk data and get the receiver's report."""
    link.settimeout(left(end))
    report["acked_before"] = figures(link)["acked"]
    report["sent"] = sent(link, wanted, min(send_end, end))
    link.shutdown(socket.SHUT_WR)
    link.settimeout(left(end))
    with link.makefile("rb") as replies:
        report.update(json.loads(replies.read() or b"{}"))


def sent(link: socket.socket, wanted: int, end: float) -> int:
    """Send until all bytes are accepted by the kernel or the time is over; return how many."""
    taken = 0
    while taken < wanted and time.monotonic() < end:
        link.settimeout(left(end))
        try:
            taken += link.send(CHUNK[: wanted - taken])
        except TimeoutError:
            break
    return taken


def left(end: float) -> float:
    """The time until `end`; never 0, which would not wait at all."""
    return max(0.001, end - time.monotonic())


def figures(link: socket.socket) -> dict[str, int]:
    """The sender's TCP_INFO of the connection."""
    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return {name: struct.unpack_from(kind, info, at)[0] for name, (kind, at) in FIGURES.items()}


def main(argv: list[str]) -> None:
    """Serve or send; a sender prints one line of JSON."""
    if argv[0] == "serve":
        serve(int(argv[1]))
    else:
        address, port, wanted, send_s, deadline_s = argv[1:]
        print(json.dumps(send(address, int(port), int(wanted), float(send_s), float(deadline_s))))


if __name__ == "__main__":
    main(sys.argv[1:])
