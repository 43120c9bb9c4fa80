"""One host of a lab as a trace reads it.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from controller.explain.flow import Explainer
from controller.explain.names import Names
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.pipeline import Flow
from controller.flows.ports import BR_TUN
from controller.model.encap import NetworkType
from controller.model.parts import Network
from controller.switches.reading import Reading


@dataclass(frozen=True)
class Side:
    """A host's binding, ports and expected flows; `links`: port -> up or down."""

    names: Names
    reading: Reading
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.names.host.name

    def explainer(self, bridge: str) -> Explainer[Flow] | None:
        """The explainer of the flows of `bridge`; None if the controller does not own the bridge."""
        if bridge not in bridges(self.names.host):
            return None
        flows = bridge_flows(self.names.overlay, self.names.binding, bridge)
        return Explainer(self.names, flows)

    def provider_bridge(self, network: Network) -> str:
        """The bridge through which a flat or vlan network leaves the host; empty if there is none."""
        return self.names.host.bridge_of(network.physical_network) or ""

    def carrier(self, network: Network) -> str:
        """The bridge through which a network reaches other hosts; empty if there is none."""
        return BR_TUN if network.network_type.is_tunnel else self.provider_bridge(network)

    def outside(self, bridge: str) -> str:
        """The port of a provider bridge on the underlay; empty if there is none."""
        ports = self.reading[bridge].ports if bridge in self.reading else {}
        found = (row.name for row in ports.values() if row.type == "" and row.name != bridge)
        return next(found, "")

    def tunnel_from(self, kind: NetworkType, vtep: str) -> str:
        """The tunnel port for packets from VTEP `vtep`; empty if there is none."""
        ports = self.reading[BR_TUN].ports if BR_TUN in self.reading else {}
        rows = (row for row in ports.values() if row.ofport)
        tunnels = (row for row in rows if row.type.removeprefix("ip6") == kind.value)
        found = (row.name for row in tunnels if _is_same(row.options.get("remote_ip"), vtep))
        return next(found, "")


def _is_same(text: str | None, vtep: str) -> bool:
    """Whether a tunnel's option is this address; IPv6 has several notations."""
    try:
        return text is not None and ip_address(text) == ip_address(vtep)
    except ValueError:  # `flow`, or a value that a user set
        return False
