"""Packets as decoded by tshark, and the marked frames among them.  Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

NODE, INTERFACE, STAMP = "node", "frame.interface_name", "frame.time_epoch"
REPEATED = "\x1f"  # separates the values of a field that occurs several times
# Where tshark shows bytes that it does not dissect.
NONCE_IN = ("eth.trailer", "eth.padding", "vlan.trailer", "data.data")
# Hexadecimal digits that identify a nonce: tshark may take the end of a trailer for a checksum.
NONCE_DIGITS = 24

Packet = Mapping[str, str]  # by the field names of tshark


class Marked(Protocol):
    """A frame of an experiment, with whatever else the experiment knows about it."""

    @property
    def nonce(self) -> bytes:
        """Identifies the frame; NONCE bytes."""


MarkedFrame = TypeVar("MarkedFrame", bound=Marked)


def all_of(packet: Packet, name: str) -> tuple[str, ...]:
    """All values of a field, outer before inner; empty if the packet has none."""
    return tuple(packet[name].split(REPEATED)) if packet[name] else ()


def stamp_ns(packet: Packet) -> int:
    """Timestamp of the packet in nanoseconds since 1970."""
    seconds, _, fraction = packet[STAMP].partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])


def marked_packets(
    packets: Iterable[Packet], frames: Iterable[MarkedFrame]
) -> Iterator[tuple[MarkedFrame, Packet]]:
    """Each captured packet that has the nonce of a frame, with that frame.

    The packets are decoded with the fields NONCE_IN.
    """
    frame_of = {frame.nonce.hex()[:NONCE_DIGITS]: frame for frame in frames}
    for packet in packets:
        shown = (value[:NONCE_DIGITS] for name in NONCE_IN for value in all_of(packet, name))
        nonce = next((each for each in shown if each in frame_of), None)
        if nonce:
            yield frame_of[nonce], packet
