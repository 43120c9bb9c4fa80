"""A Mininet object over nodes that are up already."""

from typing import Any

from mininet.net import Mininet

from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from topologies.ledger import Ledger, NodeEntry
from topologies.nodes.compute import ComputeHost
from topologies.nodes.linuxbridge import BridgeHost
from topologies.nodes.neutron import Neutron
from topologies.nodes.nodes import DhcpServer, Guest, Segment
from topologies.nodes.ready import overlay_of
from topologies.nodes.routers import Router
from topologies.nodes.sites import add_found as add_found_of_sites
from topologies.nodes.sites_ready import sites_of
from topologies.nodes.wires import End

GUESTS = {"guest": Guest, "dhcp": DhcpServer}
CLASSES = {
    "host": ComputeHost,
    "bridge-host": BridgeHost,
    "segment": Segment,
    "neutron": Neutron,
    "router": Router,
}


def attached_net(ledger: Ledger) -> Any:
    """Mininet over the lab's nodes as the ledger has them; stopping it leaves the lab alone."""
    Mininet.inited = True  # else it changes limits of the whole machine
    net = Mininet(topo=None, controller=None, build=False)
    if sites := sites_of(ledger):
        for entry in ledger.nodes().values():
            add_found_of_sites(net, ledger, sites, entry)
        net.built = True
        return net
    overlay = overlay_of(ledger)
    for entry in ledger.nodes().values():
        add_found(net, ledger, overlay, entry)
    net.built = True
    return net


def add_found(net: Any, ledger: Ledger, overlay: Overlay, entry: NodeEntry) -> None:
    """Make one living node known to Mininet."""
    common = {
        "ledger": ledger,
        "keeper": entry.keeper,
        "overlay": overlay,
        "datapath": ledger.last("settings").get("datapath", "netdev"),
    }
    if entry.kind in GUESTS:
        _add_guest(net, entry, common)
    else:
        net.addSwitch(entry.name, cls=CLASSES[_class_of(entry)], **common, **entry.facts)


def _class_of(entry: NodeEntry) -> str:
    is_bridge = entry.facts.get("mechanism") == Mechanism.LINUXBRIDGE
    return "bridge-host" if is_bridge else entry.kind


def _add_guest(net: Any, entry: NodeEntry, common: dict[str, Any]) -> None:
    known = common["overlay"].port_of
    interfaces = {n: known[id_] for id_, _, n in entry.facts["ports"] if id_ in known}
    guest = net.addHost(entry.name, cls=GUESTS[entry.kind], interfaces=interfaces, **common)
    for number, port in interfaces.items():
        End(f"eth{number}", node=guest, port=number, moveIntfFn=_stay)
        guest.set_mininet_address(number, port)


def _stay(*_: Any, **__: Any) -> None:
    """Do not move the interface: it is where it belongs."""
