"""Allocates the segment of a network: type, segmentation_id and physical network.  Pure.

Rules and texts are those of Neutron's type drivers (neutron/plugins/ml2/drivers/type_*.py).
"""

from collections.abc import Mapping
from typing import Any

from controller.api.errors import conflict, invalid
from controller.model.allocation import (
    Segment,
    first_free,
    physical_networks,
    ranges_of,
    segment_of,
    tenant_segment,
)
from controller.model.encap import NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Network


def wanted(overlay: Overlay, requested: Mapping[str, Any]) -> dict[str, Any]:
    """The model's fields for the `provider:` attributes of a request.

    Raises:
        NeutronError: they contradict each other, or no segment is free.
    """
    type_, id_, physical = (
        requested.get(f"provider:{word}")
        for word in ("network_type", "segmentation_id", "physical_network")
    )
    if type_ is not None:
        # JSON schema takes 111.0 too.
        number = None if id_ is None else int(id_)
        found = _provider(overlay, Segment(NetworkType(type_), physical, number))
    elif id_ is not None or physical is not None:
        raise invalid("provider:network_type required")
    else:
        kinds = overlay.tenant_network_types or (default_type(overlay),)
        allowed = [kind for kind in kinds if kind in overlay.type_drivers]
        found = tenant_segment(allowed, ranges_of(overlay), _taken(overlay))
    if found is None:
        raise conflict("NoNetworkAvailable")
    return found._asdict()


def _provider(overlay: Overlay, requested: Segment) -> Segment | None:
    """The requested segment, with a free id if the type needs one and the request has none.

    None if no id is free.
    """
    _check(overlay, requested)
    kind, physical, id_ = requested
    if id_ is not None or not kind.kind.id_max:
        return requested
    return first_free(kind, ranges_of(overlay), _taken(overlay), physical_network=physical)


def _check(overlay: Overlay, requested: Segment) -> None:
    """Refuse what Neutron's type drivers refuse (`validate_provider_segment`)."""
    kind, physical, id_ = requested
    is_local, is_flat, is_vlan = (kind.value == name for name in ("local", "flat", "vlan"))
    has_physical, has_id, top = physical is not None, id_ is not None, kind.kind.id_max
    # Without a server's configuration: with a VLAN range, or with a bridge on a host; if none, any.
    known = {each.physical_network for each in overlay.ranges if each.physical_network}
    known.update(physical_networks(overlay))
    is_free = overlay.vlan_networks is not None  # then `server_errors` has the rule
    is_unknown = physical and known and physical not in known and not is_free
    no_physical = "segmentation_id requires physical_network for VLAN provider network"
    refusals = {
        f"network_type value '{kind}' not supported": kind not in overlay.type_drivers,
        f"provider:physical_network specified for {kind} network": kind.is_tunnel and has_physical,
        "physical_network prohibited for local provider network": is_local and has_physical,
        "physical_network required for flat provider network": is_flat and not physical,
        f"physical_network '{physical}' unknown for VLAN provider network": is_vlan and is_unknown,
        no_physical: is_vlan and not physical and has_id,
        f"segmentation_id prohibited for {kind} provider network": has_id and not top,
        f"segmentation_id out of range (1 through {top})": has_id and not 1 <= (id_ or 0) <= top,
    }
    for message, is_refused in refusals.items():
        if is_refused:
            raise invalid(message)


def default_type(overlay: Overlay) -> NetworkType:
    """The type of a network without a type, where tenant_network_types is empty.

    It is a tunnel type of the first host: the first one that a network uses already, or else
    the first.

    Raises:
        NeutronError: the host has no tunnel type; the request must name flat or vlan.
    """
    types = overlay.hosts[0].tunnel_types if overlay.hosts else ()
    if not types:
        raise invalid(
            "provider:network_type and provider:physical_network required: "
            "the hosts have no tunnel types"
        )
    used = {network.network_type for network in overlay.networks}
    return next((kind for kind in types if kind in used), types[0])


def _taken(overlay: Overlay) -> frozenset[Segment]:
    return frozenset(map(segment_of, overlay.networks))


def check_free(overlay: Overlay, network: Network) -> None:
    """Refuse a segment that another network has; local networks have no segment."""
    kind, physical, id_ = segment_of(network)
    if kind is not NetworkType.LOCAL and segment_of(network) in _taken(overlay):
        in_use = {NetworkType.FLAT: "FlatNetworkInUse", NetworkType.VLAN: "VlanIdInUse"}
        raise conflict(in_use.get(kind, "TunnelIdInUse"), physical=physical, id=id_)
