"""The overlay as it should be now, and a worker for every host that brings it about.

Implements `controller.api.backend.Backend` for the API on one side, and takes the switches'
events on the other.  What a worker does is in `controller.switches.worker`.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from controller.api.backend import AgentState
from controller.api.resources import with_host, without_host
from controller.model.errors import OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.model.serial import dump_state
from controller.switches import linuxbridge_worker
from controller.switches.linuxbridge_worker import BridgeTask
from controller.switches.ovsdb import Ovsdb
from controller.switches.reading import with_status
from controller.switches.session import Session
from controller.switches.worker import Task

LOG = logging.getLogger(__name__)
HEARTBEAT_S = 10.0  # a host without change is asked this often whether it is there
RETRY_S = 0.5  # after an alarm
POLL_S = 0.1  # a linuxbridge host tells of no tap that comes or goes; Neutron's agent polls, too
Addresses = Mapping[str, str]  # host -> where its OVSDB listens


class _Worker:
    """What is known of one host, and the thread that looks after it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.awake = threading.Event()
        self.awake.set()
        self.is_dismissed = False
        self.agent = AgentState(host=host, alive=False, wired=False)
        self.done = -1  # the last revision carried out there
        self.devices: frozenset[str] = frozenset()  # of a host that is polled, at the last visit


@dataclass(frozen=True, slots=True)
class _State:
    """All that a restarted controller must know, replaced as a whole."""

    overlay: Overlay
    ovsdb: Addresses
    revision: int = 0


class Engine:
    """Makes every host what the overlay says."""

    def __init__(self, overlay: Overlay, ovsdb: Addresses, state: Path) -> None:
        self._now, self._file = _State(overlay, dict(ovsdb)), state
        self._lock = threading.RLock()
        self._sessions: dict[int, Session] = {}
        self._host_of: dict[int, str] = {}  # datapath id -> host, as found in OVSDB
        self._workers: dict[str, _Worker] = {}
        self._turns: dict[str, threading.Lock] = {}  # one worker at a time is at a host

    def start(self) -> None:
        """Start a worker for every host."""
        for host in self.overlay.hosts:
            self._employ(host.name)

    # Backend -----------------------------------------------------------------------------

    @property
    def overlay(self) -> Overlay:
        """The overlay as it should be now."""
        return self._now.overlay

    def change(self, edit: Callable[[Overlay], Overlay]) -> Overlay:
        """Replace the overlay by `edit(overlay)`, keep it on disk, and wake all workers.

        Raises:
            ModelError: what `edit` makes is impossible; nothing has changed.
        """
        with self._lock:
            return self._replace(edit(self.overlay), self._now.ovsdb)

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
            addresses = {**self._now.ovsdb, host.name: ovsdb}
            self._replace(with_host(self.overlay, host), addresses)
            self._employ(host.name)

    def forget(self, host: str) -> None:
        """Remove a host; the others drop their tunnels to it.  What it has, it keeps.

        Raises:
            OverlayError: it is not there, or ports are bound to it; nothing has changed.
        """
        with self._lock:
            left = {name: at for name, at in self._now.ovsdb.items() if name != host}
            self._replace(without_host(self.overlay, host), left)
            if worker := self._workers.pop(host, None):
                worker.is_dismissed = True
                worker.awake.set()

    # the switches' side ------------------------------------------------------------------

    def connected(self, session: Session) -> None:
        """A bridge has opened a session; whose it is, OVSDB tells."""
        self._sessions[session.dpid] = session
        self.wake(session.dpid)

    def disconnected(self, session: Session) -> None:
        """A bridge's session has ended."""
        session.close()
        if self._sessions.get(session.dpid) is session:
            del self._sessions[session.dpid]
            self.wake(session.dpid)

    def wake(self, dpid: int | None = None) -> None:
        """Let the worker of that switch look again; not knowing whose it is, all of them."""
        host = self._host_of.get(dpid) if dpid is not None else None
        for worker in list(self._workers.values()):
            if host in {None, worker.host}:
                worker.awake.set()

    # workers -----------------------------------------------------------------------------

    def _employ(self, host: str) -> None:
        if host not in self._workers:
            worker = self._workers[host] = _Worker(host)
            self._turns.setdefault(host, threading.Lock())
            threading.Thread(target=self._work, args=(worker,), name=host, daemon=True).start()

    def _work(self, worker: _Worker) -> None:
        """Until the host is forgotten: wait for change, carry it out, note how it went."""
        while True:
            self._rest(worker)
            worker.awake.clear()
            try:
                with self._turns[worker.host]:
                    if worker.is_dismissed:
                        return
                    self._visit(worker)
            except OverlayError as error:
                self._raise_alarm(worker, str(error))
            except Exception as error:  # a dead worker would be a silent one
                LOG.exception("%s: worker", worker.host)
                self._raise_alarm(worker, f"{type(error).__name__}: {error}")

    def _rest(self, worker: _Worker) -> None:
        """Until the host is to be visited: it was woken, its devices are others, or it is time."""
        rest_s = RETRY_S if worker.agent.alarm else HEARTBEAT_S
        if not self._is_polled(worker.host):
            worker.awake.wait(rest_s)
            return
        address, end = self._now.ovsdb.get(worker.host, ""), time.monotonic() + rest_s
        while not worker.awake.wait(POLL_S) and time.monotonic() < end:
            if worker.devices != linuxbridge_worker.devices(address):
                return

    def _is_polled(self, host: str) -> bool:
        known = self.overlay.host_of.get(host)
        return known is not None and known.mechanism is Mechanism.LINUXBRIDGE

    def _task(self, worker: _Worker, now: _State) -> Task | BridgeTask:
        """A visit to the host, by what carries its guests' frames."""
        address = now.ovsdb[worker.host]
        if not self._is_polled(worker.host):
            return Task(worker.host, Ovsdb(address), self._sessions)
        worker.devices = linuxbridge_worker.devices(address)
        return BridgeTask(worker.host, address)

    def _visit(self, worker: _Worker) -> None:
        """Make the host what the overlay says."""
        now = self._now
        task = self._task(worker, now)
        reading = task.read()
        self._host_of |= {row.dpid: worker.host for row in reading.values() if row.dpid is not None}
        self._note(worker.host, task.lost(now.overlay))  # the others must not send there any more
        now = self._now
        task.carry_out(now.overlay)
        self._all_well(worker, now.revision, task.datapath_type)
        self._note(worker.host, task.found(now.overlay))  # only now can frames pass

    def _note(self, host: str, said: Mapping[str, str]) -> None:
        """Take the word of `host` for the ports that are still its own: one may have moved on."""
        if said:
            self.change(lambda overlay: with_status(overlay, _of_host(overlay, host, said)))

    def _raise_alarm(self, worker: _Worker, alarm: str) -> None:
        if alarm != worker.agent.alarm:  # a host that was never well is only late
            level = logging.WARNING if worker.agent.heartbeat else logging.INFO
            LOG.log(level, "%s: %s", worker.host, alarm)
        worker.agent = replace(worker.agent, alarm=alarm)

    def _all_well(self, worker: _Worker, revision: int, datapath_type: str) -> None:
        if worker.agent.alarm:
            LOG.info("%s: well again", worker.host)
        heard = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        worker.agent = replace(worker.agent, alarm="", heartbeat=heard, datapath_type=datapath_type)
        worker.done = revision

    # state -------------------------------------------------------------------------------

    def _replace(self, overlay: Overlay, ovsdb: Addresses) -> Overlay:
        """Keep on disk first: what a restart would not know must not be carried out."""
        if (overlay, ovsdb) != (self._now.overlay, self._now.ovsdb):
            kept = self._file.with_suffix(".new")
            kept.write_text(dump_state(overlay, ovsdb))
            kept.replace(self._file)
            self._now = _State(overlay, ovsdb, self._now.revision + 1)
            self.wake()
        return overlay

    def _agent(self, host: str) -> AgentState:
        worker = self._workers.get(host) or _Worker(host)
        known = worker.agent
        return replace(
            known,
            alive=bool(known.heartbeat) and not known.alarm,
            wired=worker.done == self._now.revision and not known.alarm,
            ovsdb=self._now.ovsdb.get(host, ""),
        )


def _of_host(overlay: Overlay, host: str, said: Mapping[str, str]) -> dict[str, str]:
    """What is said of ports that are bound to `host` now."""
    here = {port.id for port in overlay.ports if port.host == host}
    return {id_: status for id_, status in said.items() if id_ in here}
