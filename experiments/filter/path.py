"""A firewall between two VTEPs, and marked packets that are counted at each place of their way.

red1 ... node1 --[edge1]--[transit1]--[transit2]--[edge2]-- node2 ... red2
                           firewall
"""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from socket import socket

from controller.model.names import underlay_mac
from controller.model.underlay import Shape, Underlay
from experiments.core.experiment import Lab
from experiments.filter import labs as stage
from experiments.measure.frames import IPV4, Arrived, Flow, Mark, arrived, udp_frame
from experiments.measure.sockets import Send, received, receivers, senders
from topologies.plan.underlays import Cable, wiring

FIREWALL, NEXT, NEAR = "transit1", "transit2", "edge1"
GUEST = "eth0"
NOWHERE = {NEXT: "203.0.113.1", NEAR: "203.0.113.2"}  # RFC 5737: of nobody's; thrown away there
LATE_S, SILENT_S = 2.0, 1.5  # to the firewall and past it; on to a guest, which may be deaf
BARRIER = 1  # as the number of a flow

Place = tuple[str, str]  # node, interface


@dataclass(frozen=True, slots=True)
class Way:
    """Where packets are seen: into the firewall, out of it at the next router, and at the guest."""

    source: str
    before: str  # the router before the firewall
    behind: str  # and the one behind it
    target: str

    @classmethod
    def of(cls, tenant: str) -> "Way":
        """From the first host to the second."""
        return cls(f"{tenant}1", NEAR, NEXT, f"{tenant}2")

    @classmethod
    def back(cls, tenant: str) -> "Way":
        """The other way."""
        return cls(f"{tenant}2", NEXT, NEAR, f"{tenant}1")

    @property
    def places(self) -> tuple[Place, Place, Place]:
        """Into the firewall, into the router behind it, and to the guest."""
        return (FIREWALL, self.before), (self.behind, FIREWALL), (self.target, GUEST)


@dataclass(slots=True)
class Counted:
    """Packets of one flow, by place; and what the first place saw of their outer headers."""

    packets: dict[Place, list[Arrived]] = field(default_factory=dict)
    frame: bytes = b""  # as the firewall was given it

    def at(self, place: Place) -> int:
        """How many different packets came by."""
        return len({packet.mark for packet in self.packets.get(place, ())})


@dataclass(slots=True)
class Path:
    """Sends marked packets of a flow and counts them at each place of their way."""

    lab: Lab
    sends: Mapping[str, Send]  # by guest, and by router: towards the firewall
    sockets: Mapping[Place, socket]
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(8))
    sent: int = 0

    def through(
        self, way: Way, port: int, *, is_back: bool = False, copies: int = stage.PACKETS
    ) -> Counted:
        """Send, and wait until all that will come has come."""
        self.sent += 1
        flow, found = stage.flow(self.lab.overlay, port, is_back=is_back), Counted()
        for copy in range(copies):
            self.sends[way.source](udp_frame(flow, Mark(self.nonce, self.sent, 0, copy)))
        into, out, guest = way.places
        self._await(found, into, copies, LATE_S)
        # A router forwards in order: what was let through has come before this one.
        self.sends[way.before](barrier(way, Mark(self.nonce, self.sent, BARRIER, 0)))
        self._await(found, out, copies + 1, LATE_S)
        found.packets[out] = [
            each for each in found.packets.get(out, ()) if each.mark.flow != BARRIER
        ]
        self._await(found, guest, found.at(out), SILENT_S)
        return found

    def _await(self, found: Counted, place: Place, many: int, timeout_s: float) -> None:
        """Record the packets that arrive at a place, until `many` have, the barrier has, or the timeout."""
        packets = found.packets.setdefault(place, [])

        def is_done() -> bool:
            is_passed = bool(packets) and packets[-1].mark.flow == BARRIER
            return is_passed or found.at(place) >= many

        for _, frame in received({place: self.sockets[place]}, is_done, timeout_s):
            packet = arrived(frame, self.nonce)
            if packet and packet.mark.setting == self.sent:
                packets.append(packet)
                found.frame = found.frame or frame


def barrier(way: Way, mark: Mark) -> bytes:
    """A packet that no rule names, for the firewall to forward."""
    (_, own, far) = _cable(way.before).end(way.before)
    nowhere = IPv4Address(NOWHERE[way.behind])
    return udp_frame(
        Flow(
            source_mac=underlay_mac(own),
            target_mac=underlay_mac(far),
            source=own,
            target=nowhere,
            source_port=9,
            target_port=9,
        ),
        mark,
    )


def _cable(router: str) -> Cable:
    """The cable from the firewall to a router beside it."""
    wired = wiring(Underlay(shape=Shape.WAN))
    cables = (*wired.trunks(), *wired.uplinks(0))
    return next(cable for cable in cables if {cable.one, cable.other} == {FIREWALL, router})


def lay_sinks(lab: Lab) -> None:
    """Let the firewall forward what is for nobody, and the routers beside it throw that away."""
    for router, nowhere in NOWHERE.items():
        _, far, _ = _cable(router).end(router)
        lab.run(FIREWALL, "ip", "route", "replace", nowhere, "via", str(far))
        lab.run(router, "ip", "route", "replace", "blackhole", nowhere)


def opened(lab: Lab, stack: ExitStack) -> Path:
    """Sockets wherever packets are sent or counted."""
    guests = [f"{tenant}{at}" for tenant in stage.TENANTS for at in (1, 2)]
    routed = (*Way.of("red").places[:2], *Way.back("red").places[:2])
    places = (*routed, *((each, GUEST) for each in guests))
    sockets = {
        (node, name): stack.enter_context(receivers({node: lab.pid(node)}, name, IPV4))[node]
        for node, name in places
    }
    by = {**dict.fromkeys(guests, GUEST), NEAR: FIREWALL, NEXT: FIREWALL}
    sends = {
        node: stack.enter_context(senders(lab.pid(node), (name,)))[name]
        for node, name in by.items()
    }
    return Path(lab, sends, sockets)


def install(lab: Lab, program: str, rules: str) -> None:
    """Put a ruleset in place of the last one.

    Raises:
        CommandError: nft or iptables refused it.
    """
    arguments = "-f -" if program == "nft" else ""
    text = f"nft flush ruleset && {program} {arguments} <<'EOF'\n{rules}EOF\n"
    lab.run(FIREWALL, "sh", "-c", text)
