"""Frames and packets as bytes, and the marks that identify them.  Pure.

Packets with other source addresses than the sender's are sent only inside the namespaces of a lab.
"""

import struct
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Address
from typing import NamedTuple

ETHERNET_HEADER = 14  # bytes, without a VLAN tag
ETHERNET_LEAST = 60  # bytes, without the check sequence (IEEE 802.3)
IPV4, ARP = 0x0800, 0x0806  # IEEE 802, EtherTypes
LOCAL_EXPERIMENT = 0x88B5  # IEEE 802, EtherType for local experiments
BROADCAST = "ff:ff:ff:ff:ff:ff"
PAUSE = "01:80:c2:00:00:01"  # IEEE 802.1D, table 7-10: no bridge forwards it
MARKER_MAC = "02:4d:41:52:4b:00"  # locally administered
NOBODY = "00:00:00:00:00:00"
REQUEST, REPLY = 1, 2  # RFC 826
EXPERIMENT = 24  # RFC 5494: an ARP operation for experiments; no kernel answers it
NONCE = 18  # bytes: an ARP packet and a nonce fill a frame of the minimum length

ICMP_PROTOCOL, UDP_PROTOCOL, GRE_PROTOCOL = 1, 17, 47  # IANA, protocol numbers
ECHO_REQUEST = 8  # RFC 792
TTL = 64
UDP_PORT = 9  # RFC 863, discard
MARK = struct.Struct("!8sIIH")  # 18 bytes: with the headers, a frame of the minimum length


def mac_bytes(mac: str) -> bytes:
    """Six bytes of `02:00:...`."""
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(target: str, source: str, ethertype: int, payload: bytes) -> bytes:
    """One frame, padded to the minimum length."""
    head = mac_bytes(target) + mac_bytes(source) + struct.pack("!H", ethertype)
    return (head + payload).ljust(ETHERNET_LEAST, b"\0")


def arp_packet(
    operation: int, sender: tuple[str, IPv4Address], target: tuple[str, IPv4Address]
) -> bytes:
    """An ARP packet for Ethernet and IPv4 (RFC 826)."""
    parts = (mac_bytes(sender[0]), sender[1].packed, mac_bytes(target[0]), target[1].packed)
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + b"".join(parts)


def arp_request(mac: str, ip: IPv4Address, target: IPv4Address, trailer: bytes = b"") -> bytes:
    """A broadcast that asks for the MAC of `target`; a reply does not copy the trailer."""
    packet = arp_packet(REQUEST, (mac, ip), (NOBODY, target))
    return ethernet(BROADCAST, mac, ARP, packet + trailer)


def replier(frame: bytes) -> tuple[str, ...]:
    """The sender MAC of an ARP reply; empty for other frames."""
    (ethertype,), (operation,) = (struct.unpack_from("!H", frame, at) for at in (12, 20))
    return (frame[22:28].hex(":"),) if (ethertype, operation) == (ARP, REPLY) else ()


def nonce_of(*parts: object) -> bytes:
    """A nonce, the same for the same parts."""
    return blake2b("/".join(map(str, parts)).encode(), digest_size=NONCE).digest()


def nonce_in(frame: bytes) -> bytes:
    """The nonce of a frame that has nothing before it but the Ethernet header."""
    return frame[ETHERNET_HEADER : ETHERNET_HEADER + NONCE]


def marker(nonce: bytes) -> bytes:
    """A frame that no bridge forwards and no kernel answers."""
    body = arp_packet(EXPERIMENT, (MARKER_MAC, IPv4Address(0)), (NOBODY, IPv4Address(0)))
    return ethernet(PAUSE, MARKER_MAC, ARP, body + nonce)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with_checksum(head: bytes, at: int, payload: bytes = b"") -> bytes:
    """The header with its checksum, also of the payload, in place of the two zero bytes at `at`."""
    return head[:at] + struct.pack("!H", checksum(head + payload)) + head[at + 2 :]


def ipv4(source: IPv4Address, target: IPv4Address, protocol: int, payload: bytes) -> bytes:
    """A packet without options (RFC 791)."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, TTL, protocol, 0)
    return _with_checksum(head + source.packed + target.packed, 10) + payload


def udp(payload: bytes, source_port: int = UDP_PORT, target_port: int = UDP_PORT) -> bytes:
    """A datagram without a checksum, which IPv4 allows (RFC 768)."""
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def echo_request(ident: int, seq: int, payload: bytes) -> bytes:
    """A ping (RFC 792)."""
    head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, ident, seq)
    return _with_checksum(head, 2, payload) + payload


def tunnelled(
    source_mac: str, target_mac: str, outer: tuple[IPv4Address, IPv4Address], packet: bytes
) -> bytes:
    """An Ethernet frame with `packet` in GRE; `outer`: the source and target of the tunnel.

    GRE has its minimal header of 4 bytes: no key, checksum or sequence number (RFC 2784).
    """
    gre = struct.pack("!HH", 0, IPV4) + packet
    return ethernet(target_mac, source_mac, IPV4, ipv4(*outer, GRE_PROTOCOL, gre))


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
    """What identifies a packet of a flow inside any encapsulation: the end of its payload."""

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
    if frame[ETHERNET_HEADER + 9] != UDP_PROTOCOL:
        return Arrived(mark=mark, outer_port=None)
    (port,) = struct.unpack_from("!H", frame, _ip_end(frame))
    return Arrived(mark=mark, outer_port=port)


def redirected(frame: bytes, target: str) -> bytes:
    """The same frame with another outer target address, and the outer IP checksum corrected."""
    end = _ip_end(frame)
    head = frame[ETHERNET_HEADER:end]
    head = head[:10] + b"\0\0" + head[12:16] + IPv4Address(target).packed + head[20:]
    return frame[:ETHERNET_HEADER] + _with_checksum(head, 10) + frame[end:]


def _ip_end(frame: bytes) -> int:
    """Where the outer IP header ends, with its options."""
    return ETHERNET_HEADER + 4 * (frame[ETHERNET_HEADER] & 0x0F)
