"""What the commands `ports`, `links`, `dpctl` and `switch` of Mininet's CLI read and set."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from controller.model.errors import CommandError, OverlayError
from controller.system import commands
from topologies.nodes.compute import BridgeHost, ComputeHost
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Segment
from topologies.nodes.sites import EdgeRouter
from topologies.plan.ovs import ENVIRONMENT

OPENFLOW = "-OOpenFlow13"
LINE = 72  # of the rule between two bridges, as Mininet has it


def has_ovs(node: Any) -> bool:
    """Whether a node has an Open vSwitch."""
    return isinstance(node, ComputeHost | EdgeRouter) and not isinstance(node, BridgeHost)


def _run(node: Any, *argv: str) -> str:
    return commands.run(*argv, pid=node.pid, mark=node.ledger.token, env=ENVIRONMENT)


def _bridges(node: Any) -> list[str]:
    return _run(node, "ovs-vsctl", "--timeout=5", "list-br").split()


def dpctl(switches: Iterable[Any], words: list[str]) -> Iterator[str]:
    """The output of `ovs-ofctl` with these words for each bridge, with a title; or its error."""
    options = next((n for n, word in enumerate(words) if not word.startswith("-")), len(words))
    command, rest = words[: options + 1], words[options + 1 :]
    for node in filter(has_ovs, switches):
        try:
            for bridge in _bridges(node):
                yield f"*** {node.name} {bridge} {'-' * LINE}\n"
                argv = ("ovs-ofctl", OPENFLOW, *command, bridge, *rest)
                done = commands.attempt(
                    *argv, pid=node.pid, mark=node.ledger.token, env=ENVIRONMENT
                )
                yield done.stdout + done.stderr
        except OverlayError as failed:
            yield f"*** {node.name}: {failed}\n"


def port_lines(node: Any) -> Iterator[str]:
    """Each bridge of a node with its ports and their OpenFlow numbers, or its interfaces."""
    if not has_ovs(node):
        yield " ".join([node.name, *(str(intf) for intf in node.intfList())])
        return
    try:
        numbers = _numbers(node)
        for bridge in _bridges(node):
            ports = _run(node, "ovs-vsctl", "--timeout=5", "list-ports", bridge).split()
            shown = (f"{port}:{numbers.get(port, '-')}" for port in ports)
            yield " ".join([node.name, bridge, *shown])
    except CommandError as failed:
        yield f"{node.name}: {failed}"


def _numbers(node: Any) -> dict[str, Any]:
    columns = ("--format=json", "--data=json", "--columns=name,ofport", "list", "Interface")
    rows = json.loads(_run(node, "ovs-vsctl", "--timeout=5", *columns))["data"]
    return {name: number if isinstance(number, int) else "-" for name, number in rows}


def link_lines(net: Any) -> Iterator[str]:
    """Each link with its nodes and interfaces, and the state of both ends: OK, DOWN or MISSING."""
    states = {node.name: _states(node) for node in net.values()}
    for link in net.links:
        ends = (link.intf1, link.intf2)
        shown = "<->".join(f"{end.node.name}:{end.name}" for end in ends)
        found = " ".join(states[end.node.name].get(end.name, "MISSING") for end in ends)
        yield f"{shown} ({found})"


def _states(node: Any) -> dict[str, str]:
    try:
        links = json.loads(_run(node, "ip", "-json", "link", "show"))
    except CommandError:  # the node is dead
        return {}
    # Without LOWER_UP the other end is down.
    return {
        each["ifname"]: "OK" if {"UP", "LOWER_UP"} <= set(each["flags"]) else "DOWN"
        for each in links
    }


def set_segment(node: Segment, *, is_up: bool) -> None:
    """Set a Linux bridge up or down, which forwards or drops all frames."""
    ip_batch(node.pid, [f"link set {node.bridge} {'up' if is_up else 'down'}"])
