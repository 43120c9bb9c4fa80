"""Netlink requests to the kernel, and the counters in its answers.

`ss -f link -m` and `tc -s qdisc` read the same counters, but need a process in every node.
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

ROUTE, SOCK_DIAG = 0, 4  # NETLINK_ROUTE, NETLINK_SOCK_DIAG (linux/netlink.h)
TIMEOUT_S = 2.0
CHUNK = 1 << 18
HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
ERROR, DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE (linux/netlink.h)
REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP

SOCK_DIAG_BY_FAMILY, AF_PACKET = 20, 17  # linux/sock_diag.h, linux/socket.h
PACKET_REQUEST = struct.Struct("=BBHIIII")  # packet_diag_req: family ... inode, show, cookie
PACKET_MESSAGE = struct.Struct("=BBHIII")  # packet_diag_msg: family, type, number, inode, cookie
PACKET_SHOW = 0x1 | 0x10  # PACKET_SHOW_INFO, PACKET_SHOW_MEMINFO (linux/packet_diag.h)
PACKET_DIAG_INFO, PACKET_DIAG_MEMINFO = 0, 6
MEMINFO_DROPS = 8  # SK_MEMINFO_DROPS (linux/sock_diag.h): packets that found the buffer full

RTM_GETQDISC = 38  # linux/rtnetlink.h
TC_MESSAGE = struct.Struct("=BBHiIII")  # tcmsg: family, padding, interface, handle, parent, info
TCA_STATS = 3

RTM_NEWLINK, RTM_GETLINK = 16, 18
REQUEST_ACK = 0x1 | 0x4  # NLM_F_REQUEST, NLM_F_ACK
LINK_MESSAGE = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
IFLA_LINKINFO, INFO_KIND, INFO_DATA = 18, 1, 2  # linux/if_link.h
BRIDGE_LEARNED, BRIDGE_LEARNED_MOST = 48, 49  # IFLA_BR_FDB_N_LEARNED, IFLA_BR_FDB_MAX_LEARNED
TC_STATS = struct.Struct("=QII")  # tc_stats: bytes, packets, drops


class Drops(NamedTuple):
    """Packets that a socket or a queueing discipline has dropped since it was created."""

    interface: int  # its index; 0: all interfaces
    key: int  # inode of a socket, handle of a discipline
    dropped: int


class Learned(NamedTuple):
    """Addresses that a Linux bridge has learned."""

    now: int
    most: int  # the limit; 0: none


def _request(kind: int, body: bytes, flags: int = REQUEST_DUMP) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, flags, 1, 0) + body


# The requests for all AF_PACKET sockets, and for all queueing disciplines, of a namespace.
PACKET_SOCKETS = _request(
    SOCK_DIAG_BY_FAMILY, PACKET_REQUEST.pack(AF_PACKET, 0, 0, 0, PACKET_SHOW, 0, 0)
)
QUEUES = _request(RTM_GETQDISC, TC_MESSAGE.pack(0, 0, 0, 0, 0, 0, 0))


def bridge_request(index: int) -> bytes:
    """The request for one link of a namespace, by its index."""
    return _request(RTM_GETLINK, LINK_MESSAGE.pack(0, 0, index, 0, 0), REQUEST_ACK)


def bridge_limit_request(index: int, most: int) -> bytes:
    """The request that limits a bridge to `most` learned addresses."""
    data = _attribute(INFO_DATA, _attribute(BRIDGE_LEARNED_MOST, struct.pack("=I", most)))
    info = _attribute(IFLA_LINKINFO, _attribute(INFO_KIND, b"bridge") + data)
    return _request(RTM_NEWLINK, LINK_MESSAGE.pack(0, 0, index, 0, 0) + info, REQUEST_ACK)


def parse_bridge(body: bytes) -> Learned | None:
    """Learned addresses in the answer; None if it is not a bridge or the kernel is older than 6.7."""
    link = dict(attributes(body[LINK_MESSAGE.size :]))
    info = dict(attributes(link.get(IFLA_LINKINFO, b"")))
    data = dict(attributes(info.get(INFO_DATA, b"")))
    if BRIDGE_LEARNED not in data or BRIDGE_LEARNED_MOST not in data:
        return None
    return Learned(*struct.unpack("=II", data[BRIDGE_LEARNED] + data[BRIDGE_LEARNED_MOST]))


def _attribute(kind: int, value: bytes) -> bytes:
    length = ATTRIBUTE.size + len(value)
    return (ATTRIBUTE.pack(length, kind) + value).ljust(_aligned(length), b"\0")


def parse_packet_sockets(answer: bytes) -> Iterator[Drops]:
    """Packets dropped by each AF_PACKET socket."""
    for body in bodies(answer):
        inode = PACKET_MESSAGE.unpack_from(body)[3]
        found = dict(attributes(body[PACKET_MESSAGE.size :]))
        (interface,) = struct.unpack_from("=I", found[PACKET_DIAG_INFO])
        (dropped,) = struct.unpack_from("=I", found[PACKET_DIAG_MEMINFO], 4 * MEMINFO_DROPS)
        yield Drops(interface, inode, dropped)


def parse_queues(answer: bytes) -> Iterator[Drops]:
    """Packets dropped by each queueing discipline, including ingress ones and their filters."""
    for body in bodies(answer):
        _, _, _, interface, handle, _, _ = TC_MESSAGE.unpack_from(body)
        found = dict(attributes(body[TC_MESSAGE.size :]))
        dropped = TC_STATS.unpack_from(found[TCA_STATS])[2] if TCA_STATS in found else 0
        yield Drops(interface, handle, dropped)


def ask(protocol: int, request: bytes) -> bytes:
    """The complete answer of the kernel, in the network namespace of this thread."""
    flags = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, flags, protocol) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.send(request)
        answer = b""
        while not is_whole(answer):
            answer += connection.recv(CHUNK)
        return answer


def is_whole(answer: bytes) -> bool:
    """True if the answer is complete, or a refusal."""
    return any(kind in {DONE, ERROR} for kind, _ in _messages(answer))


def bodies(answer: bytes) -> tuple[bytes, ...]:
    """Bodies of the messages in an answer.

    Raises:
        OSError: the kernel refused: it does not know the request or lacks the module.
    """
    messages = tuple(_messages(answer))
    for kind, body in messages:
        if kind == ERROR and (code := struct.unpack_from("=i", body)[0]):  # 0: acknowledged
            raise OSError(-code, "the kernel refused a netlink request")
    return tuple(body for kind, body in messages if kind not in {DONE, ERROR})


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    while len(answer) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(answer)
        yield kind, answer[HEADER.size : length]
        answer = answer[_aligned(length) :]


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and values of the attributes of a message."""
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        yield kind, data[ATTRIBUTE.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return max(ATTRIBUTE.size, (length + 3) & ~3)  # a length of 0 would loop for ever
