"""Questions to the kernel in netlink's own form, and what its answers count.  Pure: bytes, values.

`ss -f link -m` and `tc -s qdisc` ask the same, at the price of a process in every node.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
ERROR, DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE (linux/netlink.h)
REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP

SOCK_DIAG_BY_FAMILY, AF_PACKET = 20, 17  # linux/sock_diag.h, linux/socket.h
PACKET_REQUEST = struct.Struct("=BBHIIII")  # packet_diag_req: family ... inode, show, cookie
PACKET_MESSAGE = struct.Struct("=BBHIII")  # packet_diag_msg: family, type, number, inode, cookie
PACKET_SHOW = 0x1 | 0x10  # PACKET_SHOW_INFO, PACKET_SHOW_MEMINFO (linux/packet_diag.h)
PACKET_DIAG_INFO, PACKET_DIAG_MEMINFO = 0, 6
MEMINFO_DROPS = 8  # SK_MEMINFO_DROPS (linux/sock_diag.h): packets for which there was no room

RTM_GETQDISC = 38  # linux/rtnetlink.h
TC_MESSAGE = struct.Struct("=BBHiIII")  # tcmsg: family, padding, interface, handle, parent, info
TCA_STATS = 3
TC_STATS = struct.Struct("=QII")  # tc_stats: bytes, packets, drops


class Drops(NamedTuple):
    """Packets that one socket or queueing discipline threw away since it was made."""

    interface: int  # index of it; 0: all of them
    key: int  # socket: inode; discipline: handle; tells those of one interface apart
    dropped: int


def packet_sockets() -> bytes:
    """Asks for all AF_PACKET sockets of a namespace."""
    body = PACKET_REQUEST.pack(AF_PACKET, 0, 0, 0, PACKET_SHOW, 0, 0)
    return _request(SOCK_DIAG_BY_FAMILY, body)


def queueing() -> bytes:
    """Asks for all queueing disciplines of a namespace."""
    return _request(RTM_GETQDISC, TC_MESSAGE.pack(0, 0, 0, 0, 0, 0, 0))


def _request(kind: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, REQUEST_DUMP, 1, 0) + body


def parse_packet_sockets(answer: bytes) -> tuple[Drops, ...]:
    """What each AF_PACKET socket dropped."""
    return tuple(_socket_drops(body) for _, body in messages(answer))


def _socket_drops(body: bytes) -> Drops:
    inode = PACKET_MESSAGE.unpack_from(body)[3]
    found = dict(attributes(body[PACKET_MESSAGE.size :]))
    (interface,) = struct.unpack_from("=I", found[PACKET_DIAG_INFO])
    (dropped,) = struct.unpack_from("=I", found[PACKET_DIAG_MEMINFO], 4 * MEMINFO_DROPS)
    return Drops(interface, inode, dropped)


def parse_queueing(answer: bytes) -> tuple[Drops, ...]:
    """What each queueing discipline dropped, ingress ones and their filters included."""
    return tuple(_queue_drops(body) for _, body in messages(answer))


def _queue_drops(body: bytes) -> Drops:
    _, _, _, interface, handle, _, _ = TC_MESSAGE.unpack_from(body)
    found = dict(attributes(body[TC_MESSAGE.size :]))
    dropped = TC_STATS.unpack_from(found[TCA_STATS])[2] if TCA_STATS in found else 0
    return Drops(interface, handle, dropped)


def is_whole(answer: bytes) -> bool:
    """True once the kernel has said all, or refused."""
    return any(kind in {DONE, ERROR} for kind, _ in _raw(answer))


def messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and bodies of an answer's messages.

    Raises:
        OSError: the kernel refused: it knows no such question, or has not the module for it.
    """
    for kind, body in _raw(answer):
        if kind == ERROR:
            raise OSError(
                -struct.unpack_from("=i", body)[0], "the kernel refused a netlink question"
            )
        if kind != DONE:
            yield kind, body


def _raw(answer: bytes) -> Iterator[tuple[int, bytes]]:
    while len(answer) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(answer)
        yield kind, answer[HEADER.size : length]
        answer = answer[_aligned(length) :]


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and values of a message's attributes."""
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        yield kind, data[ATTRIBUTE.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return max(ATTRIBUTE.size, (length + 3) & ~3)  # a length of 0 would never end
