"""A firewall between two VTEPs, and marked packets that are counted at each place of their path.

red1 ... node1 --[edge1]--[transit1]--[transit2]--[edge2]-- node2 ... red2
                           firewall
"""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from socket import socket

from controller.model.names import underlay_mac
from controller.model.underlay import Shape, Underlay
from experiments.core.experiment import Lab
from experiments.filter import labs
from experiments.filter.rules import Ruleset
from experiments.filter.words import PACKETS
from experiments.measure.frames import IPV4, UDP_PORT, Arrived, Flow, Mark, arrived, udp_frame
from experiments.measure.sockets import Send, received, receivers, senders
from topologies.plan.underlays import Cable, Wiring

FIREWALL, NEXT, NEAR = "transit1", "transit2", "edge1"
GUEST = "eth0"
# Addresses of no host (RFC 5737): the router behind the firewall discards packets to them.
SINKS = {NEXT: "203.0.113.1", NEAR: "203.0.113.2"}
ROUTER_TIMEOUT_S, GUEST_TIMEOUT_S = 2.0, 1.5  # a guest may never receive what is forwarded
BARRIER = 1  # the number of the barrier's flow

Place = tuple[str, str]  # node, interface


@dataclass(frozen=True, slots=True)
class Way:
    """The path from a guest to its peer on the other host, and where packets are counted."""

    source: str
    before: str  # the router before the firewall
    behind: str  # the router behind it
    target: str
    is_back: bool = False  # from the second host to the first

    @property
    def places(self) -> tuple[Place, Place, Place]:
        """Into the firewall, into the router behind it, and into the guest."""
        return (FIREWALL, self.before), (self.behind, FIREWALL), (self.target, GUEST)


RED, BLUE = Way("red1", NEAR, NEXT, "red2"), Way("blue1", NEAR, NEXT, "blue2")
RED_BACK = Way("red2", NEXT, NEAR, "red1", is_back=True)


@dataclass(slots=True)
class Counted:
    """Packets of one flow, by place and mark."""

    packets: dict[Place, dict[Mark, Arrived]] = field(default_factory=lambda: defaultdict(dict))
    frame: bytes = b""  # the first one, as the firewall received it

    def at(self, place: Place) -> int:
        """How many different packets arrived there."""
        return len(self.packets[place])


@dataclass(slots=True)
class Path:
    """Sends marked packets of a flow and counts them at each place of their path."""

    lab: Lab
    sends: Mapping[str, Send]  # by guest, and by router: to the firewall
    sockets: Mapping[Place, socket]
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(8))
    sent: int = 0

    def through(self, way: Way, port: int, *, copies: int = PACKETS) -> Counted:
        """Send packets of one flow, and wait for them at each place."""
        self.sent += 1
        flow, found = labs.flow(self.lab.overlay, port, is_back=way.is_back), Counted()
        last = Mark(self.nonce, self.sent, BARRIER, 0)
        for copy in range(copies):
            self.sends[way.source](udp_frame(flow, Mark(self.nonce, self.sent, 0, copy)))
        into, out, guest = way.places
        self._await(found, into, copies, ROUTER_TIMEOUT_S)
        # A router forwards in order: what passes the firewall arrives before this packet.
        self.sends[way.before](barrier(way, last))
        self._await(found, out, copies + 1, ROUTER_TIMEOUT_S)
        found.packets[out].pop(last, None)
        self._await(found, guest, found.at(out), GUEST_TIMEOUT_S)
        return found

    def _await(self, found: Counted, place: Place, many: int, timeout_s: float) -> None:
        """Record the packets that arrive at a place, until `many` have, the barrier has, or the timeout."""

        def is_done() -> bool:
            is_passed = any(mark.flow == BARRIER for mark in found.packets[place])
            return is_passed or found.at(place) >= many

        for _, frame in received({place: self.sockets[place]}, is_done, timeout_s):
            packet = arrived(frame, self.nonce)
            if packet and packet.mark.setting == self.sent:
                found.packets[place][packet.mark] = packet
                found.frame = found.frame or frame


def barrier(way: Way, mark: Mark) -> bytes:
    """A packet that the firewall forwards whatever its rules."""
    _, own, far = _cable(way.before).end(way.before)
    flow = Flow(
        source_mac=underlay_mac(own),
        target_mac=underlay_mac(far),
        source=own,
        target=IPv4Address(SINKS[way.behind]),
        source_port=UDP_PORT,
        target_port=UDP_PORT,
    )
    return udp_frame(flow, mark)


def _cable(router: str) -> Cable:
    """The cable between the firewall and a router beside it."""
    wired = Wiring(Underlay(shape=Shape.WAN))
    cables = (*wired.trunks(), *wired.uplinks(0))
    return next(cable for cable in cables if {cable.one, cable.other} == {FIREWALL, router})


def add_sinks(lab: Lab) -> None:
    """Make the firewall forward packets to SINKS, and the routers beside it discard them."""
    for router, sink in SINKS.items():
        _, far, _ = _cable(router).end(router)
        lab.run(FIREWALL, "ip", "route", "replace", sink, "via", str(far))
        lab.run(router, "ip", "route", "replace", "blackhole", sink)


def opened(lab: Lab, stack: ExitStack) -> Path:
    """Sockets wherever packets are sent or counted."""
    ways = (RED, RED_BACK, BLUE)
    sockets = {
        (node, name): stack.enter_context(receivers({node: lab.pid(node)}, name, IPV4))[node]
        for node, name in dict.fromkeys(place for way in ways for place in way.places)
    }
    outputs = {NEAR: FIREWALL, NEXT: FIREWALL, **{way.source: GUEST for way in ways}}
    sends = {
        node: stack.enter_context(senders(lab.pid(node), (name,)))[name]
        for node, name in outputs.items()
    }
    return Path(lab, sends, sockets)


def install(lab: Lab, ruleset: Ruleset) -> None:
    """Replace the ruleset of the firewall.

    Raises:
        CommandError: nft or iptables refused it.
    """
    text = f"nft flush ruleset && {ruleset.command} <<'EOF'\n{ruleset.text}EOF\n"
    lab.run(FIREWALL, "sh", "-c", text)
