"""The nodes of a site-to-site lab: stations, transit routers, and edge routers with GRE."""

import shutil
from collections.abc import Iterable
from typing import Any

from mininet.node import Host as MininetHost

from controller.model.errors import HostError
from controller.model.sites import ETH, LAN, TUNNEL, Site, Sites
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Kept, Machine
from topologies.nodes.sites_ready import await_tunnel, set_provider_neighbour
from topologies.plan import ovs, sites_ovs, sites_plan

OVS_S = 40.0


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


class SiteStation(Kept, MininetHost):  # type: ignore[misc]  # Mininet has no types
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
        ip = next(each.ip for each in self.params["sites"].stations if each.name == self.name)
        one = self.nameToIntf[ETH]
        one.ip, one.prefixLen = str(ip), "24"


class TransitRouter(Machine):
    """A router of the internet, with routes to public networks only."""

    kind = "transit"

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Set its interfaces up and enable forwarding."""
        sites: Sites = self.params["sites"]
        commands.run("sysctl", "-qw", *sites_plan.FORWARDING, pid=self.pid)
        macs = [
            f"link set {site.router} address {sites_plan.provider_mac(site)}"
            for site in sites.sites
            if any(intf.name == site.router for intf in self.intfList())
        ]
        ip_batch(self.pid, [*macs, *sites_plan.transit_lines(sites, self.name)])


class EdgeRouter(Machine):
    """A site's router: NAT in its kernel, GRE in its own Open vSwitch.

    OVS in user space also works where the kernel has no module for gre devices.
    """

    kind = "edge"

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, privateDirs=ovs.PRIVATE_DIRECTORIES, **params)

    @property
    def site(self) -> Site:
        """The site that it belongs to."""
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
        for argv in (*sites_ovs.daemons(), sites_ovs.transaction(sites, site, datapath)):
            self._ovs(*argv)
        for daemon in ("ovsdb-server", "ovs-vswitchd"):
            pid = commands.run("cat", f"{ovs.RUN}/{daemon}.pid", pid=self.pid)
            self.ledger.process(int(pid), f"{daemon} of {self.name}")
        for flow in sites_ovs.flows(site):
            self._ovs("ovs-ofctl", "add-flow", TUNNEL, flow)
        for intf in (LAN, TUNNEL, sites_plan.WAN_BRIDGE):  # see `SiteStation.config`
            commands.run("ethtool", "-K", intf, "tx", "off", pid=self.pid)
        ip_batch(self.pid, sites_plan.edge_lines(sites, site))
        commands.run("nft", "-f", "-", pid=self.pid, stdin=sites_plan.nat_rules(site))
        set_provider_neighbour(self.pid, site)

    def _ovs(self, *argv: str) -> str:
        return commands.run(
            *argv, pid=self.pid, mark=self.ledger.token, env=ovs.ENVIRONMENT, timeout_s=OVS_S
        )
