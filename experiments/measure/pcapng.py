"""The contents of a pcapng file that is still being written.  Pure.

Source: the pcapng draft (draft-ietf-opsawg-pcapng), little-endian as dumpcap writes it here.
"""

import struct
import sys
from collections.abc import Iterator

SECTION_HEADER, INTERFACE_DESCRIPTION = 0x0A0D0D0A, 1
IF_NAME = 2  # the option that has an interface's name
BLOCK_LEAST = 12  # bytes: type, length, and the length again
BEFORE_OPTIONS = 8  # bytes of an interface's description: link type, reserved, snapshot length
TO_INTERFACE = 20  # bytes that an enhanced packet block has from its interface's id to its data
ORDER = "<" if sys.byteorder == "little" else ">"  # dumpcap writes as the machine does


def interfaces_in(data: bytes) -> tuple[str, ...]:
    """Names of the interfaces in the header of a file, in the order of their ids from 0."""
    return tuple(_name(body) for kind, body in _head_blocks(data) if kind == INTERFACE_DESCRIPTION)


def _head_blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The complete blocks before the first packet."""
    start = 0
    while start + BLOCK_LEAST <= len(data):
        kind, length = struct.unpack_from(f"{ORDER}II", data, start)
        is_head = kind in {SECTION_HEADER, INTERFACE_DESCRIPTION}
        if not is_head or length < BLOCK_LEAST or start + length > len(data):
            return
        yield kind, data[start + 8 : start + length - 4]
        start += length


def _name(description: bytes) -> str:
    """The option if_name of an interface description; empty without one."""
    start = BEFORE_OPTIONS
    while start + 4 <= len(description):
        code, length = struct.unpack_from(f"{ORDER}HH", description, start)
        if code == IF_NAME:
            return description[start + 4 : start + 4 + length].decode(errors="replace")
        start += 4 + length + -length % 4  # each is padded to 32 bits
    return ""


def has_packet(data: bytes, frame: bytes, interface: int) -> bool:
    """True if `frame` was captured on interface number `interface` (from 0)."""
    wanted = struct.pack(f"{ORDER}I", interface)
    place = data.find(frame)
    while place >= 0:
        if data[place - TO_INTERFACE : place - TO_INTERFACE + 4] == wanted:
            return True
        place = data.find(frame, place + 1)
    return False
