"""Modes: the same overlay, carried another way.  Pure.

A mode is written `<network type>-<flooding>` (`gre-mesh`, `vxlan-l2pop-arp`), or
`flat` or `vlan` for no tunnel at all, or a flooding alone (`mesh`, `l2pop`,
`l2pop-arp`) to keep each network's own type.
"""

from dataclasses import dataclass, replace
from enum import Enum

from topologies.encap import TUNNEL_TYPES, NetworkType
from topologies.errors import UsageError
from topologies.model import Host, Network, Overlay

PHYSNET = "physnet1"
VTEP_BRIDGE = "br-vtep"


class Flooding(str, Enum):
    """How a broadcast finds its way to the other hosts."""

    MESH = "mesh"  # flood-and-learn to every VTEP of the type
    L2POP = "l2pop"  # l2population, ARP still flooded to members
    L2POP_ARP = "l2pop-arp"  # l2population with the ARP responder

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Mode:
    """A network type, a way of flooding, or both."""

    network_type: NetworkType | None
    flooding: Flooding | None

    def __str__(self) -> str:
        return "-".join(str(part) for part in (self.network_type, self.flooding) if part)


MODES = (
    *(Mode(encap, flooding) for encap in TUNNEL_TYPES for flooding in Flooding),
    *(Mode(plain, None) for plain in (NetworkType.VLAN, NetworkType.FLAT)),
    *(Mode(None, flooding) for flooding in Flooding),
)
_BY_NAME = {str(mode): mode for mode in MODES}


def describe(mode: Mode) -> str:
    """One line that says what the mode does."""
    carried = {
        None: "every network by its own type",
        NetworkType.FLAT: "untagged on the underlay, no tunnel",
        NetworkType.VLAN: "tagged on the underlay, no tunnel",
    }.get(mode.network_type, f"every network over {mode.network_type}")
    flooded = {
        Flooding.MESH: "; broadcasts go to every VTEP, unicast is learned",
        Flooding.L2POP: "; l2population: broadcasts go to members only",
        Flooding.L2POP_ARP: "; l2population with the ARP responder: known addresses are answered locally",
    }
    return carried + (flooded[mode.flooding] if mode.flooding else "")


def parse_mode(text: str) -> Mode:
    """The mode called `text`.

    Raises:
        UsageError: there is none; the message lists them all.
    """
    if text not in _BY_NAME:
        raise UsageError(
            repr(text), where="mode", allowed=", ".join(_BY_NAME), do="Pick one of them."
        )
    return _BY_NAME[text]


def with_mode(overlay: Overlay, mode: Mode | None) -> Overlay:
    """`overlay` carried by `mode`; None leaves its own configuration.

    Raises:
        ModelError: the mode cannot carry it, as `vlan` a segmentation_id over 4094.
    """
    if mode is None:
        return overlay
    return replace(
        overlay,
        hosts=tuple(_host(host, mode) for host in overlay.hosts),
        networks=tuple(_network(network, mode) for network in overlay.networks),
    )


def _host(host: Host, mode: Mode) -> Host:
    if mode.network_type and not mode.network_type.is_tunnel:
        return replace(host, tunnel_types=(), bridge_mappings=((PHYSNET, VTEP_BRIDGE),))
    return replace(
        host,
        tunnel_types=(mode.network_type,) if mode.network_type else host.tunnel_types,
        l2_population=mode.flooding is not Flooding.MESH,
        arp_responder=mode.flooding is Flooding.L2POP_ARP,
    )


def _network(network: Network, mode: Mode) -> Network:
    wanted = mode.network_type
    if wanted is None or wanted is network.network_type:
        return network
    if wanted.is_tunnel:
        return replace(network, network_type=wanted, physical_network=None)
    kept = network.segmentation_id if wanted.kind.id_max else None
    return replace(network, network_type=wanted, physical_network=PHYSNET, segmentation_id=kept)
