"""Changes to a running lab: plug and unplug guests, add and remove compute hosts.

Each changes a Mininet object over the lab's nodes.  Any process can do it, since the lab's own
processes keep the namespaces, not the process that made them.
"""

import json
import time
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

from controller.flows.ports import add_port_args, guest_port
from controller.model.errors import LabError, OverlayError
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from controller.switches.linuxbridge_worker import devices, netns_address
from controller.system import commands
from controller.system.process import Identity, kill, sharing_network
from topologies.lab.base import LabBase, forget
from topologies.nodes import dhcp, hybrid, neighbours, routers
from topologies.nodes.compute import compute_class
from topologies.nodes.keeper import ip_batch
from topologies.nodes.neutron import agent_address
from topologies.nodes.nodes import Segment, guest_class
from topologies.nodes.ready import await_complete
from topologies.nodes.topo import guest_wire, host_wires
from topologies.plan import plan, underlays

DEADLINE_S = 20.0
ALARM_S = 2.0  # several times what the controller waits after an alarm


def plug(lab: LabBase, port_id: str) -> None:
    """Start the guest of a port created through the API, or add an interface to a running guest.

    If it cannot be plugged, nothing of it is left.

    Raises:
        LabError: there is no such port; it is not bound, or plugged already; its guest has the name
            of another kind of node; it was not wired in time; or another change is in progress.
    """
    with lab.changing(f"plug {port_id}"):
        _plug(lab, port_id)


def _plug(lab: LabBase, port_id: str) -> None:
    overlay = lab.overlay
    port = _bound_port(lab, overlay, port_id)
    await_status(lab, port_id, "DOWN")  # a port that was just unplugged may still be ACTIVE
    try:
        _wire(lab, overlay, port)
        await_status(lab, port_id, "ACTIVE")
        await_wired(lab)
        dhcp.refresh(lab.ledger, lab.overlay)
        dhcp.request_leases(lab.ledger, lab.overlay, [lab.overlay.port_of[port_id]])
    except BaseException:
        with suppress(OverlayError):  # the first error is the one to report
            lab.take_over()  # a node that was being made is only in the ledger
            _take_out(lab, port_id)
        raise


def _wire(lab: LabBase, overlay: Overlay, port: Port) -> None:
    """Link the port's guest, which is made if needed, with its host."""
    number, guest = _guest(lab, overlay, port)
    compute = lab.net[port.host]
    guest.record()  # before the link exists, so that `unplug` can undo a `plug` that is interrupted
    lab.net.addLink(**guest_wire(overlay, guest.name, number, port))
    joining = hybrid.joining(overlay, port)
    ip_batch(compute.pid, [*joining, f"link set {overlay.device_of(port)} up"])
    guest.set_up(number, port)
    compute.plug(add_port_args(guest_port(port), None))


def add_guest(lab: LabBase, name: str, *, host: str, network: str) -> str:
    """Create a port on a host, and start the guest that has it; returns the id of the port.

    Args:
        network: name or id of a network of the overlay.
    """
    networks = {each.name: each.id for each in lab.overlay.networks}
    body = {
        "network_id": networks.get(network, network),
        "name": name,
        "device_id": name,
        "binding:host_id": host,
    }
    with lab.changing(f"add guest {name}"):
        port_id = str(lab.api("POST", "/v2.0/ports", {"port": body})["port"]["id"])
        try:
            _plug(lab, port_id)
        except BaseException:
            with suppress(OverlayError):  # another client may have deleted it
                lab.api("DELETE", f"/v2.0/ports/{port_id}")
            raise
    return port_id


def plugged_ports(lab: LabBase) -> dict[str, tuple[str, str, int]]:
    """The ports with an interface, by id: its guest, its host, and its number."""
    return {
        id_: (name, host, number)
        for name, node in lab.nodes().items()
        for id_, host, number in node.facts.get("ports", ())
    }


def _bound_port(lab: LabBase, overlay: Overlay, port_id: str) -> Port:
    port = overlay.port_of.get(port_id)
    if port is None or not port.host or port_id in plugged_ports(lab):
        found = "unknown" if port is None else "plugged already" if port.host else "not bound"
        raise LabError(
            f"port {port_id} is {found}",
            where=f"lab {lab.name!r}",
            allowed="a port with binding:host_id that has no interface yet",
            do="Create or bind it through the API first.",
        )
    return port


def _guest(lab: LabBase, overlay: Overlay, port: Port) -> tuple[int, Any]:
    """The number of the guest's next interface, and its node, which is made if it does not exist."""
    name, net = plan.guest_name(port), lab.net
    if name not in net:
        kind = guest_class((port,))
        guest = net.addHost(name, cls=kind, ledger=lab.ledger, overlay=overlay, ports=(port,))
        ip_batch(guest.pid, ["link set lo up"])
        return 0, guest
    guest, entry = net[name], lab.nodes()[name]
    if "ports" not in entry.facts:
        raise LabError(
            f"the guest of port {port.id} has the name of the {entry.kind} {name!r}",
            where=f"lab {lab.name!r}",
            allowed="a name that no other node has",
            do="Give the port another `device_id`.",
        )
    guest.params["overlay"] = overlay
    taken = {n for *_, n in entry.facts["ports"]} | set(guest.interfaces)
    number = next(n for n in count() if n not in taken)
    guest.interfaces[number] = port
    return number, guest


def await_status(lab: LabBase, port_id: str, wanted: str) -> None:
    """Wait until the controller reports the port as ACTIVE, or DOWN.

    Raises:
        LabError: it does not, in time.
    """

    def missing() -> list[str]:
        status = lab.api("GET", f"/v2.0/ports/{port_id}")["port"]["status"]
        return [] if status == wanted else [f"status {wanted} of port {port_id} (it is {status})"]

    await_complete(lab.ledger, missing, DEADLINE_S)


def await_wired(lab: LabBase) -> None:
    """Wait until every living host has the ports and flows of the present overlay.

    A host with an alarm may be in the middle of a change, so it counts as living for ALARM_S.

    Raises:
        LabError: one has not, in time.
    """
    alarm_until = time.monotonic() + ALARM_S

    def missing() -> list[str]:
        agents = lab.api("GET", "/v2.0/agents")["agents"]
        is_early = time.monotonic() < alarm_until
        return [
            f"ports or flows on host {agent['host']!r}"
            for agent in agents
            if not agent["configurations"]["wired"] and (agent["alive"] or is_early)
        ]

    await_complete(lab.ledger, missing, DEADLINE_S)


def unplug(lab: LabBase, port_id: str) -> None:
    """Remove a port's interface, and its guest if that was the last one.

    Raises:
        LabError: no guest has it, or another change is in progress.
    """
    with lab.changing(f"unplug {port_id}"):
        _unplug(lab, port_id)


def _unplug(lab: LabBase, port_id: str) -> None:
    if port_id not in plugged_ports(lab):
        raise LabError(
            f"port {port_id} has no interface",
            where=f"lab {lab.name!r}",
            allowed="a port that is plugged",
            do=f"`overlaylab status {lab.name}` lists them.",
        )
    _take_out(lab, port_id)


def _take_out(lab: LabBase, port_id: str) -> None:
    """Remove what is there of a port's interface; it may be half-made."""
    found = plugged_ports(lab).get(port_id)
    if found is None:
        return
    name, host, _ = found
    device, guest = int_port_name(port_id), lab.net[name]
    lab.net[host].plug(["--", "--if-exists", "del-port", "br-int", device])
    there = devices(netns_address(lab.node(host).keeper))  # not all, if `plug` was interrupted
    parting = hybrid.parting(lab.overlay, port_id, host)
    ip_batch(lab.pid(host), [line for line in parting if line.split()[-1] in there])
    for number in [n for n, port in guest.interfaces.items() if port.id == port_id]:
        del guest.interfaces[number]
    if guest.interfaces:
        guest.record()
    else:
        _end_node(lab, name)


def _end_node(lab: LabBase, name: str) -> None:
    """End every process in the node's namespaces, and remove the node from ledger and Mininet."""
    keeper, net = lab.node(name).keeper, lab.net  # made from the ledger, so before the node is gone
    # The kernel deletes veth pairs some time after the namespace has ended: too late for a new node
    # that needs the same interface names at once.
    veth = ("ip", "-j", "link", "show", "type", "veth")
    links = json.loads(commands.run(*veth, pid=keeper.pid) or "[]")
    ip_batch(keeper.pid, [f"link del {each['ifname']}" for each in links if each])
    kill(sharing_network(keeper, lab.ledger.processes()))
    lab.ledger.note("gone", name=name)
    forget(net, name)


def add_host(lab: LabBase, host: Host) -> None:
    """Start one more compute host; return when all tunnels to it are up.

    If it cannot be started, nothing of it is left.

    Raises:
        ModelError: the overlay cannot have it.
        LabError: it was not ready in time, or another change is in progress.
    """
    with lab.changing(f"add host {host.name}"):
        overlay = lab.overlay
        larger = replace(overlay, hosts=(*overlay.hosts, host))
        indices = [node.facts["index"] for node in lab.nodes().values() if node.kind == "host"]
        index = next(number for number in count() if number not in indices)
        try:
            _start_host(lab, larger, host.name, index)
            agent = _agent(host, index, lab.node(host.name).keeper)
            lab.api("POST", "/v2.0/agents", {"agent": agent})
            datapath = lab.ledger.last("settings")["datapath"]
            for other in overlay.hosts:
                neighbours.set_neighbours(lab.pid(other.name), larger, other, datapath)
            lab.await_ready()
        except BaseException:
            with suppress(OverlayError):  # the first error is the one to report
                lab.take_over()
                _take_away(lab, host.name, index)
            raise


def _start_host(lab: LabBase, overlay: Overlay, name: str, index: int) -> None:
    net, datapath = lab.net, lab.ledger.last("settings")["datapath"]
    underlay, host = overlay.underlay, overlay.host(name)
    common = {"ledger": lab.ledger, "overlay": overlay}
    node = net.addSwitch(name, cls=compute_class(host), datapath=datapath, index=index, **common)
    wired = underlays.Wiring(underlay)
    if underlay.shape.is_routed:
        net.addSwitch(wired.edge(index), cls=routers.Router, **common)
        for cable in routers.uplinks(overlay, index):
            net.addLink(**cable)
    for network in plan.physical_networks([host]):
        if network not in net:  # no earlier host is wired to it
            net.addSwitch(network, cls=Segment, ledger=lab.ledger, mtu=overlay.underlay_mtu)
            net[network].start([])
    for wire in host_wires(overlay, name, index):
        net.addLink(**wire)
        net[wire["node2"]].attach(wire["intfName2"])
    for router in (wired.edge(index), *wired.core()) if underlay.shape.is_routed else ():
        lines = underlays.joining(underlay, router, (index, host.local_ip))
        ip_batch(lab.pid(router), ["link set lo up", *lines])
    node.bring_up()


def _agent(host: Host, index: int, keeper: Identity) -> dict[str, Any]:
    """The host as the API's `agents` takes it."""
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
    """Remove a compute host, first from the controller.

    Raises:
        LabError: there is no such host; the API refused, since ports are bound there; or another
            change is in progress.
    """
    with lab.changing(f"remove host {name}"):
        _take_away(lab, name, lab.node(name).facts["index"])
        lab.await_ready()


def _take_away(lab: LabBase, name: str, index: int) -> None:
    """Remove what is there of a compute host; it may be half-made."""
    for agent in lab.api("GET", "/v2.0/agents")["agents"]:
        if agent["host"] == name:
            lab.api("DELETE", f"/v2.0/agents/{agent['id']}")
    underlay, nodes = lab.overlay.underlay, lab.nodes()
    routers_of_it = (underlays.Wiring(underlay).edge(index),) if underlay.shape.is_routed else ()
    for each in (name, *routers_of_it):
        if each in nodes:
            _end_node(lab, each)
