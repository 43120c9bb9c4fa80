"""What a site-to-site description must keep.  Pure: values in, errors out, nothing raised."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from itertools import combinations

from controller.model.errors import ModelError
from controller.model.names import segment_bridge
from controller.model.site_parts import Site, SitesParts

# Interfaces are called after their neighbours, so names stay below IFNAMSIZ.
NAME = re.compile(r"[a-z][a-z0-9-]{0,13}")
SITE_NAME = re.compile(r"[a-z][a-z0-9]{0,6}")  # `<name>-router` is an interface, too
MTU_LOWEST, MTU_HIGHEST = 600, 9216  # bytes: 576 of IPv4 and the tunnel's 24
ROUTERS_LEAST, ROUTERS_MOST = 2, 8


def sites_errors(sites: SitesParts) -> Iterator[ModelError]:
    """Everything wrong with `sites`, in no certain order."""
    yield from _names(sites)
    yield from _counts(sites)
    yield from _networks(sites)
    for site in sites.sites:
        yield from _site(site)
    if len(sites.sites) == 2:
        yield from _tunnel(sites)


def _names(sites: SitesParts) -> Iterator[ModelError]:
    for site in sites.sites:
        if not SITE_NAME.fullmatch(site.name):
            yield _wrong(
                f"site {site.name!r}",
                f"name {site.name!r}",
                "1 to 7 lower-case letters and digits, a letter first",
                "Pick another.",
            )
    nodes = [*sites.routers, *(station.name for station in sites.stations)]
    for name in nodes:
        if not NAME.fullmatch(name):
            yield _wrong(
                f"node {name!r}",
                f"name {name!r}",
                "1 to 14 lower-case letters, digits and -, a letter first",
                "Pick another.",
            )
    for name in sorted({"lo", *(segment_bridge(site.switch) for site in sites.sites)} & {*nodes}):
        yield _wrong(
            f"node {name!r}",
            f"name {name!r} is taken",
            "no interface's that is there anyway",
            "Pick another: interfaces are called after the nodes they lead to.",
        )
    nodes += [name for site in sites.sites for name in (site.router, site.switch)]
    for name in sorted({name for name in nodes if nodes.count(name) > 1}):
        yield _wrong(
            f"node {name!r}",
            f"name {name!r} twice",
            "each name once",
            "Rename one of them; a site makes the nodes NAME-router and NAME-lan.",
        )


def _counts(sites: SitesParts) -> Iterator[ModelError]:
    if len(sites.sites) != 2:
        yield _wrong(
            "sites",
            f"a list of {len(sites.sites)}",
            "2",
            "A tunnel has two ends: name the site that calls, then the other.",
        )
    if not ROUTERS_LEAST <= len(sites.routers) <= ROUTERS_MOST:
        yield _wrong(
            "wan",
            f"routers: {len(sites.routers)} of them",
            f"{ROUTERS_LEAST}..{ROUTERS_MOST}",
            "Add some or remove some.",
        )
    if not MTU_LOWEST <= sites.underlay_mtu <= MTU_HIGHEST:
        yield _wrong(
            "wan",
            f"mtu {sites.underlay_mtu}",
            f"{MTU_LOWEST}..{MTU_HIGHEST}",
            "Pick another; PPPoE leaves 1492.",
        )
    if sites.attacker.router not in sites.routers:
        yield _wrong(
            "attacker",
            f"router {sites.attacker.router!r}",
            ", ".join(sites.routers),
            "Name one of them.",
        )


def _site(site: Site) -> Iterator[ModelError]:
    where = f"site {site.name!r}"
    if not site.stations:
        yield _wrong(where, "stations: none", "at least one", "Name the machine that pings.")
    inside = [("gateway_ip", site.gateway_ip)]
    inside += [(f"station {station.name!r}", station.ip) for station in site.stations]
    unusable = _ends(site.lan)
    for what, ip in inside:
        if ip not in site.lan or ip in unusable:
            yield _wrong(
                where,
                f"{what} {ip}",
                f"an address of a host in lan {site.lan}",
                "Move it, or change `lan`.",
            )
    for twice in _twice(ip for _, ip in inside):
        yield _wrong(where, f"stations: {twice} twice", "each address once", "Change one of them.")
    if site.public_ip in _ends(site.uplink):
        yield _wrong(
            where,
            f"public_ip {site.public_ip}",
            f"not the first or last of {site.uplink}",
            "The wire to the provider is a /30: pick an address within it.",
        )


def _tunnel(sites: SitesParts) -> Iterator[ModelError]:
    near, far = sites.near.tunnel_ip, sites.far.tunnel_ip
    wire = IPv4Network((near, 30), strict=False)
    if far not in wire or near == far or {near, far} & _ends(wire):
        yield _wrong(
            f"site {sites.far.name!r}",
            f"tunnel_ip {far}",
            f"the other host of the tunnel's /30 ({wire}, with {near} at the near end)",
            "Take two addresses such as 172.16.16.1 and 172.16.16.2.",
        )


def _networks(sites: SitesParts) -> Iterator[ModelError]:
    named = [(f"lan of site {site.name!r}", site.lan) for site in sites.sites]
    named += [(f"uplink of site {site.name!r}", site.uplink) for site in sites.sites]
    named += [("the attacker's segment", sites.attacker.network)]
    named += [("wires between routers", IPv4Network("198.51.100.0/24"))]
    if sites.sites:
        named += [("the tunnel", IPv4Network((sites.near.tunnel_ip, 30), strict=False))]
    for (one, first), (other, second) in combinations(named, 2):
        if first.overlaps(second):
            yield _wrong(
                "sites",
                f"{one} ({first}) overlaps {other} ({second})",
                "networks apart from each other",
                "Change one of them.",
            )


def _ends(network: IPv4Network) -> set[object]:
    """The network's own address and its broadcast address."""
    return {network.network_address, network.broadcast_address}


def _twice(values: Iterable[object]) -> list[object]:
    found = list(values)
    return list(dict.fromkeys(value for value in found if found.count(value) > 1))


def _wrong(where: str, found: str, allowed: str, do: str) -> ModelError:
    return ModelError(found, where=where, allowed=allowed, do=do)
