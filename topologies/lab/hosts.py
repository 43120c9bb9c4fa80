"""Compute hosts that are added to a running lab and removed from it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from controller.model.additions import new_host
from controller.model.errors import ModelError, OverlayError, UsageError
from controller.model.names import UNDERLAY
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from controller.system.process import Identity
from topologies.lab.base import LabBase
from topologies.lab.live import await_wired, end_node
from topologies.lab.servers import assert_free, await_connected, remove_ports
from topologies.nodes import neighbours, routers
from topologies.nodes.compute import compute_class
from topologies.nodes.keeper import ip_batch
from topologies.nodes.neutron import agent_address
from topologies.nodes.nodes import Segment
from topologies.nodes.topo import host_wires
from topologies.plan import plan, underlays


def add_host(lab: LabBase, host: Host) -> None:
    """Start one more compute host; return when all tunnels to it are up.

    If it cannot be started, nothing of it is left.

    Raises:
        ModelError: the overlay cannot have it.
        LabError: it was not ready in time, or another change is in progress.
    """
    with lab.changing(f"add host {host.name}"):
        _add(lab, lab.overlay, host)


def add_new_host(lab: LabBase, name: str, *, local_ip: str = "", like: str = "") -> Host:
    """Start one more compute host and return it; return when all tunnels to it are up.

    If it cannot be started, nothing of it is left.

    Args:
        local_ip: its VTEP's address; by default the next free one of the underlay's network.
        like: the host whose agent options it gets; by default the last one.

    Raises:
        ModelError: the overlay cannot have it.
        LabError: it was not ready in time, or another change is in progress.
    """
    with lab.changing(f"add host {name}"):
        overlay = lab.overlay
        host = new_host(overlay, name, local_ip=local_ip, like=like)
        _add(lab, overlay, host)
    return host


def _add(lab: LabBase, overlay: Overlay, host: Host) -> None:
    larger = replace(overlay, hosts=(*overlay.hosts, host))
    indices = [node.facts["index"] for node in lab.nodes().values() if node.kind == "host"]
    index = next(number for number in count() if number not in indices)
    assert_free(lab, host.name, *_routers_of(overlay, index))
    await_connected(lab, *overlay.host_of)  # a dead one would get no tunnel to the new one
    try:
        _start(lab, larger, host.name, index)
        agent = _agent(host, index, lab.node(host.name).keeper)
        lab.api("POST", "/v2.0/agents", {"agent": agent})
        datapath = lab.ledger.last("settings")["datapath"]
        for other in overlay.hosts:
            neighbours.set_neighbours(lab.pid(other.name), larger, other, datapath)
        lab.await_ready()
    except BaseException:
        steps = (
            lab.take_over,
            partial(_leave_controller, lab, host.name),
            partial(_end_nodes, lab, host.name, index),
        )
        for step in steps:  # each is done: the controller may be what failed
            with suppress(OverlayError):  # the first error is the one to report
                step()
        raise


def _routers_of(overlay: Overlay, index: int) -> tuple[str, ...]:
    """The router that host number `index` has of its own, if the underlay is routed."""
    underlay = overlay.underlay
    return (underlays.Wiring(underlay).edge(index),) if underlay.shape.is_routed else ()


def _start(lab: LabBase, overlay: Overlay, name: str, index: int) -> None:
    net, datapath = lab.net, lab.ledger.last("settings")["datapath"]
    underlay, host = overlay.underlay, overlay.host(name)
    common = {"ledger": lab.ledger, "overlay": overlay}
    node = net.addSwitch(name, cls=compute_class(host), datapath=datapath, index=index, **common)
    own_routers = _routers_of(overlay, index)
    for router in own_routers:
        net.addSwitch(router, cls=routers.Router, **common)
        for cable in routers.uplinks(overlay, index):
            net.addLink(**cable)
    for network in plan.physical_networks([host]):
        if network not in net:  # no earlier host is wired to it
            net.addSwitch(network, cls=Segment, ledger=lab.ledger, mtu=overlay.underlay_mtu)
            net[network].start([])
    for wire in host_wires(overlay, name, index):
        net.addLink(**wire)
        net[wire["node2"]].attach(wire["intfName2"])
    for router in (*own_routers, *underlays.Wiring(underlay).core()) if own_routers else ():
        lines = underlays.joining(underlay, router, (index, host.local_ip))
        ip_batch(lab.pid(router), ["link set lo up", *lines])
    node.bring_up()


def _agent(host: Host, index: int, keeper: Identity) -> dict[str, Any]:
    """The host as the API's `agents` takes it."""
    return {
        "host": host.name,
        "configurations": {
            "tunneling_ip": host.vtep,
            "tunnel_types": [str(kind) for kind in host.tunnel_types],
            "l2_population": host.l2_population,
            "arp_responder_enabled": host.arp_responder,
            "bridge_mappings": dict(host.bridge_mappings),
            "mechanism": str(host.mechanism),
            **({"ovs_hybrid_plug": True} if host.hybrid_plug else {}),
            **({"vxlan_group": str(host.vxlan_group)} if host.vxlan_group else {}),
            "ovsdb_connection": agent_address(host, index, keeper),
        },
    }


def remove_host(lab: LabBase, name: str, *, with_servers: bool = False) -> tuple[str, ...]:
    """Remove a compute host, first from the controller; returns the servers that went with it.

    Raises:
        ModelError: servers are on it and `with_servers` is false, or it is the last host.
        UsageError: there is no such host.
        LabError: another change is in progress.
    """
    with lab.changing(f"remove host {name}"):
        overlay, nodes = lab.overlay, lab.nodes()
        node = nodes.get(name)
        is_host = name in overlay.host_of or (node is not None and node.kind == "host")
        if not is_host:
            raise UsageError(
                f"no host {name!r}",
                where=f"lab {lab.name!r}",
                allowed=", ".join(overlay.host_of),
                do=did_you_mean(name, overlay.host_of, "Name one of them."),
            )
        ports = [port for port in overlay.ports if port.host == name]
        _assert_removable(lab, overlay, name, () if with_servers else ports)
        remove_ports(lab, ports)
        _leave_controller(lab, name)
        _end_nodes(lab, name, node.facts["index"] if node else None)
        await_wired(lab)
    return tuple(dict.fromkeys(map(plan.guest_name, ports)))


def _assert_removable(lab: LabBase, overlay: Overlay, name: str, ports: Sequence[Port]) -> None:
    if len(overlay.hosts) == 1 and name in overlay.host_of:
        raise ModelError(
            "it is the only host",
            where=f"host {name!r} of lab {lab.name!r}",
            allowed="a lab with at least one host",
            do=f"`overlaylab down {lab.name}` takes the whole lab down.",
        )
    servers = dict.fromkeys(plan.guest_name(port) for port in ports if not port.is_dhcp_server)
    dhcp = dict.fromkeys(plan.guest_name(port) for port in ports if port.is_dhcp_server)
    found = [f"{'servers' if len(servers) > 1 else 'the server'} {', '.join(servers)}"]
    found = (found if servers else []) + [f"the DHCP server {each}" for each in dhcp]
    if found:
        raise ModelError(
            f"it has {' and '.join(found)}",
            where=f"host {name!r} of lab {lab.name!r}",
            allowed="a host without servers",
            do=f"`overlaylab host remove {lab.name} {name} --with-servers` removes them with it; "
            f"`overlaylab server remove {lab.name} {next(iter(servers), 'SERVER')}` removes a server.",
        )


def _leave_controller(lab: LabBase, name: str) -> None:
    """Remove a compute host from the controller, if it knows it."""
    for agent in lab.api("GET", "/v2.0/agents")["agents"]:
        if agent["host"] == name:
            lab.api("DELETE", f"/v2.0/agents/{agent['id']}")


def _end_nodes(lab: LabBase, name: str, index: int | None) -> None:
    """End what is there of a compute host's nodes, and segments that only it used."""
    overlay, nodes = lab.overlay, lab.nodes()
    used = {UNDERLAY, plan.MANAGEMENT, *plan.physical_networks(overlay.hosts)}
    unused = [node.name for node in nodes.values() if node.kind == Segment.kind]
    own_routers = () if index is None else _routers_of(overlay, index)
    for each in (name, *own_routers, *(one for one in unused if one not in used)):
        if each in nodes:
            end_node(lab, each)
