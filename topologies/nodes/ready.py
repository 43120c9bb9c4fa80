"""Wait until a lab is ready: ports and flows installed, every VTEP neighbour resolved."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

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
OPEN = {"tcp": "0A", "udp": "07"}  # states in /proc/net: TCP_LISTEN, and an unconnected UDP socket


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
        port = plan.OPENFLOW_PORT
        return _unless_dead(
            ledger, [] if is_listening(pid, "tcp", port) else [f"a controller on port {port}"]
        )

    await_complete(ledger, lacking, DEADLINE_S)


def _unless_dead(ledger: Ledger, lacking: list[str]) -> list[str]:
    """What is missing; an error if the controller that could provide it has ended."""
    if lacking and ledger.living("controller") is None:
        raise end_error(ledger, "controller", ledger.directory / "controller.log")
    return lacking


def is_listening(pid: int, protocol: str, port: int) -> bool:
    """Whether a tcp, tcp6 or udp socket is open on `port` in the network namespace of `pid`."""
    rows = (PROC / str(pid) / "net" / protocol).read_text().splitlines()[1:]
    sockets = (row.split() for row in rows)
    return any(
        local.endswith(f":{port:04X}") and state == OPEN[protocol[:3]]
        for _, local, _, state, *_ in sockets
    )


def missing(ledger: Ledger) -> list[str]:
    """What is still missing, in words; the quick checks come first."""
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
    """Hosts that the underlay's switch has not in their multicast group; they get no floods."""
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


def end_error(ledger: Ledger, what: str, log: Path) -> LabError:
    """The error for a process of the lab that has ended, with the end of its log."""
    lines = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
    return LabError(
        f"the {what} ended: " + (" / ".join(lines) or "its log is empty"),
        where=f"lab {ledger.name!r}",
        allowed=f"a {what} that runs",
        do=f"Read {log}.",
    )
