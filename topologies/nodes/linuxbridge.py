"""A compute host without Open vSwitch: Linux bridges, and the kernel's own VXLAN.

ServerA                                         ServerB
   | eth0                                          | eth0
   | tap...                                        | tap...
 brq... -- vxlan-111 - - - - VXLAN - - - - vxlan-111 -- brq...
              | underlay             underlay |
              +---------[ underlay ]----------+

The controller makes bridges, VXLAN devices and their entries (`controller.switches.linuxbridge_worker`),
as the agent does in Neutron.  This module makes what they need.
"""

from typing import Any

from controller.flows.linuxbridge import ALL
from controller.model.names import UNDERLAY, underlay_mac
from controller.model.parts import Host, Mechanism
from controller.switches.linuxbridge_worker import read_kernel
from controller.system import commands
from topologies.nodes import neighbours
from topologies.nodes.compute import ComputeHost
from topologies.nodes.keeper import ip_batch

# With the module br_netfilter, a bridge would fragment packets that are too large for its VXLAN
# device.  Neutron needs the module for security groups, which this project does not have.
PLAIN_BRIDGES = tuple(
    f"net.bridge.bridge-nf-call-{each}=0" for each in ("iptables", "ip6tables", "arptables")
)
# All VXLAN devices of a UDP port share one socket, which may join 20 groups by default.  The 21st
# network with its own group would receive nothing.
GROUPS_MOST = "net.ipv4.igmp_max_memberships=4096"


class BridgeHost(ComputeHost):
    """A compute host of mechanism `linuxbridge`: its VTEP's address is on `underlay` itself."""

    private_directories = ()  # no OVS

    def facts(self) -> dict[str, Any]:
        """The facts of a compute host, and its mechanism."""
        return {**super().facts(), "mechanism": str(Mechanism.LINUXBRIDGE)}

    def bring_up(self) -> None:
        """Set up the VTEP's address; the controller makes the rest."""
        mac, address = underlay_mac(self.host.local_ip), self.host.local_ip
        # -e: ignore keys that this kernel does not have
        commands.run("sysctl", "-eqw", *PLAIN_BRIDGES, GROUPS_MOST, pid=self.pid)
        ip_batch(
            self.pid,
            [
                f"link set {UNDERLAY} address {mac}",
                f"rule add pref 4 iif {UNDERLAY} to {address} lookup local",
            ],
        )
        self._set_up_management()
        neighbours.set_neighbours(self.pid, self.overlay, self.host, self.params["datapath"])

    def plug(self, args: Any) -> None:
        """Do nothing: the controller adds the tap to its bridge when it sees it."""


def compute_class(host: Host) -> type[ComputeHost]:
    """The class of the node for `host`."""
    return BridgeHost if host.mechanism is Mechanism.LINUXBRIDGE else ComputeHost


def tunnels_of(pid: int) -> list[dict[str, Any]]:
    """The VXLAN devices of the host in the namespaces of `pid`, for `status`."""
    return [
        {
            "name": vxlan.name,
            "type": "vxlan",
            "vni": vxlan.vni,
            "group": vxlan.group,
            "floods_to": sorted(vtep for mac, vtep in vxlan.fdb if mac == ALL),
            "stated": sum(mac != ALL for mac, _ in vxlan.fdb),
            "answers_for": len(vxlan.neighbours),
        }
        for _, vxlan in sorted(read_kernel(pid).vxlans.items())
    ]
