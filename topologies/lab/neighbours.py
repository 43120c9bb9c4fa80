"""Every VTEP's MAC, known to every host before the first packet.

A tunnel whose far VTEP is unresolved drops the packet that asks, and every other until
ARP has answered: a first ping of a second, a first broadcast lost.
"""

from topologies import commands
from topologies.lab import plan
from topologies.lab.keeper import ip_batch
from topologies.lab.unixctl import ask
from topologies.model import Host, Overlay
from topologies.modes import VTEP_BRIDGE
from topologies.names import underlay_mac

AGE_S = 3600  # the longest that OVS 3.1 takes; a lab that is held is told again in time
SWITCH = "ovs-vswitchd"


def tell(pid: int, overlay: Overlay, host: Host, datapath: str) -> None:
    """Give the host with the namespaces of `pid` the MAC of every other VTEP, and a way to it."""
    nodad = " nodad" if host.local_ip.version == 6 else ""
    ways = [f"addr replace {plan.vtep_address(overlay, host)} dev {VTEP_BRIDGE}{nodad}"]
    ways += [f"route replace {vtep} dev {VTEP_BRIDGE}" for vtep in plan.far_vteps(overlay, host)]
    vteps = [other.local_ip for other in plan.remotes(overlay, host)]
    kernel = [
        f"neigh replace {ip} lladdr {underlay_mac(ip)} dev {VTEP_BRIDGE} nud permanent"
        for ip in vteps
    ]
    # The kernel's own are for `system`, and for pings between VTEPs.
    ip_batch(pid, [*ways, *kernel])
    if datapath == "netdev":
        ask(pid, SWITCH, "tnl/neigh/aging", str(AGE_S))
        for ip in vteps:
            ask(pid, SWITCH, "tnl/neigh/set", VTEP_BRIDGE, str(ip), underlay_mac(ip))


def unknown(pid: int, overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """VTEPs whose MAC that host's datapath does not know."""
    if datapath == "netdev":
        shown = ask(pid, SWITCH, "tnl/neigh/show")
    else:
        shown = commands.run("ip", "neigh", "show", "dev", VTEP_BRIDGE, pid=pid)
    known = {line.split()[0] for line in shown.splitlines() if line.strip()}
    vteps = (str(other.local_ip) for other in plan.remotes(overlay, host))
    return [vtep for vtep in vteps if vtep not in known]
