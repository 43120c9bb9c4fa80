"""Guests whose packets are larger than what the network between the hosts carries.  Pure."""

from collections.abc import Iterator

from controller.model.encap import network_mtu
from controller.model.parts import OverlayParts


def too_large(mtu: int, fitting: int) -> str:
    """The IP packets of a guest with `mtu` that do not fit: `IP packets of 1451 to 8950 bytes`."""
    sizes = f"{fitting + 1} to {mtu}" if mtu > fitting + 1 else f"{mtu}"
    return f"IP packets of {sizes} bytes"


def mtu_warnings(overlay: OverlayParts) -> Iterator[str]:
    """A line for each network whose guests send packets that a WAN with a smaller MTU does not carry.

    A network's own `mtu` beyond the underlay's is an error: see `server_errors`.
    """
    wan_mtu = overlay.underlay.wan_mtu
    for network in overlay.networks if wan_mtu else ():
        kind, mtu = network.network_type, overlay.mtu_of(network)
        fitting = network_mtu(kind, wan_mtu)  # a routed underlay has IPv4 only
        if kind.is_tunnel and mtu > fitting:
            yield (
                f"network {network.name!r} has an MTU of {mtu} bytes, and `wan_mtu` {wan_mtu} less "
                f"{wan_mtu - fitting} bytes of {kind} is {fitting}: {too_large(mtu, fitting)} do not "
                f"pass the WAN in one piece, and are dropped there while `dont_fragment` is true. "
                f"An mtu of {fitting} fits"
            )


def physnet_mtu_warnings(overlay: OverlayParts, wanted: int) -> Iterator[str]:
    """A line for each tunnelled network, if Neutron's `global_physnet_mtu` is beyond the underlay's MTU."""
    version = overlay.hosts[0].local_ip.version if overlay.hosts else 4
    for network in overlay.networks if wanted > overlay.underlay_mtu else ():
        limit = min(wanted, overlay.path_mtu or wanted)
        mtu = network.mtu or network_mtu(network.network_type, limit, ip_version=version)
        fitting = network_mtu(network.network_type, overlay.underlay_mtu, ip_version=version)
        if network.network_type.is_tunnel and mtu > fitting:
            yield (
                f"global_physnet_mtu = {wanted} on an underlay of {overlay.underlay_mtu} bytes: with it, "
                f"Neutron gives network {network.name!r} an MTU of {mtu}, and {too_large(mtu, fitting)} "
                f"do not pass the underlay. {overlay.underlay_mtu} fits; here the network has "
                f"{overlay.mtu_of(network)}"
            )


def path_mtu_warnings(overlay: OverlayParts) -> Iterator[str]:
    """A line if [ml2] path_mtu is beyond the underlay's MTU, and so has no effect."""
    if overlay.path_mtu > overlay.underlay_mtu:
        yield (
            f"path_mtu = {overlay.path_mtu} on an underlay of {overlay.underlay_mtu} bytes has no "
            f"effect: packets over {overlay.underlay_mtu} bytes, outer headers included, do not pass it"
        )
