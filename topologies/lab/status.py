"""The status of a lab as values for JSON: nodes, tunnels, flows, agents, and what is wrong.

Every host is read here, not only through the controller, so that the status is correct also when
the controller or a switch is dead or stopped.  All nodes are read at the same time, each within
ANSWER_S, longer on a busy machine.  Programs known to be dead or stopped get no request.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from controller.model.errors import OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port
from controller.switches.linuxbridge_worker import read_kernel
from controller.switches.problems import (
    RESTART,
    Problem,
    SwitchState,
    kernel_problems,
    link_problems,
    parse_links,
    switch_problems,
)
from controller.switches.reading import COLUMNS, Reading, parse_reading
from controller.system.process import Identity, is_alive, state_of
from controller.system.waiting import scaled
from topologies.lab.lab import Lab
from topologies.lab.starting import attach
from topologies.ledger import NodeEntry, from_json, home, labs
from topologies.nodes.api_client import call_api
from topologies.nodes.compute import tunnels_of

TUNNELS = frozenset({"vxlan", "gre", "ip6gre", "geneve"})
SWITCHES = frozenset({"host", "edge"})  # kinds of nodes with an Open vSwitch
DAEMONS = ("ovsdb-server", "ovs-vswitchd")
ANSWER_S = 1.0  # for the controller, and for all reads of one node
AT_ONCE = 32  # nodes that are read at the same time
DUMP = ("ovs-ofctl", "-OOpenFlow13", "--names", "--no-stats", "dump-flows")
STOPPED = frozenset("Tt")  # states of a process that a signal or a debugger has stopped


def status_of(name: str) -> dict[str, Any]:
    """The status of the lab called `name`.

    Raises:
        LabError: there is no such lab.
    """
    lab = attach(name)
    owner, controller = lab.ledger.owner(), lab.ledger.living("controller")
    can_answer = controller is not None and state_of(controller) not in STOPPED
    overlay = lab.sites or _overlay(lab)
    entries = lab.nodes()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        request = pool.submit(_agents, lab) if can_answer else None
        known = overlay if isinstance(overlay, Overlay) else None
        nodes = list(pool.map(lambda node: _node(lab, node, known), entries.values()))
        agents, error = request.result() if request else ([], "")
    problems = [
        *_process_problems(lab, owner, controller, error),
        *([] if overlay else [_unreadable_overlay(lab)]),
        *(problem for _, found in nodes for problem in found),
        *_agent_problems(agents, {problem.where for _, found in nodes for problem in found}),
    ]
    return {
        "name": name,
        "overlay": overlay.name if overlay else None,
        "state": "held" if owner else "abandoned",
        "healthy": not problems,
        "problems": [asdict(problem) for problem in problems],
        "holder_pid": owner.pid if owner else None,
        "controller_pid": controller.pid if controller else None,
        "underlay_mtu": overlay.underlay_mtu if overlay else None,
        **lab.ledger.last("settings"),
        "agents": agents,
        "nodes": [node for node, _ in nodes],
    }


def statuses() -> list[dict[str, Any]]:
    """The status of every lab; one with a corrupt ledger has the state `unreadable`."""
    found = []
    for name in labs():
        try:
            found.append(status_of(name))
        except (OSError, KeyError, TypeError, OverlayError) as error:
            if (home() / name).exists():  # else it was taken down in the meantime
                found.append(_unreadable(name, error))
    return found


def _unreadable(name: str, error: Exception) -> dict[str, Any]:
    found = error.found if isinstance(error, OverlayError) else f"it is damaged ({error!r})"
    problem = Problem(f"lab {name!r}", f"no status: {found}", f"`overlaylab down {name}`.")
    unknown = dict.fromkeys(("overlay", "holder_pid", "controller_pid", "underlay_mtu"))
    return {
        "name": name,
        "state": "unreadable",
        "healthy": False,
        "problems": [asdict(problem)],
        **unknown,
        "agents": [],
        "nodes": [],
    }


def _overlay(lab: Lab) -> Overlay | None:
    try:
        return lab.overlay
    except (OSError, ValueError, OverlayError):  # it is still starting, or state.json is corrupt
        return None


def _unreadable_overlay(lab: Lab) -> Problem:
    found = f"{lab.directory / 'state.json'} is missing or damaged"
    return Problem(
        f"lab {lab.name!r}",
        found,
        "It is still starting, or `overlaylab down` and `up` are needed.",
    )


# --- the lab's own processes


def _process_problems(
    lab: Lab, owner: Identity | None, controller: Identity | None, error: str
) -> Iterator[Problem]:
    where = f"lab {lab.name!r}"
    if owner is None:
        found = "its holder has ended: nothing starts the controller again, and neighbours expire"
        yield Problem(where, found, f"`overlaylab down {lab.name}`.")
    elif state_of(owner) in STOPPED:
        yield _stopped(where, "its holder", owner)
    if lab.sites:
        return
    if controller is None:
        yield Problem(where, "the controller does not run", f"Read {lab.directory}/controller.log.")
    elif state_of(controller) in STOPPED:
        yield _stopped(where, "the controller", controller)
    elif error:
        found = f"the controller does not answer: {error}"
        yield Problem(where, found, f"Read {lab.directory}/controller.log.")


def _stopped(where: str, what: str, process: Identity) -> Problem:
    found = f"{what}, process {process.pid}, is stopped by a signal"
    return Problem(where, found, f"`kill -CONT {process.pid}`.")


def _agents(lab: Lab) -> tuple[list[dict[str, Any]], str]:
    """The agents, and the error if the controller does not answer."""
    try:
        listed = call_api(lab.directory, "GET", "/v2.0/agents", timeout_s=scaled(ANSWER_S))[
            "agents"
        ]
    except OverlayError as error:
        return [], error.found
    return [
        {
            "host": agent["host"],
            "alive": agent["alive"],
            "wired": agent["configurations"]["wired"],
            "alarm": agent["configurations"].get("alarm", ""),
            "corrected": agent["configurations"].get("corrected", []),
        }
        for agent in listed
    ], ""


def _agent_problems(agents: list[dict[str, Any]], explained: set[str]) -> Iterator[Problem]:
    """What the controller reports of hosts where nothing else was found."""
    for agent in agents:
        where = f"host {agent['host']!r}"
        if where not in explained and not (agent["alive"] and agent["wired"]):
            yield Problem(
                where, agent["alarm"] or "not wired yet", "The controller tries again shortly."
            )


# --- nodes


class _Deadline:
    """The end of the time for all reads of one node."""

    def __init__(self) -> None:
        self._end = time.monotonic() + scaled(ANSWER_S)

    @property
    def rest_s(self) -> float:
        """The seconds that are left, at least a few hundredths."""
        return max(self._end - time.monotonic(), 0.05)


def _node(
    lab: Lab, node: NodeEntry, overlay: Overlay | None
) -> tuple[dict[str, Any], list[Problem]]:
    """A node as it is shown, and what is wrong there."""
    where = f"{'host' if node.kind == 'host' else 'node'} {node.name!r}"
    alive = is_alive(node.keeper)
    found = {"name": node.name, "kind": node.kind, "pid": node.keeper.pid, "alive": alive}
    if not alive:
        lost = f"process {node.keeper.pid}, which keeps its namespaces, has ended"
        return found, [Problem(where, lost, RESTART)]
    reader = _Reader(lab, node, where)
    found["interfaces"] = reader.interfaces
    if node.kind not in SWITCHES:
        return found, [*reader.problems, *reader.guest_problems()]
    if node.facts.get("mechanism") == Mechanism.LINUXBRIDGE:
        return {**found, **reader.kernel(overlay)}, reader.problems
    return {**found, **reader.switch(overlay)}, reader.problems


class _Reader:
    """Reads one node; what cannot be read becomes a problem."""

    def __init__(self, lab: Lab, node: NodeEntry, where: str) -> None:
        self.lab, self.node, self.where = lab, node, where
        self.deadline, self.problems = _Deadline(), list[Problem]()
        self.shown: list[dict[str, Any]] = []
        try:
            self.shown = json.loads(self._run("ip", "-json", "addr", "show"))
        except (OverlayError, ValueError) as error:
            self.problems.append(
                Problem(where, f"its interfaces cannot be read: {error}", "Try again.")
            )
        self.links = parse_links(self.shown)

    def _run(self, *argv: str) -> str:
        return self.lab.run(self.node.name, *argv, timeout_s=self.deadline.rest_s)

    @property
    def run_there(self) -> str:
        """The start of a command line that runs a command in the node."""
        return f"overlaylab exec {self.lab.name} {self.node.name} --"

    @property
    def interfaces(self) -> list[dict[str, Any]]:
        return [
            {
                "name": link["ifname"],
                "mtu": link["mtu"],
                "mac": link.get("address"),
                "up": "UP" in link["flags"],
                "addresses": [f"{at['local']}/{at['prefixlen']}" for at in link["addr_info"]],
            }
            for link in self.shown
            if link["ifname"] not in {"lo", "ovs-netdev"}
        ]

    def guest_problems(self) -> Iterator[Problem]:
        """Interfaces of a guest that are missing or down."""
        names = [f"eth{number}" for *_, number in self.node.facts.get("ports", ())]
        if self.shown:
            yield from link_problems(self.where, self.links, names, run=self.run_there)

    def guests(self, overlay: Overlay) -> list[Port]:
        """The ports that have an interface on this host."""
        plugged = {
            id_
            for node in self.lab.nodes().values()
            for id_, host, _ in node.facts.get("ports", ())
            if host == self.node.name
        }
        return [
            port for port in overlay.ports if port.id in plugged and port.host == self.node.name
        ]

    def kernel(self, overlay: Overlay | None) -> dict[str, Any]:
        """The VXLAN devices of a host with Linux bridges; there are no flows."""
        try:
            found = {"flows": {}, "tunnels": tunnels_of(self.node.keeper.pid)}
            if overlay and self.node.name in overlay.host_of:
                self.problems += kernel_problems(
                    overlay,
                    overlay.host(self.node.name),
                    read_kernel(self.node.keeper.pid),
                    self.links,
                    self.guests(overlay),
                    run=self.run_there,
                )
        except OverlayError as error:
            self.problems.append(Problem(self.where, error.found, "Try again."))
            return {"flows": {}, "tunnels": []}
        return found

    def switch(self, overlay: Overlay | None) -> dict[str, Any]:
        """Flow counts by bridge, and tunnels; what is wrong is added to the problems."""
        dumps: dict[str, str] = {}
        reading: Reading = {}
        if halted := self._halted():
            self.problems += halted
            return {"flows": {}, "tunnels": []}
        try:
            reading = self._reading()
            for bridge in reading:
                dumps[bridge] = self._run(*DUMP, bridge)
        except OverlayError as error:
            self.problems += self._unanswered(error)
        else:
            if overlay and self.node.name in overlay.host_of:
                host = overlay.host(self.node.name)
                seen = SwitchState(reading=reading, flows=dumps, links=self.links)
                guests, run = self.guests(overlay), self.run_there
                self.problems += switch_problems(overlay, host, seen, guests, run=run)
        return {
            "flows": {bridge: dump.count("actions=") for bridge, dump in dumps.items()},
            "tunnels": _tunnels(reading),
        }

    def _reading(self) -> Reading:
        listing = [
            word
            for table, columns in COLUMNS.items()
            for word in ("--", f"--columns={columns}", "list", table)
        ]
        return parse_reading(self._run("ovs-vsctl", "--no-wait", "--format=json", *listing))

    def _daemons(self) -> Iterator[tuple[str, Identity]]:
        """The daemons of the node's Open vSwitch as they were started."""
        for daemon in DAEMONS:
            role = f"{daemon} of {self.node.name}"
            entries = [e for e in self.lab.ledger.entries("process") if e.get("role") == role]
            if entries:
                yield daemon, from_json(entries[-1])

    def _halted(self) -> list[Problem]:
        return [
            _stopped(self.where, daemon, process)
            for daemon, process in self._daemons()
            if state_of(process) in STOPPED
        ]

    def _unanswered(self, error: OverlayError) -> list[Problem]:
        """Why Open vSwitch does not answer: a daemon has ended, or something else."""
        again = RESTART
        lost = "has ended: no change reaches this switch"
        found = [
            Problem(self.where, f"{daemon}, process {process.pid}, {lost}", again)
            for daemon, process in self._daemons()
            if not is_alive(process)
        ]
        unknown = f"Open vSwitch does not answer: {error.found}"
        return found or [Problem(self.where, unknown, "Try again.")]


def _tunnels(reading: Reading) -> list[dict[str, Any]]:
    found = [
        {
            "name": port.name,
            "type": port.type,
            "ofport": port.ofport,
            "remote_ip": port.options.get("remote_ip", ""),
        }
        for bridge in reading.values()
        for port in bridge.ports.values()
        if port.type in TUNNELS
    ]
    # A port that OVS could not open has no number; it comes last.
    return sorted(found, key=lambda one: (one["ofport"] is None, one["ofport"] or 0))
