"""The labs of `mtu`, the largest packet that theory predicts, and the sizes to try.  Pure."""

from dataclasses import replace

from controller.model.encap import network_mtu
from controller.model.overlay import Overlay
from experiments.core.experiment import by_mode
from experiments.core.pairs import guests
from experiments.core.question import Point, Row
from experiments.mtu.words import (
    ABOVE_GUEST,
    ALSO,
    GUEST,
    LIMIT,
    OVER,
    SIZES,
    TWICE,
    UNDER,
    UNDERLAY,
    WELL_UNDER,
)

GUESTS_ABOVE = 200  # bytes of the guests' MTU above the underlay's: the path is the limit
IP_MAX = 65535  # bytes; total length is 16 bits wide (RFC 791)


def with_large_guests(overlay: Overlay, point: Point) -> Overlay:
    """The overlay of a point, with an MTU of the guests that is larger than the underlay's."""
    underlay_mtu = int(point["underlay_mtu"])
    staged = by_mode(replace(overlay, underlay_mtu=underlay_mtu), point)
    large = tuple(replace(each, mtu=underlay_mtu + GUESTS_ABOVE) for each in staged.networks)
    return replace(staged, networks=large)


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The largest packet in theory, for every point."""
    return tuple({**point, "largest_bytes": _largest(overlay, point)} for point in points)


def _largest(overlay: Overlay, point: Point) -> int:
    staged = with_large_guests(overlay, point)
    source, _ = guests(staged)
    network, host = staged.network_of[source.network_id], staged.host(source.host)
    return network_mtu(network.network_type, staged.underlay_mtu, ip_version=host.local_ip.version)


def sizes(limit: int, *, underlay_mtu: int, guest_mtu: int, guest: str) -> dict[int, str]:
    """Sizes of IP packets to try [bytes], each with all its names."""
    known = {
        WELL_UNDER: limit - UNDER,
        LIMIT: limit,
        OVER: limit + 1,
        UNDERLAY: underlay_mtu,
        GUEST: guest_mtu,
        ABOVE_GUEST: guest_mtu + 1,
        TWICE: min(2 * limit, IP_MAX),
    }
    named: dict[int, list[str]] = {}
    for name in SIZES[guest]:
        named.setdefault(known[name], []).append(name)
    return {size: ALSO.join(names) for size, names in sorted(named.items())}
