"""Network types: their segmentation ids, and their overhead."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Kind:
    """The ids and the overhead of one network type."""

    id_word: str  # the name of the segmentation_id in the protocol
    id_max: int  # largest segmentation_id; 0: the type has none
    overhead: int  # bytes between the IP header of the underlay and the guest's IP packet


class NetworkType(str, Enum):
    """A provider:network_type, in Neutron's spelling."""

    FLAT = "flat"
    VLAN = "vlan"
    GRE = "gre"
    VXLAN = "vxlan"
    GENEVE = "geneve"
    LOCAL = "local"

    @property
    def kind(self) -> Kind:
        """The ids and the overhead of this type."""
        return _KINDS[self]

    @property
    def is_tunnel(self) -> bool:
        """True if frames of this type cross the underlay inside IP packets."""
        return self in TUNNEL_TYPES

    @property
    def is_provider(self) -> bool:
        """True if frames of this type cross a physical network, untagged or tagged."""
        return self in PROVIDER_TYPES

    def __str__(self) -> str:
        return self.value


_KINDS = {
    NetworkType.FLAT: Kind("none", 0, 0),
    NetworkType.LOCAL: Kind("none", 0, 0),
    NetworkType.VLAN: Kind("VLAN id", 4094, 0),  # IEEE 802.1Q: 0 and 4095 are reserved
    # GRE 4 + key 4 + inner Ethernet 14 (RFC 2784, RFC 2890)
    NetworkType.GRE: Kind("key", 2**32 - 1, 22),
    # UDP 8 + VXLAN 8 + inner Ethernet 14 (RFC 7348)
    NetworkType.VXLAN: Kind("VNI", 2**24 - 1, 30),
    # UDP 8 + Geneve 8 without options + inner Ethernet 14 (RFC 8926)
    NetworkType.GENEVE: Kind("VNI", 2**24 - 1, 30),
}
TUNNEL_TYPES = (NetworkType.GRE, NetworkType.VXLAN, NetworkType.GENEVE)
PROVIDER_TYPES = (NetworkType.FLAT, NetworkType.VLAN)
IP_HEADER = {4: 20, 6: 40}  # bytes, no options (RFC 791, RFC 8200)


def network_mtu(network_type: NetworkType, underlay_mtu: int, *, ip_version: int = 4) -> int:
    """The largest IP packet [bytes] of a guest that fits into one packet of the underlay.

    Source: Neutron `TunnelTypeDriver.get_mtu` (ml2/drivers/type_tunnel.py).
    """
    if not network_type.is_tunnel:
        return underlay_mtu
    return underlay_mtu - IP_HEADER[ip_version] - network_type.kind.overhead
