"""Changes to a running lab: plug the port of a guest, and unplug it.

Each changes a Mininet object over the lab's nodes.  Any process can do it, since the lab's own
processes keep the namespaces, not the process that made them.
"""

import json
import time
from contextlib import ExitStack, suppress
from itertools import count
from typing import Any

from controller.flows.ports import add_port_args, guest_port
from controller.model.errors import LabError, OverlayError
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.switches.linuxbridge_worker import devices, netns_address
from controller.system import commands
from controller.system.process import is_alive, kill, sharing_network
from topologies.lab.base import LabBase, forget
from topologies.nodes import dhcp, hybrid
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import guest_class
from topologies.nodes.ready import await_complete
from topologies.nodes.topo import guest_wire
from topologies.plan import plan

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
        plug_now(lab, port_id)


def plug_now(lab: LabBase, port_id: str) -> None:
    """`plug` as a part of a change that has the lock already."""
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
            take_out(lab, port_id)
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
        if port_id not in plugged_ports(lab):
            raise LabError(
                f"port {port_id} has no interface",
                where=f"lab {lab.name!r}",
                allowed="a port that is plugged",
                do=f"`overlaylab status {lab.name}` lists them.",
            )
        take_out(lab, port_id)


def take_out(lab: LabBase, port_id: str) -> None:
    """Remove what is there of a port's interface; it may be half-made, and its host may be dead.

    Raises:
        OverlayError: a step failed; all others were done.
    """
    found = plugged_ports(lab).get(port_id)
    if found is None:
        return
    name, host, _ = found
    with ExitStack() as steps:  # all are done, the last one first, whatever the others raise
        steps.callback(_remove_interface, lab, name, port_id)
        keeper = lab.nodes()[host].keeper if host in lab.nodes() else None
        if keeper and is_alive(keeper):
            steps.callback(_remove_host_end, lab, host, port_id)
            steps.callback(lab.net[host].unplug, int_port_name(port_id))


def _remove_host_end(lab: LabBase, host: str, port_id: str) -> None:
    """Delete the devices on the host, and with them the guest's interface."""
    there = devices(netns_address(lab.node(host).keeper))  # not all, if `plug` was interrupted
    parting = hybrid.parting(lab.overlay, port_id, host)
    ip_batch(lab.pid(host), [line for line in parting if line.split()[-1] in there])


def _remove_interface(lab: LabBase, name: str, port_id: str) -> None:
    """Record that the guest has no such interface any more; without any it ends."""
    guest = lab.net[name]
    for number in [n for n, port in guest.interfaces.items() if port.id == port_id]:
        del guest.interfaces[number]
    if guest.interfaces:
        guest.record()
    else:
        end_node(lab, name)


def end_node(lab: LabBase, name: str) -> None:
    """End every process in the node's namespaces, and remove the node from ledger and Mininet."""
    keeper, net = lab.nodes()[name].keeper, lab.net  # before the node is gone from the ledger
    if is_alive(keeper):
        # The kernel deletes veth pairs some time after the namespace has ended: too late for a new
        # node that needs the same interface names at once.
        veth = ("ip", "-j", "link", "show", "type", "veth")
        links = json.loads(commands.run(*veth, pid=keeper.pid) or "[]")
        ip_batch(keeper.pid, [f"link del {each['ifname']}" for each in links if each])
        kill(sharing_network(keeper, lab.ledger.processes()))
    lab.ledger.note("gone", name=name)
    if name in net:
        forget(net, name)
