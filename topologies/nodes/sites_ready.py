"""When a lab of two sites is ready: the tunnel passes a packet in both directions."""

import json
from collections.abc import Iterator
from ipaddress import IPv4Address

from controller.model.errors import SwitchError
from controller.model.serial import from_json
from controller.model.sites import Site, Sites
from controller.system import commands
from topologies.ledger import Ledger
from topologies.nodes import neighbours, unixctl
from topologies.nodes.ready import await_complete
from topologies.plan import sites_plan

FILE = "sites.json"  # in the lab's directory: the scenario it was started for
DEADLINE_S = 30.0


def sites_of(ledger: Ledger) -> Sites | None:
    """The two sites that the lab was started for; None if it has compute hosts."""
    file = ledger.directory / FILE
    return from_json(json.loads(file.read_text()), Sites) if file.exists() else None


def set_provider_neighbour(pid: int, site: Site) -> None:
    """Enter the provider's MAC into the switch in the namespaces of `pid`.

    OVS drops a packet for a tunnel whose next hop has no known MAC, and only then sends ARP.
    """
    unixctl.ask(pid, neighbours.SWITCH, "tnl/neigh/aging", str(neighbours.AGE_S))
    unixctl.ask(
        pid,
        neighbours.SWITCH,
        "tnl/neigh/set",
        sites_plan.WAN_BRIDGE,
        str(site.provider_ip),
        sites_plan.provider_mac(site),
    )


def await_tunnel(ledger: Ledger, sites: Sites, timeout_s: float = DEADLINE_S) -> None:
    """Wait until each tunnel end answers the other, and each router answers its stations.

    Raises:
        LabError: something is still missing; the message names it.
    """
    do = "Start it again; if it fails again, ping from node to node."
    waiting = list(_checks(sites))

    def missing() -> list[str]:
        while waiting:
            if lacking := _lacking(ledger, sites, *waiting[0]):
                return [lacking]
            waiting.pop(0)
        return []

    await_complete(ledger, missing, timeout_s, do=do)


def _checks(sites: Sites) -> Iterator[tuple[str, IPv4Address]]:
    """Each node with the address that must answer it: the other tunnel end, or its router."""
    for site in sites.sites:
        yield site.router, sites.other(site).tunnel_ip
    for site in sites.sites:
        yield from ((station.name, site.gateway_ip) for station in site.stations)
    yield sites.attacker.name, sites.attacker.gateway_ip


def _lacking(ledger: Ledger, sites: Sites, node: str, target: IPv4Address) -> str:
    """What is missing for `target` to answer the node, in words; empty if nothing."""
    pid = ledger.nodes()[node].keeper.pid
    for site in sites.sites:
        if site.router == node and (lacking := _lacking_neighbour(pid, site)):
            return lacking
    # A switch port may take a while until it forwards.
    argv = ("ping", "-n", "-c1", "-W1", str(target))
    answered = commands.attempt(*argv, pid=pid, mark=ledger.token)
    return f"an answer from {target} to {node}" if answered.returncode else ""


def _lacking_neighbour(pid: int, site: Site) -> str:
    try:
        known = unixctl.ask(pid, neighbours.SWITCH, "tnl/neigh/show")
    except SwitchError as error:
        return f"the switch of {site.router} ({error})"
    if str(site.provider_ip) in known:
        return ""
    return f"the MAC of the provider at {site.router}"
