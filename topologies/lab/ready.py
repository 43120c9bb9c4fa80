"""When a lab may be used: wired, flows in, every VTEP neighbour resolved."""

import time
from collections.abc import Iterator

from topologies.errors import LabError, SwitchError
from topologies.lab import neighbours
from topologies.lab.api_client import call_api
from topologies.lab.ledger import Ledger
from topologies.model import Overlay
from topologies.serial import load_state

DEADLINE_S = 60.0
POLL_S = 0.03


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
            raise LabError(
                "missing " + "; ".join(lacking),
                where=f"lab {ledger.name!r}",
                allowed=f"ready within {timeout_s:g} s",
                do=f"Read {ledger.directory / 'controller.log'}.",
            )
        time.sleep(POLL_S)


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
    nodes, datapath = ledger.nodes(), ledger.last("settings")["datapath"]
    for host in overlay.hosts:
        try:
            lost = neighbours.unknown(nodes[host.name].keeper.pid, overlay, host, datapath)
        except (KeyError, SwitchError) as error:
            yield f"the datapath of host {host.name!r} ({error})"
        else:
            yield from (f"the MAC of VTEP {vtep} on host {host.name!r}" for vtep in lost)


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
