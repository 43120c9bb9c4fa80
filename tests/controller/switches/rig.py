"""A whole overlay on dummy switches: one OVS a compute host, and frames walked between them.

    guest -> br-int -> br-tun -> (tun_id) -> the far host's br-tun -> br-int -> guests
                    \\-> provider bridge -> (VLAN tag) -> every other host's provider bridge

Each hop is one `ofproto/trace` in a real switch; where a copy goes next is read from the
options of the port it leaves by, as they stand in that switch's OVSDB.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from controller.flows.binding import Binding, new_binding
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.ports import (
    BR_INT,
    BR_TUN,
    DEAD_VLAN_TAG,
    add_port_args,
    host_ports,
    provider_bridges,
)
from controller.flows.text import dump
from controller.model.encap import TUNNEL_TYPES
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host
from tests.controller.switches.switch import Switch
from tests.controller.switches.trace import Sent, sent, tunnelled
from tests.oracle.frames import Frame
from tests.oracle.oracle import Copy, Outcome

PROTOCOLS = "protocols=OpenFlow10,OpenFlow13,OpenFlow14"
HOPS_MAX = 4  # twice what any frame needs
Texts = dict[str, list[str]]  # bridge -> flows


class Arrival(NamedTuple):
    """A frame about to enter a bridge."""

    host: str
    bridge: str
    port: str
    tun_id: int | None = None
    tag: int | None = None


@dataclass(frozen=True, slots=True)
class Underlay:
    """Which tunnel port of which host leads where, by OVSDB's options."""

    towards: Mapping[tuple[str, str], tuple[str, str]]  # (host, port) -> (type, remote host)
    back: Mapping[tuple[str, str, str], str]  # (host, type, remote host) -> port


class Rig:
    """`overlay` on `switches` (host -> switch), wired but without flows."""

    def __init__(
        self, overlay: Overlay, switches: Mapping[str, Switch], openflow: str | None = None
    ) -> None:
        self.overlay, self.switches = overlay, switches
        self.bindings = {host.name: binding_of(overlay, host) for host in overlay.hosts}
        self._guests = {int_port_name(port.id): port.id for port in overlay.ports}
        self.each_host(lambda host: self._wire(host, openflow))
        self.underlay = self._read_underlay()

    def each_host(self, do: Callable[[Host], object]) -> None:
        """Do it for all hosts, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(do, self.overlay.hosts))

    # wiring ------------------------------------------------------------------------------

    def _wire(self, host: Host, openflow: str | None) -> None:
        """Bridges and ports in one transaction, as a lab makes them."""
        words = [word for bridge in bridges(host) for word in _bridge_args(bridge, openflow)]
        for bridge in provider_bridges(host):
            words += ["--", "add-port", bridge, uplink(bridge)]
        binding = self.bindings[host.name]
        for port in host_ports(self.overlay, host):
            words += add_port_args(port, binding.ofport(port.bridge, port.name))
        self.switches[host.name].vsctl(*words)

    def _read_underlay(self) -> Underlay:
        owner = {host.vtep: host.name for host in self.overlay.hosts}
        towards = {
            (host.name, name): (kind, owner[options["remote_ip"]])
            for host in self.overlay.hosts
            for name, kind, options in self._tunnel_rows(host)
        }
        return Underlay(towards, {(at, *where): name for (at, name), where in towards.items()})

    def _tunnel_rows(self, host: Host) -> Iterator[tuple[str, str, dict[str, str]]]:
        listing = self.switches[host.name].vsctl(
            "--format=json", "--columns=name,type,options", "list", "Interface"
        )
        for name, kind, (_, pairs) in json.loads(listing)["data"]:
            carried = kind.removeprefix("ip6")  # GRE over IPv6 is a type of its own
            if carried in set(TUNNEL_TYPES):
                options = dict(pairs)
                assert options["local_ip"] == host.vtep
                yield name, carried, options

    # flows -------------------------------------------------------------------------------

    def texts(self, host: Host) -> Texts:
        """The offline text of every bridge of `host`."""
        binding = self.bindings[host.name]
        return {b: dump(bridge_flows(self.overlay, binding, b)) for b in bridges(host)}

    def install(self, change: Callable[[str, Texts], Texts] = lambda _, texts: texts) -> None:
        """Load the offline text everywhere and tag the guests, as the agent would.

        `change(host, texts)`: what to load instead, to break it on purpose.
        """
        self.each_host(lambda host: self._install(host, change(host.name, self.texts(host))))

    def _install(self, host: Host, texts: Texts) -> None:
        switch = self.switches[host.name]
        for bridge, flows in texts.items():
            switch.load(bridge, flows)
        switch.vsctl(*self._tags(host))

    def _tags(self, host: Host) -> Iterator[str]:
        binding = self.bindings[host.name]
        for port in self.overlay.ports:
            if port.host == host.name:
                name = int_port_name(port.id)
                vlan = binding.local_vlans.get(port.network_id)
                tag = DEAD_VLAN_TAG if name in binding.dead else vlan
                yield from ("--", "set", "Port", name, f"tag={tag}")
                yield from ("--", "clear", "Port", name, "vlan_mode", "trunks")

    # frames ------------------------------------------------------------------------------

    def deliver(self, frame: Frame, *, learn: bool = False) -> Outcome:
        """What becomes of `frame`; `learn`: switches remember it, else all stay cold.

        The sender's br-int learns in either case while the frame is on its way: an ARP
        answer comes straight back to the guest that sent the request.
        """
        sender = self.overlay.port_of[frame.sender]
        wave = [Arrival(sender.host, BR_INT, int_port_name(sender.id))]
        outcome, hops = Outcome(), 0
        while wave:
            assert hops < HOPS_MAX, f"it goes round in circles: {wave}"
            parts = self._wave(wave, frame, learn=learn or not hops)
            outcome = reduce(_together, (part for part, _ in parts), outcome)
            wave, hops = [way for _, onward in parts for way in onward], hops + 1
        if not learn:
            self.switches[sender.host].ctl.ask("fdb/flush")
        return outcome

    def _wave(
        self, wave: list[Arrival], frame: Frame, *, learn: bool
    ) -> list[tuple[Outcome, list[Arrival]]]:
        """One hop of every copy: requests go to all switches first, so that they work in parallel."""
        for way in wave:
            self._put_trace(way, frame, learn=learn)
        reported = [self.switches[way.host].ctl.answer() for way in wave]
        return [self._follow(way, text, frame) for way, text in zip(wave, reported, strict=True)]

    def _put_trace(self, way: Arrival, frame: Frame, *, learn: bool) -> None:
        where = [f"in_port={way.port}"]
        where += [] if way.tun_id is None else [f"tun_id={way.tun_id}"]
        where += [] if way.tag is None else [f"dl_vlan={way.tag}"]
        flow = ",".join([*where, flow_text(frame)])
        effects = ["-generate"] if learn else []
        ctl = self.switches[way.host].ctl
        ctl.put("ofproto/trace", "--names", way.bridge, flow, *effects)

    def _follow(self, way: Arrival, reported: str, frame: Frame) -> tuple[Outcome, list[Arrival]]:
        """What one switch did, and where the copies that left it arrive next."""
        bridges_here = bridges(self.overlay.host(way.host))
        tunnels = {name for at, name in self.underlay.towards if at == way.host}
        left = [piece for piece in sent(reported, way.tag) if piece.port not in bridges_here]
        into = [piece for piece in left if piece.port in tunnels]
        copies, onward = self._encapsulated(way.host, into, tunnelled(reported, frozenset(tunnels)))
        out = [piece for piece in left if piece.port.startswith(UPLINK)]
        for piece in out:
            onward += self._across(way.host, piece.port.removeprefix(UPLINK), piece.tag)
        heard = [piece for piece in left if piece not in into and piece not in out]
        own = [p.answer for p in heard if p.answer and self._guests[p.port] == frame.sender]
        hears = [self._hearing(piece) for piece in heard if piece.answer not in own or not own]
        outside = tuple(piece.tag for piece in out)
        return Outcome(tuple(hears), copies, outside, own[0] if own else None), onward

    def _hearing(self, piece: Sent) -> str:
        """Who hears it; a guest should never see a tag, so one shows."""
        tag = "" if piece.tag is None else f" with VLAN {piece.tag}"
        return self._guests[piece.port] + tag

    def _encapsulated(
        self, host: str, into: list[Sent], ids: tuple[tuple[str, int | None], ...]
    ) -> tuple[tuple[Copy, ...], list[Arrival]]:
        """The copies that leave `host` in tunnels, and where they come out."""
        assert [piece.port for piece in into] == [name for name, _ in ids], "the trace misleads"
        copies, onward = [], []
        for piece, (name, tun_id) in zip(into, ids, strict=True):
            kind, remote = self.underlay.towards[host, name]
            copies.append(Copy(host, remote, kind, -1 if tun_id is None else tun_id))
            if back := self.underlay.back.get((remote, kind, host)):
                onward.append(Arrival(remote, BR_TUN, back, tun_id, piece.tag))
        return tuple(copies), onward

    def _across(self, host: str, bridge: str, tag: int | None) -> list[Arrival]:
        """The provider network: every other host's bridge gets the frame as it left."""
        return [
            Arrival(other.name, bridge, uplink(bridge), tag=tag)
            for other in self.overlay.hosts
            if other.name != host and bridge in provider_bridges(other)
        ]


UPLINK = "up-"


def uplink(bridge: str) -> str:
    """The provider bridge's port to the world."""
    return UPLINK + bridge


def binding_of(overlay: Overlay, host: Host) -> Binding:
    """A fresh host's binding, on which ports that are switched off are dead."""
    off = (p for p in overlay.ports if p.host == host.name and not p.is_active)
    dead = frozenset(int_port_name(port.id) for port in off)
    return replace(new_binding(overlay, host.name), dead=dead)


def _bridge_args(bridge: str, openflow: str | None) -> list[str]:
    words = [
        "--",
        "add-br",
        bridge,
        "--",
        "set",
        "Bridge",
        bridge,
        "datapath_type=dummy",
        "fail_mode=secure",
        PROTOCOLS,
        "other_config:disable-in-band=true",
    ]
    if openflow:
        words += ["--", "set-controller", bridge, openflow]
        words += ["--", "set", "Controller", bridge, "inactivity_probe=10000", "max_backoff=1000"]
    return words


def _together(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        hears=tuple(sorted(one.hears + other.hears)),
        copies=tuple(sorted(one.copies + other.copies)),
        outside=tuple(sorted(one.outside + other.outside, key=lambda tag: tag or 0)),
        answer=one.answer or other.answer,
    )


def flow_text(frame: Frame) -> str:
    """The frame's headers in the words of ovs-fields(7)."""
    ether = f"dl_src={frame.src},dl_dst={frame.dst}"
    if frame.arp:
        printed, wanted = frame.arp
        return f"{ether},arp,arp_op=1,arp_sha={frame.src},arp_spa={printed},arp_tpa={wanted}"
    if frame.advertises:
        return f"{ether},icmp6,icmpv6_type=136,icmpv6_code=0,nd_target={frame.advertises}"
    return f"{ether},udp,nw_src=192.0.2.1,nw_dst=192.0.2.2"
