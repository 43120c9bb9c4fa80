"""A compute host without Open vSwitch: Linux bridges, and the kernel's own VXLAN.

ServerA                                         ServerB
   | eth0                                          | eth0
   | tap...                                        | tap...
 brq... -- vxlan-111 - - - - VXLAN - - - - vxlan-111 -- brq...
              | underlay             underlay |
              +---------[ underlay ]----------+

Bridges, devices and their entries are the controller's doing (`controller.switches.linuxbridge_worker`),
as the agent's in Neutron; here is what it finds.
"""

from typing import Any

from controller.flows.linuxbridge import ALL
from controller.model.names import underlay_mac
from controller.model.parts import Host, Mechanism
from controller.switches.linuxbridge_worker import read_kernel
from controller.system import commands
from topologies.nodes import neighbours
from topologies.nodes.compute import ComputeHost
from topologies.nodes.keeper import ip_batch
from topologies.plan import plan

# With br_netfilter loaded, a bridge would fragment what is too large for its VXLAN device, and
# only on machines that have it.  Neutron wants it for security groups, which are not here.
PLAIN_BRIDGES = tuple(
    f"net.bridge.bridge-nf-call-{each}=0" for each in ("iptables", "ip6tables", "arptables")
)
# All VXLAN devices of a port share one socket, which may join 20 groups by default: the 21st
# network with a group of its own would never be heard.
GROUPS_MOST = "net.ipv4.igmp_max_memberships=4096"


class BridgeHost(ComputeHost):
    """A compute host of mechanism `linuxbridge`: its VTEP's address is on `underlay` itself."""

    private_directories = ()  # it has no OVS

    def facts(self) -> dict[str, Any]:
        """As of any compute host, and what it is."""
        return {**super().facts(), "mechanism": str(Mechanism.LINUXBRIDGE)}

    def bring_up(self) -> None:
        """From bare interfaces to a VTEP that the controller can build upon."""
        mac, address = underlay_mac(self.host.local_ip), self.host.local_ip
        # -e: some may not be there
        commands.run("sysctl", "-eqw", *PLAIN_BRIDGES, GROUPS_MOST, pid=self.pid)
        ip_batch(
            self.pid,
            [
                f"link set {plan.UNDERLAY} address {mac}",
                f"rule add pref 4 iif {plan.UNDERLAY} to {address} lookup local",
            ],
        )
        self._set_up_management()
        neighbours.set_neighbours(self.pid, self.overlay, self.host, self.params["datapath"])

    def plug(self, args: Any) -> None:
        """Nothing: the controller puts the tap into its bridge as soon as it sees it."""


def compute_class(host: Host) -> type[ComputeHost]:
    """The node that stands for `host`."""
    return BridgeHost if host.mechanism is Mechanism.LINUXBRIDGE else ComputeHost


def tunnels_of(pid: int) -> list[dict[str, Any]]:
    """The VXLAN devices of the host with the namespaces of `pid`, for `status`."""
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
