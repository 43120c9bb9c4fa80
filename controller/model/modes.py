"""Modes: network type and flooding, applied to a whole overlay.  Pure.

A mode is written `<network type>-<flooding>` (`gre-mesh`, `vxlan-l2pop-arp`), or
`flat` or `vlan` for no tunnel at all, or a flooding alone (`mesh`, `l2pop`,
`l2pop-arp`) to keep each network's own type.  `kvxlan-<flooding>` is VXLAN by Linux bridges
and the kernel's own VXLAN devices, instead of Open vSwitch.
"""

from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Network

from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.errors import UsageError
from controller.model.names import VTEP_BRIDGE
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network

PHYSNET = "physnet1"
VXLAN_GROUP = IPv4Network("239.0.0.0/8")  # a group for each VNI, as Neutron's `vxlan_group` advises
KERNEL = "kvxlan"


class Flooding(str, Enum):
    """How a broadcast gets to the other hosts."""

    MESH = "mesh"  # flood-and-learn to every VTEP of the type
    L2POP = "l2pop"  # l2population, ARP still flooded to members
    L2POP_ARP = "l2pop-arp"  # l2population with the ARP responder
    MULTICAST = "multicast"  # one packet to a multicast group, copied by the underlay; kernel only

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Mode:
    """A network type, a way of flooding, or both; and the mechanism."""

    network_type: NetworkType | None
    flooding: Flooding | None
    mechanism: Mechanism = Mechanism.OPENVSWITCH

    @property
    def is_kernel(self) -> bool:
        """True if it uses Linux bridges and the kernel's VXLAN."""
        return self.mechanism is Mechanism.LINUXBRIDGE

    def __str__(self) -> str:
        kind = KERNEL if self.is_kernel else self.network_type
        return "-".join(str(part) for part in (kind, self.flooding) if part)


REPLICATED = (Flooding.MESH, Flooding.L2POP, Flooding.L2POP_ARP)  # by the sending host itself
MODES = (
    *(Mode(encap, flooding) for encap in TUNNEL_TYPES for flooding in REPLICATED),
    *(
        Mode(NetworkType.VXLAN, flooding, Mechanism.LINUXBRIDGE)
        for flooding in (Flooding.MULTICAST, Flooding.MESH, Flooding.L2POP)
    ),
    *(Mode(plain, None) for plain in (NetworkType.VLAN, NetworkType.FLAT)),
    *(Mode(None, flooding) for flooding in REPLICATED),
)
_BY_NAME = {str(mode): mode for mode in MODES}


def describe(mode: Mode) -> str:
    """The mode in one line."""
    carried = {
        None: "every network by its own type",
        NetworkType.FLAT: "untagged on the underlay, no tunnel",
        NetworkType.VLAN: "tagged on the underlay, no tunnel",
    }.get(mode.network_type, f"every network over {mode.network_type}")
    l2pop = (
        "l2population with ARP proxy: known addresses are answered locally, others not at all"
        if mode.is_kernel
        else "l2population: broadcasts go to members only"
    )
    flooded = {
        Flooding.MESH: "broadcasts go to every VTEP, unicast is learned",
        Flooding.L2POP: l2pop,
        Flooding.L2POP_ARP: "l2population with the ARP responder: known addresses are answered locally",
        Flooding.MULTICAST: "broadcasts go to a multicast group, copied by the underlay's switch",
    }
    by = ", by Linux bridges and the kernel" if mode.is_kernel else ""
    return f"{carried}{by}; {flooded[mode.flooding]}" if mode.flooding else carried


def parse_mode(text: str) -> Mode:
    """The mode called `text`.

    Raises:
        UsageError: there is none; the message lists them all.
    """
    if text not in _BY_NAME:
        raise UsageError(
            repr(text),
            where="mode",
            allowed=", ".join(_BY_NAME),
            do=did_you_mean(text, _BY_NAME, "Pick one of them."),
        )
    return _BY_NAME[text]


def with_mode(overlay: Overlay, mode: Mode | None) -> Overlay:
    """`overlay` in `mode`; None leaves its own configuration.

    Raises:
        ModelError: they do not fit, such as `vlan` with a segmentation_id over 4094.
    """
    if mode is None:
        return overlay
    types = overlay.tenant_network_types  # of networks that the API creates
    if mode.network_type and types:
        types = (mode.network_type,)
    return replace(
        overlay,
        hosts=tuple(_host(host, mode) for host in overlay.hosts),
        networks=tuple(_network(network, mode) for network in overlay.networks),
        tenant_network_types=types,
        type_drivers=tuple(
            kind for kind in NetworkType if kind in {*overlay.type_drivers, mode.network_type}
        ),
        vlan_networks=_known(overlay.vlan_networks, mode),
        flat_networks=_known(overlay.flat_networks, mode),
    )


def _known(names: tuple[str, ...] | None, mode: Mode) -> tuple[str, ...] | None:
    """The physical networks that the server knows: with the mode's own."""
    is_provider = mode.network_type is not None and mode.network_type.is_provider
    return (*names, PHYSNET) if is_provider and names is not None else names


def _host(host: Host, mode: Mode) -> Host:
    if mode.is_kernel:
        host = replace(host, bridge_mappings=(), hybrid_plug=False)
    if mode.network_type:
        host = replace(host, mechanism=mode.mechanism, tunnel_types=(mode.network_type,))
    group = VXLAN_GROUP if mode.flooding is Flooding.MULTICAST else None
    if mode.network_type and not mode.network_type.is_tunnel:
        mappings = ((PHYSNET, VTEP_BRIDGE),)
        return replace(host, tunnel_types=(), bridge_mappings=mappings, vxlan_group=group)
    is_l2pop = mode.flooding in {Flooding.L2POP, Flooding.L2POP_ARP}
    has_responder = mode.flooding is Flooding.L2POP_ARP or (mode.is_kernel and is_l2pop)
    return replace(host, l2_population=is_l2pop, arp_responder=has_responder, vxlan_group=group)


def _network(network: Network, mode: Mode) -> Network:
    wanted = mode.network_type
    if wanted is None or wanted is network.network_type:
        return network
    if wanted.is_tunnel:
        return replace(network, network_type=wanted, physical_network=None)
    kept = network.segmentation_id if wanted.kind.id_max else None
    return replace(network, network_type=wanted, physical_network=PHYSNET, segmentation_id=kept)
