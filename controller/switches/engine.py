"""Keeps the wanted overlay, and runs one worker per host that applies it.

Implements `controller.switches.backend.Backend` for the API and handles the switches' events.
`controller.switches.worker` has what a worker does at a host.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import takewhile
from pathlib import Path

from controller.model.errors import LabError, OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from controller.model.serial import dump_state
from controller.switches import linuxbridge_worker
from controller.switches.backend import NONE, Addresses, AgentState, joined
from controller.switches.linuxbridge_worker import BridgeTask
from controller.switches.ovsdb import Ovsdb
from controller.switches.reading import ACTIVE, DOWN, guest_rows, host_error, with_status
from controller.switches.session import Session
from controller.switches.worker import Task

LOG = logging.getLogger(__name__)
# The limits of the time between two visits of a host without changes.  It is above the lower one in
# labs so large that visits would take more than SHARE of the time.
SOONEST_S, LATEST_S = 1.0, 10.0
SHARE = 0.05
CORRECTIONS = 5  # the number of them that is kept for each host
RETRY_S = 0.5  # after an alarm
POLL_S = 0.1  # a Linux bridge host reports no taps, so it is polled, as by Neutron's agent


LISTED = 4  # corrections of one visit that are named


def poll_s(hosts: int, visit_s: float) -> float:
    """The time between two visits [s] of each of so many hosts, if one takes `visit_s`."""
    return min(max(hosts * visit_s / SHARE, SOONEST_S), LATEST_S)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


class _Worker:
    """One host's state, and the events of the thread that serves it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.awake = threading.Event()
        self.awake.set()
        self.is_dismissed = False
        self.agent = AgentState(host=host, alive=False, wired=False)
        self.done = -1  # the last revision applied there
        self.dpids: frozenset[int] = frozenset()  # of its bridges, at the last visit
        self.guests: frozenset[tuple[str, int | None]] = frozenset()  # on br-int, at the last visit
        self.devices: frozenset[str] = frozenset()  # of a polled host, at the last visit
        self.visit_s = 0.0  # the time that the last visit took


@dataclass(frozen=True, slots=True)
class _State:
    """The content of the state file; replaced as a whole."""

    overlay: Overlay
    ovsdb: Addresses
    revision: int = 0


class Engine:
    """Makes every host match the overlay."""

    def __init__(self, overlay: Overlay, ovsdb: Addresses, state: Path) -> None:
        self._now, self._file = _State(overlay, dict(ovsdb)), state
        self._lock = threading.RLock()
        self._sessions: dict[int, Session] = {}
        self._host_of: dict[int, str] = {}  # datapath id -> host, as found in OVSDB
        self._workers: dict[str, _Worker] = {}
        self._turns: dict[str, threading.Lock] = {}  # held by the worker that visits the host

    def start(self) -> None:
        """Start a worker for every host."""
        for host in self.overlay.hosts:
            self._start_worker(host.name)

    # Backend -----------------------------------------------------------------------------

    @property
    def overlay(self) -> Overlay:
        """The overlay as it should be now."""
        return self._now.overlay

    def change(
        self,
        edit: Callable[[Overlay], Overlay],
        *,
        ovsdb: Addresses = NONE,
        is_new: bool = False,
    ) -> Overlay:
        """See `Backend.change`: save the new overlay and wake all workers.

        A removed host keeps its flows; the others delete their tunnels to it.
        """
        with self._lock:
            before, overlay = self._now, edit(self.overlay)
            known = joined(before.ovsdb, ovsdb, is_new=is_new)
            addresses = {host: at for host, at in known.items() if host in overlay.host_of}
            if (overlay, addresses) != (before.overlay, before.ovsdb):
                self._save(overlay, addresses)
                self._now = _State(overlay, addresses, before.revision + 1)
                for host in overlay.host_of.keys() - before.overlay.host_of.keys():
                    self._start_worker(host)
                for host in before.overlay.host_of.keys() - overlay.host_of.keys():
                    self._dismiss(host)
                self.wake()
            return overlay

    def agents(self) -> list[AgentState]:
        """The state of each host."""
        with self._lock:
            return [self._agent(host.name) for host in self.overlay.hosts]

    # switch events -----------------------------------------------------------------------

    def connected(self, session: Session) -> None:
        """A bridge has opened a session; its host is found in OVSDB."""
        self._sessions[session.dpid] = session
        self.wake(session.dpid)

    def disconnected(self, session: Session) -> None:
        """A bridge's session has ended."""
        session.close()
        if self._sessions.get(session.dpid) is session:
            del self._sessions[session.dpid]
            self.wake(session.dpid)

    def wake(self, dpid: int | None = None) -> None:
        """Wake the worker of that switch's host; all workers if the host is unknown."""
        host = self._host_of.get(dpid) if dpid is not None else None
        for worker in list(self._workers.values()):
            if host in {None, worker.host}:
                worker.awake.set()

    # workers -----------------------------------------------------------------------------

    def _start_worker(self, host: str) -> None:
        if host not in self._workers:
            worker = self._workers[host] = _Worker(host)
            self._turns.setdefault(host, threading.Lock())
            threading.Thread(target=self._work, args=(worker,), name=host, daemon=True).start()

    def _dismiss(self, host: str) -> None:
        if worker := self._workers.pop(host, None):
            worker.is_dismissed = True
            worker.awake.set()

    def _work(self, worker: _Worker) -> None:
        """Wait for a change, apply it and record the result, until the host is removed."""
        while True:
            self._wait(worker)
            worker.awake.clear()
            try:
                with self._turns[worker.host]:
                    if worker.is_dismissed:
                        return
                    self._visit(worker)
            except OverlayError as error:
                self._set_alarm(worker, str(error))
            except Exception as error:  # without its thread the host would get no more changes
                LOG.exception("%s: worker failed", worker.host)
                self._set_alarm(worker, f"{type(error).__name__}: {error}")

    def _wait(self, worker: _Worker) -> None:
        """Return when the worker is woken, the host's devices have changed, or time is up."""
        every_s = poll_s(len(self._workers), worker.visit_s)
        rest_s = RETRY_S if worker.agent.alarm else every_s
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
        """A visit to the host, of the kind that its mechanism needs."""
        address = now.ovsdb[worker.host]
        if not self._is_polled(worker.host):
            return Task(worker.host, Ovsdb(address), self._sessions)
        worker.devices = linuxbridge_worker.devices(address)
        return BridgeTask(worker.host, address)

    def _visit(self, worker: _Worker) -> None:
        """Make the host match the overlay."""
        now, begin_s = self._now, time.monotonic()
        if worker.host not in now.ovsdb:  # removed a moment ago
            return
        task = self._task(worker, now)
        reading = task.read()
        dpids = frozenset(row.dpid for row in reading.values() if row.dpid is not None)
        self._assert_own(worker.host, dpids)
        worker.dpids = dpids
        self._host_of |= dict.fromkeys(dpids, worker.host)
        # Unplugged ports first: the other hosts must stop sending there.
        self._set_status(worker.host, task.status_changes(now.overlay), DOWN)
        now = self._now
        # Without a change of the overlay or of guests' ports, somebody else has changed the host.
        guests = frozenset((row.name, row.ofport) for row in guest_rows(reading))
        is_same, worker.guests = guests == worker.guests, guests
        is_known = is_same and worker.done == now.revision and not task.status_changes(now.overlay)
        changed = task.apply(now.overlay)
        if is_known and changed:
            self._note_corrections(worker, changed)
        worker.visit_s = time.monotonic() - begin_s
        self._clear_alarm(worker, now.revision, task.datapath_type)
        # Plugged ports last: frames pass only from here on.
        self._set_status(worker.host, task.status_changes(now.overlay), ACTIVE)

    def _assert_own(self, host: str, dpids: frozenset[int]) -> None:
        """Check that no earlier host has these bridges: two addresses may lead to one OVSDB.

        Raises:
            SwitchError: one has.
        """
        for other in takewhile(lambda name: name != host, self.overlay.host_of):
            worker = self._workers.get(other)
            if worker is not None and worker.dpids & dpids:
                found = f"{self._now.ovsdb.get(host, '')} has the bridges of host {other!r}"
                do = "Correct its ovsdb_connection, or delete one of the two agents."
                raise host_error(host, found, "an OVSDB of its own", do)

    def _note_corrections(self, worker: _Worker, changed: list[str]) -> None:
        LOG.warning("%s: was changed by somebody else, corrected: %s", worker.host, changed)
        shown = ", ".join(changed[:LISTED]) + (" and more" if len(changed) > LISTED else "")
        entry = f"{_now()} {shown}"
        kept = (*worker.agent.corrected, entry)[-CORRECTIONS:]
        worker.agent = replace(worker.agent, corrected=kept)

    def _set_status(self, host: str, changes: Mapping[str, str], status: str) -> None:
        """Apply those `changes` reported by `host` that are `status`; ignore ports bound elsewhere since."""
        ids = {id_ for id_, reported in changes.items() if reported == status}

        def edit(overlay: Overlay) -> Overlay:
            here = {port.id for port in overlay.ports if port.host == host}
            return with_status(overlay, dict.fromkeys(ids & here, status))

        if ids:
            self.change(edit)

    def _set_alarm(self, worker: _Worker, alarm: str) -> None:
        if alarm != worker.agent.alarm:  # before the first heartbeat the host may still be starting
            level = logging.WARNING if worker.agent.heartbeat else logging.INFO
            LOG.log(level, "%s: %s", worker.host, alarm)
        worker.agent = replace(worker.agent, alarm=alarm)

    def _clear_alarm(self, worker: _Worker, revision: int, datapath_type: str) -> None:
        if worker.agent.alarm:
            LOG.info("%s: recovered", worker.host)
        worker.agent = replace(
            worker.agent, alarm="", heartbeat=_now(), datapath_type=datapath_type
        )
        worker.done = revision

    # state -------------------------------------------------------------------------------

    def _save(self, overlay: Overlay, ovsdb: Addresses) -> None:
        """Write the state file before anything is applied, so that a restart applies it.

        Raises:
            LabError: it cannot be written, such as on a full disk.
        """
        new = self._file.with_suffix(".new")
        try:
            new.write_text(dump_state(overlay, ovsdb))
            new.replace(self._file)
        except OSError as error:
            raise LabError(
                f"not saved: {error}",
                where=str(self._file),
                allowed="a file that can be written",
                do="Nothing has changed; make room, and try again.",
            ) from error

    def _agent(self, host: str) -> AgentState:
        worker = self._workers.get(host) or _Worker(host)
        known = worker.agent
        return replace(
            known,
            alive=bool(known.heartbeat) and not known.alarm,
            wired=worker.done == self._now.revision and not known.alarm,
            ovsdb=self._now.ovsdb.get(host, ""),
        )
