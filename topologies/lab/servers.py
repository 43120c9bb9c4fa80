"""Servers that are added to a running lab and removed from it, by name."""

from collections.abc import Iterable
from contextlib import suppress

from controller.model.additions import new_server
from controller.model.errors import ModelError, OverlayError, UsageError
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.system import commands
from topologies.lab.base import LabBase
from topologies.lab.live import await_wired, end_node, plug_now, plugged_ports, take_out
from topologies.nodes import dhcp
from topologies.nodes.compute import together
from topologies.nodes.ready import await_complete
from topologies.plan import plan

CONNECT_S = 5.0  # several times what OVS waits before it connects to a controller again
GUESTS = frozenset({"guest", "dhcp"})  # kinds of nodes that have ports


def add_server(
    lab: LabBase,
    name: str,
    *,
    host: str,
    network: str,
    fixed_ips: Iterable[str] = (),
    mac_address: str = "",
) -> Port:
    """Create a port for a new server, start the server, and return its port when it is wired.

    If it cannot be started, nothing of it is left.

    Args:
        network: name or id of a network of the overlay.
        fixed_ips: its addresses; by default the first free one of each IP version of the network.
        mac_address: by default made from its name, as in a scenario.

    Raises:
        ModelError: the overlay cannot have it.
        LabError: it was not wired in time, or another change is in progress.
    """
    with lab.changing(f"add server {name}"):
        wanted = new_server(
            lab.overlay,
            name,
            host=host,
            network=network,
            fixed_ips=fixed_ips,
            mac_address=mac_address,
        )
        assert_free(lab, name)
        await_connected(lab, host)
        try:
            port_id = lab.api("POST", "/v2.0/ports", {"port": _body(wanted)})["port"]["id"]
            plug_now(lab, port_id)
        except BaseException:
            _delete_made(lab, wanted)
            raise
        made = lab.overlay.port_of[port_id]
        _forget_macs(lab, made)
    return made


def _body(port: Port) -> dict[str, object]:
    """The port as the API takes it: it chooses the id."""
    return {
        "network_id": port.network_id,
        "name": port.name,
        "device_id": port.device_id,
        "binding:host_id": port.host,
        "mac_address": port.mac_address,
        "fixed_ips": [{"ip_address": str(ip)} for ip in port.fixed_ips],
    }


def _delete_made(lab: LabBase, wanted: Port) -> None:
    """Delete the port that was made for a server that could not be started."""
    with suppress(OverlayError):  # the first error is the one to report
        for port in lab.overlay.ports:
            if (port.device_id, port.mac_address) == (wanted.device_id, wanted.mac_address):
                lab.api("DELETE", f"/v2.0/ports/{port.id}")


def assert_free(lab: LabBase, *names: str) -> None:
    """Check that no node of the lab has one of the names.

    Raises:
        ModelError: one has.
    """
    for node in lab.nodes().values():
        if node.name in names:
            what = "host" if node.kind == "host" else "server"
            left = f"`overlaylab {what} remove {lab.name} {node.name}`, if an interrupted change left it"
            is_ours = node.kind in {"host", *GUESTS}
            raise ModelError(
                f"there is a node with this name ({node.kind})",
                where=f"{node.name!r} in lab {lab.name!r}",
                allowed="a name that no node has",
                do=f"Use another name{f'; or {left}' if is_ours else ''}.",
            )


def await_connected(lab: LabBase, *hosts: str) -> None:
    """Wait until the controller reaches these hosts, before anything is made.

    Raises:
        LabError: it does not reach one.
    """

    def missing() -> list[str]:
        alive = {each["host"] for each in lab.api("GET", "/v2.0/agents")["agents"] if each["alive"]}
        return [f"a connection to host {host!r}" for host in hosts if host not in alive]

    do = f"`overlaylab status {lab.name}` says what is wrong there."
    await_complete(lab.ledger, missing, CONNECT_S, do=do)


def _forget_macs(lab: LabBase, port: Port) -> None:
    """Remove the MACs that others have cached of an earlier owner of the port's addresses.

    Else they would send to that MAC until their entry expires: the new server sends nothing that would
    correct it, as a guest that announces its address would.
    """
    overlay, nodes = lab.overlay, lab.nodes()
    others = [
        (nodes[name].keeper.pid, f"eth{number}", ip)
        for id_, (name, _, number) in plugged_ports(lab).items()
        for ip in port.fixed_ips
        if id_ != port.id and _network_of(overlay, id_) == port.network_id
    ]

    def flush(place: tuple[int, str, object]) -> None:
        pid, interface, ip = place
        # The status is not 0 if there is nothing to flush.
        commands.attempt("ip", "neigh", "flush", "to", str(ip), "dev", interface, pid=pid)

    together(flush, others)


def _network_of(overlay: Overlay, port_id: str) -> str:
    port = overlay.port_of.get(port_id)
    return port.network_id if port else ""


def remove_server(lab: LabBase, name: str) -> None:
    """Remove a server and its ports; also one that an interrupted change has left half-made.

    Raises:
        ModelError: it is a DHCP server, which its subnet needs.
        UsageError: there is no such server.
        LabError: another change is in progress.
    """
    with lab.changing(f"remove server {name}"):
        overlay, nodes = lab.overlay, lab.nodes()
        ports = [port for port in overlay.ports if plan.guest_name(port) == name]
        node, names = nodes.get(name), server_names(overlay)
        if not ports and (node is None or node.kind not in GUESTS):
            raise UsageError(
                f"no server {name!r}",
                where=f"lab {lab.name!r}",
                allowed=", ".join(names) or "none (it has no server)",
                do=did_you_mean(name, names, "Name one of them."),
            )
        if any(port.is_dhcp_server for port in ports):
            raise ModelError(
                "it is the DHCP server of a network",
                where=f"{name!r} in lab {lab.name!r}",
                allowed=", ".join(names) or "none (it has no server)",
                do="Leave `dhcp` out of the scenario for a lab without one.",
            )
        remove_ports(lab, ports)
        if name in lab.nodes():  # its ports were deleted before
            for id_ in [id_ for id_, (guest, *_) in plugged_ports(lab).items() if guest == name]:
                take_out(lab, id_)
        if name in lab.nodes():
            end_node(lab, name)
        await_wired(lab)


def server_names(overlay: Overlay) -> tuple[str, ...]:
    """The servers of the overlay, in the order of their ports."""
    ports = (port for port in overlay.ports if not port.is_dhcp_server)
    return tuple(dict.fromkeys(map(plan.guest_name, ports)))


def remove_ports(lab: LabBase, ports: Iterable[Port]) -> None:
    """Delete ports from the controller, then their interfaces, and servers without any.

    Raises:
        LabError: the controller refused; nothing of that port was changed.
    """
    for port in ports:
        lab.api("DELETE", f"/v2.0/ports/{port.id}")
        take_out(lab, port.id)
    dhcp.refresh(lab.ledger, lab.overlay)
