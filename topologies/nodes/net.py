"""Mininet over the nodes of a lab: its pings, iperf and links, so that they fit an overlay.

Mininet's own `iperf` would kill every iperf of the machine, its `pingAll` would ping by addresses
that several networks may have, and its `waitConnected` waits for controllers that it started.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mininet.log import error, output
from mininet.net import Mininet

from controller.model.errors import OverlayError
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from controller.system import commands
from topologies.ledger import Ledger
from topologies.nodes import iperf, nodes, ready
from topologies.nodes.compute import ComputeHost
from topologies.nodes.keeper import ip_batch
from topologies.nodes.neutron import Neutron
from topologies.nodes.routers import Router
from topologies.nodes.sites import TransitRouter, await_tunnel, sites_of
from topologies.plan import plan, sites_plan, underlays
from topologies.plan.pings import Ping, pings

PATIENCE_S = 2  # for the reply to a ping
END_S = 10.0  # more for ping to end
LOST = (1, 0, 0, 0, 0, 0)
BANDWIDTH = r"[0-9]+(\.[0-9]+)?[KMGkmg]?"
SHOWN = 4  # pairs of guests that are named, of those that are not pinged


class LabNet(Mininet):  # type: ignore[misc]  # Mininet has no types
    """Mininet's network of a lab, whether it started the lab or only knows its nodes."""

    @property
    def ledger(self) -> Ledger:
        return next(iter(self.values())).ledger  # type: ignore[no-any-return]

    @property
    def overlay(self) -> Overlay | None:
        """The overlay as the controller has it now; None if the lab has two sites."""
        return None if self.sites else ready.overlay_of(self.ledger)

    @property
    def sites(self) -> Sites | None:
        return sites_of(self.ledger)

    def waitConnected(self, timeout: Any = None, delay: float = 0.5) -> bool:  # noqa: N802, ARG002
        """Wait until ports, flows and VTEP neighbours are complete; report what is missing."""
        limit_s = timeout if timeout and timeout is not True else ready.DEADLINE_S
        try:
            if sites := self.sites:
                await_tunnel(self.ledger, sites, timeout_s=limit_s)
            else:
                ready.await_ready(self.ledger, timeout_s=limit_s)
        except OverlayError as missing:
            error(f"*** {missing}\n")
            return False
        output("*** The lab is ready\n")
        return True

    def ping(self, hosts: Any = None, timeout: Any = None) -> float:
        """Ping between these guests, by default all; print and return the loss in percent."""
        output("*** Ping: testing ping reachability\n")
        wanted = self._pings(hosts)
        lost = 0
        for source in dict.fromkeys(each.source for each in wanted):
            output(f"{source} -> ")
            for each in wanted:
                if each.source == source:
                    is_answered = self._ping(each, timeout)[1] > 0
                    lost += not is_answered
                    output(f"{self._shown(each, wanted)} " if is_answered else "X ")
            output("\n")
        return self._print_loss(len(wanted), lost, hosts)

    def pingFull(self, hosts: Any = None, timeout: Any = None) -> list[Any]:  # noqa: N802
        """Ping between these guests, by default all; print and return the round-trip times."""
        found = [(each, self._ping(each, timeout)) for each in self._pings(hosts)]
        output("*** Results: \n")
        for each, (sent, received, *times) in found:
            output(f" {each.source}->{each.target}: {sent}/{received}, ")
            output("rtt min/avg/max/mdev {:.3f}/{:.3f}/{:.3f}/{:.3f} ms\n".format(*times))
        self._print_others(hosts)
        return [(self[each.source], self[each.target], result) for each, result in found]

    def pingPair(self) -> float:  # noqa: N802
        """Ping between the first two guests that are on one network."""
        return self.ping(self._pair())

    def pingPairFull(self) -> list[Any]:  # noqa: N802
        """Like `pingPair`, and return the round-trip times."""
        return self.pingFull(self._pair())

    def _pair(self) -> list[Any]:
        first = next(iter(self._pings()), None)
        return [self[first.source], self[first.target]] if first else []

    def _pings(self, hosts: Any = None) -> list[Ping]:
        """The possible pings between these guests, by default all; by source as Mininet sorts them."""
        known = list(self.hosts)
        wanted = [each.name for each in (known if hosts is None else hosts)]
        place = {each.name: number for number, each in enumerate(known)}
        found = [each for each in self._possible() if {each.source, each.target} <= {*wanted}]
        return sorted(found, key=lambda each: (place[each.source], place[each.target]))

    def _possible(self) -> Iterator[Ping]:
        overlay = self.overlay
        if overlay:
            plugged = {
                id_: (name, number)
                for name, entry in self.ledger.nodes().items()
                for id_, _, number in entry.facts.get("ports", ())
                if name in self
            }
            yield from pings(overlay, plugged)
        elif sites := self.sites:
            for one in sites.stations:
                others = (each for each in sites.stations if each.name != one.name)
                yield from (Ping(one.name, "eth0", each.name, each.ip, "") for each in others)

    @staticmethod
    def _shown(ping: Ping, among: Sequence[Ping]) -> str:
        """The target, with the network if both guests are on several."""
        both = (ping.source, ping.target)
        several = sum((each.source, each.target) == both for each in among) > 1
        return f"{ping.target}({ping.network})" if several else ping.target

    def _ping(self, ping: Ping, timeout: Any) -> tuple[Any, ...]:
        """Sent, received, and the shortest, mean and longest time and the deviation [ms]."""
        patience = str(timeout or PATIENCE_S)
        argv = ("ping", "-n", "-c1", "-W", patience, "-I", ping.interface, str(ping.address))
        done = commands.attempt(
            *argv,
            pid=self[ping.source].pid,
            mark=self.ledger.token,
            timeout_s=float(patience) + END_S,
        )
        if done.returncode:
            return LOST
        found: tuple[Any, ...] = self._parsePingFull(done.stdout)
        return found

    def _print_loss(self, sent: int, lost: int, hosts: Any) -> float:
        if not sent:
            output("*** Warning: No packets sent\n")
            self._print_others(hosts)
            return 0
        loss = 100 * lost / sent
        output(f"*** Results: {loss:.0f}% dropped ({sent - lost}/{sent} received)\n")
        self._print_others(hosts)
        return loss

    def _print_others(self, hosts: Any) -> None:
        """Print which pairs of guests were not pinged, and why."""
        names = [each.name for each in (self.hosts if hosts is None else hosts)]
        pinged = {(each.source, each.target) for each in self._possible()}
        left = [
            f"{one} - {other}"
            for number, one in enumerate(names)
            for other in names[number + 1 :]
            if (one, other) not in pinged
        ]
        if left:
            more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
            named = ", ".join(left[:SHOWN])
            output(f"*** Not pinged, since they have no subnet in common: {named}{more}\n")

    def address(self, source: str, target: str) -> str | None:
        """The address by which a node reaches another one; None if it has none that is known."""
        for each in self._possible():
            if (each.source, each.target) == (source, target):
                return str(each.address)
        node, overlay = self[target], self.overlay
        if isinstance(node, ComputeHost) and overlay and target in overlay.host_of:
            if isinstance(self[source], Neutron):
                return str(plan.management_ip(node.params["index"]))
            return str(overlay.host(target).local_ip)
        if isinstance(node, Neutron):
            return str(plan.NEUTRON_IP)
        ips = (intf.ip for intf in node.intfList() if intf.ip)
        return next(ips, None)

    def iperf(  # noqa: PLR0917  Mininet's signature
        self,
        hosts: Any = None,
        l4Type: str = "TCP",  # noqa: N803
        udpBw: str = "10M",  # noqa: N803
        fmt: Any = None,  # noqa: ARG002
        seconds: int = 3,
        port: int = 5001,
    ) -> list[str]:
        """Measure the bandwidth between two guests by iperf3; print and return it, as Mininet does."""
        if not re.fullmatch(BANDWIDTH, udpBw):
            error(f"*** {udpBw!r} is not a bandwidth such as 10M [bit/s]\n")
            return []
        names = tuple(each.name for each in hosts or ())
        fitting = (each for each in self._pings(hosts) if (each.source, each.target) == names)
        ping = next(fitting if hosts else iter(self._pings()), None)
        if ping is None:
            wanted = " and ".join(names) or "the guests"
            error(f"*** {wanted}: not two guests with a subnet in common\n")
            return []
        output(f"*** Iperf: testing {l4Type} bandwidth between {ping.source} and {ping.target}\n")
        rate = udpBw if l4Type == "UDP" else ""
        pids = self[ping.source].pid, self[ping.target].pid
        try:
            found = iperf.measure(self.ledger, ping, pids, port=port, seconds=seconds, rate=rate)
        except OverlayError as failed:
            error(f"*** {failed}\n")
            return []
        results = [*([rate] if rate else []), *map(iperf.rate, found)]
        output(f"*** Results: {results}\n")
        return results

    def configLinkStatus(self, src: str, dst: str, status: str) -> None:  # noqa: N802
        """Set all links of two nodes up or down, at the end whose addresses and routes do not matter.

        An interface that is set down loses its routes and IPv6 addresses; one whose other end is
        set down does not.
        """
        for name in (src, dst):
            if name not in self:
                error(f"*** no node {name!r}\n")
                return
        ends = self[src].connectionsTo(self[dst])
        if not ends:
            linked = [link for link in self.links if self[src] in _nodes(link)]
            others = {node.name for link in linked for node in _nodes(link)} - {src}
            error(f"*** {src} and {dst} have no link; {src} has links to: ")
            error(f"{', '.join(sorted(others)) or 'no node'}\n")
        for pair in ends:
            intf = min(pair, key=lambda each: _rank(each.node))
            ip_batch(intf.node.pid, [f"link set {intf.name} {status}"])
            if status == "up":
                self._restore(intf.node)

    def _restore(self, node: Any) -> None:
        """Set a router's addresses and routes again, which the kernel deletes with a link set down."""
        overlay, sites = self.overlay, self.sites
        lines: list[str] = []
        if isinstance(node, Router) and overlay:
            members = [
                (entry.facts["index"], overlay.host(name).local_ip)
                for name, entry in self.ledger.nodes().items()
                if name in overlay.host_of
            ]
            lines = underlays.lines(overlay.underlay, node.name, members)
        elif isinstance(node, TransitRouter) and sites:
            lines = sites_plan.transit_lines(sites, node.name)
        kept = (each for each in lines if not each.startswith("link set"))
        text = "".join(f"{each.replace(' add ', ' replace ', 1)}\n" for each in kept)
        # -force: the routes through another link that is down have to wait for that one.
        commands.attempt("ip", "-force", "-batch", "-", pid=node.pid, stdin=text)


def _nodes(link: Any) -> tuple[Any, Any]:
    return link.intf1.node, link.intf2.node


def _rank(node: Any) -> int:
    """Lower for a node whose end of a link has no address, or one that it can restore."""
    if isinstance(node, nodes.Segment):
        return 0
    if isinstance(node, Router | TransitRouter):
        return 1
    return 2 if isinstance(node, nodes.Machine) else 3
