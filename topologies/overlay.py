"""Mininet topologies: the article's two hosts, and any scenario.

    mn --custom topologies/overlay.py --topo article
    mn --custom topologies/overlay.py --topo overlay,scenario=side-by-side,mode=vxlan-l2pop

`mn` runs this text with the system's Python and without a file name, so the project and
its virtual environment are first put where Python finds them.
"""

import os
import site
import sys


def _find_project() -> None:
    """Put the project first and its .venv last on the path, if they are not there."""
    here = os.path.abspath(_find_project.__code__.co_filename)  # noqa: PTH100  before all else
    root = os.path.dirname(os.path.dirname(here))  # noqa: PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site.addsitedir(os.path.join(root, ".venv", "lib", version, "site-packages"))  # noqa: PTH118


_find_project()

from dataclasses import replace  # noqa: E402
from typing import Any  # noqa: E402

from mininet.net import Mininet  # noqa: E402
from mininet.topo import Topo  # noqa: E402

from controller.model.check_underlay import router_names  # noqa: E402
from controller.model.overlay import Overlay  # noqa: E402
from controller.model.underlay import Shape, Underlay  # noqa: E402
from topologies.nodes import hybrid, nodes, routers  # noqa: E402
from topologies.nodes.linuxbridge import compute_class  # noqa: E402
from topologies.nodes.neutron import Neutron  # noqa: E402
from topologies.nodes.sites_topo import HomeOfficeTopo, SitesTopo  # noqa: E402
from topologies.nodes.wires import Wire, impaired  # noqa: E402
from topologies.plan import plan, providers  # noqa: E402


class OverlayTopo(Topo):  # type: ignore[misc]  # Mininet has no types
    """Compute hosts with their guests, on an underlay and a management network.

        ServerA                                      ServerB        guests: Mininet's hosts
          | eth0                                       | eth0
          | qvo...                                     | qvo...
     +----+---------+                             +----+---------+
     |   br-int     |                             |   br-int     |
     |   br-tun     |        tunnels              |   br-tun     |  compute hosts, each with
     |   br-vtep  - - - - - - - - - - - - - - - - - - br-vtep    |  an Open vSwitch of its own
     +--+--------+--+                             +--+--------+--+
        |        | underlay             underlay     |        |
        |        +--------------+  +-----------------+        |
        | management         host1 host2          management  |
        |                  [ underlay ]                       |
      host1                                                 host2
     [ management ] --neutron-- management [ neutron: the controller ]

    `overlay` wins over `scenario` and `mode`; `ledger` None: the lab gets one of its own.
    """

    def build(  # noqa: PLR0917  Mininet passes what follows `--topo overlay,`
        self,
        overlay: Overlay | None = None,
        scenario: str = "article",
        mode: str = "",
        ledger: Any = None,
        datapath: str = "netdev",
        app: str = "os-ken",
        **_: Any,
    ) -> None:
        """Describe the nodes and links; nothing is made yet."""
        if os.geteuid() == 0:  # else Mininet's own check speaks
            # Mininet would change limits and buffers of the whole machine.
            Mininet.inited = True
        overlay = overlay or _scenario(scenario, mode)
        routers.assert_able(overlay)
        common = {"ledger": ledger, "overlay": overlay, "datapath": datapath}
        self._networks(common, overlay)
        self.addSwitch(plan.NEUTRON, cls=Neutron, app=app, **common)
        self._wire(plan.NEUTRON, plan.MANAGEMENT, plan.MANAGEMENT, plan.NEUTRON)
        for index, host in enumerate(overlay.hosts):
            self.addSwitch(host.name, cls=compute_class(host), index=index, **common)
            for line in host_wires(overlay, host.name, index):
                self.addLink(**line)
        for name, ports in plan.guests(overlay).items():
            self.addHost(name, cls=nodes.guest_class(ports), ports=ports, **common)
            for number, port in enumerate(ports):
                self.addLink(**guest_wire(overlay, name, number, port))

    def _networks(self, common: dict[str, Any], overlay: Overlay) -> None:
        if not overlay.underlay.shape.is_routed:
            self.addSwitch(plan.UNDERLAY, cls=nodes.Segment, mtu=overlay.underlay_mtu, **common)
        self.addSwitch(plan.MANAGEMENT, cls=nodes.Segment, mtu=plan.ETHERNET_MTU, **common)
        for name in providers.physical_networks(overlay.hosts):
            self.addSwitch(name, cls=nodes.Segment, mtu=overlay.underlay_mtu, **common)
        for name in router_names(overlay):
            self.addSwitch(name, cls=routers.Router, **common)
        for cable in routers.cables(overlay):
            self.addLink(**cable)

    def _wire(self, one: str, other: str, name1: str, name2: str) -> None:
        self.addLink(one, other, cls=Wire, intfName1=name1, intfName2=name2, mtu=plan.ETHERNET_MTU)


class ArticleTopo(OverlayTopo):
    """The article's lab: two hosts, GRE and VXLAN ports side by side, one VXLAN network.

    ServerA 172.16.166.117             ServerB 172.16.166.125
       |  qvo00a1bde0-be                  |
    controller 192.168.150.10 ========= computer 192.168.150.11
                 VXLAN, VNI 111, over the underlay
    """

    def build(self, *_: Any, **params: Any) -> None:
        """Describe it; `mode` carries the network another way."""
        super().build(**{**params, "scenario": "article"})


class LeafSpineTopo(OverlayTopo):
    r"""Any scenario on a routed fabric: a leaf a host, every leaf joined to every spine.

    [spine1]      [spine2]        mn --topo leaf-spine,spines=4,hash_policy=2
     |    \       /    |
     |     \     /     |
     |      \   /      |            leaves: net.ipv4.fib_multipath_hash_policy says what of
     |       \ /       |            a packet picks its spine
     |        X         |
     |       / \       |
     |      /   \      |
    [leaf1]       [leaf2]
       | underlay    | underlay
     node1         node2          compute hosts, as in OverlayTopo
    """

    def build(
        self,
        *_: Any,
        scenario: str = "leaf-spine",
        mode: str = "",
        spines: int = 2,
        hash_policy: int = 1,
        **params: Any,
    ) -> None:
        """Describe it."""
        numbers = {"spines": int(spines), "hash_policy": int(hash_policy)}
        fabric = Underlay(shape=Shape.LEAF_SPINE, **numbers)
        overlay = replace(_scenario(scenario, mode), underlay=fabric)
        super().build(**{**params, "overlay": overlay})


class WanTopo(OverlayTopo):
    """Any scenario across a WAN: a router a host, and two transit routers in a row.

    node1 --[edge1]--[transit1]======[transit2]--[edge2]-- node2
                         |                |
    node3 --[edge3]------+                +------[edge4]-- node4
    """

    def build(
        self,
        *_: Any,
        scenario: str = "leaf-spine",
        mode: str = "",
        wan_mtu: int = 0,
        **params: Any,
    ) -> None:
        """Describe it."""
        wan = Underlay(shape=Shape.WAN, wan_mtu=int(wan_mtu))
        overlay = replace(_scenario(scenario, mode), underlay=wan)
        super().build(**{**params, "overlay": overlay})


def host_wires(overlay: Overlay, name: str, index: int) -> list[dict[str, Any]]:
    """The links of a compute host, as Mininet's `addLink` takes them."""
    common = {"node1": name, "cls": Wire, "intfName2": plan.switch_port(index)}
    management = {
        "node2": plan.MANAGEMENT,
        "intfName1": plan.MANAGEMENT,
        "mtu": plan.ETHERNET_MTU,
    }
    underlay = {
        "node2": plan.below(overlay, index),
        "intfName1": plan.UNDERLAY,
        "mtu": overlay.underlay_mtu,
        **routers.host_end(overlay),
        **impaired(overlay.underlay),
    }
    others = providers.wires(overlay, name, plan.switch_port(index))
    return [{**common, **each} for each in (management, underlay, *others)]


def guest_wire(overlay: Overlay, name: str, number: int, port: Any) -> dict[str, Any]:
    """The link between a guest and its host's br-int, as Mininet's `addLink` takes it."""
    return {
        "node1": name,
        "node2": port.host,
        "cls": Wire,
        "mtu": plan.guest_mtu(overlay, port),
        "intfName1": f"eth{number}",
        "addr1": port.mac_address,
        "intfName2": hybrid.host_end(overlay, port),
    }


def _scenario(name: str, mode: str) -> Overlay:
    from controller.model.modes import parse_mode, with_mode
    from topologies.scenario import load as scenario

    return with_mode(scenario.load(name).overlay, parse_mode(mode) if mode else None)


def cleanup() -> None:
    """Take down this process's lab alone.

    `mn` calls what goes by this name when it fails; Mininet's own would end every ping and
    bridge of the machine.
    """
    if nodes.own_ledger.cache_info().currsize:
        nodes.own_ledger().undo()


topos = {
    "article": ArticleTopo,
    "overlay": OverlayTopo,
    "leaf-spine": LeafSpineTopo,
    "wan": WanTopo,
    "home-office": HomeOfficeTopo,
    "sites": SitesTopo,
}
