"""A Mininet object over the nodes of a running lab."""

from typing import Any

from mininet.net import Mininet

from controller.model.parts import Mechanism
from controller.model.sites import ETH
from topologies.ledger import Ledger, NodeEntry
from topologies.nodes.compute import BridgeHost, ComputeHost
from topologies.nodes.neutron import Neutron
from topologies.nodes.nodes import DhcpServer, Guest, Segment
from topologies.nodes.ready import overlay_of
from topologies.nodes.routers import Router
from topologies.nodes.sites import EdgeRouter, SiteStation, TransitRouter, sites_of
from topologies.nodes.wires import End

GUESTS = {each.kind: each for each in (Guest, DhcpServer)}
SWITCHES = {
    each.kind: each for each in (ComputeHost, EdgeRouter, Neutron, Router, Segment, TransitRouter)
}


def attached_net(ledger: Ledger) -> Any:
    """Mininet over the nodes in the ledger; to stop it leaves the lab as it is."""
    Mininet.inited = True  # else it changes limits of the whole machine
    net = Mininet(topo=None, controller=None, build=False)
    sites = sites_of(ledger)
    common = {
        "ledger": ledger,
        "datapath": ledger.last("settings").get("datapath", "netdev"),
        **({"sites": sites} if sites else {"overlay": overlay_of(ledger)}),
    }
    for entry in ledger.nodes().values():
        params = {**common, "keeper": entry.keeper}
        if entry.kind in GUESTS:
            _add_guest(net, entry, params)
        elif entry.kind == SiteStation.kind:
            station = net.addHost(entry.name, cls=SiteStation, **params)
            End(ETH, node=station, moveIntfFn=_stay)
            station.set_mininet_address()
        else:
            net.addSwitch(entry.name, cls=_class_of(entry), **params, **entry.facts)
    net.built = True
    return net


def _class_of(entry: NodeEntry) -> Any:
    is_bridge = entry.facts.get("mechanism") == Mechanism.LINUXBRIDGE
    return BridgeHost if is_bridge else SWITCHES[entry.kind]


def _add_guest(net: Any, entry: NodeEntry, params: dict[str, Any]) -> None:
    known = params["overlay"].port_of
    interfaces = {n: known[id_] for id_, _, n in entry.facts["ports"] if id_ in known}
    guest = net.addHost(entry.name, cls=GUESTS[entry.kind], interfaces=interfaces, **params)
    for number, port in interfaces.items():
        End(f"eth{number}", node=guest, port=number, moveIntfFn=_stay)
        guest.set_mininet_address(number, port)


def _stay(*_: Any, **__: Any) -> None:
    """Do not move the interface: it is in its namespace already."""
