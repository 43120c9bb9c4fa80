"""Makes every host what the overlay says: one worker a host, woken by change.

A worker reads the host's OVSDB, adds ports, commits flows, then takes ports away: new
before old, so that no packet falls between.  A host that is silent raises an alarm in
its `AgentState`, is asked again, and holds nobody else up.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from controller.backend import AgentState
from controller.binding import Binding, allot_vlans, release
from controller.flows import bridge_flows, bridges
from controller.ovsdb import (
    Ovsdb,
    add_port_args,
    del_port_args,
    missing_ports,
    stale_ports,
    tag_args,
)
from controller.ports import BR_INT, BR_TUN, switch_ports
from controller.reading import Reading, binding_of, pending, status_changes
from controller.reconcile import Wanted, changes, stale_vlans
from controller.resources import with_host, without_host
from controller.session import Session
from topologies.errors import OverlayError, SwitchError
from topologies.model import Host, Overlay
from topologies.serial import dump_state

LOG = logging.getLogger(__name__)
HEARTBEAT_S = 5.0  # a host without change is asked this often whether it is there
RETRY_S = 0.5  # after an alarm


@dataclass(slots=True)
class _Health:
    """What is known of one host."""

    done: int = -1  # the last revision carried out there
    heard: str = ""  # when it last answered, ISO 8601
    alarm: str = ""
    datapath_type: str = ""


class Engine:
    """The overlay as it should be now, and the workers that bring it about.

    Implements `controller.backend.Backend`.
    """

    def __init__(self, overlay: Overlay, ovsdb: Mapping[str, str], state: Path) -> None:
        self.overlay = overlay
        self.revision = 0
        self._ovsdb, self._state = dict(ovsdb), state
        self._lock = threading.RLock()
        self._sessions: dict[int, Session] = {}
        self._awake: dict[str, threading.Event] = {}
        self._health: dict[str, _Health] = {}

    def start(self) -> None:
        """Start a worker for every host."""
        for host in self.overlay.hosts:
            self._employ(host.name)

    # Backend -----------------------------------------------------------------------------

    def change(self, edit: Callable[[Overlay], Overlay]) -> Overlay:
        """Replace the overlay by `edit(overlay)`, keep it on disk, and wake all workers.

        Raises:
            ModelError: what `edit` makes is impossible; nothing has changed.
        """
        with self._lock:
            edited = edit(self.overlay)
            if edited != self.overlay:
                self._replace(edited)
            return self.overlay

    def agents(self) -> list[AgentState]:
        """How each host is."""
        with self._lock:
            return [self._agent(host.name) for host in self.overlay.hosts]

    def register(self, host: Host, ovsdb: str) -> None:
        """Add a host, or give a known one new options.

        Raises:
            ModelError: it cannot be among the others; nothing has changed.
        """
        with self._lock:
            known = self._ovsdb
            self._ovsdb = known | {host.name: ovsdb}
            try:
                self.change(lambda overlay: with_host(overlay, host))
            except OverlayError:
                self._ovsdb = known
                raise
            self._employ(host.name)
            self.wake()

    def forget(self, host: str) -> None:
        """Remove a host; the others drop their tunnels to it.

        Raises:
            OverlayError: ports are bound there; nothing has changed.
        """
        with self._lock:
            self.change(lambda overlay: without_host(overlay, host))
            self._ovsdb = {name: at for name, at in self._ovsdb.items() if name != host}
            self._health.pop(host, None)
            if awake := self._awake.pop(host, None):
                awake.set()

    # the switches' side ------------------------------------------------------------------

    def connected(self, session: Session) -> None:
        """A bridge has opened a session; whose it is, OVSDB tells."""
        self._sessions[session.dpid] = session
        self.wake()

    def disconnected(self, session: Session) -> None:
        """A bridge's session has ended."""
        if self._sessions.get(session.dpid) is session:
            del self._sessions[session.dpid]
            self.wake()

    def wake(self) -> None:
        """Let every worker look again."""
        for awake in list(self._awake.values()):
            awake.set()

    # workers -----------------------------------------------------------------------------

    def _employ(self, host: str) -> None:
        if host not in self._awake:
            self._awake[host] = threading.Event()
            self._awake[host].set()
            self._health[host] = _Health()
            threading.Thread(target=self._work, args=(host,), name=host, daemon=True).start()

    def _work(self, host: str) -> None:
        """Until the host is forgotten: wait for change, carry it out, note how it went."""
        awake = self._awake[host]
        while self._awake.get(host) is awake:
            awake.wait(RETRY_S if self._health[host].alarm else HEARTBEAT_S)
            awake.clear()
            health = self._health.get(host)
            if health is None:
                return
            try:
                revision = self._bring_about(host)
            except OverlayError as error:
                self._raise_alarm(host, health, str(error))
            except Exception as error:  # a dead worker would be a silent one
                LOG.exception("%s: worker", host)
                self._raise_alarm(host, health, f"{type(error).__name__}: {error}")
            else:
                self._all_well(host, health, revision)

    def _raise_alarm(self, host: str, health: _Health, alarm: str) -> None:
        if alarm != health.alarm:  # a host that was never well is only late
            LOG.log(logging.WARNING if health.heard else logging.INFO, "%s: %s", host, alarm)
        health.alarm = alarm

    def _all_well(self, host: str, health: _Health, revision: int) -> None:
        if health.alarm:
            LOG.info("%s: well again", host)
        health.alarm, health.done = "", revision
        health.heard = datetime.now(timezone.utc).isoformat(timespec="milliseconds")

    def _bring_about(self, host: str) -> int:
        """Make `host` what the overlay says; the revision that was carried out."""
        database = Ovsdb(self._ovsdb[host])
        reading = database.read()
        _assert_looked_at(host, reading)
        self._note(host, reading)
        with self._lock:
            overlay, revision = self.overlay, self.revision
        if host not in overlay.host_of:
            return revision
        wanted_ports = switch_ports(overlay, overlay.host(host))
        if missing := missing_ports(wanted_ports, reading):
            database.write([arg for port in missing for arg in add_port_args(port, None)])
            reading = database.read()
        self._commit(overlay, host, database, reading)
        gone = stale_ports(wanted_ports, reading)
        database.write([arg for bridge, name in gone for arg in del_port_args(bridge, name)])
        return revision

    def _commit(self, overlay: Overlay, host: str, database: Ovsdb, reading: Reading) -> None:
        """Tags, then every bridge's flows."""
        names = bridges(overlay.host(host))
        sessions = {bridge: self._session(host, bridge, reading) for bridge in names}
        installed = {bridge: session.flows() for bridge, session in sessions.items()}
        binding = release(overlay, binding_of(overlay, host, reading))
        avoid = stale_vlans(installed.get(BR_TUN, ()), binding.local_vlans.values())
        binding = allot_vlans(overlay, binding, avoid=avoid)
        database.write(tag_args(overlay, binding, reading))
        for bridge, session in sessions.items():
            wanted = _wanted(overlay, binding, bridge)
            if todo := changes(session.datapath, wanted, installed[bridge]):
                LOG.info("%s %s: %d changes", host, bridge, len(todo))
                session.commit(todo)

    def _session(self, host: str, bridge: str, reading: Reading) -> Session:
        row = reading.get(bridge)
        session = self._sessions.get(row.dpid) if row and row.dpid is not None else None
        if session is None:
            raise SwitchError(
                "not connected" if row else "no such bridge",
                where=f"host {host!r} bridge {bridge!r}",
                allowed="an OpenFlow session from every bridge",
                do="It is looked for again shortly.",
            )
        return session

    def _note(self, host: str, reading: Reading) -> None:
        """Ports that were plugged or unplugged change the overlay, and so wake everybody."""
        if BR_INT in reading:
            self._health[host].datapath_type = reading[BR_INT].datapath_type

        def edit(overlay: Overlay) -> Overlay:
            said = status_changes(overlay, host, reading)
            changed = (replace(p, status=said.get(p.id, p.status)) for p in overlay.ports)
            return replace(overlay, ports=tuple(changed)) if said else overlay

        self.change(edit)

    # state -------------------------------------------------------------------------------

    def _replace(self, overlay: Overlay) -> None:
        """Keep on disk first: what a restart would not know must not be carried out."""
        kept = self._state.with_suffix(".new")
        kept.write_text(dump_state(overlay, self._ovsdb))
        kept.replace(self._state)
        self.overlay = overlay
        self.revision += 1
        self.wake()

    def _agent(self, host: str) -> AgentState:
        health = self._health.get(host) or _Health()
        return AgentState(
            host=host,
            alive=bool(health.heard) and not health.alarm,
            wired=health.done == self.revision and not health.alarm,
            heartbeat=health.heard,
            alarm=health.alarm,
            ovsdb=self._ovsdb.get(host, ""),
            datapath_type=health.datapath_type,
        )


def _assert_looked_at(host: str, reading: Reading) -> None:
    """A reading between a transaction and ovs-vswitchd's doing shows ports without number.

    Taken at its word, it would say that guests are unplugged, and free their local VLANs.
    """
    if waiting := pending(reading):
        raise SwitchError(
            f"ovs-vswitchd has not numbered {', '.join(sorted(waiting))}",
            where=f"host {host!r}",
            allowed="a number, or -1, for every port",
            do="It is looked for again shortly.",
        )


def _wanted(overlay: Overlay, binding: Binding, bridge: str) -> Wanted:
    """What `bridge` must have; ports that are about to go are not among its ports."""
    host = overlay.host(binding.host)
    here = binding.ofports.get(bridge, {})
    leaving = set(here) - {port.name for port in switch_ports(overlay, host)}
    keep = here if bridge != BR_TUN else {n: port for n, port in here.items() if n not in leaving}
    return Wanted(
        bridge=bridge,
        flows=bridge_flows(overlay, binding, bridge),
        ports=keep,
        local_vlans=frozenset(binding.local_vlans.values()),
    )
