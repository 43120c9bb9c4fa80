"""The traced frame: its two guests and its headers.  Pure."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import product

from controller.explain.ofproto import Outer
from controller.model.agent import GENEVE_PORT, VXLAN_PORT
from controller.model.encap import IP_HEADER, NetworkType
from controller.model.errors import UsageError
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Address, Network, Port
from topologies.plan.plan import guest_name, guests

EVERYONE = "ff:ff:ff:ff:ff:ff"
ALL_NODES_MAC, ALL_NODES = "33:33:00:00:00:01", "ff02::1"  # RFC 2464, RFC 4291
ETHERNET, TAG, ARP, ICMP, DATA, UDP, KEYED_GRE, VNI = 14, 4, 28, 8, 56, 8, 8, 8  # bytes
PING_REQUEST = {4: 8, 6: 128}  # type of an echo request (RFC 792, RFC 4443)


@dataclass(frozen=True, slots=True)
class Ends:
    """The two guests' ports, and the networks they are in."""

    source: Port
    target: Port
    source_network: Network
    target_network: Network


@dataclass(frozen=True, slots=True)
class Layer:
    """One header, or the data after the last one."""

    name: str
    size: int  # bytes
    says: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the guest sends: in words, as fields of `ofproto/trace`, and as headers."""

    kind: str
    words: str
    proto: str
    fields: str
    target_mac: str
    layers: tuple[Layer, ...]
    is_on_link: bool = True  # one subnet has both addresses

    def traced(self, port: str, *more: str) -> str:
        """The flow for `ofproto/trace`, with `port` as its input port."""
        return ",".join((self.proto, f'in_port="{port}"', *more, self.fields))


def ends_of(overlay: Overlay, source: str, target: str) -> Ends:
    """The ports of two guests, in a common network if there is one; `guest:ethN` names a port.

    Raises:
        UsageError: there is no such guest, or both are the same port.
    """
    pairs = [(a, b) for a in _ports(overlay, source) for b in _ports(overlay, target)]
    common = (pair for pair in pairs if pair[0].network_id == pair[1].network_id)
    one, other = next(common, pairs[0])
    if one.id == other.id:
        raise UsageError(
            f"{source!r} twice", where="overlaylab trace", allowed="two guests", do="Name another."
        )
    of = overlay.network_of
    return Ends(one, other, of[one.network_id], of[other.network_id])


def _ports(overlay: Overlay, guest: str) -> tuple[Port, ...]:
    name, _, interface = guest.partition(":")
    found = guests(overlay).get(name, ())
    chosen = tuple(p for n, p in enumerate(found) if interface in {"", f"eth{n}"})
    if not chosen:
        several = f" (with {', '.join(f'eth{n}' for n in range(len(found)))})" if found else ""
        raise UsageError(
            f"no guest {guest!r}{several}",
            where=f"overlay {overlay.name!r}",
            allowed=", ".join(guests(overlay)) or "none (there are no guests)",
            do=did_you_mean(name, guests(overlay), "Name one of them."),
        )
    return chosen


def frame_of(kind: str, overlay: Overlay, ends: Ends) -> Frame:
    """The frame of this kind from the source guest to the target.

    Raises:
        UsageError: the guests do not have the addresses for it.
    """
    one, other = ends.source, ends.target
    pairs = _addresses(kind, one, other)
    cidrs = [subnet.cidr for subnet in overlay.subnets if subnet.network_id == one.network_id]
    on_link = [pair for pair in pairs if any(pair[0] in cidr and pair[1] in cidr for cidr in cidrs)]
    source, target = map(str, (on_link or pairs)[0])
    if kind == "broadcast":
        return _broadcast(overlay, one, source)
    if kind == "arp":
        frame = _arp(one, source, target)
    else:
        frame = _ping(one, other.mac_address, source, target, f"ping {target}")
    return replace(frame, is_on_link=bool(on_link))


def _addresses(kind: str, one: Port, other: Port) -> list[tuple[Address, Address]]:
    """All pairs of source and target addresses for the frame; IPv4 first."""
    six = () if kind == "arp" else product(one.ipv6, other.ipv6)
    pairs = [*product(one.ipv4, other.ipv4), *six]
    if not pairs:
        raise UsageError(
            f"{kind} from {guest_name(one)} to {guest_name(other)}",
            where="overlaylab trace",
            allowed="two guests with IPv4 addresses, or for ping and broadcast with IPv6",
            do="Name other guests" + (", or --frame ping." if one.ipv6 and other.ipv6 else "."),
        )
    return pairs


def _arp(one: Port, source: str, target: str) -> Frame:
    mac = one.mac_address
    return Frame(
        kind="arp",
        words=f"ARP request: who has {target}? tell {source}",
        proto="arp",
        fields=f"dl_src={mac},dl_dst={EVERYONE},arp_op=1,arp_sha={mac},arp_spa={source},arp_tpa={target}",
        target_mac=EVERYONE,
        layers=(_ethernet(mac, EVERYONE), Layer("ARP", ARP, f"who has {target}? tell {source}")),
    )


def _broadcast(overlay: Overlay, one: Port, source: str) -> Frame:
    if ip_address(source).version == 6:
        return _ping(one, ALL_NODES_MAC, source, ALL_NODES, "ping to all nodes")
    cidrs = (each.cidr for each in overlay.subnets if each.network_id == one.network_id)
    target = next(str(cidr.broadcast_address) for cidr in cidrs if ip_address(source) in cidr)
    return _ping(one, EVERYONE, source, target, f"broadcast ping to {target}")


def _ping(one: Port, mac: str, source: str, target: str, words: str) -> Frame:
    family = ip_address(source).version
    proto, ip, icmp = ("icmp", "nw", "icmp") if family == 4 else ("icmp6", "ipv6", "icmpv6")
    request, named = PING_REQUEST[family], "ICMP" if family == 4 else "ICMPv6"
    return Frame(
        kind="ping" if mac not in {EVERYONE, ALL_NODES_MAC} else "broadcast",
        words=f"{words}, an ICMP echo request with {DATA} bytes of data",
        proto=proto,
        fields=f"dl_src={one.mac_address},dl_dst={mac},{ip}_src={source},{ip}_dst={target},"
        f"nw_ttl=64,{icmp}_type={request},{icmp}_code=0",
        target_mac=mac,
        layers=(
            _ethernet(one.mac_address, mac),
            Layer(f"IPv{family}", IP_HEADER[family], f"{source} > {target}"),
            Layer(named, ICMP, "echo request"),
            Layer("data", DATA, "as ping sends it"),
        ),
    )


def _ethernet(source: str, target: str) -> Layer:
    return Layer("Ethernet", ETHERNET, f"{source} > {target}")


def on_the_wire(
    frame: Frame, outer: Outer | None, tag: int | None, vxlan_udp_port: int = VXLAN_PORT
) -> tuple[Layer, ...]:
    """The headers of a copy on the underlay."""
    if outer is not None:
        return (*_outer(outer, vxlan_udp_port), *frame.layers)
    ethernet, *rest = frame.layers
    tagged = () if tag is None else (Layer("802.1Q", TAG, f"VLAN {tag}"),)
    return (ethernet, *tagged, *rest)


def _outer(outer: Outer, vxlan_udp_port: int) -> tuple[Layer, ...]:
    family = ip_address(outer.target).version
    ip = Layer(f"IPv{family}", IP_HEADER[family], f"{outer.source} > {outer.target}")
    ethernet = _ethernet(outer.source_mac or "?", outer.target_mac or "?")
    number = f"{outer.segmentation_id} ({outer.segmentation_id:#x})"
    if outer.kind is NetworkType.GRE:
        return ethernet, ip, Layer("GRE", KEYED_GRE, f"key {number}, carries Ethernet")
    named, port = "Geneve", GENEVE_PORT
    if outer.kind is NetworkType.VXLAN:
        named, port = "VXLAN", vxlan_udp_port
    udp = Layer("UDP", UDP, f"to port {port}")
    return ethernet, ip, udp, Layer(named, VNI, f"VNI {number}")
