"""UDP packets of many flows, each with a mark that identifies it inside any encapsulation.  Pure."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from experiments.measure.forged import IPV4, UDP_PROTOCOL, checksum, ipv4, udp
from experiments.measure.frames import ethernet

MARK = struct.Struct("!8sIIH")  # 18 bytes: with the headers, a frame of the minimum length
OUTER_IP = 14  # bytes before it: an untagged Ethernet header


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The five-tuple of a UDP flow, and its MAC addresses."""

    source_mac: str
    target_mac: str
    source: IPv4Address
    target: IPv4Address
    source_port: int
    target_port: int


class Mark(NamedTuple):
    """What identifies a packet: the end of its payload."""

    nonce: bytes  # 8 bytes
    setting: int
    flow: int
    copy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A marked packet as received from the underlay."""

    mark: Mark
    outer_port: int | None  # the outer UDP source port; None for GRE, which has no ports


def udp_frame(flow: Flow, mark: Mark) -> bytes:
    """One Ethernet frame of the minimum length."""
    datagram = udp(MARK.pack(*mark), flow.source_port, flow.target_port)
    packet = ipv4(flow.source, flow.target, UDP_PROTOCOL, datagram)
    return ethernet(flow.target_mac, flow.source_mac, IPV4, packet)


def arrived(frame: bytes, nonce: bytes) -> Arrived | None:
    """The marked packet in an outer frame; None if it has no mark with this nonce."""
    if frame[-MARK.size : -MARK.size + len(nonce)] != nonce:
        return None
    mark = Mark(*MARK.unpack(frame[-MARK.size :]))
    if frame[OUTER_IP + 9] != UDP_PROTOCOL:
        return Arrived(mark=mark, outer_port=None)
    at = OUTER_IP + _header_length(frame)
    return Arrived(mark=mark, outer_port=int.from_bytes(frame[at : at + 2], "big"))


def redirected(frame: bytes, target: str) -> bytes:
    """The same frame with another outer target address, and the outer IP checksum corrected."""
    end = OUTER_IP + _header_length(frame)
    head = bytearray(frame[OUTER_IP:end])
    head[16:20] = IPv4Address(target).packed
    head[10:12] = b"\0\0"
    head[10:12] = struct.pack("!H", checksum(bytes(head)))
    return frame[:OUTER_IP] + bytes(head) + frame[end:]


def _header_length(frame: bytes) -> int:
    """Bytes of the outer IP header, with its options."""
    return 4 * (frame[OUTER_IP] & 0x0F)
