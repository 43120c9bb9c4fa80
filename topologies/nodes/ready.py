"""When a lab is ready: ports and flows in place, and every VTEP neighbour resolved."""

import json
from collections.abc import Callable, Iterator, Sequence

from controller.model.errors import LabError, SwitchError, WaitError
from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from controller.model.serial import load_state
from controller.system import commands
from controller.system.process import PROC
from controller.system.waiting import wait_for
from topologies.ledger import Ledger
from topologies.nodes import neighbours
from topologies.nodes.api_client import call_api
from topologies.plan import plan
from topologies.plan.underlays import host_port

DEADLINE_S = 60.0
POLL_S = 0.03
LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp


def overlay_of(ledger: Ledger) -> Overlay:
    """The overlay as the controller has it now."""
    return load_state((ledger.directory / "state.json").read_text())[0]


def await_complete(
    ledger: Ledger, missing: Callable[[], Sequence[str]], timeout_s: float, *, do: str = ""
) -> None:
    """Wait until `missing` returns nothing.

    Args:
        do: what the user can do if it still returns something; default: read the controller's log.

    Raises:
        LabError: something is still missing; the message names it.
    """
    last: Sequence[str] = ()

    def is_complete() -> bool:
        nonlocal last
        last = missing()
        return not last

    try:
        wait_for(is_complete, timeout_s, what="the lab", every_s=POLL_S)
    except WaitError as error:
        raise LabError(
            "missing " + "; ".join(last),
            where=f"lab {ledger.name!r}",
            allowed=f"ready within {timeout_s:g} s",
            do=do or f"Read {ledger.directory / 'controller.log'}.",
        ) from error


def await_ready(ledger: Ledger, *, timeout_s: float = DEADLINE_S) -> None:
    """Wait until nothing is missing.

    Raises:
        LabError: the controller ended, or something is still missing; the message names it.
    """
    await_complete(ledger, lambda: _unless_dead(ledger, missing(ledger)), timeout_s)


def await_listening(ledger: Ledger) -> None:
    """Wait until the controller accepts connections; OVS waits a second after a refused one.

    Raises:
        LabError: the controller ended, or does not listen in time.
    """
    pid = ledger.nodes()[plan.NEUTRON].keeper.pid

    def lacking() -> list[str]:
        found = [] if _is_listening(pid) else [f"a controller on port {plan.OPENFLOW_PORT}"]
        return _unless_dead(ledger, found)

    await_complete(ledger, lacking, DEADLINE_S)


def _unless_dead(ledger: Ledger, lacking: list[str]) -> list[str]:
    """What is missing.

    Raises:
        LabError: something is, and the controller that could provide it has ended.
    """
    if lacking and ledger.living("controller") is None:
        raise _dead_controller(ledger)
    return lacking


def _is_listening(pid: int) -> bool:
    """Whether a socket listens on the OpenFlow port in the network namespace of `pid`."""
    rows = (row.split() for row in (PROC / str(pid) / "net" / "tcp").read_text().splitlines()[1:])
    port = f":{plan.OPENFLOW_PORT:04X}"
    return any(row[1].endswith(port) and row[3] == LISTEN for row in rows)


def missing(ledger: Ledger) -> list[str]:
    """What the lab still lacks, in words; the quick checks come first."""
    try:
        overlay = overlay_of(ledger)
        return list(_agents(ledger, overlay)) or list(_neighbours(ledger, overlay))
    except LabError as error:
        return [f"the controller's API ({error.found})"]


def _agents(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    listed = call_api(ledger.directory, "GET", "/v2.0/agents")["agents"]
    agents = {agent["host"]: agent for agent in listed}
    for host in overlay.hosts:
        agent = agents.get(host.name)
        if agent is None:
            yield f"an agent for host {host.name!r}"
        elif not agent["alive"]:
            yield f"a living switch on host {host.name!r}"
        elif not agent["configurations"]["wired"]:
            alarm = agent["configurations"].get("alarm")
            yield f"ports or flows on host {host.name!r}" + (f" ({alarm})" if alarm else "")


def _neighbours(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    yield from _absent_group_members(ledger, overlay)
    nodes, datapath = ledger.nodes(), ledger.last("settings")["datapath"]
    for host in overlay.hosts:
        try:
            unknown = neighbours.unknown(nodes[host.name].keeper.pid, overlay, host, datapath)
        except (KeyError, SwitchError) as error:
            yield f"the datapath of host {host.name!r} ({error})"
        else:
            yield from (f"the MAC of VTEP {vtep} on host {host.name!r}" for vtep in unknown)


def _absent_group_members(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    """Hosts whose multicast group the underlay's switch does not know; they would get no floods."""
    if not plan.has_groups(overlay):
        return
    nodes = ledger.nodes()
    shown = commands.run("bridge", "-j", "mdb", "show", pid=nodes[UNDERLAY].keeper.pid)
    known = {(each["port"], each["grp"]) for part in json.loads(shown) for each in part["mdb"]}
    for host in overlay.hosts:
        port = host_port(nodes[host.name].facts["index"])
        for network in overlay.networks_on(host.name):
            if (group := host.group_of(network)) and (port, str(group)) not in known:
                yield f"host {host.name!r} in group {group} on the underlay's switch"


def _dead_controller(ledger: Ledger) -> LabError:
    """The error for a controller that has ended, with the end of its log."""
    log = ledger.directory / "controller.log"
    lines = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
    return LabError(
        "the controller ended: " + (" / ".join(lines) or "its log is empty"),
        where=f"lab {ledger.name!r}",
        allowed="a controller that runs",
        do=f"Read {log}.",
    )
