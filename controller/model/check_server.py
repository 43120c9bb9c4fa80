"""What Neutron's server refuses of a network that the lab itself could have.  Pure.

These are no rules of the overlay: an experiment may change the types of a scenario's networks, or
give them a larger MTU than fits, to see what is dropped.  The scenario file and the API use them.
"""

from collections.abc import Iterator

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.mtu import too_large
from controller.model.parts import Network, OverlayParts


def server_errors(overlay: OverlayParts, network: Network) -> Iterator[ModelError]:
    """Why Neutron's server refuses `network`.

    Source: `VlanTypeDriver` and `FlatTypeDriver.validate_provider_segment`, ML2's
    `_get_network_mtu`.
    """
    known = {
        NetworkType.VLAN: (overlay.vlan_networks, "[ml2_type_vlan] network_vlan_ranges"),
        NetworkType.FLAT: (overlay.flat_networks, "[ml2_type_flat] flat_networks"),
    }
    names, option = known.get(network.network_type, (None, ""))
    physical = network.physical_network
    if physical and names is not None and physical not in names:
        word = {NetworkType.VLAN: "VLAN"}.get(network.network_type, "flat")
        problem = f"physical_network '{physical}' unknown for {word} provider network"
        if word == "flat" and not names:
            problem = "Flat provider networks are disabled"
        yield ModelError(
            f"physical_network {physical!r}",
            where=network.where,
            allowed=f"{', '.join(names) or 'none'} ({option})",
            do=f"Add it to {option.split()[1]}, or name another one.",
            neutron=("InvalidInput", {"problem": problem}),
        )
    top = overlay.mtu_limit(network)
    if network.mtu and network.mtu > top:
        yield ModelError(
            f"mtu {network.mtu}: {too_large(network.mtu, top)} would not pass",
            where=network.where,
            allowed=f"up to {top} bytes{_reason(overlay, network)}",
            do=f"Set it to {top}, raise the underlay's mtu, or leave it out.",
            neutron=("InvalidInput", {"problem": f"Requested MTU is too big, maximum is {top}"}),
        )


def _reason(overlay: OverlayParts, network: Network) -> str:
    """Where the limit comes from: `, the underlay's 1500 less 50 of vxlan`."""
    top, kind = overlay.mtu_limit(network), network.network_type
    is_limited = kind.is_tunnel and 0 < overlay.path_mtu < overlay.underlay_mtu
    source, limit = (
        ("path_mtu", overlay.path_mtu)
        if is_limited
        else ("the underlay's mtu", overlay.underlay_mtu)
    )
    return f": {source} {limit}" + (f" less {limit - top} of {kind}" if limit > top else "")
