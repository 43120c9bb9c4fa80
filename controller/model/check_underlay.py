"""The rules for an underlay; each error says how to correct it.  Pure."""

from collections.abc import Iterator

from controller.model.errors import ModelError, limit_errors
from controller.model.names import VTEP_BRIDGE
from controller.model.parts import Host, OverlayParts
from controller.model.underlay import HASH_POLICIES, LINKS, SPINES_MAX, Shape, core_names, edge_name

DELAY_MAX_MS = 10_000
WAN_MTU_MIN = 576  # bytes; every IPv4 host accepts 576 (RFC 791)
WHERE = "underlay"


def underlay_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every contradiction between the underlay and the rest of the overlay."""
    underlay = overlay.underlay
    limits = {
        "spines": (underlay.spines, 1, SPINES_MAX),
        "delay_ms": (underlay.delay_ms, 0, DELAY_MAX_MS),
        "loss_percent": (underlay.loss_percent, 0, 100),
    }
    do = "Pick one in that range, or leave the key out."
    for key, limit in limits.items():
        yield from limit_errors(key, *limit, where=WHERE, do=do)
    if underlay.hash_policy not in HASH_POLICIES:
        yield ModelError(
            f"hash_policy {underlay.hash_policy}",
            where=WHERE,
            allowed="; ".join(f"{number}: {what}" for number, what in HASH_POLICIES.items()),
            do="Pick one; Linux's fib_multipath_hash_policy has the same numbers.",
        )
    found, is_wan = underlay.wan_mtu, underlay.shape is Shape.WAN
    if found and not (is_wan and WAN_MTU_MIN <= found <= overlay.underlay_mtu):
        yield ModelError(
            f"wan_mtu {found}",
            where=WHERE,
            allowed=f"{WAN_MTU_MIN}..{overlay.underlay_mtu} bytes, with `shape: wan` only",
            do="Pick one up to the underlay's mtu, or leave the key out.",
        )
    if underlay.shape.is_routed:
        yield from _routed_errors(overlay)


def _routed_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    shape = overlay.underlay.shape
    for host in overlay.hosts:
        yield from _host_errors(host, shape)
    routers = frozenset(router_names(overlay))
    named = [("host", host.name, host.name) for host in overlay.hosts]
    named += [("port", port.name or port.id, port.device_id) for port in overlay.ports]
    for kind, thing, name in named:
        if name in routers:
            yield ModelError(
                f"name {name!r} is the name of a router",
                where=f"{kind} {thing!r}",
                allowed=f"none of {', '.join(sorted(routers))} (underlay {shape})",
                do="Rename it.",
            )
    for network in overlay.networks:
        bridges = {host.bridge_of(network.physical_network) for host in overlay.hosts}
        if network.network_type.is_provider and VTEP_BRIDGE in bridges:
            yield ModelError(
                f"network_type {network.network_type} on the underlay's own wires",
                where=network.where,
                allowed=f"gre, vxlan, geneve: on a {shape} each host is behind a router of its own",
                do="Use a tunnel type, or `shape: switch`.",
            )


def _host_errors(host: Host, shape: Shape) -> Iterator[ModelError]:
    where = f"host {host.name!r}"
    if host.local_ip.version != LINKS.version:
        yield ModelError(
            f"local_ip {host.local_ip} on a routed underlay",
            where=where,
            allowed=f"an IPv4 address: the routers of a {shape} have IPv4 only",
            do="Give every host an IPv4 address, or use `shape: switch`.",
        )
    if host.local_ip in LINKS:
        yield ModelError(
            f"local_ip {host.local_ip}",
            where=where,
            allowed=f"any address outside {LINKS}",
            do="Pick another: the links between routers have those.",
        )
    if host.vxlan_group is not None:
        yield ModelError(
            f"vxlan_group {host.vxlan_group} on a routed underlay",
            where=where,
            allowed=f"none: the routers of a {shape} forward no multicast",
            do="Leave it out (copies to every VTEP, or l2_population), or use `shape: switch`.",
        )


def router_names(overlay: OverlayParts) -> tuple[str, ...]:
    """The names of the underlay's routers: one edge router for each host, then the core."""
    shape = overlay.underlay.shape
    if not shape.is_routed:
        return ()
    edges = (edge_name(shape, index) for index in range(len(overlay.hosts)))
    return (*edges, *core_names(overlay.underlay))
