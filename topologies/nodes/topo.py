"""Mininet topologies of compute hosts and guests on an underlay."""

import os
from dataclasses import replace
from typing import Any

from mininet.net import Mininet
from mininet.topo import Topo

from controller.model.check_underlay import router_names
from controller.model.modes import parse_mode, with_mode
from controller.model.names import UNDERLAY, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.model.underlay import Shape, Underlay
from topologies.nodes import hybrid, nodes, routers
from topologies.nodes.compute import assert_able, compute_class
from topologies.nodes.neutron import Neutron
from topologies.nodes.wires import impaired, wire
from topologies.plan import plan, underlays
from topologies.scenario import load as scenarios


class OverlayTopo(Topo):  # type: ignore[misc]  # Mininet has no types
    """Compute hosts with their guests, on an underlay and a management network.

        ServerA                                      ServerB        guests: Mininet's hosts
          | eth0                                       | eth0
          | qvo...                                     | qvo...
     +----+---------+                             +----+---------+
     |   br-int     |                             |   br-int     |
     |   br-tun     |        tunnels              |   br-tun     |  compute hosts, each with
     |   br-vtep  - - - - - - - - - - - - - - - - - - br-vtep    |  its own Open vSwitch
     +--+--------+--+                             +--+--------+--+
        |        | underlay             underlay     |        |
        |        +--------------+  +-----------------+        |
        | management         host1 host2          management  |
        |                  [ underlay ]                       |
      host1                                                 host2
     [ management ] --neutron-- management [ neutron: the controller ]

    `overlay` takes precedence over `scenario` and `mode`, `underlay` over the underlay of both;
    without `ledger` the lab gets a new one.
    """

    def build(  # noqa: PLR0917  Mininet passes the parameters of `--topo overlay,`
        self,
        overlay: Overlay | None = None,
        scenario: str = "article",
        mode: str = "",
        underlay: Underlay | None = None,
        ledger: Any = None,
        datapath: str = "netdev",
        app: str = "os-ken",
        **_: Any,
    ) -> None:
        """Describe the nodes and links; nothing is made yet."""
        if os.geteuid() == 0:  # without root, Mininet's own check reports it
            # Mininet would change limits and buffers of the whole machine.
            Mininet.inited = True
        if overlay is None:
            overlay = scenarios.load(scenario).overlay
            overlay = with_mode(overlay, parse_mode(mode) if mode else None)
        if underlay:
            overlay = replace(overlay, underlay=underlay)
        routers.assert_able(overlay)
        assert_able(overlay, datapath)
        common = {"ledger": ledger, "overlay": overlay, "datapath": datapath}
        self._networks(common, overlay)
        self.addSwitch(plan.NEUTRON, cls=Neutron, app=app, **common)
        ends = (plan.NEUTRON, plan.MANAGEMENT, plan.MANAGEMENT, plan.NEUTRON)
        self.addLink(**wire(*ends, plan.ETHERNET_MTU))
        for index, host in enumerate(overlay.hosts):
            self.addSwitch(host.name, cls=compute_class(host), index=index, **common)
            for line in host_wires(overlay, host.name, index):
                self.addLink(**line)
        for name, ports in plan.guests(overlay).items():
            self.addHost(name, cls=nodes.guest_class(ports), ports=ports, **common)
            for number, port in enumerate(ports):
                self.addLink(**guest_wire(overlay, name, number, port))

    def _networks(self, common: dict[str, Any], overlay: Overlay) -> None:
        switches = {plan.MANAGEMENT: plan.ETHERNET_MTU}
        if not overlay.underlay.shape.is_routed:
            switches = {UNDERLAY: overlay.underlay_mtu, **switches}
        switches |= dict.fromkeys(plan.physical_networks(overlay.hosts), overlay.underlay_mtu)
        for name, mtu in switches.items():
            self.addSwitch(name, cls=nodes.Segment, mtu=mtu, **common)
        for name in router_names(overlay):
            self.addSwitch(name, cls=routers.Router, **common)
        for cable in routers.cables(overlay):
            self.addLink(**cable)


class ArticleTopo(OverlayTopo):
    """The article's lab: two hosts, GRE and VXLAN ports side by side, one VXLAN network.

    ServerA 172.16.166.117             ServerB 172.16.166.125
       |  qvo00a1bde0-be                  |
    controller 192.168.150.10 ========= computer 192.168.150.11
                 VXLAN, VNI 111, over the underlay
    """

    def build(self, *_: Any, **params: Any) -> None:
        """Describe scenario `article`; `mode` selects another encapsulation or flooding."""
        super().build(**{**params, "scenario": "article"})


class LeafSpineTopo(OverlayTopo):
    r"""Any scenario on a routed fabric: one leaf per host, each leaf linked to each spine.

    [spine1]      [spine2]        mn --topo leaf-spine,spines=4,hash_policy=2
     |    \       /    |
     |     \     /     |            198.19.2.0/31 and on, 198.19.4.0/31 and on, ...
     |      \   /      |
     |       \ /       |            net.ipv4.fib_multipath_hash_policy of the leaves selects
     |        X        |            the header fields that select the spine
     |       / \       |
     |      /   \      |
    [leaf1]       [leaf2]           198.19.0.1 at each leaf, 198.19.0.2 at its host
       | underlay    | underlay
     node1         node2            compute hosts, as in OverlayTopo; each VTEP is routed as a /32
    """

    def build(self, *_: Any, spines: int = 2, hash_policy: int = 1, **params: Any) -> None:
        """Describe a scenario, by default `leaf-spine`, on this underlay."""
        numbers = {"spines": int(spines), "hash_policy": int(hash_policy)}
        fabric = Underlay(shape=Shape.LEAF_SPINE, **numbers)
        super().build(**{"scenario": "leaf-spine", **params, "underlay": fabric})


class WanTopo(OverlayTopo):
    """Any scenario across a WAN: one edge router per host, and two transit routers in a row.

    node1 --[edge1]--[transit1]======[transit2]--[edge2]-- node2
                         |                |
    node3 --[edge3]------+                +------[edge4]-- node4

    Odd hosts are on the first transit router, even ones on the second; a packet from one to the
    other passes four routers.
    """

    def build(self, *_: Any, wan_mtu: int = 0, **params: Any) -> None:
        """Describe a scenario, by default `leaf-spine`, on this underlay."""
        wan = Underlay(shape=Shape.WAN, wan_mtu=int(wan_mtu))
        super().build(**{"scenario": "leaf-spine", **params, "underlay": wan})


def host_wires(overlay: Overlay, name: str, index: int) -> list[dict[str, Any]]:
    """The links of a compute host, as keyword arguments of Mininet's `addLink`."""
    port, mtu = underlays.host_port(index), overlay.underlay_mtu
    below = underlays.Wiring(overlay.underlay).edge(index)
    more = {**routers.host_end(overlay), **impaired(overlay.underlay)}
    physical = (network for network, _ in plan.mapped(overlay.host(name)))
    return [
        wire(name, plan.MANAGEMENT, plan.MANAGEMENT, port, plan.ETHERNET_MTU),
        wire(name, below, UNDERLAY, port, mtu, **more),
        *(wire(name, each, provider_interface(each), port, mtu) for each in physical),
    ]


def guest_wire(overlay: Overlay, name: str, number: int, port: Port) -> dict[str, Any]:
    """The link between a guest and its host, as keyword arguments of Mininet's `addLink`."""
    mtu, mac = plan.guest_mtu(overlay, port), port.mac_address
    end = hybrid.host_end(overlay, port)
    return wire(name, port.host, f"eth{number}", end, mtu, addr1=mac)
