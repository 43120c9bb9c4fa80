"""The status of labs as tables on the terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from topologies.lab.interfaces import Interface

WIDTH = 160  # columns if the output is no terminal


def show(labs: list[dict[str, Any]]) -> None:
    """Print one table per lab, or one line if there is none."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    if not labs:
        console.print("no lab is up")
    for lab in labs:
        console.print(_title(lab))
        console.print(_table(lab))
        for line in _findings(lab):
            # Markup and colours would change what a user copies to the command line.
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _findings(lab: dict[str, Any]) -> Iterator[str]:
    """What is wrong, a line each, then what the controller has corrected."""
    for each in lab["problems"]:
        yield f"wrong: {each['where']}: {each['found']}. {each['do']}"
    for agent in lab["agents"]:
        for each in agent.get("corrected", ()):
            yield f"corrected by the controller: host {agent['host']!r}, {each}"


def _title(lab: dict[str, Any]) -> str:
    holder = lab["holder_pid"] or "none: `overlaylab down` removes it"
    controller = f"controller {lab['controller_pid'] or 'dead'} ({lab.get('app')})"
    return (
        f"[bold]{lab['name']}[/bold]: {lab['overlay']}, {lab['state']} (holder {holder}), "
        f"{'no controller' if lab.get('app') == 'none' else controller}, "
        f"datapath {lab.get('datapath')}, underlay MTU {lab['underlay_mtu']}"
    )


def _table(lab: dict[str, Any]) -> Table:
    table = Table("node", "kind", "pid", "addresses", "flows", "tunnels", "agent", box=SIMPLE)
    agents = {agent["host"]: agent for agent in lab["agents"]}
    wrong = {each["where"] for each in lab["problems"]}
    for node in lab["nodes"]:
        table.add_row(
            node["name"],
            node["kind"],
            str(node["pid"]) if node["alive"] else "dead",
            "\n".join(_addresses(node)),
            "\n".join(f"{bridge} {count}" for bridge, count in node.get("flows", {}).items()),
            "\n".join(map(_tunnel, node.get("tunnels", ()))),
            _health(node["name"], agents.get(node["name"]), wrong)
            if node["kind"] == "host"
            else "",
        )
    return table


def _tunnel(each: dict[str, Any]) -> str:
    """A port of br-tun with its number, or a VXLAN device of the kernel and where it floods to."""
    if "ofport" in each:
        return f"{each['ofport']} {each['name']}"
    return f"{each['name']} to {', '.join(each['floods_to']) or 'none'}"


def _addresses(node: dict[str, Any]) -> Iterator[str]:
    for each in node.get("interfaces", ()):
        shown = [address for address in each["addresses"] if not address.startswith("fe80")]
        if shown:
            yield f"{each['name']} {', '.join(shown)} mtu {each['mtu']}"


def _health(host: str, agent: dict[str, Any] | None, wrong: set[str]) -> str:
    if f"host {host!r}" in wrong:
        return "wrong, see below"
    if agent is None:
        return "unknown"
    return "wired" if agent["alive"] and agent["wired"] else "not wired yet"


def interface_lines(interfaces: "Sequence[Interface]") -> Iterator[str]:
    """The interfaces of a node as a table of plain text."""
    rows = [("interface", "connected to", "MTU", "addresses")]
    rows += [
        (
            each.name,
            f"{each.peer} ({each.peer_interface})" if each.peer else "-",
            str(each.mtu),
            ", ".join((*each.addresses, *([] if each.is_up else ["down"]))) or "-",
        )
        for each in interfaces
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
