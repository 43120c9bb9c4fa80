"""What hosts have in common: the overlays, the underlay's switch or routers, physical networks, the key.  Pure."""

from collections.abc import Iterator, Mapping, Sequence

from controller.explain.names import id_word, spelt
from controller.model.encap import TUNNEL_TYPES
from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from controller.model.parts import Network
from controller.model.underlay import HASH_POLICIES, Shape
from controller.model.wording import counted
from topologies.drawing.dot import HEADER, Box, Look, Row
from topologies.drawing.host_boxes import HostBoxes, name_of, overlay_id, physical_id
from topologies.drawing.palette import TUNNEL
from topologies.plan.plan import mapped
from topologies.plan.underlays import GATEWAY, HOST_LINK, Cable, Wiring, host_port

ADDRESSES_MOST = 4  # hosts up to which the routers' addresses are drawn
NETWORKS_MOST = 8  # networks of an overlay that are named in its box


def overlays(overlay: Overlay, drawn: Sequence[HostBoxes]) -> Iterator[Box]:
    """A box for each encapsulation that a host has a port of."""
    for kind in TUNNEL_TYPES:
        sends = [(host, port) for host in drawn for port in host.tunnels(kind)]
        networks = [each for each in overlay.networks if each.network_type is kind]
        groups = {
            str(host.host.group_of(n)) for host in drawn for n in networks if host.host.vxlan_group
        }
        ends = {
            frozenset((host.host.vtep, remote))
            for host, port in sends
            for remote in port.remotes
            if remote not in groups
        }
        rows = [Row(text=counted(len(ends), "tunnel"))] if ends or not groups else []
        rows += [Row(text=f"multicast {group}") for group in sorted(groups)]
        rows += [
            Row(text=f"{name_of(each)}, {id_word(kind)} {each.segmentation_id}", colour=colour)
            for each in networks[:NETWORKS_MOST]
            for colour in (drawn[0].colours[each.id],)
        ]
        if rest := len(networks[NETWORKS_MOST:]):
            rows.append(Row(text=f"and {counted(rest, 'more network')}"))
        if sends:
            yield Box(
                id=overlay_id(kind),
                heading=f"{spelt(kind)} overlay",
                rows=tuple(rows),
                colour=TUNNEL,
                look=Look.ROUND,
            )


def physical_networks(overlay: Overlay, drawn: Sequence[HostBoxes]) -> Iterator[Box]:
    """The physical networks that are separate Ethernets."""
    for name in dict.fromkeys(name for host in drawn for name, _ in mapped(host.host)):
        rows = [
            Row(text=f"{name_of(each)}, {_vlan(each)}", colour=drawn[0].colours[each.id])
            for each in overlay.networks
            if each.physical_network == name
        ]
        yield Box(id=physical_id(name), heading=name, rows=tuple(rows[:NETWORKS_MOST]))


def _vlan(network: Network) -> str:
    number = network.segmentation_id
    return "untagged" if number is None else f"VLAN {number}"


def switch(overlay: Overlay) -> Box:
    """The underlay's one Ethernet."""
    return Box(
        id=UNDERLAY, heading="underlay", rows=(Row(text=f"Ethernet, MTU {overlay.underlay_mtu}"),)
    )


def edge(overlay: Overlay, host: HostBoxes, *, is_listed: bool) -> Box:
    """The router that a host is connected to."""
    wiring = Wiring(overlay.underlay)
    name = wiring.edge(host.ports.index)
    rows = [Row(text=f"{host_port(host.ports.index)}: {GATEWAY}/{HOST_LINK.prefixlen}")]
    rows += _cable_rows(name, wiring.uplinks(host.ports.index))
    return Box(id=name, heading=name, rows=tuple(rows) if is_listed else ())


def cores(overlay: Overlay, drawn: Sequence[HostBoxes], *, is_listed: bool) -> Iterator[Box]:
    """The routers between the edge routers."""
    wiring = Wiring(overlay.underlay)
    cables = [
        *wiring.trunks(),
        *(cable for host in drawn for cable in wiring.uplinks(host.ports.index)),
    ]
    for name in wiring.core():
        rows = _cable_rows(name, cables) if is_listed else []
        yield Box(id=name, heading=name, rows=tuple(rows))


def _cable_rows(router: str, cables: Sequence[Cable]) -> list[Row]:
    """A row for each cable of a router: the interface, which has the name of the other end."""
    ends = [cable.end(router) for cable in cables if router in {cable.one, cable.other}]
    return [Row(text=f"{name}: {own}/31") for name, own, _ in ends]


def header(overlay: Overlay, drawn: Sequence[HostBoxes], colours: Mapping[str, str]) -> Box:
    """The title, and the key: one line for each network, and the underlay."""
    hosts = counted(len(overlay.hosts), "host")
    if len(drawn) < len(overlay.hosts):
        hosts = f"{', '.join(host.host.name for host in drawn)} (of {hosts})"
    servers = counted(sum(len(host.guests) for host in drawn), "server")
    counts = f"{hosts}, {counted(len(overlay.networks), 'network')}, {servers}"
    rows = [
        Row(text=_network_line(overlay, network, drawn), colour=colours[network.id])
        for network in overlay.networks
    ]
    rows.append(Row(text=_underlay_line(overlay)))
    return Box(id=HEADER, heading=f"{overlay.name}: {counts}", rows=tuple(rows), look=Look.TITLE)


def _network_line(overlay: Overlay, network: Network, drawn: Sequence[HostBoxes]) -> str:
    cidrs = [str(subnet.cidr) for subnet in overlay.subnets_of.get(network.id, ())]
    parts = [_carried(network), f"MTU {overlay.mtu_of(network)}", *cidrs]
    vlans = {host.ports.local_vlans.get(network.id) for host in drawn} - {None}
    if len(vlans) == 1:
        parts.append(f"local VLAN {vlans.pop()}")
    elif vlans:
        parts.append("local VLANs differ (see br-int)")
    return f"{name_of(network)}: {', '.join(parts)}"


def _carried(network: Network) -> str:
    kind, number = network.network_type, network.segmentation_id
    if kind.is_tunnel:
        word = "key" if id_word(kind).endswith("key") else id_word(kind)
        return f"{spelt(kind)}, {word} {number}"
    if not kind.is_provider:
        return "local, never leaves its host"
    return (
        f"VLAN {number} on {network.physical_network}"
        if number is not None
        else (f"flat, untagged on {network.physical_network}")
    )


def _underlay_line(overlay: Overlay) -> str:
    underlay = overlay.underlay
    shapes = {
        Shape.SWITCH: "one Ethernet",
        Shape.LEAF_SPINE: f"leaf-spine, {underlay.spines} spines, equal-cost paths by "
        f"{HASH_POLICIES[underlay.hash_policy]}",
        Shape.WAN: "routers in a row",
    }
    parts = [shapes[underlay.shape], f"MTU {overlay.underlay_mtu}"]
    parts += [f"MTU {underlay.wan_mtu} between the routers"] if underlay.wan_mtu else []
    parts += [f"delay {underlay.delay_ms:g} ms"] if underlay.delay_ms else []
    parts += [f"loss {underlay.loss_percent:g} %"] if underlay.loss_percent else []
    return f"underlay: {', '.join(parts)}"
