"""Access to a running lab: its nodes, its controller, and processes in it."""

import signal as signals
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from controller.model.errors import LabError
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port
from controller.model.sites import Sites
from controller.system import commands
from controller.system.process import is_alive
from topologies.ledger import Ledger, NodeEntry
from topologies.nodes import routers
from topologies.nodes.api_client import call_api
from topologies.nodes.compute import BridgeHost, ComputeHost
from topologies.nodes.net import LabNet
from topologies.nodes.neutron import Neutron, relaunch
from topologies.nodes.nodes import DhcpServer, Guest, Segment
from topologies.nodes.ready import await_ready, overlay_of
from topologies.nodes.routers import Router
from topologies.nodes.sites import (
    EdgeRouter,
    SiteStation,
    TransitRouter,
    await_tunnel,
    site_wires,
    sites_of,
)
from topologies.nodes.topo import guest_wire, host_wires
from topologies.nodes.wires import End, found, wire
from topologies.one_change import gone, one_change
from topologies.plan.ovs import ENVIRONMENT
from topologies.plan.plan import ETHERNET_MTU, MANAGEMENT, NEUTRON

GUESTS = {each.kind: each for each in (Guest, DhcpServer)}
SWITCHES = {
    each.kind: each for each in (ComputeHost, EdgeRouter, Neutron, Router, Segment, TransitRouter)
}


class LabBase:
    """One lab; its nodes are compute hosts and guests by name, `neutron`, `underlay`, `management`.

    All that it needs is in the ledger, so any process can have such an object.
    """

    def __init__(self, ledger: Ledger, net: Any = None) -> None:
        self.ledger, self._net = ledger, net

    @property
    def name(self) -> str:
        return self.ledger.name

    @property
    def directory(self) -> Path:
        """The directory of its files, which only root can read."""
        return self.ledger.directory

    @property
    def overlay(self) -> Overlay:
        """The overlay as the controller has it now.

        Raises:
            LabError: the lab has two sites and no controller.
        """
        self._assert_hosts()
        return overlay_of(self.ledger)

    def _assert_hosts(self) -> None:
        if self.sites:
            raise LabError(
                "two sites, no compute hosts",
                where=f"lab {self.name!r}",
                allowed="a lab of a scenario with `hosts:`",
                do="Start one, such as `article`.",
            )

    @cached_property
    def sites(self) -> Sites | None:
        """The two sites it was started for; None if it has compute hosts and a controller."""
        return sites_of(self.ledger)

    def nodes(self) -> dict[str, NodeEntry]:
        return self.ledger.nodes()

    def node(self, name: str) -> NodeEntry:
        """The node called `name`.

        Raises:
            LabError: there is none, or its process has ended.
        """
        nodes = self.nodes()
        found = nodes.get(name)
        if found is None or not is_alive(found.keeper):
            raise LabError(
                f"no node {name!r}" if found is None else f"node {name!r} is dead",
                where=f"lab {self.name!r}",
                allowed=", ".join(nodes),
                do=did_you_mean(
                    "" if found else name, nodes, f"`overlaylab status {self.name}` lists them."
                ),
            )
        return found

    def pid(self, node: str) -> int:
        """A process in the namespaces of `node`."""
        return self.node(node).keeper.pid

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Run argv in `node` to its end; return its stdout.

        Raises:
            CommandError: it could not start, exited non-zero, or outlived `timeout_s`.
        """
        pid, mark = self.pid(node), self.ledger.token
        return commands.run(*argv, pid=pid, mark=mark, env=ENVIRONMENT, timeout_s=timeout_s)

    def attempt(
        self, node: str, *argv: str, timeout_s: float = 10
    ) -> "subprocess.CompletedProcess[str]":
        """Like `run`, but return the result also if the exit status is not 0."""
        pid, mark = self.pid(node), self.ledger.token
        return commands.attempt(*argv, pid=pid, mark=mark, env=ENVIRONMENT, timeout_s=timeout_s)

    def start(
        self,
        node: str,
        *argv: str,
        stdout: Path | IO[Any] | int = subprocess.DEVNULL,
        stderr: Path | IO[Any] | int = subprocess.STDOUT,
    ) -> "subprocess.Popen[bytes]":
        """Start argv in `node` and return the process, which ends with the lab at the latest."""
        role, pid = f"{argv[0]} in {node}", self.pid(node)
        _, child = self.ledger.start(role, *argv, pid=pid, stdout=stdout, stderr=stderr)
        return child

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send one request to the controller's API; return the body of the response.

        Raises:
            LabError: there is no answer, or an error status; the message has the reason.
        """
        self._assert_hosts()
        return call_api(self.directory, method, path, body)

    def await_ready(self, *, timeout_s: float = 60) -> None:
        """Wait until all ports are wired, all flows installed and all VTEP neighbours resolved.

        Raises:
            LabError: something is still missing; the message names it.
        """
        if self.sites:
            await_tunnel(self.ledger, self.sites, timeout_s=timeout_s)
        else:
            await_ready(self.ledger, timeout_s=timeout_s)

    def restart_controller(self, *, signal: int = signals.SIGKILL) -> None:
        """End the controller by `signal` and start a new one; return when the lab is ready."""
        self._assert_hosts()
        relaunch(self.ledger, number=signal)
        self.await_ready()

    @cached_property
    def net(self) -> Any:
        """The Mininet object that started the lab, or a new one over its nodes."""
        return self._net or attached_net(self.ledger)

    def links(self) -> list[dict[str, Any]]:
        """Every link between two nodes: `node1`, `intfName1`, `node2`, `intfName2`."""
        sites = self.sites
        return list(site_wires(sites) if sites else _wires(self.overlay, self.nodes()))

    @contextmanager
    def changing(self, what: str) -> Iterator[None]:
        """Let nobody else change the lab in the block; first take over what others have changed.

        Raises:
            LabError: another change has not ended in time, or the lab has been taken down.
        """
        with one_change(self.directory, what):
            if self.ledger.last("lab").get("token") != self.ledger.token:
                raise gone(self.directory, "it has been taken down")
            if self._net is not None or "net" in self.__dict__:
                self.take_over()
            yield

    def take_over(self) -> None:
        """Bring Mininet's object up to date: another process may have plugged guests since."""
        net, entries = self.net, self.nodes()
        for name in list(net.nameToNode):
            entry = entries.get(name)
            if entry is None or not _is_as_noted(net[name], entry):
                forget(net, name)
        _add_missing(net, self.ledger)


def _is_as_noted(node: Any, entry: NodeEntry) -> bool:
    """Whether a node of Mininet is the one that the ledger has, with the same interfaces."""
    noted = {(id_, number) for id_, _, number in entry.facts.get("ports", ())}
    has = {(port.id, number) for number, port in getattr(node, "interfaces", {}).items()}
    return bool(node.keeper == entry.keeper) and has == noted


def attached_net(ledger: Ledger) -> LabNet:
    """Mininet over the nodes in the ledger; to stop it leaves the lab as it is."""
    LabNet.inited = True  # else it changes limits of the whole machine
    net = LabNet(topo=None, controller=None, build=False)
    _add_missing(net, ledger)
    net.built = True
    return net


def _add_missing(net: LabNet, ledger: Ledger) -> None:
    """Add the nodes of the ledger that Mininet's object lacks, and their wires."""
    sites, entries = sites_of(ledger), ledger.nodes()
    common = {
        "ledger": ledger,
        "datapath": ledger.last("settings").get("datapath", "netdev"),
        **({"sites": sites} if sites else {"overlay": overlay_of(ledger)}),
    }
    new = [entry for entry in entries.values() if entry.name not in net]
    names = {entry.name for entry in new}
    for entry in new:
        _add_node(net, entry, common)
    for line in site_wires(sites) if sites else _wires(common["overlay"], entries):
        ends = {line["node1"], line["node2"]}
        if ends & names and all(end in net for end in ends):
            net.addLink(**line)
    for guest in net.hosts:
        if guest.name in names:
            _set_addresses(guest)


def _add_node(net: LabNet, entry: NodeEntry, common: dict[str, Any]) -> None:
    params = {**common, "keeper": entry.keeper}
    if entry.kind in GUESTS:
        interfaces = _interfaces(common["overlay"], entry)
        net.addHost(entry.name, cls=GUESTS[entry.kind], interfaces=interfaces, **params)
    elif entry.kind == SiteStation.kind:
        net.addHost(entry.name, cls=SiteStation, **params)
    else:
        is_bridge = entry.facts.get("mechanism") == Mechanism.LINUXBRIDGE
        kind = BridgeHost if is_bridge else SWITCHES[entry.kind]
        net.addSwitch(entry.name, cls=kind, **params, **entry.facts)


def forget(net: LabNet, name: str) -> None:
    """Remove a node from Mininet's object and close its shell; the node itself is left as it is."""
    node = net[name]
    node.found = node.keeper  # else `terminate` would end its namespaces
    node.terminate()
    (net.hosts if node in net.hosts else net.switches).remove(node)
    net.links[:] = [link for link in net.links if node not in (link.intf1.node, link.intf2.node)]
    del net.nameToNode[name]


def _interfaces(overlay: Overlay, entry: NodeEntry) -> dict[int, Port]:
    known = overlay.port_of
    return {number: known[id_] for id_, _, number in entry.facts["ports"] if id_ in known}


def _wires(overlay: Overlay, entries: Mapping[str, NodeEntry]) -> Iterator[dict[str, Any]]:
    """Every wire of a running lab of compute hosts, as keyword arguments of `addLink`."""
    yield found(wire(NEUTRON, MANAGEMENT, MANAGEMENT, NEUTRON, ETHERNET_MTU))
    indices = {
        name: entry.facts["index"] for name, entry in entries.items() if name in overlay.host_of
    }
    yield from (found(line) for line in routers.trunks(overlay))
    for name, index in indices.items():
        yield from (found(line) for line in routers.uplinks(overlay, index))
        yield from (found(line) for line in host_wires(overlay, name, index))
    for entry in entries.values():
        for id_, host, number in entry.facts.get("ports", ()):
            port = overlay.port_of.get(id_)
            if port and host in overlay.host_of:
                line = guest_wire(overlay, entry.name, number, replace(port, host=host))
                yield found(line, port1=number)


def _set_addresses(guest: Any) -> None:
    """Set the addresses in Mininet's own objects of its interfaces; make one where there is no link."""
    if isinstance(guest, SiteStation):
        guest.set_mininet_address()
        return
    for number, port in guest.interfaces.items():
        if f"eth{number}" not in guest.nameToIntf:
            End(f"eth{number}", node=guest, port=number, moveIntfFn=_stay)
        guest.set_mininet_address(number, port)


def _stay(*_: Any, **__: Any) -> None:
    """Do not move the interface: it is in its namespace already."""
