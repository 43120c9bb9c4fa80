"""Every host knows the MAC of every VTEP, or of the router to it, before the first packet.

A tunnel drops every packet whose next hop is unresolved until ARP has answered.  Without these
entries a first ping would take a second, and a first broadcast would be lost.
"""

from controller.model.names import VTEP_BRIDGE
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.unixctl import ask
from topologies.plan import plan

AGE_S = 3600  # the longest that OVS 3.1 accepts; a running lab refreshes the entries in time
SWITCH = "ovs-vswitchd"


def set_neighbours(pid: int, overlay: Overlay, host: Host, datapath: str) -> None:
    """Give the host in the namespaces of `pid` routes to all other VTEPs, and their MACs."""
    # The kernel's own entries are for datapath `system`, and for pings between VTEPs.
    ip_batch(pid, plan.vtep_ways(overlay, host, plan.vtep_device(host)))
    if has_own_table(host, datapath):
        ask(pid, SWITCH, "tnl/neigh/aging", str(AGE_S))
        for ip, mac in plan.next_hops(overlay, host).items():
            ask(pid, SWITCH, "tnl/neigh/set", VTEP_BRIDGE, str(ip), mac)


def has_own_table(host: Host, datapath: str) -> bool:
    """Whether the tunnels of `host` look up a VTEP's MAC in OVS, not in the kernel."""
    return datapath == "netdev" and host.mechanism is Mechanism.OPENVSWITCH


def unknown(pid: int, overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """Next hops (VTEPs or a router) whose MAC the host's datapath does not know."""
    if has_own_table(host, datapath):
        shown = ask(pid, SWITCH, "tnl/neigh/show")
    else:
        shown = commands.run("ip", "neigh", "show", "dev", plan.vtep_device(host), pid=pid)
    known = {line.split()[0] for line in shown.splitlines() if line.strip()}
    wanted = map(str, plan.next_hops(overlay, host))
    return [address for address in wanted if address not in known]
