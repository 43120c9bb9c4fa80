"""Mininet topologies of two sites and a tunnel between them."""

import json
import os
from typing import Any

from mininet.net import Mininet
from mininet.topo import Topo

from controller.model.serial import to_json
from controller.model.sites import ETH, LAN_MTU, Sites
from topologies.nodes import nodes
from topologies.nodes.sites import EdgeRouter, SiteStation, TransitRouter
from topologies.nodes.sites_ready import FILE
from topologies.nodes.wires import Wire
from topologies.plan import sites_plan
from topologies.scenario import load as scenarios


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
        sites, ledger = sites or _scenario(scenario), ledger or nodes.own_ledger()
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
            self.addLink(**_wire(link))


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
                       the internet, 1492 bytes, as PPPoE leaves it
    """

    def build(self, *_: Any, **params: Any) -> None:
        """Describe scenario `home-office`."""
        super().build(**{**params, "scenario": "home-office"})


def _wire(link: sites_plan.Link) -> dict[str, Any]:
    """A wire as Mininet's `addLink` takes it."""
    is_station = link.name_at_one == ETH
    mac = {"addr1": sites_plan.station_mac(link.one)} if is_station else {}
    return {
        **mac,
        "node1": link.one,
        "node2": link.other,
        "cls": Wire,
        "mtu": link.mtu,
        "intfName1": link.name_at_one,
        "intfName2": link.name_at_other,
    }


def _scenario(name: str) -> Sites:
    return scenarios.load(name).sites
