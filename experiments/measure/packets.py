"""A packet as decoded by tshark: names of fields, and their values.  Pure."""

from collections.abc import Mapping

NODE, INTERFACE, STAMP = "node", "frame.interface_name", "frame.time_epoch"
REPEATED = "\x1f"  # separates the values of a field that occurs several times

Packet = Mapping[str, str]  # by the field names of tshark


def all_of(packet: Packet, name: str) -> tuple[str, ...]:
    """All values of a field, outer before inner; empty if the packet has none."""
    return tuple(packet[name].split(REPEATED)) if packet[name] else ()


def stamp_ns(packet: Packet) -> int:
    """Timestamp of the packet in nanoseconds since 1970."""
    seconds, _, fraction = packet[STAMP].partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])
