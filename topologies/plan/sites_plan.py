"""The links, addresses, routes, NAT and switches of a site-to-site lab.  Pure.

pc --eth0/pc-- home-lan --home-router/lan-- home-router --wan/home-router-- isp1 --isp2/isp1-- isp2 ...
                                                gre1 (the tunnel's end)             attacker --eth0/attacker-+
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import NamedTuple

from controller.model.names import underlay_mac
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
    # As most of the internet: source addresses are not checked.
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    # The public address is on the bridge; the interface below it must not answer ARP for it.
    "net.ipv4.conf.all.arp_ignore=1",
    # Experiments count ICMP errors, so none may be suppressed (ip-sysctl.rst, icmp_ratelimit).
    "net.ipv4.icmp_ratelimit=0",
)
PEER = "gre-peer"  # the GRE port
WAN_OFPORT, PEER_OFPORT = 1, 1


class Link(NamedTuple):
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
            yield Link(station.name, site.switch, ETH, station.name, LAN_MTU)
        yield Link(site.router, site.switch, LAN, site.router, LAN_MTU)
    mtu = sites.underlay_mtu
    for site, router in zip(sites.sites, (sites.routers[0], sites.routers[-1]), strict=True):
        yield Link(site.router, router, WAN, site.router, mtu)
    for left, right in pairwise(sites.routers):
        yield Link(left, right, right, left, mtu)
    yield Link(sites.attacker.name, sites.attacker.router, ETH, sites.attacker.name, LAN_MTU)


def core_wire(index: int) -> IPv4Network:
    """The wire between transit routers number `index` and `index` + 1, from 0."""
    return IPv4Network((int(CORE.network_address) + 4 * index, POINT_TO_POINT))


def station_lines(sites: Sites, name: str) -> list[str]:
    """`ip` commands of a station: its address and its default route."""
    attacker = sites.attacker
    ip, network, gateway = attacker.ip, attacker.network, attacker.gateway_ip
    for site in sites.sites:
        for station in site.stations:
            if station.name == name:
                ip, network, gateway = station.ip, site.lan, site.gateway_ip
    return ["link set lo up", *_end(ip, network, ETH), f"route add default via {gateway}"]


def _end(ip: IPv4Address, network: IPv4Network, interface: str) -> list[str]:
    return [f"addr add {ip}/{network.prefixlen} dev {interface}", f"link set {interface} up"]


def transit_lines(sites: Sites, name: str) -> list[str]:
    """`ip` commands of a transit router, which has routes to public networks only."""
    index, last = sites.routers.index(name), len(sites.routers) - 1
    lines = ["link set lo up"]
    for site, at in ((sites.near, 0), (sites.far, last)):
        if index == at:
            lines += _end(site.provider_ip, site.uplink, site.router)
    if name == sites.attacker.router:
        lines += _end(sites.attacker.gateway_ip, sites.attacker.network, sites.attacker.name)
    for wire, end in ((index - 1, 1), (index, 0)):
        if 0 <= wire < last:
            network, neighbour = core_wire(wire), sites.routers[wire + 1 - end]
            lines += _end(list(network.hosts())[end], network, neighbour)
    return [*lines, *_routes(sites, index)]


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
    """`ip` commands of an edge router, after its switch has made the interfaces."""
    return [
        "link set lo up",
        *_end(site.gateway_ip, site.lan, LAN),
        f"link set {WAN} up",
        f"addr add {site.public_ip}/{site.uplink.prefixlen} dev {WAN_BRIDGE}",
        f"link set {WAN_BRIDGE} up mtu {sites.underlay_mtu}",
        f"neigh replace {site.provider_ip} lladdr {underlay_mac(site.provider_ip)} dev {WAN_BRIDGE} nud permanent",
        f"route add default via {site.provider_ip}",
        f"addr add {site.tunnel_ip}/{POINT_TO_POINT} dev {TUNNEL}",
        *tunnel_lines(sites, site),
    ]


def tunnel_lines(sites: Sites, site: Site) -> list[str]:
    """`ip` commands that set the tunnel up, also after `link set gre1 down`.

    ARP does not cross a tunnel for IP packets only, so the other end gets a permanent entry; its
    MAC is never used on a wire.
    """
    far = sites.other(site)
    return [
        f"link set {TUNNEL} up mtu {sites.tunnel_mtu}",
        f"neigh replace {far.tunnel_ip} lladdr {underlay_mac(far.tunnel_ip)} dev {TUNNEL} nud permanent",
        f"route replace {far.lan} via {far.tunnel_ip} dev {TUNNEL}",
    ]


def nat_rules(site: Site) -> str:
    """The NAT of an edge router, as `nft -f` takes it.

    Packets from the LAN to the internet get the public address; `snat` is where packets of the
    tunnel get another source address.
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


def transaction(sites: Sites, site: Site, datapath: str) -> tuple[str, ...]:
    """The one transaction that adds both bridges of an edge router and the GRE port.

    Source: ovs-vswitchd.conf.db(5): packet_type=legacy_l3 sends IP without Ethernet.
    """
    mtu = sites.underlay_mtu
    wan = (
        f"-- add-br {WAN_BRIDGE}"
        f" -- set Bridge {WAN_BRIDGE} datapath_type={datapath}"
        f' other_config:hwaddr="{underlay_mac(site.public_ip)}"'
        f" -- set Interface {WAN_BRIDGE} mtu_request={mtu}"
        f" -- add-port {WAN_BRIDGE} {WAN}"
        f" -- set Interface {WAN} ofport_request={WAN_OFPORT} mtu_request={mtu}"
    )
    tunnel = (
        f"-- add-br {TUNNEL}"
        f" -- set Bridge {TUNNEL} datapath_type={datapath} fail_mode=secure"
        f' other_config:hwaddr="{underlay_mac(site.tunnel_ip)}"'
        f" -- set Interface {TUNNEL} mtu_request={sites.tunnel_mtu}"
        f" -- add-port {TUNNEL} {PEER}"
        f" -- set Interface {PEER} ofport_request={PEER_OFPORT} type=gre"
        f" options:local_ip={site.public_ip} options:remote_ip={sites.other(site).public_ip}"
        " options:packet_type=legacy_l3"
    )
    return ("ovs-vsctl", "--timeout=30", *wan.split(), *tunnel.split())


def flows(site: Site) -> tuple[str, ...]:
    """The flows of the tunnel's bridge: IP from the kernel to the tunnel, and back."""
    mac = underlay_mac(site.tunnel_ip)
    return (
        f"priority=1,in_port=LOCAL,ip actions=output:{PEER_OFPORT}",
        # A decapsulated packet has no Ethernet header of its own; the kernel expects its own MAC.
        f"priority=1,in_port={PEER_OFPORT},ip actions=mod_dl_dst:{mac},LOCAL",
    )
