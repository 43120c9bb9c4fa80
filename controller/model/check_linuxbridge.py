"""The rules for hosts with Linux bridges; each error says how to correct it.  Pure."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.parts import Cidr, Host, Mechanism, OverlayParts

BRIDGE = Mechanism.LINUXBRIDGE
NOT_SNOOPED = IPv4Network("224.0.0.0/24")  # RFC 4541, section 2.1.2: forwarded on all ports
SUPPORTED = (NetworkType.VXLAN, NetworkType.LOCAL)
WHY_NOT = {
    NetworkType.VLAN: "its tags need the kernel's 8021q module, which labs do not use",
    NetworkType.FLAT: "the interface that would join the bridge has the VTEP's address",
    NetworkType.GRE: "Neutron's linuxbridge agent supports VXLAN tunnels only",
    NetworkType.GENEVE: "Neutron's linuxbridge agent supports VXLAN tunnels only",
}
PORTS_MAX = 1023  # guests of one network on one host: Linux's BR_MAX_PORTS less the VXLAN device


def linuxbridge_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Every contradiction of `mechanism` and `vxlan_group`, in reading order."""
    where = f"overlay {overlay.name!r}"
    if len({host.mechanism for host in overlay.hosts}) > 1:
        yield ModelError(
            "openvswitch and linuxbridge mixed",
            where=where,
            allowed="one mechanism for all hosts",
            do="Set `mechanism` under `agent`, not for single hosts.",
        )
    if len({host.vxlan_group for host in overlay.hosts}) > 1:
        yield ModelError(
            "hosts with different `vxlan_group`",
            where=where,
            allowed="one for all hosts",
            do="Set `vxlan_group` under `agent`: a host outside the group gets no broadcasts.",
        )
    for host in overlay.hosts:
        yield from _mechanism_errors(host)
    if any(host.mechanism is BRIDGE for host in overlay.hosts):
        do = "Make it vxlan, or remove `mechanism: linuxbridge`."
        for network in overlay.networks:
            if network.network_type in WHY_NOT:
                yield _cannot(network.network_type, where=network.where, do=do)
        yield from _count_errors(overlay)


def _count_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Bridges with more ports than Linux allows."""
    counts = Counter((port.host, port.network_id) for port in overlay.ports if port.host)
    for (host, network_id), count in counts.items():
        if count > PORTS_MAX and network_id in overlay.network_of:
            yield ModelError(
                f"{count} ports of {overlay.network_of[network_id].where}",
                where=f"host {host!r}",
                allowed=f"{PORTS_MAX}: a Linux bridge has 1024 ports, one of them for VXLAN",
                do="Move some to another host.",
            )


def _mechanism_errors(host: Host) -> Iterator[ModelError]:
    where = f"host {host.name!r}"
    if host.vxlan_group is not None:
        yield from _group_errors(host, host.vxlan_group)
    if host.mechanism is not BRIDGE:
        return
    if host.local_ip.version == 6:
        yield ModelError(
            f"local_ip {host.local_ip}",
            where=where,
            allowed=f"IPv4 with mechanism {BRIDGE}",
            do="Pick an IPv4 address.",
        )
    for kind in host.tunnel_types:
        if kind in WHY_NOT and kind.is_tunnel:
            yield _cannot(kind, where=f"{where} tunnel_types", do="Remove it.")
    for option, is_set in (
        ("bridge_mappings", host.bridge_mappings),
        ("plug: hybrid", host.hybrid_plug),
    ):
        if is_set:
            yield ModelError(
                option,
                where=where,
                allowed=f"none with mechanism {BRIDGE}",
                do="Remove it: it is for Open vSwitch.",
            )


def _group_errors(host: Host, group: Cidr) -> Iterator[ModelError]:
    is_fit = group.version == 4 and group.is_multicast
    reasons = {
        f"none of {NOT_SNOOPED}, which switches always flood": is_fit
        and NOT_SNOOPED.overlaps(IPv4Network(group)),
        f"IPv4 multicast, as 239.0.0.0/8 (found {group})": not is_fit,
        f"none without mechanism {BRIDGE}: Open vSwitch sends copies": host.mechanism is not BRIDGE,
        "none with l2_population, which floods to members by itself": host.l2_population,
    }
    for allowed, is_wrong in reasons.items():
        if is_wrong:
            found, do = f"vxlan_group {group}", "Correct it, or leave vxlan_group out."
            yield ModelError(found, where=f"host {host.name!r}", allowed=allowed, do=do)


def _cannot(kind: NetworkType, *, where: str, do: str) -> ModelError:
    return ModelError(
        f"{kind} with mechanism {BRIDGE}: {WHY_NOT[kind]}",
        where=where,
        allowed=", ".join(map(str, SUPPORTED)),
        do=do,
    )
