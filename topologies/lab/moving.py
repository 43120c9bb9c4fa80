"""A guest moves to another compute host, keeping its MAC, its addresses and all that runs in it.

What a live migration does to the network, in the order of Nova's (Queens): unplugged at the
source, plugged at the destination, and then bound there (`binding:host_id`).  The guest itself
stays: only the far end of its wire changes hands.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from controller.flows.ports import BR_INT, guest_port
from controller.model.errors import LabError, OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port
from controller.switches.ovsdb import add_port_args, del_port_args
from topologies.lab.base import LabBase
from topologies.lab.live import await_active, await_told
from topologies.nodes.keeper import ip_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """When what was done [ns of CLOCK_MONOTONIC, which all namespaces share]."""

    unplugged_ns: int  # just before the source lost the port
    plugged_ns: int  # the destination has it
    bound_ns: int  # the controller was told
    active_ns: int  # the controller says ACTIVE


def move(
    lab: LabBase, port_id: str, host: str, *, plugged: Callable[[], None] = lambda: None
) -> Moved:
    """Move the guest's port to `host`; return when it is wired there.

    `plugged` is called when the guest's wire is up at the destination, where a hypervisor
    would let it run on.  If it cannot be plugged or bound there, it is put back where it was.

    Raises:
        ModelError: the overlay cannot have it there; nothing was touched.
        LabError: it cannot go there, or never got wired.
    """
    overlay = lab.overlay
    port = _movable(lab, overlay, port_id, host)
    begun = time.monotonic_ns()
    try:
        _carry_over(lab, overlay, port, host)
        plugged()
        there = time.monotonic_ns()
        lab.api("PUT", f"/v2.0/ports/{port_id}", {"port": {"binding:host_id": host}})
    except BaseException:
        _put_back(lab, overlay, port, host)
        raise
    bound = time.monotonic_ns()
    try:
        await_active(lab, port_id)
        active = time.monotonic_ns()
    finally:
        _remember(lab, port_id)
    await_told(lab)
    return Moved(unplugged_ns=begun, plugged_ns=there, bound_ns=bound, active_ns=active)


def _movable(lab: LabBase, overlay: Overlay, port_id: str, host: str) -> Port:
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
            f"port {port_id} is plugged by a bridge of its own",
            where=f"lab {lab.name!r}",
            allowed="plug: direct",
            do="Leave `plug: hybrid` out of the scenario.",
        )
    if not any(port_id == id_ for id_, *_ in _plugged(lab)):
        raise LabError(
            f"port {port_id} has no interface",
            where=f"lab {lab.name!r}",
            allowed="a port that is plugged",
            do=f"`overlaylab plug {lab.name} {port_id}`.",
        )
    moved = replace(port, host=host)
    replace(overlay, ports=tuple(moved if each is port else each for each in overlay.ports))
    return port


def _plugged(lab: LabBase) -> Iterator[tuple[str, str, int]]:
    """Every port that has an interface: its id, where it is plugged, and the interface's number."""
    for node in lab.nodes().values():
        yield from node.facts.get("ports", ())


def _carry_over(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Take the far end of the guest's wire out of one switch, and put it into the other."""
    _take_out(lab, overlay, port, port.host)
    _hand_over(lab, overlay, port, port.host, host)
    _put_in(lab, overlay, port, host)


def _put_back(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Undo as much of that as was done, unless the controller has bound it there after all."""
    if lab.overlay.port_of[port.id].host == host:
        return
    with suppress(OverlayError):  # it may never have got in
        _take_out(lab, overlay, port, host)
    with suppress(OverlayError):  # it may never have left
        _hand_over(lab, overlay, port, host, port.host)
    with suppress(OverlayError):  # what failed before is what is told
        _put_in(lab, overlay, port, port.host)


def _take_out(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Out of br-int; a `linuxbridge` host's taps leave their bridge with their namespace."""
    if overlay.host(host).mechanism is Mechanism.OPENVSWITCH:
        lab.net[host].plug(del_port_args(BR_INT, overlay.device_of(port)))


def _hand_over(lab: LabBase, overlay: Overlay, port: Port, source: str, target: str) -> None:
    device = overlay.device_of(port)
    ip_batch(lab.pid(source), [f"link set {device} netns {lab.pid(target)}"])


def _put_in(lab: LabBase, overlay: Overlay, port: Port, host: str) -> None:
    """Into br-int; into a bridge the controller puts a tap, as its agent does."""
    ip_batch(lab.pid(host), [f"link set {overlay.device_of(port)} up"])
    if overlay.host(host).mechanism is Mechanism.OPENVSWITCH:
        lab.net[host].plug(add_port_args(guest_port(port), None))


def _remember(lab: LabBase, port_id: str) -> None:
    """Write into the ledger where the guest's port is now."""
    port = lab.overlay.port_of[port_id]
    for name, node in lab.nodes().items():
        for id_, _, number in node.facts.get("ports", ()):
            if id_ == port_id:
                guest = lab.net[name]
                guest.interfaces[number] = port
                guest.record()
