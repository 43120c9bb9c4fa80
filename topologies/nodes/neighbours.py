"""Every VTEP's MAC, or its router's, known to every host before the first packet.

A tunnel whose next hop is unresolved drops the packet that asks, and every other until
ARP has answered: a first ping of a second, a first broadcast lost.
"""

from controller.model.names import VTEP_BRIDGE
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.unixctl import ask
from topologies.plan import plan

AGE_S = 3600  # the longest that OVS 3.1 takes; a lab that is held is told again in time
SWITCH = "ovs-vswitchd"


def tell(pid: int, overlay: Overlay, host: Host, datapath: str) -> None:
    """Give the host with the namespaces of `pid` a way to every other VTEP, and the MACs for it."""
    # The kernel's own neighbours are for `system`, and for pings between VTEPs.
    ip_batch(pid, plan.vtep_ways(overlay, host, plan.vtep_device(host)))
    if has_own_table(host, datapath):
        ask(pid, SWITCH, "tnl/neigh/aging", str(AGE_S))
        for ip, mac in plan.next_hops(overlay, host).items():
            ask(pid, SWITCH, "tnl/neigh/set", VTEP_BRIDGE, str(ip), mac)


def has_own_table(host: Host, datapath: str) -> bool:
    """True if the tunnels of `host` ask OVS for a VTEP's MAC, not the kernel."""
    return datapath == "netdev" and host.mechanism is Mechanism.OPENVSWITCH


def unknown(pid: int, overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """Next hops, VTEPs or a router, whose MAC that host's datapath does not know."""
    if has_own_table(host, datapath):
        shown = ask(pid, SWITCH, "tnl/neigh/show")
    else:
        shown = commands.run("ip", "neigh", "show", "dev", plan.vtep_device(host), pid=pid)
    known = {line.split()[0] for line in shown.splitlines() if line.strip()}
    wanted = map(str, plan.next_hops(overlay, host))
    return [address for address in wanted if address not in known]
