"""A lab of two sites: stations, transit routers, edge routers with GRE, and the topology of them."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from typing import Any

from mininet.net import Mininet
from mininet.node import Host as MininetHost
from mininet.topo import Topo

from controller.model.errors import HostError, SwitchError
from controller.model.names import derived_mac, underlay_mac
from controller.model.parts import Address
from controller.model.serial import from_json, to_json
from controller.model.sites import ETH, LAN, LAN_MTU, TUNNEL, Site, Sites
from controller.system import commands
from topologies.ledger import Ledger
from topologies.nodes import neighbours, nodes, unixctl
from topologies.nodes.compute import assert_able as ovs_is_able
from topologies.nodes.compute import run_ovs, start_ovs
from topologies.nodes.keeper import ip_batch
from topologies.nodes.ready import await_complete
from topologies.nodes.wires import found, wire
from topologies.plan import sites_plan
from topologies.plan.ovs import PRIVATE_DIRECTORIES
from topologies.scenario import load as scenarios

FILE = "sites.json"  # in the lab's directory: the scenario it was started for
DEADLINE_S = 30.0


def sites_of(ledger: Ledger) -> Sites | None:
    """The two sites that the lab was started for; None if it has compute hosts."""
    file = ledger.directory / FILE
    return from_json(json.loads(file.read_text()), Sites) if file.exists() else None


def set_provider_neighbour(pid: int, site: Site) -> None:
    """Add the provider's MAC to the switch in the namespaces of `pid`.

    OVS drops a packet for a tunnel whose next hop has no known MAC, and only then sends ARP.
    """
    macs: dict[Address, str] = {site.provider_ip: underlay_mac(site.provider_ip)}
    neighbours.set_ovs_neighbours(pid, sites_plan.WAN_BRIDGE, macs)


def await_tunnel(ledger: Ledger, sites: Sites, timeout_s: float = DEADLINE_S) -> None:
    """Wait until each tunnel end answers the other, and each router answers its stations.

    Raises:
        LabError: something is still missing; the message names it.
    """
    do = "Start it again; if it fails again, ping from node to node."
    waiting = list(_checks(sites))

    def missing() -> list[str]:
        while waiting and not (lacking := _lacking(ledger, sites, *waiting[0])):
            waiting.pop(0)
        return [lacking] if waiting else []

    await_complete(ledger, missing, timeout_s, do=do)


def _checks(sites: Sites) -> Iterator[tuple[str, IPv4Address]]:
    """Each node with the address that must answer it: the other end of the tunnel, or its router."""
    for site in sites.sites:
        yield site.router, sites.other(site).tunnel_ip
    for site in sites.sites:
        yield from ((station.name, site.gateway_ip) for station in site.stations)
    yield sites.attacker.name, sites.attacker.gateway_ip


def _lacking(ledger: Ledger, sites: Sites, node: str, target: IPv4Address) -> str:
    """What is missing for `target` to answer the node, in words; empty if nothing."""
    pid = ledger.nodes()[node].keeper.pid
    for site in sites.sites:
        if site.router == node:
            try:
                known = unixctl.ask(pid, neighbours.SWITCH, "tnl/neigh/show")
            except SwitchError as error:
                return f"the switch of {node} ({error})"
            if str(site.provider_ip) not in known:
                return f"the MAC of the provider at {node}"
    # A switch port may take a while until it forwards.
    argv = ("ping", "-n", "-c1", "-W1", str(target))
    answered = commands.attempt(*argv, pid=pid, mark=ledger.token)
    return f"an answer from {target} to {node}" if answered.returncode else ""


def assert_able() -> None:
    """Check that this machine has what the NAT of an edge router needs.

    Raises:
        HostError: it has not.
    """
    if not shutil.which("nft"):
        raise HostError(
            "no nft",
            where="this machine",
            allowed="nftables, which `sites:` needs for NAT",
            do="`apt-get install nftables` as root.",
        )


class SiteStation(nodes.Kept, MininetHost):  # type: ignore[misc]  # Mininet has no types
    """A machine with one interface, eth0."""

    kind = "station"

    def config(self, **_: Any) -> dict[str, Any]:
        """Set its address and route; user-space OVS drops packets without a checksum."""
        commands.run("ethtool", "-K", ETH, "tx", "off", pid=self.pid)
        ip_batch(self.pid, sites_plan.station_lines(self.params["sites"], self.name))
        self.set_mininet_address()
        return {}

    def set_mininet_address(self) -> None:
        """Set the address in Mininet's own object, for its `dump` and for pings by name."""
        ips = {each.name: str(each.ip) for each in self.params["sites"].stations}
        self.nameToIntf[ETH].ip, self.nameToIntf[ETH].prefixLen = ips[self.name], "24"


class TransitRouter(nodes.Machine):
    """A router of the internet, with routes to public networks only."""

    kind = "transit"

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Set its interfaces up and enable forwarding."""
        sites: Sites = self.params["sites"]
        commands.run("sysctl", "-qw", *sites_plan.FORWARDING, pid=self.pid)
        macs = [
            f"link set {site.router} address {underlay_mac(site.provider_ip)}"
            for site in sites.sites
            if site.router in self.nameToIntf
        ]
        ip_batch(self.pid, [*macs, *sites_plan.transit_lines(sites, self.name)])


class EdgeRouter(nodes.Machine):
    """A site's router: NAT in its kernel, GRE in its own Open vSwitch.

    OVS in user space also works where the kernel has no module for gre devices.
    """

    kind = "edge"

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, privateDirs=PRIVATE_DIRECTORIES, **params)

    @property
    def site(self) -> Site:
        sites: Sites = self.params["sites"]
        return next(site for site in sites.sites if site.router == self.name)

    @classmethod
    def batchStartup(cls, switches: Iterable["EdgeRouter"]) -> list["EdgeRouter"]:  # noqa: N802
        """Mininet's hook: start both, then wait until the tunnel passes packets."""
        routers = list(switches)
        for router in routers:
            router.bring_up()
        await_tunnel(routers[0].ledger, routers[0].params["sites"])
        return routers

    def bring_up(self) -> None:
        """Start NAT, Open vSwitch and the tunnel; the interfaces exist already."""
        sites, site, datapath = self.params["sites"], self.site, self.params["datapath"]
        commands.run("sysctl", "-qw", *sites_plan.FORWARDING, pid=self.pid)
        start_ovs(self)
        run_ovs(self, *sites_plan.transaction(sites, site, datapath))
        for flow in sites_plan.flows(site):
            run_ovs(self, "ovs-ofctl", "add-flow", TUNNEL, flow)
        for intf in (LAN, TUNNEL, sites_plan.WAN_BRIDGE):  # see `SiteStation.config`
            commands.run("ethtool", "-K", intf, "tx", "off", pid=self.pid)
        ip_batch(self.pid, sites_plan.edge_lines(sites, site))
        commands.run("nft", "-f", "-", pid=self.pid, stdin=sites_plan.nat_rules(site))
        set_provider_neighbour(self.pid, site)


class SitesTopo(Topo):  # type: ignore[misc]  # Mininet has no types
    """Two LANs, their edge routers, and a GRE tunnel between these across an internet.

    `sites` takes precedence over `scenario`; without `ledger` the lab gets a new one.
    """

    def build(
        self,
        sites: Sites | None = None,
        scenario: str = "home-office",
        ledger: Any = None,
        datapath: str = "netdev",
        **_: Any,
    ) -> None:
        """Describe the nodes and links, and record the scenario; nothing else is made yet."""
        if os.geteuid() == 0:  # without root, Mininet's own check reports it
            # Mininet would change limits and buffers of the whole machine.
            Mininet.inited = True
        sites = sites or scenarios.load(scenario).sites
        ovs_is_able(sites, datapath)
        ledger = ledger or nodes.own_ledger()
        ledger.note("settings", app="none", datapath=datapath)
        ledger.write(FILE, json.dumps(to_json(sites)))
        common = {"ledger": ledger, "sites": sites, "datapath": datapath}
        for station in sites.stations:
            self.addHost(station.name, cls=SiteStation, **common)
        for site in sites.sites:
            self.addSwitch(site.switch, cls=nodes.Segment, mtu=LAN_MTU, **common)
            self.addSwitch(site.router, cls=EdgeRouter, **common)
        for router in sites.routers:
            self.addSwitch(router, cls=TransitRouter, **common)
        for link in sites_plan.links(sites):
            mac = derived_mac(link.one) if link.name_at_one == ETH else None
            self.addLink(**wire(*link, addr1=mac))


def site_wires(sites: Sites) -> Iterator[dict[str, Any]]:
    """Every wire of a running lab of two sites, as keyword arguments of `addLink`."""
    return (found(wire(*link)) for link in sites_plan.links(sites))


class HomeOfficeTopo(SitesTopo):
    """The article's home and office, and an attacker on the internet.

        pc                                                                server   desk
         | 192.168.1.123                                     10.100.0.123 |        | .77
    [home-lan]                                                        [ office-lan ]
         | 192.168.1.1                     attacker                 10.100.0.1 |
    home-router                               | 203.0.113.66           office-router
      | 172.16.16.1 gre1 = = = = = = = = = = = = = = = = = = = = = = gre1 172.16.16.2 |
      | 221.234.230.1                         |                        106.38.241.118 |
      +-------------- isp1 ---------------- isp2 -------------------------------------+
                       the internet, MTU 1492 (PPPoE)
    """

    def build(self, *_: Any, **params: Any) -> None:
        """Describe scenario `home-office`."""
        super().build(**{**params, "scenario": "home-office"})
