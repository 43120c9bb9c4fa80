"""IPv4 packets and GRE around them, as bytes that may claim any sender.  Pure.

Sent only inside the namespaces of a lab, a handful at a time.
"""

import struct
from ipaddress import IPv4Address

from experiments.measure.frames import ethernet

IPV4 = 0x0800  # IEEE 802 EtherType, and GRE's protocol type for IPv4 (RFC 2784)
ICMP_PROTOCOL, UDP_PROTOCOL, GRE_PROTOCOL = 1, 17, 47  # IANA, protocol numbers
ECHO_REQUEST = 8  # RFC 792
TTL = 64
UDP_PORT = 9  # RFC 863, discard


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source: IPv4Address, target: IPv4Address, protocol: int, payload: bytes) -> bytes:
    """A packet without options (RFC 791)."""
    length = 20 + len(payload)
    ends = source.packed + target.packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, TTL, protocol, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(payload: bytes) -> bytes:
    """A datagram without a checksum, which IPv4 allows (RFC 768)."""
    return struct.pack("!HHHH", UDP_PORT, UDP_PORT, 8 + len(payload), 0) + payload


def echo_request(ident: int, seq: int, payload: bytes) -> bytes:
    """A ping (RFC 792)."""
    head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, ident, seq)
    sum_ = struct.pack("!H", checksum(head + payload))
    return head[:2] + sum_ + head[4:] + payload


def gre(packet: bytes) -> bytes:
    """GRE without key, checksum or sequence number: four bytes, and no address in them (RFC 2784)."""
    return struct.pack("!HH", 0, IPV4) + packet


def tunnelled(
    source_mac: str, target_mac: str, outer: tuple[IPv4Address, IPv4Address], packet: bytes
) -> bytes:
    """The frame that carries `packet` by GRE between the two ends of `outer`."""
    whole = ipv4(*outer, GRE_PROTOCOL, gre(packet))
    return ethernet(target_mac, source_mac, IPV4, whole)
