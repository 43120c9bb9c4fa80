"""When a site-to-site lab may be used: the tunnel carries a packet there and back."""

import json
import time
from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Address

from controller.model.errors import LabError, SwitchError
from controller.model.serial import from_json
from controller.model.site_parts import Site
from controller.model.sites import Sites
from controller.system import commands
from topologies.ledger import Ledger, NodeEntry
from topologies.nodes import neighbours, unixctl
from topologies.plan import sites_plan

FILE = "sites.json"  # in the lab's directory: what it was raised for
DEADLINE_S = 30.0
POLL_S = 0.05


def sites_of(ledger: Ledger) -> Sites | None:
    """What the lab was raised for, None if it has compute hosts."""
    file = ledger.directory / FILE
    return from_json(json.loads(file.read_text()), Sites) if file.exists() else None


def tell_provider(pid: int, site: Site) -> None:
    """Make the provider's MAC known to the switch with the namespaces of `pid`.

    A tunnel whose next hop is unresolved drops the packet that asks.
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
    """Wait until each end of the tunnel has had an answer from the other, each station from its router.

    Raises:
        LabError: one has not in time.
    """
    deadline, nodes = time.monotonic() + timeout_s, ledger.nodes()
    wanted = [partial(_lacks_tunnel, ledger, sites, site) for site in sites.sites]
    wanted += [
        partial(_unanswered, ledger, nodes[name], gateway) for name, gateway in _gateways(sites)
    ]
    for lacks in wanted:
        while lacking := lacks():
            if time.monotonic() > deadline:
                raise LabError(
                    f"missing {lacking}",
                    where=f"lab {ledger.name!r}",
                    allowed=f"ready within {timeout_s:g} s",
                    do="Raise it anew; if that is in vain, ping from node to node.",
                )
            time.sleep(POLL_S)


def _gateways(sites: Sites) -> Iterator[tuple[str, IPv4Address]]:
    """Each station with the router on its segment."""
    for site in sites.sites:
        yield from ((station.name, site.gateway_ip) for station in site.stations)
    yield sites.attacker.name, sites.attacker.gateway_ip


def _lacks_tunnel(ledger: Ledger, sites: Sites, site: Site) -> str:
    """What the site's end of the tunnel lacks, in words; empty if nothing."""
    router = ledger.nodes()[site.router]
    pid = router.keeper.pid
    try:
        if str(site.provider_ip) not in unixctl.ask(pid, neighbours.SWITCH, "tnl/neigh/show"):
            return f"the MAC of the provider at {site.router}"
    except SwitchError as error:
        return f"the switch of {site.router} ({error})"
    return _unanswered(ledger, router, sites.other(site).tunnel_ip)


def _unanswered(ledger: Ledger, node: NodeEntry, target: IPv4Address) -> str:
    """What is missing if `target` does not answer the node; a switch port takes a while to forward."""
    argv = ("ping", "-n", "-c1", "-W1", str(target))
    answered = commands.attempt(*argv, pid=node.keeper.pid, mark=ledger.token)
    return f"an answer from {target} to {node.name}" if answered.returncode else ""
