"""The rules for the options of openvswitch agents.  Pure; called by `check`."""

import re
from collections.abc import Iterator
from dataclasses import fields

from controller.model.agent import DEFAULTS, GENEVE_PORT, AgentOptions
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, limit_errors
from controller.model.names import patch_to_phys
from controller.model.parts import Host, Mechanism, OverlayParts

PORT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
DO = "Pick one in that range, or leave the option out."


def agent_errors(overlay: OverlayParts) -> Iterator[ModelError]:
    """Values that Neutron refuses, and values with which no frame arrives."""
    for host in overlay.hosts:
        yield from _host_errors(host)
    ports = {host.agent.vxlan_udp_port for host in overlay.hosts if _has(host, NetworkType.VXLAN)}
    if len(ports) > 1:
        yield ModelError(
            f"hosts with different `vxlan_udp_port`: {', '.join(map(str, sorted(ports)))}",
            where=f"overlay {overlay.name!r}",
            allowed="one for all hosts",
            do="Set it for all agents: a host receives VXLAN only on the port to which it sends.",
        )


def _has(host: Host, kind: NetworkType) -> bool:
    return kind in host.tunnel_types


def _host_errors(host: Host) -> Iterator[ModelError]:
    where, agent = f"host {host.name!r}", host.agent
    if host.mechanism is not Mechanism.OPENVSWITCH:
        changed = [each.name for each in fields(agent) if _differs(agent, each.name)]
        for name in changed:
            yield ModelError(
                f"{name} {getattr(agent, name)}",
                where=where,
                allowed=f"none with mechanism {host.mechanism}",
                do="Remove it: it is for Open vSwitch.",
            )
        return
    port = agent.vxlan_udp_port
    yield from limit_errors("vxlan_udp_port", port, 1, 65535, where=where, do=DO)
    if port == GENEVE_PORT and _has(host, NetworkType.VXLAN) and _has(host, NetworkType.GENEVE):
        yield ModelError(
            f"vxlan_udp_port {port} with Geneve",
            where=where,
            allowed=f"any but {GENEVE_PORT}, which Geneve has",
            do="Pick another port.",
        )
    if agent.dscp is not None:
        yield from limit_errors("dscp", agent.dscp, 0, 63, where=where, do=DO)
    size, limit = agent.bridge_mac_table_size, 2**31 - 1
    yield from limit_errors("bridge_mac_table_size", size, 1, limit, where=where, do=DO)
    yield from _patch_errors(host, where)


def _differs(agent: AgentOptions, name: str) -> bool:
    return bool(getattr(agent, name) != getattr(DEFAULTS, name))


def _patch_errors(host: Host, where: str) -> Iterator[ModelError]:
    """OVSDB has one namespace for the ports and bridges of a host."""
    bridges = {"br-int", "br-tun", *(bridge for _, bridge in host.bridge_mappings)}
    taken = bridges.union(*(patch_to_phys(bridge) for bridge in bridges))
    names = (host.agent.int_peer_patch_port, host.agent.tun_peer_patch_port)
    for option, name in zip(("int_peer_patch_port", "tun_peer_patch_port"), names, strict=True):
        if not PORT_NAME.fullmatch(name) or name in taken or names[0] == names[1]:
            yield ModelError(
                f"{option} {name!r}",
                where=where,
                allowed="letters, digits, '_', '.' and '-', and no other port or bridge of the host",
                do="Pick another name, or leave the option out.",
            )
            return
