"""A numbered UDP datagram every millisecond; the receiver counts the lost ones.

    python stream.py receive PORT            prints one JSON line when the sender has ended
    python stream.py send ADDRESS PORT SECONDS

Both end by themselves: the sender after SECONDS, the receiver 5 s after the last datagram.
"""

import json
import socket
import struct
import sys
import time

INTERVAL_S, SILENCE_S, BUFFER = 0.001, 5.0, 1 << 24
RCVBUFFORCE = 33  # SO_RCVBUFFORCE of asm-generic/socket.h; Python does not name it
NUMBER = struct.Struct("!q")
DONE = -1


def send(address: str, port: int, seconds: float) -> None:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, total = time.monotonic(), int(seconds / INTERVAL_S)
    for number in range(total):
        time.sleep(max(0.0, began + number * INTERVAL_S - time.monotonic()))
        out.sendto(NUMBER.pack(number), (address, port))
        if not number:
            print("sending", flush=True)
    for _ in range(20):  # spread over 1 s: one must arrive even if there is a short gap
        out.sendto(NUMBER.pack(DONE) + NUMBER.pack(total), (address, port))
        time.sleep(0.05)


def receive(port: int) -> dict[str, int]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, BUFFER)
    sock.bind(("", port))
    print("listening", flush=True)
    seen, doubles = set(), 0
    while True:
        sock.settimeout(SILENCE_S if seen else 30)
        data = sock.recv(64)
        (number,) = NUMBER.unpack_from(data)
        if number == DONE:
            (total,) = NUMBER.unpack_from(data, NUMBER.size)
            return {"sent": total, "lost": total - len(seen), "doubles": doubles}
        doubles += number in seen
        seen.add(number)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        print(json.dumps(receive(int(sys.argv[2]))), flush=True)
