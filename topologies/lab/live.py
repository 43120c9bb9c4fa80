"""Changes to a lab that is up: guests plugged and unplugged, compute hosts added and removed.

Each is a plain addition to a Mininet object over the lab's nodes.  Any process may do it:
namespaces are kept by processes of the lab, not by whoever made them, so there is nobody
to be asked.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from controller.flows.ports import guest_port
from controller.model.errors import LabError
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from controller.switches.linuxbridge_worker import devices, netns_address
from controller.switches.ovsdb import add_port_args
from controller.system import commands
from controller.system.process import Identity, kill, sharing_network
from topologies.lab.base import LabBase
from topologies.nodes import dhcp, hybrid, neighbours, routers
from topologies.nodes.keeper import ip_batch
from topologies.nodes.linuxbridge import compute_class
from topologies.nodes.neutron import agent_address
from topologies.nodes.nodes import Segment, guest_class
from topologies.nodes.topo import guest_wire, host_wires
from topologies.plan import plan, providers, underlays

DEADLINE_S = 20.0
ALARM_S = 2.0  # several times as long as the controller waits after an alarm
POLL_S = 0.02


def plug(lab: LabBase, port_id: str) -> None:
    """Raise the guest of a port, or one more interface of a guest that is up.

    Raises:
        LabError: there is no such port, it is not bound, plugged already, called like another
            kind of node, or never got wired.
    """
    overlay = lab.overlay
    port = _bound_port(lab, overlay, port_id)
    _await_status(lab, port_id, "DOWN")  # unplugged a moment ago, it may still be called ACTIVE
    number, guest = _guest(lab, overlay, port)
    compute = lab.net[port.host]
    guest.record()  # before it is made: broken off anywhere, it can be unplugged
    lab.net.addLink(**guest_wire(overlay, guest.name, number, port))
    joining = hybrid.joining(overlay, port)
    ip_batch(compute.pid, [*joining, f"link set {overlay.device_of(port)} up"])
    guest.set_up(number, port)
    compute.plug(add_port_args(guest_port(port), None))
    await_active(lab, port_id)
    await_told(lab)
    dhcp.refresh(lab.ledger, lab.overlay)
    dhcp.ask(lab.ledger, lab.overlay, [lab.overlay.port_of[port_id]])


def _bound_port(lab: LabBase, overlay: Overlay, port_id: str) -> Port:
    port = overlay.port_of.get(port_id)
    plugged = {id_ for node in lab.nodes().values() for id_, *_ in node.facts.get("ports", ())}
    if port is None or not port.host or port_id in plugged:
        found = "unknown" if port is None else "plugged already" if port.host else "not bound"
        raise LabError(
            f"port {port_id} is {found}",
            where=f"lab {lab.name!r}",
            allowed="a port with binding:host_id that has no interface yet",
            do="Create or bind it through the API first.",
        )
    return port


def _guest(lab: LabBase, overlay: Overlay, port: Port) -> tuple[int, Any]:
    """The guest's node, made if need be, and the number of its next interface."""
    name, net = plan.guest_name(port), lab.net
    if name not in net:
        kind = guest_class((port,))
        guest = net.addHost(name, cls=kind, ledger=lab.ledger, overlay=overlay, ports=(port,))
        ip_batch(guest.pid, ["link set lo up"])
        return 0, guest
    guest, entry = net[name], lab.nodes()[name]
    if "ports" not in entry.facts:
        raise LabError(
            f"the guest of port {port.id} is called like the {entry.kind} {name!r}",
            where=f"lab {lab.name!r}",
            allowed="a name that no other node has",
            do="Give the port another `device_id`.",
        )
    guest.params["overlay"] = overlay
    taken = {n for *_, n in entry.facts["ports"]} | set(guest.interfaces)
    number = next(n for n in count() if n not in taken)
    guest.interfaces[number] = port
    return number, guest


def await_active(lab: LabBase, port_id: str) -> None:
    """Wait until the controller says that the port is ACTIVE.

    Raises:
        LabError: it does not, in time.
    """
    _await_status(lab, port_id, "ACTIVE")


def _await_status(lab: LabBase, port_id: str, wanted: str) -> None:
    def other() -> str:
        status = lab.api("GET", f"/v2.0/ports/{port_id}")["port"]["status"]
        return "" if status == wanted else f"port {port_id} is {status}"

    _await(lab, other, wanted)


def await_told(lab: LabBase) -> None:
    """Wait until every host that lives has what the overlay now asks of it, as flows to a new port.

    One with an alarm is waited for, too, but not for long: it may only have been looked at in the
    midst of a change, and is well at the next look.

    Raises:
        LabError: one has not, in time.
    """
    doubt_until = time.monotonic() + ALARM_S

    def behind() -> str:
        agents = lab.api("GET", "/v2.0/agents")["agents"]
        is_doubted = time.monotonic() < doubt_until
        late = (
            each["host"]
            for each in agents
            if not each["configurations"]["wired"] and (each["alive"] or is_doubted)
        )
        return next((f"host {name!r} is not wired" for name in late), "")

    _await(lab, behind, "every living host wired")


def _await(lab: LabBase, lacking: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while found := lacking():
        if time.monotonic() > deadline:
            raise LabError(
                found,
                where=f"lab {lab.name!r}",
                allowed=f"{wanted} within {DEADLINE_S:g} s",
                do=f"Read {lab.directory / 'controller.log'}.",
            )
        time.sleep(POLL_S)


def unplug(lab: LabBase, port_id: str) -> None:
    """Take a port's interface away, and its guest if that was the last.

    Raises:
        LabError: no guest has it.
    """
    for name, node in lab.nodes().items():
        host = {id_: where for id_, where, _ in node.facts.get("ports", ())}.get(port_id)
        if host:
            _take_away(lab, name, port_id, host)
            return
    raise LabError(
        f"port {port_id} has no interface",
        where=f"lab {lab.name!r}",
        allowed="a port that is plugged",
        do=f"`overlaylab status {lab.name}` lists them.",
    )


def _take_away(lab: LabBase, name: str, port_id: str, host: str) -> None:
    device, guest = int_port_name(port_id), lab.net[name]
    lab.net[host].plug(["--", "--if-exists", "del-port", "br-int", device])
    there = devices(netns_address(lab.node(host).keeper))  # not all, where plugging was broken off
    parting = hybrid.parting(lab.overlay, port_id, host)
    ip_batch(lab.pid(host), [line for line in parting if line.split()[-1] in there])
    for number in [n for n, port in guest.interfaces.items() if port.id == port_id]:
        del guest.interfaces[number]
    if guest.interfaces:
        guest.record()
    else:
        _end_node(lab, name)


def _end_node(lab: LabBase, name: str) -> None:
    """End every process that shares the node's namespaces, and forget the node."""
    keeper = lab.node(name).keeper
    _cut_wires(keeper.pid)
    kill(sharing_network(keeper, lab.ledger.processes()))
    lab.ledger.note("gone", name=name)
    node, net = lab.net[name], lab.net
    node.terminate()
    (net.hosts if node in net.hosts else net.switches).remove(node)
    net.links[:] = [link for link in net.links if node not in (link.intf1.node, link.intf2.node)]
    del net.nameToNode[name]


def _cut_wires(pid: int) -> None:
    """Take every wire away with its far end.

    The kernel would, but some time after the namespace: too late for a node that comes at once
    and wants the same names.
    """
    wires = json.loads(commands.run("ip", "-j", "link", "show", "type", "veth", pid=pid) or "[]")
    ip_batch(pid, [f"link del {each['ifname']}" for each in wires if each])


def add_host(lab: LabBase, host: Host) -> None:
    """Raise one more compute host; return when all tunnels to it stand.

    Raises:
        ModelError: the overlay cannot have it.
        LabError: it did not get ready.
    """
    overlay = lab.overlay
    larger = replace(overlay, hosts=(*overlay.hosts, host))
    indices = [node.facts["index"] for node in lab.nodes().values() if node.kind == "host"]
    index = next(number for number in count() if number not in indices)
    _raise_host(lab, larger, host.name, index)
    lab.api("POST", "/v2.0/agents", {"agent": _agent(host, index, lab.node(host.name).keeper)})
    datapath = lab.ledger.last("settings")["datapath"]
    for other in overlay.hosts:
        neighbours.tell(lab.pid(other.name), larger, other, datapath)
    lab.await_ready()


def _raise_host(lab: LabBase, overlay: Overlay, name: str, index: int) -> None:
    net, datapath = lab.net, lab.ledger.last("settings")["datapath"]
    node = net.addSwitch(
        name,
        cls=compute_class(overlay.host(name)),
        ledger=lab.ledger,
        overlay=overlay,
        datapath=datapath,
        index=index,
    )
    _make_edge(lab, overlay, index)
    _make_ethernets(lab, overlay, name)
    for wire in host_wires(overlay, name, index):
        net.addLink(**wire)
        net[wire["node2"]].attach(wire["intfName2"])
    _join_routers(lab, overlay, name, index)
    node.raise_up()


def _make_edge(lab: LabBase, overlay: Overlay, index: int) -> None:
    """Make the edge router that a new host's wire will be plugged into, and its cables."""
    if overlay.underlay.shape.is_routed:
        edge = underlays.wiring(overlay.underlay).edge(index)
        lab.net.addSwitch(edge, cls=routers.Router, ledger=lab.ledger, overlay=overlay)
        for cable in routers.uplinks(overlay, index):
            lab.net.addLink(**cable)


def _join_routers(lab: LabBase, overlay: Overlay, name: str, index: int) -> None:
    """Let every router know the way to a new host of `overlay`, whose wire is plugged in."""
    if overlay.underlay.shape.is_routed:
        wired, member = underlays.wiring(overlay.underlay), (index, overlay.host(name).local_ip)
        for router in (wired.edge(index), *wired.core()):
            told = underlays.joining(overlay.underlay, router, member)
            ip_batch(lab.pid(router), ["link set lo up", *told])


def _edge_of(lab: LabBase, index: int) -> str | None:
    """The edge router that goes with host number `index`; None on a switch."""
    underlay = lab.overlay.underlay
    return underlays.wiring(underlay).edge(index) if underlay.shape.is_routed else None


def _make_ethernets(lab: LabBase, overlay: Overlay, name: str) -> None:
    """Raise the physical networks that host `name` is the first to be wired to."""
    for physical_network in providers.physical_networks([overlay.host(name)]):
        if physical_network not in lab.net:
            made = lab.net.addSwitch(
                physical_network, cls=Segment, ledger=lab.ledger, mtu=overlay.underlay_mtu
            )
            made.start([])


def _agent(host: Host, index: int, keeper: Identity) -> dict[str, Any]:
    """The host as the API's `agents` take it."""
    return {
        "host": host.name,
        "configurations": {
            "tunneling_ip": host.vtep,
            "tunnel_types": [str(kind) for kind in host.tunnel_types],
            "l2_population": host.l2_population,
            "arp_responder_enabled": host.arp_responder,
            "bridge_mappings": dict(host.bridge_mappings),
            "mechanism": str(host.mechanism),
            **({"ovs_hybrid_plug": True} if host.hybrid_plug else {}),
            **({"vxlan_group": str(host.vxlan_group)} if host.vxlan_group else {}),
            "ovsdb_connection": agent_address(host, index, keeper),
        },
    }


def remove_host(lab: LabBase, name: str) -> None:
    """Take a compute host away, once the controller has forgotten it.

    Raises:
        LabError: the API refused: ports are bound there.
    """
    agents = lab.api("GET", "/v2.0/agents")["agents"]
    for agent in agents:
        if agent["host"] == name:
            lab.api("DELETE", f"/v2.0/agents/{agent['id']}")
    edge = _edge_of(lab, lab.node(name).facts["index"])
    _end_node(lab, name)
    if edge:
        _end_node(lab, edge)
    lab.await_ready()
