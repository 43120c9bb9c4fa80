"""Commands that change a running lab by names: host add, host remove, server add, server remove."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from controller.model.errors import UsageError
from controller.model.near import did_you_mean
from experiments.cli.lab import LAB, attached
from experiments.cli.status import FORMAT

if TYPE_CHECKING:
    from controller.model.overlay import Overlay
    from controller.model.parts import Host, Port
    from topologies.lab import Lab


class Changes(click.Group):
    """Commands in the order given; an unknown one gets the nearest name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in self.commands:
            do = did_you_mean(
                cmd_name, self.commands, f"`{ctx.command_path} --help` describes them."
            )
            raise UsageError(
                repr(cmd_name), where=ctx.command_path, allowed=" or ".join(self.commands), do=do
            )
        return self.commands[cmd_name]


@click.group(cls=Changes, no_args_is_help=False)
def host() -> None:
    """Add a compute host to a running lab, or remove one.

    Example: sudo overlaylab host add demo compute3
    """


@click.group(cls=Changes, no_args_is_help=False)
def server() -> None:
    """Add a server to a running lab, or remove one.

    \b
    Example: sudo overlaylab server add demo ServerC --host computer --network vxlan_net
    """  # noqa: D301  click's mark for a line that is not broken


@contextmanager
def _changing(name: str) -> "Iterator[Lab]":
    """The lab, for a change that is undone after Ctrl-C, SIGTERM or SIGHUP too."""
    from topologies.lab.signals import interrupts

    lab = attached(name)
    with interrupts():
        yield lab


def _print(output: str, document: Mapping[str, Any], *lines: str) -> None:
    if output == "json":
        click.echo(json.dumps(document, indent=1))
    else:
        for line in lines:
            click.echo(line)


@host.command("add")
@LAB
@click.argument("name", metavar="HOST")
@click.option("--local-ip", default="", help="Address of its VTEP; the next free one by default.")
@click.option(
    "--like", default="", metavar="HOST", help="Copy its agent options; the last host by default."
)
@FORMAT
def add_host(lab: str, name: str, local_ip: str, like: str, output: str) -> None:
    """Start one more compute host in LAB; return when its tunnels are up.

    It has no server yet: `overlaylab server add` puts one on it.

    Example: sudo overlaylab host add demo compute3
    """
    from topologies.lab.status import status_of

    with _changing(lab) as found:
        made = found.add_new_host(name, local_ip=local_ip, like=like)
    nodes = {node["name"]: node for node in status_of(lab)["nodes"]}
    tunnels = [each["name"] for each in nodes.get(name, {}).get("tunnels", ())]
    document = {"lab": lab, "host": _host_values(made, tunnels)}
    _print(output, document, f"{name}: VTEP {made.local_ip}, {_tunnels_text(made, tunnels)}")


def _host_values(made: "Host", tunnels: list[str]) -> dict[str, Any]:
    return {
        "name": made.name,
        "local_ip": str(made.local_ip),
        "tunnel_types": [str(kind) for kind in made.tunnel_types],
        "l2_population": made.l2_population,
        "tunnels": tunnels,
    }


def _tunnels_text(made: "Host", tunnels: list[str]) -> str:
    if tunnels:
        return f"{'tunnels' if tunnels[1:] else 'tunnel'} {', '.join(tunnels)}"
    if not made.tunnel_types:
        return "no tunnels: it has no tunnel_types"
    return "no tunnels yet: they come with its first server"


@host.command("remove")
@LAB
@click.argument("name", metavar="HOST")
@click.option("--with-servers", is_flag=True, help="Remove the servers on it, too.")
@FORMAT
def remove_host(lab: str, name: str, output: str, *, with_servers: bool) -> None:
    """Remove a compute host from LAB; one that has servers only with --with-servers.

    Example: sudo overlaylab host remove demo compute3 --with-servers
    """
    with _changing(lab) as found:
        gone = found.remove_host(name, with_servers=with_servers)
    document = {"lab": lab, "removed": {"host": name, "servers": list(gone)}}
    _print(output, document, f"removed: {', '.join((name, *gone))}")


@server.command("add")
@LAB
@click.argument("name")
@click.option("--host", "on_host", required=True, metavar="HOST", help="The host that runs it.")
@click.option("--network", required=True, help="Name of its network.")
@click.option(
    "--ip",
    "ips",
    multiple=True,
    metavar="ADDRESS",
    help="Its address; repeat it for IPv4 and IPv6.  [default: the first free ones of the pools]",
)
@click.option("--mac", default="", help="Its MAC.  [default: made from its name]")
@FORMAT
def add_server(  # noqa: PLR0917  click passes every option as an argument
    lab: str, name: str, on_host: str, network: str, ips: tuple[str, ...], mac: str, output: str
) -> None:
    """Start a new server in LAB; return when it can ping the others on its network.

    \b
    Example: sudo overlaylab server add demo ServerC --host computer --network vxlan_net
    """  # noqa: D301  click's mark for a line that is not broken
    with _changing(lab) as found:
        made = found.add_server(name, host=on_host, network=network, fixed_ips=ips, mac_address=mac)
    overlay, unwired = found.overlay, _unwired_hosts(found)
    peers = _peers(found, overlay, made, unwired)
    document = {
        "lab": lab,
        "server": _server_values(overlay, made),
        "peers": peers,
        "unwired_hosts": unwired,
    }
    _print(output, document, *_server_lines(lab, overlay, made, peers))
    if unwired:
        click.echo(
            f"overlaylab: warning: not connected to the controller, or not wired: {', '.join(unwired)}. "
            f"Servers there may not answer; `overlaylab status {lab}` says what is wrong.",
            err=True,
        )


def _server_values(overlay: "Overlay", made: "Port") -> dict[str, Any]:
    network = overlay.network_of[made.network_id]
    return {
        "name": made.device_id,
        "host": made.host,
        "network": network.name,
        "interface": "eth0",
        "fixed_ips": [str(ip) for ip in made.fixed_ips],
        "mac_address": made.mac_address,
        "mtu": overlay.mtu_of(network),
        "port_id": made.id,
        "device": overlay.device_of(made),
    }


def _peers(lab: "Lab", overlay: "Overlay", made: "Port", unwired: Sequence[str]) -> dict[str, str]:
    """The servers that the new one can ping, each with the address for it."""
    from topologies.lab.live import plugged_ports
    from topologies.plan.pings import pings

    plugged = {
        id_: (name, number)
        for id_, (name, on_host, number) in plugged_ports(lab).items()
        if _is_active_server(overlay, id_) and on_host not in unwired
    }
    found = (each for each in pings(overlay, plugged) if each.source == made.device_id)
    return {each.target: str(each.address) for each in found}


def _is_active_server(overlay: "Overlay", port_id: str) -> bool:
    port = overlay.port_of.get(port_id)
    return port is not None and port.is_active and not port.is_dhcp_server


def _unwired_hosts(lab: "Lab") -> list[str]:
    """Hosts that the controller does not reach, or whose ports and flows are not complete."""
    return [
        agent["host"]
        for agent in lab.api("GET", "/v2.0/agents")["agents"]
        if not (agent["alive"] and agent["configurations"]["wired"])
    ]


def _server_lines(
    lab: str, overlay: "Overlay", made: "Port", peers: Mapping[str, str]
) -> Iterator[str]:
    network = overlay.network_of[made.network_id]
    addresses = ", ".join(map(str, made.fixed_ips)) or "no address"
    yield (
        f"{made.device_id} on {made.host}, network {network.name}: {addresses}, "
        f"MAC {made.mac_address}, MTU {overlay.mtu_of(network)}"
    )
    if peers:
        first = next(iter(peers.values()))
        yield f"It can ping {', '.join(peers)}: overlaylab exec {lab} {made.device_id} -- ping -c 3 {first}"
    elif not made.fixed_ips:
        yield f"It cannot ping: network {network.name} has no subnet to take an address from."
    else:
        yield "It has nobody to ping: no other server with an address in its subnets is wired."


@server.command("remove")
@LAB
@click.argument("name")
@FORMAT
def remove_server(lab: str, name: str, output: str) -> None:
    """Remove a server from LAB, with its port; the scenario's own servers, too.

    Example: sudo overlaylab server remove demo ServerC
    """
    with _changing(lab) as found:
        found.remove_server(name)
    _print(output, {"lab": lab, "removed": {"server": name}}, f"removed: {name}")
