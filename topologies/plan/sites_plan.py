"""What each node of a site-to-site lab is told: links, addresses, routes, NAT, switch.  Pure.

pc --eth0/pc-- home-lan --home-router/lan-- home-router --wan/home-router-- isp1 --isp2/isp1-- isp2 ...
                                                gre1 (the tunnel's end)             attacker --eth0/attacker-+
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

from controller.model.names import derived_mac, underlay_mac
from controller.model.sites import (
    CORE,
    ETH,
    LAN,
    LAN_MTU,
    POINT_TO_POINT,
    TUNNEL,
    WAN,
    Site,
    Sites,
    Snat,
)

WAN_BRIDGE = "br-wan"  # the bridge with the public address
FORWARDING = (
    "net.ipv4.ip_forward=1",
    # As most of the internet: where a packet claims to come from is not looked at.
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    # The bridge carries the public address; the interface beneath must not answer for it.
    "net.ipv4.conf.all.arp_ignore=1",
    # Errors are evidence here: none is held back (ip-sysctl.rst, icmp_ratelimit).
    "net.ipv4.icmp_ratelimit=0",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A wire between two nodes, with the interface at each end."""

    one: str
    other: str
    name_at_one: str
    name_at_other: str
    mtu: int  # bytes


def links(sites: Sites) -> Iterator[Link]:
    """Every wire, from the first site's stations to the second's."""
    for site in sites.sites:
        for station in site.stations:
            yield _link(station.name, site.switch, ETH, station.name, LAN_MTU)
        yield _link(site.router, site.switch, LAN, site.router, LAN_MTU)
    first, last, mtu = sites.routers[0], sites.routers[-1], sites.underlay_mtu
    yield _link(sites.near.router, first, WAN, sites.near.router, mtu)
    for left, right in pairwise(sites.routers):
        yield _link(left, right, right, left, mtu)
    yield _link(sites.far.router, last, WAN, sites.far.router, mtu)
    attacker = sites.attacker
    yield _link(attacker.name, attacker.router, ETH, attacker.name, LAN_MTU)


def _link(one: str, other: str, name_at_one: str, name_at_other: str, mtu: int) -> Link:
    return Link(one=one, other=other, name_at_one=name_at_one, name_at_other=name_at_other, mtu=mtu)


def core_wire(index: int) -> IPv4Network:
    """The wire between transit routers number `index` and `index` + 1, from 0."""
    return IPv4Network((int(CORE.network_address) + 4 * index, POINT_TO_POINT))


def station_lines(sites: Sites, name: str) -> list[str]:
    """`ip` commands of a station: its address and its way out."""
    for site in sites.sites:
        for station in site.stations:
            if station.name == name:
                return _station(station.ip, site.lan, site.gateway_ip)
    attacker = sites.attacker
    return _station(attacker.ip, attacker.network, attacker.gateway_ip)


def _station(ip: IPv4Address, network: IPv4Network, gateway: IPv4Address) -> list[str]:
    return [
        "link set lo up",
        f"addr add {ip}/{network.prefixlen} dev {ETH}",
        f"link set {ETH} up",
        f"route add default via {gateway}",
    ]


def transit_lines(sites: Sites, name: str) -> list[str]:
    """`ip` commands of a transit router: it knows public networks, and no other."""
    index, last = sites.routers.index(name), len(sites.routers) - 1
    lines = ["link set lo up"]
    if index == 0:
        lines += _uplink(sites.near)
    if index == last:
        lines += _uplink(sites.far)
    if name == sites.attacker.router:
        segment = sites.attacker.network
        at = f"{sites.attacker.gateway_ip}/{segment.prefixlen}"
        lines += [f"addr add {at} dev {sites.attacker.name}", f"link set {sites.attacker.name} up"]
    if index > 0:
        lines += _core(core_wire(index - 1), 1, sites.routers[index - 1])
    if index < last:
        lines += _core(core_wire(index), 0, sites.routers[index + 1])
    return [*lines, *_routes(sites, index)]


def _uplink(site: Site) -> list[str]:
    address = f"{site.provider_ip}/{site.uplink.prefixlen}"
    return [f"addr add {address} dev {site.router}", f"link set {site.router} up"]


def _core(wire: IPv4Network, end: int, interface: str) -> list[str]:
    ip = list(wire.hosts())[end]
    return [f"addr add {ip}/{wire.prefixlen} dev {interface}", f"link set {interface} up"]


def _routes(sites: Sites, index: int) -> Iterator[str]:
    """Routes to each public network that is not on one of its own wires."""
    last = len(sites.routers) - 1
    homes = [(sites.near.uplink, 0), (sites.far.uplink, last)]
    homes += [(sites.attacker.network, sites.routers.index(sites.attacker.router))]
    homes += [(core_wire(wire), wire if index <= wire else wire + 1) for wire in range(last)]
    for network, home in homes:
        if home != index:
            beside = list(core_wire(index if home > index else index - 1).hosts())
            yield f"route add {network} via {beside[1 if home > index else 0]}"


def edge_lines(sites: Sites, site: Site) -> list[str]:
    """`ip` commands of an edge router, once its switch has made the interfaces."""
    return [
        "link set lo up",
        f"addr add {site.gateway_ip}/{site.lan.prefixlen} dev {LAN}",
        f"link set {LAN} up",
        f"link set {WAN} up",
        f"addr add {site.public_ip}/{site.uplink.prefixlen} dev {WAN_BRIDGE}",
        f"link set {WAN_BRIDGE} up mtu {sites.underlay_mtu}",
        f"neigh replace {site.provider_ip} lladdr {provider_mac(site)} dev {WAN_BRIDGE} nud permanent",
        f"route add default via {site.provider_ip}",
        f"addr add {site.tunnel_ip}/{POINT_TO_POINT} dev {TUNNEL}",
        *tunnel_lines(sites, site),
    ]


def tunnel_lines(sites: Sites, site: Site) -> list[str]:
    """`ip` commands that put the tunnel into use; after `link set gre1 down` once more.

    No ARP crosses a tunnel that carries IP alone: the far end's MAC is given, and means nothing.
    """
    far = sites.other(site)
    return [
        f"link set {TUNNEL} up mtu {sites.tunnel_mtu}",
        f"neigh replace {far.tunnel_ip} lladdr {tunnel_mac(far)} dev {TUNNEL} nud permanent",
        f"route replace {far.lan} via {far.tunnel_ip} dev {TUNNEL}",
    ]


def nat_rules(site: Site) -> str:
    """The NAT of an edge router, as `nft -f` takes it.

    Whoever of the LAN goes to the internet does so by the public address; `snat` says where
    what the tunnel carries gets another sender.
    """
    rules = {
        Snat.TUNNEL: f'oifname "{TUNNEL}" snat to {site.tunnel_ip}',
        Snat.LAN: f'iifname "{TUNNEL}" oifname "{LAN}" snat to {site.gateway_ip}',
        Snat.NONE: "",
    }
    return f"""\
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    {rules[site.snat]}
    ip saddr {site.lan} oifname "{WAN_BRIDGE}" snat to {site.public_ip}
  }}
}}
"""


def edge_mac(site: Site) -> str:
    """The MAC of an edge router on the wire to its provider."""
    return underlay_mac(site.public_ip)


def provider_mac(site: Site) -> str:
    """The MAC of the provider's router on that wire."""
    return underlay_mac(site.provider_ip)


def tunnel_mac(site: Site) -> str:
    """The MAC of an edge router's end of the tunnel; no wire ever carries it."""
    return underlay_mac(site.tunnel_ip)


def station_mac(name: str) -> str:
    """The MAC of a station, the same each time."""
    return derived_mac(name)
