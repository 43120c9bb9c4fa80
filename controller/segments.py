"""Which segment a network gets: its type, its id on the wire, its physical network.  Pure."""

from collections.abc import Mapping
from typing import Any

from controller import resource_errors as refuse
from topologies.encap import NetworkType
from topologies.model import Network, Overlay

ID_RANGE = range(1000, 2001)  # automatic segmentation ids: the article's vni_ranges=1000:2000


def wanted(overlay: Overlay, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The model's fields for the segment that a body's `provider:` attributes ask for.

    Raises:
        NeutronError: they contradict each other, or there is nothing to choose from.
    """
    type_, id_, physical = (
        asked.get(f"provider:{word}")
        for word in ("network_type", "segmentation_id", "physical_network")
    )
    if type_ is None and (id_ is not None or physical is not None):
        raise refuse.invalid("provider:network_type required")
    network_type = default_type(overlay) if type_ is None else NetworkType(type_)
    if network_type.is_tunnel and physical is not None:
        said = f"provider:physical_network specified for {network_type} network"
        raise refuse.invalid(said)
    if not network_type.is_tunnel and not physical:
        raise refuse.invalid(f"provider:physical_network required for {network_type} network")
    if id_ is None and network_type.kind.id_max:
        id_ = _free_id(overlay, network_type, physical)
    return {
        "network_type": network_type,
        "segmentation_id": None if id_ is None else int(id_),  # JSON schema takes 111.0 too
        "physical_network": physical,
    }


def default_type(overlay: Overlay) -> NetworkType:
    """The type of a network that names none: the first of the first host's tunnel types.

    One that carries a network already goes before one that carries none.

    Raises:
        NeutronError: the host has no tunnel type; flat and vlan must be asked for by name.
    """
    spoken = overlay.hosts[0].tunnel_types if overlay.hosts else ()
    if not spoken:
        raise refuse.invalid(
            "provider:network_type and provider:physical_network required: "
            "the hosts have no tunnel types"
        )
    used = {network.network_type for network in overlay.networks}
    return next((kind for kind in spoken if kind in used), spoken[0])


def _free_id(overlay: Overlay, network_type: NetworkType, physical: str | None) -> int:
    taken = {
        network.segmentation_id
        for network in overlay.networks
        if (network.network_type, network.physical_network) == (network_type, physical)
    }
    free = next((id_ for id_ in ID_RANGE if id_ not in taken), None)
    if free is None:
        raise refuse.no_network_available()
    return free


def check_free(overlay: Overlay, network: Network) -> None:
    """Refuse a segment that another network has."""

    def wire(one: Network) -> tuple[object, ...]:
        physical = None if one.network_type.is_tunnel else one.physical_network
        return one.network_type, physical, one.segmentation_id

    if any(wire(other) == wire(network) for other in overlay.networks):
        raise refuse.segment_in_use(network)
