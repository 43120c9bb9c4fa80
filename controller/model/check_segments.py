"""The rules for segments and provider bridges.  Pure; called by `check`."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.names import IFNAMSIZ, UNDERLAY, VTEP_BRIDGE, provider_interface
from controller.model.parts import Host, Network, OverlayParts, SegmentRange

WIRES_LISTED = 9  # in an error
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
BRIDGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
OWN_DEVICES = ("br-int", "br-tun", "lo", "management", "ovs-netdev", UNDERLAY)  # of every host


def wire_id(network: Network) -> tuple[str, ...]:
    """What separates the network from all others on the wire: it must be unique."""
    kind = network.network_type
    if kind is NetworkType.LOCAL:
        return (kind.value, network.id)  # its frames never leave a host
    physical = network.physical_network or "" if kind.is_provider else ""
    return (kind.value, physical, str(network.segmentation_id or 0))


def segment_errors(network: Network) -> Iterator[ModelError]:
    """A segmentation_id or physical network that is missing, or that the type does not have."""
    kind, found = network.network_type.kind, network.segmentation_id
    if not kind.id_max and found is not None:
        yield ModelError(
            f"segmentation_id {found}",
            where=network.where,
            allowed=f"none ({network.network_type} has no id)",
            do="Remove it.",
        )
    if kind.id_max and not (found and 1 <= found <= kind.id_max):
        fits_gre = found and 1 <= found <= NetworkType.GRE.kind.id_max
        wider = ", or network_type: gre" if fits_gre else ""
        yield ModelError(
            f"segmentation_id {found}",
            where=network.where,
            allowed=f"1..{kind.id_max} ({network.network_type}'s {kind.id_word})",
            do=f"Pick one in that range{wider}.",
        )
    yield from _physical_errors(network)


def _physical_errors(network: Network) -> Iterator[ModelError]:
    is_provider, physical = network.network_type.is_provider, network.physical_network
    if is_provider and not physical:
        yield ModelError(
            "no physical_network",
            where=network.where,
            allowed="a name in the hosts' `bridge_mappings`",
            do="Name the provider network.",
        )
    if physical and not is_provider:
        why = (
            "never leaves its host" if network.network_type is NetworkType.LOCAL else "is tunnelled"
        )
        yield ModelError(
            f"physical_network {physical!r}",
            where=network.where,
            allowed=f"none ({network.network_type} {why})",
            do="Remove it.",
        )


def range_errors(ranges: Collection[SegmentRange]) -> Iterator[ModelError]:
    """Ranges that end before they start, or exceed the ids of the type."""
    for each in ranges:
        top = each.network_type.kind.id_max
        if not 1 <= each.first <= each.last <= top:
            yield ModelError(
                f"range {each.first}:{each.last}",
                where=f"ranges of {each.network_type}",
                allowed=f"first:last, each 1..{top}" if top else "none (it has no ids)",
                do="Correct it.",
            )


def bridge_errors(host: Host) -> Iterator[ModelError]:
    """Provider bridges with an impossible name."""
    wires = {provider_interface(name): None for name, _ in host.bridge_mappings}
    listed = ", ".join([*wires][:WIRES_LISTED]) + (", ..." if len(wires) > WIRES_LISTED else "")
    for physical_network, bridge in host.bridge_mappings:
        found = f"bridge {bridge} for physical network {physical_network!r}"
        where = f"host {host.name!r} bridge_mappings"
        characters = "letters, digits, '_', '.' and '-', not '.' or '-' first, and none of "
        rules = (
            (
                bridge in OWN_DEVICES,
                f"a bridge of its own, none of {', '.join(OWN_DEVICES)}",
                "Name the provider bridge.",
            ),
            (
                len(bridge) > IFNAMSIZ,
                f"a name of up to {IFNAMSIZ} characters, as Linux has for interfaces",
                "Shorten it.",
            ),
            (
                not BRIDGE.fullmatch(bridge) or bridge in wires,
                f"{characters}{listed}: the interfaces to the provider networks",
                "Rename it.",
            ),
        )
        for is_broken, allowed, do in rules:
            if is_broken:
                yield ModelError(found, where=where, allowed=allowed, do=do)


def physical_network_errors(
    overlay: OverlayParts, reserved: Collection[str]
) -> Iterator[ModelError]:
    """Physical networks that cannot be an Ethernet of their own: each is a node of the lab.

    A network mapped to br-vtep is the underlay itself, so all hosts must map it there.
    """
    nodes = {*reserved, *overlay.host_of, *(port.device_id for port in overlay.ports)}
    bridges_of: defaultdict[str, set[str]] = defaultdict(set)
    for host in overlay.hosts:
        for physical_network, bridge in host.bridge_mappings:
            bridges_of[physical_network].add(bridge)
    for name, bridges in bridges_of.items():
        if bridges == {VTEP_BRIDGE}:
            continue
        where = f"overlay {overlay.name!r} bridge_mappings"
        if VTEP_BRIDGE in bridges:
            yield ModelError(
                f"physical network {name!r} on {', '.join(sorted(bridges))}",
                where=where,
                allowed=f"{VTEP_BRIDGE} on every host or on none: it is the underlay",
                do="Map it to the same bridge on all hosts.",
            )
        if name in nodes or not NAME.fullmatch(name):
            yield ModelError(
                f"physical network {name!r}",
                where=where,
                allowed="a letter, then up to 39 letters, digits, '_', '.' or '-', and no name of "
                "a host, of a guest, or of the lab's own nodes: it is an Ethernet, and a node",
                do="Rename it.",
            )
