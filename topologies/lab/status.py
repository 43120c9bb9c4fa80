"""The status of a lab: nodes, tunnels, flows and agents, as values for JSON."""

import json
from typing import Any

from controller.model.errors import OverlayError
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from controller.system.process import is_alive
from topologies.lab.lab import Lab
from topologies.lab.starting import attach
from topologies.ledger import NodeEntry, home, labs
from topologies.nodes.compute import together, tunnels_of

TUNNELS = frozenset({"vxlan", "gre", "ip6gre", "geneve"})
SWITCHES = frozenset({"host", "edge"})  # kinds of nodes with an Open vSwitch


def status_of(name: str) -> dict[str, Any]:
    """The status of the lab called `name`.

    Raises:
        LabError: there is no such lab.
    """
    lab = attach(name)
    owner, controller = lab.ledger.owner(), lab.ledger.living("controller")
    overlay = lab.sites or _overlay(lab)
    return {
        "name": name,
        "overlay": overlay.name if overlay else None,
        "state": "held" if owner else "abandoned",
        "holder_pid": owner.pid if owner else None,
        "controller_pid": controller.pid if controller else None,
        "underlay_mtu": overlay.underlay_mtu if overlay else None,
        **lab.ledger.last("settings"),
        "agents": _agents(lab),
        "nodes": together(lambda node: _node(lab, node), lab.nodes().values()),
    }


def statuses() -> list[dict[str, Any]]:
    """The status of every lab; one with a corrupt ledger has the state `unreadable`."""
    found = []
    for name in labs():
        try:
            found.append(status_of(name))
        except (OSError, KeyError, TypeError, OverlayError):
            if (home() / name).exists():  # else it was taken down in the meantime
                unknown = dict.fromkeys(("overlay", "holder_pid", "controller_pid", "underlay_mtu"))
                found.append(
                    {"name": name, "state": "unreadable", **unknown, "agents": [], "nodes": []}
                )
    return found


def _overlay(lab: Lab) -> Overlay | None:
    try:
        return lab.overlay
    except (OSError, ValueError, OverlayError):  # it is still starting, or state.json is corrupt
        return None


def _agents(lab: Lab) -> list[dict[str, Any]]:
    try:
        listed = lab.api("GET", "/v2.0/agents")["agents"]
    except OverlayError:
        return []
    return [
        {
            "host": agent["host"],
            "alive": agent["alive"],
            "wired": agent["configurations"]["wired"],
            "alarm": agent["configurations"].get("alarm", ""),
        }
        for agent in listed
    ]


def _node(lab: Lab, node: NodeEntry) -> dict[str, Any]:
    alive = is_alive(node.keeper)
    found = {"name": node.name, "kind": node.kind, "pid": node.keeper.pid, "alive": alive}
    if not alive:
        return found
    found["interfaces"] = _interfaces(lab, node.name)
    return {**found, **_datapath(lab, node)} if node.kind in SWITCHES else found


def _interfaces(lab: Lab, node: str) -> list[dict[str, Any]]:
    shown = json.loads(lab.run(node, "ip", "-json", "addr", "show"))
    return [
        {
            "name": link["ifname"],
            "mtu": link["mtu"],
            "mac": link.get("address"),
            "addresses": [f"{at['local']}/{at['prefixlen']}" for at in link["addr_info"]],
        }
        for link in shown
        if link["ifname"] not in {"lo", "ovs-netdev"}
    ]


def _datapath(lab: Lab, node: NodeEntry) -> dict[str, Any]:
    """Flow counts by bridge (the kernel has no flows), and tunnels; after an error, the reason."""
    try:
        if node.facts.get("mechanism") == Mechanism.LINUXBRIDGE:
            return {"flows": {}, "tunnels": tunnels_of(node.keeper.pid)}
        bridges = _vsctl(lab, node.name, "list-br").split()
        return {
            "flows": {bridge: _flow_count(lab, node.name, bridge) for bridge in bridges},
            "tunnels": _tunnels(lab, node.name),
        }
    except OverlayError as error:
        return {"flows": {}, "tunnels": [], "alarm": error.found}


def _flow_count(lab: Lab, node: str, bridge: str) -> int:
    flows = lab.run(node, "ovs-ofctl", "-OOpenFlow13", "dump-aggregate", bridge)
    return int(flows.rpartition("flow_count=")[2].split()[0])


def _tunnels(lab: Lab, node: str) -> list[dict[str, Any]]:
    columns = "--columns=name,type,ofport,options"
    listed = json.loads(_vsctl(lab, node, "--format=json", columns, "list", "Interface"))
    found = [
        {"name": name, "type": kind, "ofport": ofport, "remote_ip": dict(options[1])["remote_ip"]}
        for name, kind, ofport, options in listed["data"]
        if kind in TUNNELS
    ]
    # A port that OVS could not open has an empty set as its number; it comes last.
    return sorted(found, key=lambda one: (isinstance(one["ofport"], list), one["ofport"]))


def _vsctl(lab: Lab, node: str, *argv: str) -> str:
    return lab.run(node, "ovs-vsctl", "--timeout=5", *argv)
