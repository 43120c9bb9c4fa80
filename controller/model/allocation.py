"""Allocates the segment of a network: Neutron's ranges, lowest free id first.  Pure.

There is no table of allocations: an id is taken while a network has it.  Neutron picks a free id
at random; the lowest makes a lab repeatable.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Network, SegmentRange

DEFAULT_IDS = (1000, 2000)  # of a type without a range, in a running lab


class Segment(NamedTuple):
    """What separates a network's frames from all others."""

    network_type: NetworkType
    physical_network: str | None = None
    segmentation_id: int | None = None


def segment_of(network: Network) -> Segment:
    """The segment of `network`."""
    return Segment(network.network_type, network.physical_network, network.segmentation_id)


def first_free(
    kind: NetworkType,
    ranges: Iterable[SegmentRange],
    taken: Collection[Segment],
    *,
    physical_network: str | None = None,
) -> Segment | None:
    """The first segment of `kind` in `ranges`, in their order, that is not taken, or None.

    With `physical_network`, only its ranges are searched.
    """
    segments = offered(kind, ranges, physical_network=physical_network)
    return next((segment for segment in segments if segment not in taken), None)


def offered(
    kind: NetworkType, ranges: Iterable[SegmentRange], *, physical_network: str | None = None
) -> Iterator[Segment]:
    """Every segment of `kind` in `ranges`, free or not, in their order."""
    for each in ranges:
        physical = each.physical_network or None
        if each.network_type is kind and physical_network in {None, physical}:
            yield from (Segment(kind, physical, id_) for id_ in range(each.first, each.last + 1))


def tenant_segment(
    kinds: Iterable[NetworkType], ranges: Collection[SegmentRange], taken: Collection[Segment]
) -> Segment | None:
    """The segment of a network without a type: the first of `kinds` that has one free.

    A local network takes no id, so one is always free; flat networks are never allocated
    (Neutron `LocalTypeDriver`, `FlatTypeDriver.allocate_tenant_segment`).
    """
    for kind in kinds:
        found = Segment(kind) if kind is NetworkType.LOCAL else first_free(kind, ranges, taken)
        if found:
            return found
    return None


def ranges_of(overlay: Overlay) -> tuple[SegmentRange, ...]:
    """The overlay's ranges, and DEFAULT_IDS of each type that has none.

    For vlan these are on every physical network that a host has a bridge for.
    """
    named = {each.network_type for each in overlay.ranges}
    first, last = DEFAULT_IDS
    defaults = [(NetworkType.VLAN, physical) for physical in physical_networks(overlay)]
    defaults += [(kind, "") for kind in TUNNEL_TYPES]
    missing = (
        SegmentRange(network_type=kind, first=first, last=last, physical_network=physical)
        for kind, physical in defaults
        if kind not in named
    )
    return (*overlay.ranges, *missing)


def physical_networks(overlay: Overlay) -> tuple[str, ...]:
    """Every physical network that a host has a bridge for, in scenario order."""
    mapped = (name for host in overlay.hosts for name, _ in host.bridge_mappings)
    return tuple(dict.fromkeys(mapped))
