"""Frames as bytes; a nonce in each identifies it.  Pure."""

import struct
from hashlib import blake2b
from ipaddress import IPv4Address

ETHERNET_HEADER = 14  # bytes
ETHERNET_LEAST = 60  # bytes, without the check sequence (IEEE 802.3)
ARP = 0x0806
LOCAL_EXPERIMENT = 0x88B5  # IEEE 802, EtherType for local experiments
BROADCAST = "ff:ff:ff:ff:ff:ff"
MARKER_MAC = "02:4d:41:52:4b:00"  # locally administered
NOBODY = "00:00:00:00:00:00"
REQUEST, REPLY = 1, 2  # RFC 826
EXPERIMENT = 24  # RFC 5494: an ARP operation for experiments; no kernel answers it
NONCE = 18  # bytes: an ARP packet and a nonce fill a frame of the minimum length
PAUSE = "01:80:c2:00:00:01"  # IEEE 802.1D, table 7-10: no bridge forwards it


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
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + b"".join(parts)


def replier(frame: bytes) -> tuple[str, ...]:
    """The sender MAC of an ARP reply; empty for other frames."""
    head, operation = struct.unpack_from("!H", frame, 12)[0], struct.unpack_from("!H", frame, 20)[0]
    return (frame[22:28].hex(":"),) if (head, operation) == (ARP, REPLY) else ()


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
