"""When a lab may be used: wired, flows in, every VTEP neighbour resolved."""

import json
import time
from collections.abc import Iterator

from controller.model.errors import LabError, SwitchError
from controller.model.overlay import Overlay
from controller.model.serial import load_state
from controller.system import commands
from controller.system.process import PROC
from topologies.ledger import Ledger
from topologies.nodes import neighbours
from topologies.nodes.api_client import call_api
from topologies.plan import plan

DEADLINE_S = 60.0
POLL_S = 0.03
LISTEN = "0A"  # /proc/net/tcp's word for it (TCP_LISTEN)


def overlay_of(ledger: Ledger) -> Overlay:
    """The overlay as the controller has it now."""
    return load_state((ledger.directory / "state.json").read_text())[0]


def await_ready(ledger: Ledger, *, timeout_s: float = DEADLINE_S) -> None:
    """Wait until nothing is missing.

    Raises:
        LabError: the controller died, or something still is missing; the message names it.
    """
    deadline = time.monotonic() + timeout_s
    while lacking := missing(ledger):
        if ledger.living("controller") is None:
            raise dead_controller(ledger)
        if time.monotonic() > deadline:
            raise _late(ledger, lacking, timeout_s)
        time.sleep(POLL_S)


def await_listening(ledger: Ledger) -> None:
    """Wait until the controller takes connections: a switch that is refused waits a whole second.

    Raises:
        LabError: it died, or does not listen in time.
    """
    deadline = time.monotonic() + DEADLINE_S
    while not _is_listening(ledger.nodes()[plan.NEUTRON].keeper.pid):
        if ledger.living("controller") is None:
            raise dead_controller(ledger)
        if time.monotonic() > deadline:
            raise _late(ledger, [f"a controller on port {plan.OPENFLOW_PORT}"], DEADLINE_S)
        time.sleep(POLL_S)


def _is_listening(pid: int) -> bool:
    """Whether someone listens on the OpenFlow port in the network namespace of `pid`."""
    rows = (row.split() for row in (PROC / str(pid) / "net" / "tcp").read_text().splitlines()[1:])
    port = f":{plan.OPENFLOW_PORT:04X}"
    return any(row[1].endswith(port) and row[3] == LISTEN for row in rows)


def missing(ledger: Ledger) -> list[str]:
    """What the lab still lacks, in words; the cheap questions first."""
    try:
        overlay = overlay_of(ledger)
        return list(_agents(ledger, overlay)) or list(_neighbours(ledger, overlay))
    except LabError as error:
        return [f"the controller's API ({error.found})"]


def _agents(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    told = call_api(ledger.directory, "GET", "/v2.0/agents")["agents"]
    agents = {agent["host"]: agent for agent in told}
    for host in overlay.hosts:
        agent = agents.get(host.name)
        if agent is None:
            yield f"an agent for host {host.name!r}"
        elif not agent["alive"]:
            yield f"a living switch on host {host.name!r}"
        elif not agent["configurations"]["wired"]:
            yield f"ports or flows on host {host.name!r}{_alarm(agent)}"


def _alarm(agent: dict[str, dict[str, str]]) -> str:
    alarm = agent["configurations"].get("alarm")
    return f" ({alarm})" if alarm else ""


def _neighbours(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    yield from _unjoined(ledger, overlay)
    nodes, datapath = ledger.nodes(), ledger.last("settings")["datapath"]
    for host in overlay.hosts:
        try:
            lost = neighbours.unknown(nodes[host.name].keeper.pid, overlay, host, datapath)
        except (KeyError, SwitchError) as error:
            yield f"the datapath of host {host.name!r} ({error})"
        else:
            yield from (f"the MAC of VTEP {vtep} on host {host.name!r}" for vtep in lost)


def _unjoined(ledger: Ledger, overlay: Overlay) -> Iterator[str]:
    """Members that the underlay's switch does not know of: it would not send them what is flooded."""
    if not plan.has_groups(overlay):
        return
    told = commands.run("bridge", "-j", "mdb", "show", pid=ledger.nodes()[plan.UNDERLAY].keeper.pid)
    known = {(each["port"], each["grp"]) for part in json.loads(told) for each in part["mdb"]}
    nodes = ledger.nodes()
    for host in overlay.hosts:
        port = plan.switch_port(nodes[host.name].facts["index"])
        for network in overlay.networks_on(host.name):
            if (group := host.group_of(network)) and (port, str(group)) not in known:
                yield f"host {host.name!r} in group {group} on the underlay's switch"


def _late(ledger: Ledger, lacking: list[str], timeout_s: float) -> LabError:
    return LabError(
        "missing " + "; ".join(lacking),
        where=f"lab {ledger.name!r}",
        allowed=f"ready within {timeout_s:g} s",
        do=f"Read {ledger.directory / 'controller.log'}.",
    )


def dead_controller(ledger: Ledger) -> LabError:
    """What to say when the controller is gone: its own last words."""
    log = ledger.directory / "controller.log"
    said = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
    return LabError(
        "the controller ended: " + (" / ".join(said) or "it said nothing"),
        where=f"lab {ledger.name!r}",
        allowed="a controller that runs",
        do=f"Read {log}.",
    )
