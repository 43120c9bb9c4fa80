"""Neighbour entries of all next hops, VTEPs or routers, on every host before the first packet.

A tunnel drops packets until ARP has resolved the next hop.  Without these entries the first ping
would take a second, and the first broadcast would be lost.
"""

from collections.abc import Mapping

from controller.model.names import VTEP_BRIDGE
from controller.model.overlay import Overlay
from controller.model.parts import Address, Host, Mechanism
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.unixctl import ask
from topologies.plan import plan

AGE_S = 3600  # the longest that OVS 3.1 accepts; a running lab refreshes the entries in time
SWITCH = "ovs-vswitchd"


def set_neighbours(pid: int, overlay: Overlay, host: Host, datapath: str) -> None:
    """Set the routes to all other VTEPs, and their MACs, on the host in the namespaces of `pid`."""
    # The kernel's own entries are for datapath `system`, and for pings between VTEPs.
    ip_batch(pid, plan.vtep_ways(overlay, host, plan.vtep_device(host)))
    if has_own_table(host, datapath):
        set_ovs_neighbours(pid, VTEP_BRIDGE, plan.next_hops(overlay, host))


def set_ovs_neighbours(pid: int, bridge: str, macs: Mapping[Address, str]) -> None:
    """Add neighbours on a bridge to the tunnel neighbour table of OVS."""
    ask(pid, SWITCH, "tnl/neigh/aging", str(AGE_S))
    for ip, mac in macs.items():
        ask(pid, SWITCH, "tnl/neigh/set", bridge, str(ip), mac)


def has_own_table(host: Host, datapath: str) -> bool:
    """Whether the tunnels of `host` look up MACs in OVS, not in the kernel."""
    return datapath == "netdev" and host.mechanism is Mechanism.OPENVSWITCH


def unknown(pid: int, overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """Next hops (VTEPs or a router) that the host's datapath has no MAC of."""
    if has_own_table(host, datapath):
        shown = ask(pid, SWITCH, "tnl/neigh/show")
    else:
        shown = commands.run("ip", "neigh", "show", "dev", plan.vtep_device(host), pid=pid)
    known = {line.split()[0] for line in shown.splitlines() if line.strip()}
    wanted = map(str, plan.next_hops(overlay, host))
    return [address for address in wanted if address not in known]
