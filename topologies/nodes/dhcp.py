"""The DHCP servers of a lab, each a dnsmasq in its own namespace, and the clients in its guests."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from controller.model import dhcp
from controller.model.errors import CommandError, HostError, LabError
from controller.model.overlay import Overlay
from controller.model.parts import Port, Subnet
from controller.system import commands
from controller.system.process import Identity, is_alive, kill
from controller.system.waiting import wait_for
from topologies.ledger import Ledger, from_json
from topologies.nodes.compute import together
from topologies.nodes.ready import end_error, is_listening

CLIENT_SCRIPT = Path(__file__).with_name("udhcpc.sh")
SERVER_PORT = 67  # UDP (RFC 2131, 4.1)
DEADLINE_S = 10.0  # for dnsmasq to listen
POLL_S = 0.01


def assert_able(overlay: Overlay) -> None:
    """Check that this machine has what the overlay's DHCP needs.

    Raises:
        HostError: it has not; the message names the packages.
    """
    lacking = [name for name in dhcp.PROGRAMS if not shutil.which(name)]
    if lacking and any(dhcp.served(overlay)):
        packages = " ".join(dhcp.PROGRAMS[name] for name in lacking)
        raise HostError(
            f"no {' and no '.join(lacking)}",
            where="this machine",
            allowed="a DHCP server and client, which `dhcp: true` needs",
            do=f"`apt-get install {packages}` as root, or leave `dhcp` out of the scenario.",
        )


def bring_up(ledger: Ledger, overlay: Overlay) -> None:
    """Start every server, then the DHCP client of every guest.

    Raises:
        LabError: a server ended, or a guest got no lease.
    """
    for subnet, server in dhcp.served(overlay):
        start_server(ledger, overlay, subnet, server)
    request_leases(ledger, overlay, overlay.ports)


def start_server(ledger: Ledger, overlay: Overlay, subnet: Subnet, server: Port) -> None:
    """Start the dnsmasq of a subnet; return when it listens.

    Raises:
        LabError: it ended.
        WaitError: it did not listen in time.
    """
    pid = ledger.nodes()[server.device_id].keeper.pid
    hosts, leases, log = (_file(ledger, subnet, kind) for kind in ("hosts", "leases", "log"))
    ledger.write(hosts.name, dhcp.hosts_file(overlay, subnet))
    argv = dhcp.server_argv(overlay, subnet, hosts=str(hosts), leases=str(leases))
    started, _ = ledger.start(_role(subnet), *argv, pid=pid, stdout=log)
    wait_for(
        lambda: is_listening(pid, "udp", SERVER_PORT) or not is_alive(started),
        DEADLINE_S,
        what=f"dnsmasq in {server.device_id!r} to listen",
        every_s=POLL_S,
    )
    if not is_alive(started):
        raise end_error(ledger, f"dnsmasq in {server.device_id!r}", log)


def _file(ledger: Ledger, subnet: Subnet, kind: str) -> Path:
    return ledger.directory / f"dhcp-{subnet.id}.{kind}"


def _role(subnet: Subnet) -> str:
    return f"dnsmasq of {subnet.id}"


def request_leases(ledger: Ledger, overlay: Overlay, ports: Iterable[Port]) -> None:
    """Run the DHCP client on those of the ports that use DHCP, all at the same time.

    A port that is switched off is skipped, since no server can reach it.

    Raises:
        LabError: one got no lease in time; the message names its guest.
    """
    wanted = {port.id for port in ports if port.is_active and dhcp.leased(overlay, port)}
    places = [
        (name, node.keeper.pid, f"eth{number}")
        for name, node in ledger.nodes().items()
        for id_, _, number in node.facts.get("ports", ())
        if id_ in wanted
    ]
    together(lambda place: _request_lease(ledger, *place), places)


def _request_lease(ledger: Ledger, guest: str, pid: int, interface: str) -> None:
    argv = dhcp.client_argv(interface, str(CLIENT_SCRIPT))
    try:
        commands.run(*argv, pid=pid, mark=ledger.token, timeout_s=dhcp.DEADLINE_S)
    except CommandError as error:
        raise LabError(
            error.found.splitlines()[-1],  # the lines before it are one per attempt
            where=f"lab {ledger.name!r}, {interface} of guest {guest!r}",
            allowed=f"an answer from its subnet's DHCP server within {dhcp.DEADLINE_S:g} s",
            do=f"Read {ledger.directory}/dhcp-*.log, which list what the servers received.",
        ) from error


def refresh(ledger: Ledger, overlay: Overlay) -> None:
    """Restart every server that has ended, or whose guests have changed.

    The leases are deleted: a server refuses an address that another guest had before.
    A server that is unplugged is skipped.

    Raises:
        LabError: one ended.
        WaitError: one did not listen in time.
    """
    plugged = ledger.nodes()
    for subnet, server in dhcp.served(overlay):
        if server.device_id not in plugged:
            continue
        hosts, running = _file(ledger, subnet, "hosts").read_text(), _running(ledger, subnet)
        if not running or hosts != dhcp.hosts_file(overlay, subnet):
            kill(running)
            ledger.collect()
            _file(ledger, subnet, "leases").unlink(missing_ok=True)
            start_server(ledger, overlay, subnet, server)


def _running(ledger: Ledger, subnet: Subnet) -> list[Identity]:
    entries = (each for each in ledger.entries("process") if each["role"] == _role(subnet))
    return [one for one in map(from_json, entries) if is_alive(one)]
