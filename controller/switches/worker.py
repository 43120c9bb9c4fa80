"""One visit to a host of mechanism openvswitch: make it match the overlay.

Read the OVSDB, add ports, tag guest ports, commit flows, then remove ports: new before old, so
that no packet is lost in between.  A guest port is dead until it is tagged.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from controller.flows.binding import Binding, allocate_vlans, release
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.ports import BR_INT, BR_TUN, add_port_args, del_port_args, switch_ports
from controller.model.overlay import Overlay
from controller.model.parts import Host
from controller.switches.ovsdb import Ovsdb, failed_ports, missing_ports, stale_ports, tag_args
from controller.switches.reading import (
    SECURE,
    Reading,
    binding_of,
    host_error,
    pending,
    status_changes,
    tags,
    with_status,
)
from controller.switches.reconcile import Wanted, changes, vlans_in_use
from controller.switches.session import Session

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Task:
    """One visit to a host: its database, the open sessions, what was read and what was changed."""

    host: str
    database: Ovsdb
    sessions: Mapping[int, Session]  # by datapath id, of all hosts
    reading: Reading = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def read(self) -> Reading:
        """Read the host's OVSDB."""
        self.reading = self.database.read()
        return self.reading

    @property
    def datapath_type(self) -> str:
        """`netdev` or `system`; empty while there is no br-int."""
        return self.reading[BR_INT].datapath_type if BR_INT in self.reading else ""

    def status_changes(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host whose status is wrong: id -> ACTIVE if plugged, else DOWN.

        Raises:
            SwitchError: ovs-vswitchd has not numbered all ports yet, since it has not handled the
                last transaction.  Such guests would look unplugged, and lose their VLANs.
        """
        known = bridges(overlay.host(self.host)) if self.host in overlay.host_of else ()
        if waiting := pending(self.reading, known):
            raise host_error(
                self.host,
                f"ovs-vswitchd has not numbered {', '.join(sorted(waiting))}",
                "a number, or -1, for every port",
            )
        return status_changes(overlay, self.host, self.reading)

    def apply(self, overlay: Overlay) -> list[str]:
        """Make the host match `overlay`; return what was changed, in words.

        Connected bridges are served even if another one is not connected.

        Raises:
            SwitchError: a bridge is missing, does not answer, refuses a message, or cannot make
                a port.
            CommandError: the database does not answer.
        """
        if self.host not in overlay.host_of:
            return []
        host = overlay.host(self.host)
        self._secure(host)
        wanted = switch_ports(overlay, host)
        if missing := missing_ports(wanted, self.reading):
            self.changed += [f"port {port.name} of {port.bridge}" for port in missing]
            self.database.write([arg for port in missing for arg in add_port_args(port, None)])
            self.read()
        served = self._commit(with_status(overlay, self.status_changes(overlay)))
        stale = stale_ports(host, wanted, self.reading)
        self.changed += [f"unneeded port {name} of {bridge}" for bridge, name in stale]
        self.database.write([arg for bridge, name in stale for arg in del_port_args(bridge, name)])
        for bridge in bridges(host):
            if bridge not in served:
                found = "not connected" if bridge in self.reading else "no such bridge"
                allowed = "an OpenFlow session from every bridge"
                raise host_error(self.host, f"bridge {bridge!r}: {found}", allowed)
        if failed := failed_ports(wanted, self.reading):
            raise host_error(
                self.host,
                "; ".join(f"{name}: {error}" for name, error in failed.items()),
                "every tunnel and patch port made",
                "See the log of ovs-vswitchd.",
            )
        return self.changed

    def _secure(self, host: Host) -> None:
        """Without `secure`, a bridge whose flows are lost forwards like a learning switch."""
        loose = [
            bridge
            for bridge in bridges(host)
            if bridge in self.reading and self.reading[bridge].fail_mode != SECURE
        ]
        self.changed += [f"fail_mode of {bridge}" for bridge in loose]
        self.database.write(
            [arg for b in loose for arg in ("--", "set", "Bridge", b, f"fail_mode={SECURE}")]
        )

    def _session(self, bridge: str) -> Session | None:
        """The session of a bridge, or None if it is not connected."""
        row = self.reading.get(bridge)
        return self.sessions.get(row.dpid) if row and row.dpid is not None else None

    def _commit(self, overlay: Overlay) -> frozenset[str]:
        """Set the tags, then the flows of every connected bridge; return those bridges."""
        found = {name: self._session(name) for name in bridges(overlay.host(self.host))}
        sessions = {name: session for name, session in found.items() if session is not None}
        installed = {name: session.flows() for name, session in sessions.items()}
        binding = self._allocated(overlay, installed)
        words = tag_args(overlay, binding, self.reading)
        self.changed += [
            f"VLAN tag of {name}" for name, setting in pairwise(words) if setting.startswith("tag=")
        ]
        self.database.write(words)
        for bridge, session in sessions.items():
            wanted = _wanted(overlay, binding, bridge)
            if messages := changes(session.datapath, wanted, installed[bridge]):
                LOG.info("%s %s: %d changes", self.host, bridge, len(messages))
                self.changed.append(f"{len(messages)} flows of {bridge}")
                session.commit(messages)
        return frozenset(sessions)

    def _allocated(self, overlay: Overlay, installed: Mapping[str, list[Any]]) -> Binding:
        """The numbers allocated on the host, with local VLANs for new networks.

        A VLAN that a flow or a port still uses is not given to another network in this visit.
        """
        kept = release(overlay, binding_of(overlay, self.host, self.reading))
        used = (vlans_in_use(bridge, flows) for bridge, flows in installed.items())
        busy = tags(self.reading).union(*used) - frozenset(kept.local_vlans.values())
        return allocate_vlans(overlay, kept, avoid=busy)


def _wanted(overlay: Overlay, binding: Binding, bridge: str) -> Wanted:
    """What `bridge` must have; tunnel ports about to be removed are left out."""
    staying = {port.name for port in switch_ports(overlay, overlay.host(binding.host))}
    here = binding.ofports.get(bridge, {})
    ports = {name: port for name, port in here.items() if bridge != BR_TUN or name in staying}
    return Wanted(
        bridge=bridge,
        flows=bridge_flows(overlay, binding, bridge),
        ports=ports,
        local_vlans=frozenset(binding.local_vlans.values()),
    )
