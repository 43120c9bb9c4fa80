"""Live migration: a guest's port moves to another compute host; the guest keeps running.

The steps are in the order of Nova (Queens): unplug at the source, plug at the destination, then
bind there (`binding:host_id`).  The guest keeps its namespace, MAC and addresses; only the host's
end of its wire moves.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from controller.flows.ports import BR_INT, add_port_args, del_port_args, guest_port
from controller.model.errors import LabError, OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port
from topologies.lab.base import LabBase
from topologies.lab.live import await_status, await_wired, plugged_ports
from topologies.nodes.keeper import ip_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Times of the steps [ns of CLOCK_MONOTONIC, which all namespaces share]."""

    unplugged_ns: int  # just before the source lost the port
    plugged_ns: int  # the destination has it
    bound_ns: int  # the controller had the new binding
    active_ns: int  # the controller reported ACTIVE


def move(
    lab: LabBase, port_id: str, host: str, *, plugged: Callable[[], None] = lambda: None
) -> Moved:
    """Move the guest's port to `host`; return when it is wired there.

    `plugged` is called when the wire is up at the destination, where a hypervisor would resume the
    guest.  If the port cannot be plugged or bound there, it goes back to the source.

    Raises:
        ModelError: the overlay does not allow it there; nothing was changed.
        LabError: it cannot move there, was not wired in time, or another change is in progress.
    """
    with lab.changing(f"move {port_id}"):
        return _move(lab, port_id, host, plugged)


def _move(lab: LabBase, port_id: str, host: str, plugged: Callable[[], None]) -> Moved:
    overlay = lab.overlay
    port = _movable(lab, overlay, port_id, host)
    moved = replace(port, host=host)
    # Raises ModelError if the overlay would not be valid.
    replace(overlay, ports=tuple(moved if each is port else each for each in overlay.ports))
    begun = time.monotonic_ns()
    try:
        _unplug(lab, overlay, port, port.host)
        _hand_over(lab, overlay, port, port.host, host)
        _plug(lab, overlay, port, host)
        plugged()
        there = time.monotonic_ns()
        lab.api("PUT", f"/v2.0/ports/{port_id}", {"port": {"binding:host_id": host}})
    except BaseException:
        _put_back(lab, overlay, port, host)
        raise
    bound = time.monotonic_ns()
    try:
        await_status(lab, port_id, "ACTIVE")
        active = time.monotonic_ns()
    finally:
        _record(lab, moved)
    await_wired(lab)
    return Moved(unplugged_ns=begun, plugged_ns=there, bound_ns=bound, active_ns=active)


def _movable(lab: LabBase, overlay: Overlay, port_id: str, host: str) -> Port:
    port = overlay.port_of.get(port_id)
    if port is None or port.host in {"", host} or host not in overlay.host_of:
        now = port and (port.host or "no host")
        found = f"is on {now}, to go to {host!r}" if now else "is unknown"
        allowed = f"a bound port, and another of its hosts: {', '.join(overlay.host_of)}"
        do = f"`overlaylab status {lab.name}` lists both."
    elif overlay.host(host).hybrid_plug or overlay.host(port.host).hybrid_plug:
        found, allowed = "has a bridge of its own (hybrid plug)", "plug: direct"
        do = "Leave `plug: hybrid` out of the scenario."
    elif port_id not in plugged_ports(lab):
        found, allowed = "has no interface", "a port that is plugged"
        do = f"`overlaylab plug {lab.name} {port_id}`."
    else:
        return port
    raise LabError(f"port {port_id} {found}", where=f"lab {lab.name!r}", allowed=allowed, do=do)


def _put_back(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Undo the steps that were done, unless the controller has bound the port to `host`."""
    if lab.overlay.port_of[port.id].host == host:
        return
    with suppress(OverlayError):  # it may not have been plugged
        _unplug(lab, overlay, port, host)
    with suppress(OverlayError):  # it may not have been handed over
        _hand_over(lab, overlay, port, host, port.host)
    with suppress(OverlayError):  # the first error is the one to report
        _plug(lab, overlay, port, port.host)


def _unplug(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Remove the device from br-int; a tap leaves its Linux bridge when it changes namespaces."""
    if overlay.host(host).mechanism is Mechanism.OPENVSWITCH:
        lab.net[host].plug(del_port_args(BR_INT, overlay.device_of(port)))


def _hand_over(lab: LabBase, overlay: Overlay, port: Port, source: str, target: str) -> None:
    """Move the host's end of the guest's wire into the namespace of `target`."""
    device = overlay.device_of(port)
    ip_batch(lab.pid(source), [f"link set {device} netns {lab.pid(target)}"])


def _plug(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Add the device to br-int; the controller itself adds a tap to its Linux bridge."""
    ip_batch(lab.pid(host), [f"link set {overlay.device_of(port)} up"])
    if overlay.host(host).mechanism is Mechanism.OPENVSWITCH:
        lab.net[host].plug(add_port_args(guest_port(port), None))


def _record(lab: LabBase, port: Port) -> None:
    """Record in the ledger where the guest's port is now."""
    if found := plugged_ports(lab).get(port.id):
        name, _, number = found
        guest = lab.net[name]
        guest.interfaces[number] = port
        guest.record()
