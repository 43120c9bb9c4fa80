"""A guest moves to another compute host, keeping its MAC, its addresses and all that runs in it.

What a live migration does to the network, in the order of Nova's (Queens): unplugged at the
source, plugged at the destination, and then bound there (`binding:host_id`).  The guest itself
stays: only the far end of its wire changes hands.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.ovsdb import add_port_args, del_port_args
from controller.ports import BR_INT, guest_port
from topologies.errors import LabError
from topologies.lab.keeper import ip_batch
from topologies.lab.live import await_active
from topologies.model import Mechanism, Overlay, Port

if TYPE_CHECKING:
    from topologies.lab.lab import Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """When what was done [ns of CLOCK_MONOTONIC, which all namespaces share]."""

    unplugged_ns: int  # just before the source lost the port
    plugged_ns: int  # the destination has it
    bound_ns: int  # the controller was told
    active_ns: int  # the controller says ACTIVE


def move(lab: "Lab", port_id: str, host: str, plugged: Callable[[], None]) -> Moved:
    """Move the guest's port to `host`; return when it is wired there.

    `plugged` is called when the guest's wire is up at the destination, where a hypervisor
    would let it run on.

    Raises:
        LabError: it cannot go there, or never got wired.
    """
    overlay = lab.overlay
    port = _movable(lab, overlay, port_id, host)
    begun = time.monotonic_ns()
    _carry_over(lab, overlay, port, host)
    plugged()
    there = time.monotonic_ns()
    lab.api("PUT", f"/v2.0/ports/{port_id}", {"port": {"binding:host_id": host}})
    bound = time.monotonic_ns()
    await_active(lab, port_id)
    active = time.monotonic_ns()
    _remember(lab, port_id)
    return Moved(unplugged_ns=begun, plugged_ns=there, bound_ns=bound, active_ns=active)


def _movable(lab: "Lab", overlay: Overlay, port_id: str, host: str) -> Port:
    port = overlay.port_of.get(port_id)
    if port is None or port.host in {"", host} or host not in overlay.host_of:
        found = "unknown" if port is None else f"on {port.host or 'no host'}, to go to {host!r}"
        raise LabError(
            f"port {port_id} is {found}",
            where=f"lab {lab.name!r}",
            allowed=f"a bound port, and another of its hosts: {', '.join(overlay.host_of)}",
            do=f"`overlaylab status {lab.name}` lists both.",
        )
    if overlay.host(host).hybrid_plug or overlay.host(port.host).hybrid_plug:
        raise LabError(
            f"port {port_id} is plugged by a bridge of its own", where=f"lab {lab.name!r}",
            allowed="plug: direct", do="Leave `plug: hybrid` out of the scenario.",
        )  # fmt: skip
    return port


def _carry_over(lab: "Lab", overlay: Overlay, port: Port, host: str) -> None:
    """Take the far end of the guest's wire out of one switch, and put it into the other.

    A `linuxbridge` host's taps are put into their bridges by the controller, as by its agent.
    """
    device, there = overlay.device_of(port), lab.pid(host)
    has_ovs = {
        name: overlay.host(name).mechanism is Mechanism.OPENVSWITCH for name in (port.host, host)
    }
    if has_ovs[port.host]:
        lab.net[port.host].plug(del_port_args(BR_INT, device))
    ip_batch(lab.pid(port.host), [f"link set {device} netns {there}"])
    ip_batch(there, [f"link set {device} up"])
    if has_ovs[host]:
        lab.net[host].plug(add_port_args(guest_port(port), None))


def _remember(lab: "Lab", port_id: str) -> None:
    """Write into the ledger where the guest's port is now."""
    port = lab.overlay.port_of[port_id]
    for name, node in lab.nodes().items():
        for id_, _, number in node.facts.get("ports", ()):
            if id_ == port_id:
                guest = lab.net[name]
                guest.interfaces[number] = port
                guest.record()
