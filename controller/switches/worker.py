"""What is done at one host to make it what the overlay says.

Read the OVSDB, add ports, tag guests, commit flows, then take ports away: new before old,
so that no packet falls between.  A guest's port is dead until it is tagged.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.flows.binding import Binding, allot_vlans, release
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.ports import BR_INT, BR_TUN, BridgePort, switch_ports
from controller.model.errors import SwitchError
from controller.model.overlay import Overlay
from controller.switches.ovsdb import (
    Ovsdb,
    add_port_args,
    del_port_args,
    failed_ports,
    missing_ports,
    stale_ports,
    tag_args,
)
from controller.switches.reading import Reading, as_seen, binding_of, pending, status_changes, tags
from controller.switches.reconcile import Wanted, changes, vlans_spoken_of
from controller.switches.session import Session

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Task:
    """One visit to a host: where its database is, who is connected, what was read."""

    host: str
    database: Ovsdb
    sessions: Mapping[int, Session]  # by datapath id, of all hosts
    reading: Reading = field(default_factory=dict)

    def read(self) -> Reading:
        """Look at the host's OVSDB."""
        self.reading = self.database.read()
        return self.reading

    @property
    def datapath_type(self) -> str:
        """`netdev` or `system`; empty while there is no br-int."""
        return self.reading[BR_INT].datapath_type if BR_INT in self.reading else ""

    def lost(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host that are not plugged any more: id -> DOWN."""
        self._assert_looked_at(overlay)
        return _only("DOWN", status_changes(overlay, self.host, self.reading))

    def found(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host that have been plugged: id -> ACTIVE."""
        return _only("ACTIVE", status_changes(overlay, self.host, self.reading))

    def carry_out(self, overlay: Overlay) -> None:
        """As the function below."""
        carry_out(self, overlay)

    def _assert_looked_at(self, overlay: Overlay) -> None:
        """Between a transaction and ovs-vswitchd's doing, ports have no number yet.

        Taken at its word, that would say that guests are unplugged, and free their VLANs.
        """
        known = bridges(overlay.host(self.host)) if self.host in overlay.host_of else ()
        if waiting := pending(self.reading, known):
            raise self._wrong(
                f"ovs-vswitchd has not numbered {', '.join(sorted(waiting))}",
                "a number, or -1, for every port",
                "It is looked for again shortly.",
            )

    def session(self, bridge: str) -> Session | None:
        """The session of a bridge, or None if it is not connected."""
        row = self.reading.get(bridge)
        return self.sessions.get(row.dpid) if row and row.dpid is not None else None

    def assert_served(self, wanted: Iterable[str], served: Iterable[str]) -> None:
        """Raise if a bridge was left out: missing, or not connected when its turn came."""
        for bridge in wanted:
            if bridge not in served:
                found = "not connected" if bridge in self.reading else "no such bridge"
                raise self._wrong(
                    f"bridge {bridge!r}: {found}",
                    "an OpenFlow session from every bridge",
                    "It is looked for again shortly.",
                )

    def assert_made(self, wanted: tuple[BridgePort, ...]) -> None:
        """Raise if ovs-vswitchd could not make a port."""
        if failed := failed_ports(wanted, self.reading):
            said = "; ".join(f"{name}: {error}" for name, error in failed.items())
            raise self._wrong(
                said, "every tunnel and patch port made", "ovs-vswitchd's log says more."
            )

    def _wrong(self, found: str, allowed: str, do: str) -> SwitchError:
        return SwitchError(found, where=f"host {self.host!r}", allowed=allowed, do=do)


def carry_out(task: Task, overlay: Overlay) -> None:
    """Make the host of `task` what `overlay` says.

    Bridges that are connected are served even if another one is not.

    Raises:
        SwitchError: a bridge is missing, silent, refused a message, or could not make a port.
        CommandError: the database does not answer.
    """
    if task.host not in overlay.host_of:
        return
    host = overlay.host(task.host)
    wanted = switch_ports(overlay, host)
    if missing := missing_ports(wanted, task.reading):
        task.database.write([arg for port in missing for arg in add_port_args(port, None)])
        task.read()
    task.lost(overlay)  # looks whether all is numbered
    served = _commit(task, as_seen(overlay, task.host, task.reading))
    gone = stale_ports(host, wanted, task.reading)
    task.database.write([arg for bridge, name in gone for arg in del_port_args(bridge, name)])
    task.assert_served(bridges(host), served)
    task.assert_made(wanted)


def _commit(task: Task, overlay: Overlay) -> frozenset[str]:
    """Tags, then the flows of every bridge that is connected; the bridges served."""
    found = {name: task.session(name) for name in bridges(overlay.host(task.host))}
    sessions = {name: session for name, session in found.items() if session is not None}
    installed = {name: session.flows() for name, session in sessions.items()}
    binding = _allotted(task, overlay, installed)
    task.database.write(tag_args(overlay, binding, task.reading))
    for bridge, session in sessions.items():
        wanted = _wanted(overlay, binding, bridge)
        if todo := changes(session.datapath, wanted, installed[bridge]):
            LOG.info("%s %s: %d changes", task.host, bridge, len(todo))
            session.commit(todo)
    return frozenset(sessions)


def _allotted(task: Task, overlay: Overlay, installed: Mapping[str, list[Any]]) -> Binding:
    """What the host has allotted, and local VLANs for what is new.

    A VLAN that a flow or a port still bears is not given to another network in this visit.
    """
    kept = release(overlay, binding_of(overlay, task.host, task.reading))
    spoken = (vlans_spoken_of(bridge, flows) for bridge, flows in installed.items())
    busy = tags(task.reading).union(*spoken) - frozenset(kept.local_vlans.values())
    return allot_vlans(overlay, kept, avoid=busy)


def _wanted(overlay: Overlay, binding: Binding, bridge: str) -> Wanted:
    """What `bridge` must have; tunnels that are about to go are not among its ports."""
    staying = {port.name for port in switch_ports(overlay, overlay.host(binding.host))}
    here = binding.ofports.get(bridge, {})
    ports = {name: port for name, port in here.items() if bridge != BR_TUN or name in staying}
    return Wanted(
        bridge=bridge,
        flows=bridge_flows(overlay, binding, bridge),
        ports=ports,
        local_vlans=frozenset(binding.local_vlans.values()),
    )


def _only(status: str, said: Mapping[str, str]) -> dict[str, str]:
    return {id_: found for id_, found in said.items() if found == status}
