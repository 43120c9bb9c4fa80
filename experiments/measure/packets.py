"""A packet as tshark tells it: the words for its fields, and what is read from them.  Pure."""

from collections.abc import Mapping

NODE, INTERFACE, STAMP = "node", "frame.interface_name", "frame.time_epoch"
REPEATED = "\x1f"  # between the values of a field that a packet has several times

Packet = Mapping[str, str]  # by tshark's names of fields


def all_of(packet: Packet, name: str) -> tuple[str, ...]:
    """Every value of a field: outer first, then inner; empty if the packet has none."""
    return tuple(packet[name].split(REPEATED)) if packet[name] else ()


def stamp_ns(packet: Packet) -> int:
    """When the packet was seen, in nanoseconds since 1970."""
    seconds, _, fraction = packet[STAMP].partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])
