"""Names for the numbers in a dump, from the dump alone.  Pure."""

import re
from dataclasses import dataclass

from controller.explain import tables
from controller.explain.bridge import DumpedBridge
from controller.explain.names import spelt
from controller.explain.shown import TunnelPort
from controller.flows.ports import BR_INT, BR_TUN, DEAD_VLAN_TAG
from controller.model.encap import NetworkType
from controller.model.parts import Network

DVR_MAC = "fa:16:3f:"  # Neutron's dvr_base_mac
ROLES = (  # the beginning of a port's name -> what Neutron uses it for
    ("patch-tun", "br-tun"),
    ("tap", ""),
    ("qvo", ""),
    ("qr-", "a router's port"),
    ("qg-", "a router's gateway port"),
    ("sg-", "a distributed router's SNAT port"),
    ("fg-", "a floating IP gateway port"),
    ("ha-", "a router's HA port"),
)
PROVIDER = re.compile(r"^int-(.+)$")


@dataclass(frozen=True)
class DumpNames:
    """Names things in the flows of one dumped bridge."""

    bridge: DumpedBridge

    def table(self, bridge: str, number: int) -> tuple[str, str]:
        """Neutron's name of a table and its purpose; empty if Neutron has no such table."""
        return tables.named(bridge, number, self.bridge.numbering)

    def tunnel_types(self, number: int) -> tuple[NetworkType, ...]:
        """The types whose ids this table of br-tun translates to local VLANs."""
        inbound = [kind for i in self.bridge.inbound if i.flow.table == number for kind in i.kinds]
        own = tables.tunnel_types(self.bridge.kind, number, self.bridge.numbering)
        return tuple(dict.fromkeys(inbound)) or own

    def port(self, bridge: str, name: str) -> str:
        """The guest, tunnel or bridge of a port, by its name or its ofport."""
        known = self.bridge.port(name)
        if bridge == BR_TUN:
            return self._tunnel_side(known)
        if bridge == tables.BR_PHYS and known.startswith("phy-"):
            return BR_INT
        if provider := PROVIDER.match(known):
            return f"the provider bridge {provider[1]}"
        role = next((role for start, role in ROLES if known.startswith(start)), "")
        if role == BR_TUN:
            return BR_TUN
        shown = f"port {known}" if known.isdecimal() or known == "LOCAL" else f'port "{known}"'
        return f"{shown} ({role})" if role else shown

    def _tunnel_side(self, port: str) -> str:
        if port == self.bridge.patch:
            return BR_INT
        found = self.bridge.tunnel(port)
        if found:
            return described(found)
        return f"port {port}" if port.isdecimal() or port == "LOCAL" else f'port "{port}"'

    @staticmethod
    def mac(mac: str) -> str:
        """A MAC; those of distributed routers begin alike."""
        return f"DVR MAC {mac}" if mac.lower().startswith(DVR_MAC) else f"MAC {mac}"

    @staticmethod
    def address(address: str, network: Network | None = None) -> str:  # noqa: ARG004
        """An address: a dump has no names of guests."""
        return address

    @staticmethod
    def local_vlan(number: int) -> str:
        """A local VLAN."""
        return f"the dead VLAN {number}" if number == DEAD_VLAN_TAG else f"local VLAN {number}"

    def network_in(self, local_vlan: int) -> Network | None:
        """The network of a local VLAN, if its type is known."""
        kind = self.bridge.kind_of(local_vlan)
        if kind is None:
            return None
        ids = self.bridge.tunnel_ids(local_vlan)
        return Network(id="", name="", network_type=kind, segmentation_id=next(iter(ids), None))

    @staticmethod
    def network_of_id(kinds: tuple[NetworkType, ...], segmentation_id: int) -> Network | None:
        """The network of an id in a table for one type."""
        if len(kinds) != 1:
            return None
        return Network(id="", name="", network_type=kinds[0], segmentation_id=segmentation_id)

    @staticmethod
    def network_of_port(name: str) -> Network | None:  # noqa: ARG004
        """Unknown: the tag of a port is in OVSDB, not in flows."""
        return None


def described(tunnel: TunnelPort) -> str:
    """A tunnel port by its type and address, as far as the text shows them."""
    kind = f"{spelt(tunnel.kind)} tunnel" if tunnel.kind else "tunnel"
    if tunnel.remote:
        return f"the {kind} to {tunnel.remote}"
    return f'the {kind} "{tunnel.port}"' if tunnel.has_name else f"the {kind} on port {tunnel.port}"
