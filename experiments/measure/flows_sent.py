"""Marked UDP packets of many flows, and how they are known again behind any encapsulation.  Pure."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from experiments.measure.frames import ethernet

IPV4 = 0x0800
IP_LENGTH, UDP_LENGTH = 20, 8  # bytes
UDP, GRE = 17, 47  # protocol numbers (IANA)
TTL = 64
MARK = struct.Struct("!8sIIH")  # nonce, setting, flow, copy: 18 bytes fill a frame of least length
OUTER_IP = 14  # bytes before it: an untagged Ethernet header


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The five-tuple of a UDP flow, and the MACs that carry it."""

    source_mac: str
    target_mac: str
    source: IPv4Address
    target: IPv4Address
    source_port: int
    target_port: int


class Mark(NamedTuple):
    """What a packet says of itself."""

    nonce: bytes  # 8 bytes
    setting: int
    flow: int
    copy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A marked packet, as a router on the underlay sees it."""

    mark: Mark
    protocol: int  # of the outer IP header
    outer_port: int | None  # the outer UDP source port; None: it has none, as GRE


def udp_frame(flow: Flow, mark: Mark) -> bytes:
    """One Ethernet frame of the least length."""
    payload = MARK.pack(*mark)
    length = UDP_LENGTH + len(payload)
    # A checksum of zero: none was made (RFC 768).
    datagram = struct.pack("!HHHH", flow.source_port, flow.target_port, length, 0) + payload
    packet = _ip_header(flow, IP_LENGTH + length) + datagram
    return ethernet(flow.target_mac, flow.source_mac, IPV4, packet)


def _ip_header(flow: Flow, length: int) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, TTL, UDP, 0, flow.source.packed, flow.target.packed
    )
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = int(sum(struct.unpack(f"!{len(data) // 2}H", data)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arrived(frame: bytes, nonce: bytes) -> Arrived | None:
    """The marked packet in an outer frame; None: it is not one of `nonce`."""
    if frame[-MARK.size : -MARK.size + len(nonce)] != nonce:
        return None
    mark = Mark(*MARK.unpack(frame[-MARK.size :]))
    protocol, head = frame[OUTER_IP + 9], 4 * (frame[OUTER_IP] & 0x0F)
    at = OUTER_IP + head
    port = struct.unpack("!H", frame[at : at + 2])[0] if protocol == UDP else None
    return Arrived(mark=mark, protocol=protocol, outer_port=port)


def redirected(frame: bytes, target: str) -> bytes:
    """The same frame, to another outer address, with the outer IP checksum that goes with it."""
    head = bytearray(frame[OUTER_IP : OUTER_IP + 4 * (frame[OUTER_IP] & 0x0F)])
    head[16:20] = IPv4Address(target).packed
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", checksum(bytes(head)))
    return frame[:OUTER_IP] + bytes(head) + frame[OUTER_IP + len(head) :]
