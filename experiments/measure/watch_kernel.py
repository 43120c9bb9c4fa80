"""Asks the kernel what it threw away in the network namespace this thread stands in."""

import socket
from pathlib import Path

from experiments.measure import netlink
from experiments.measure.watch_counts import Discarded

NETLINK_ROUTE, NETLINK_SOCK_DIAG = 0, 4  # linux/netlink.h
TIMEOUT_S = 2.0
CHUNK = 1 << 18


def discarded(pid: int) -> Discarded:
    """Look at the namespace this thread stands in, which is that of `pid`."""
    return Discarded(
        names=dict(socket.if_nameindex()),
        sockets=netlink.parse_packet_sockets(ask(NETLINK_SOCK_DIAG, netlink.packet_sockets())),
        queues=netlink.parse_queueing(ask(NETLINK_ROUTE, netlink.queueing())),
        devices=Path(f"/proc/{pid}/net/dev").read_text(),
    )


def ask(protocol: int, question: bytes) -> bytes:
    """The whole answer of the kernel, in the namespace this thread stands in."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as to:
        to.settimeout(TIMEOUT_S)
        to.send(question)
        answer = b""
        while not netlink.is_whole(answer):
            answer += to.recv(CHUNK)
        return answer
