"""The DHCP servers of a lab, each a dnsmasq in its own namespace, and the guests that ask them."""

import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from controller.model import dhcp
from controller.model.errors import CommandError, HostError, LabError
from controller.model.overlay import Overlay
from controller.model.parts import Port, Subnet
from controller.system import commands
from controller.system.process import PROC, Identity, is_alive, kill
from topologies.ledger import Ledger, from_json
from topologies.nodes.compute import together

CLIENT_SCRIPT = Path(__file__).with_name("udhcpc.sh")
DHCP_SERVER_PORT = ":0043"  # 67 as /proc/net/udp writes it (RFC 2131, 4.1)
DEADLINE_S = 10.0  # for dnsmasq to listen
POLL_S = 0.01


def assert_able(overlay: Overlay) -> None:
    """Check that this machine has what the overlay's DHCP needs.

    Raises:
        HostError: it has not; the message names the packages.
    """
    lacking = [
        name for name in dhcp.PROGRAMS if any(dhcp.served(overlay)) and not shutil.which(name)
    ]
    if lacking:
        packages = " ".join(dhcp.PROGRAMS[name] for name in lacking)
        raise HostError(
            f"no {' and no '.join(lacking)}",
            where="this machine",
            allowed="what `dhcp: true` needs: a server and a client",
            do=f"`apt-get install {packages}` as root, or leave `dhcp` out of the scenario.",
        )


def bring_up(ledger: Ledger, overlay: Overlay) -> None:
    """Start every server, then let every guest ask for its address.

    Raises:
        LabError: a server died, or a guest got no lease.
    """
    for subnet, server in dhcp.served(overlay):
        start_server(ledger, overlay, subnet, server)
    ask(ledger, overlay, overlay.ports)


def start_server(ledger: Ledger, overlay: Overlay, subnet: Subnet, server: Port) -> None:
    """Start the dnsmasq of a subnet, and return when it listens.

    Raises:
        LabError: it died, or did not listen in time.
    """
    pid = ledger.nodes()[server.device_id].keeper.pid
    hosts, leases, log = (_file(ledger, subnet, kind) for kind in ("hosts", "leases", "log"))
    ledger.write(hosts.name, dhcp.hosts_file(overlay, subnet))
    argv = dhcp.server_argv(overlay, subnet, hosts=str(hosts), leases=str(leases))
    started, _ = ledger.start(_role(subnet), *argv, pid=pid, stdout=log)
    deadline = time.monotonic() + DEADLINE_S
    while not _is_listening(pid):
        if not is_alive(started) or time.monotonic() > deadline:
            raise _failed(ledger, f"dnsmasq in {server.device_id!r}", "it does not listen", log)
        time.sleep(POLL_S)


def _file(ledger: Ledger, subnet: Subnet, kind: str) -> Path:
    return ledger.directory / f"dhcp-{subnet.id}.{kind}"


def _role(subnet: Subnet) -> str:
    return f"dnsmasq of {subnet.id}"


def _is_listening(pid: int) -> bool:
    """Whether a DHCP server has its socket in the network namespace of `pid`."""
    rows = (PROC / str(pid) / "net" / "udp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(DHCP_SERVER_PORT) for row in rows)


def ask(ledger: Ledger, overlay: Overlay, ports: Iterable[Port]) -> None:
    """Let the guests of those ports that ask for an address ask now, all at once.

    A port that is switched off is left alone: nothing could answer it.

    Raises:
        LabError: one got no lease in time; the message names its guest.
    """
    wanted = {port.id for port in ports if port.is_active and dhcp.asks(overlay, port)}
    places = [
        (name, node.keeper.pid, f"eth{number}")
        for name, node in ledger.nodes().items()
        for id_, _, number in node.facts.get("ports", ())
        if id_ in wanted
    ]
    together(lambda place: _ask(ledger, *place), places)


def _ask(ledger: Ledger, guest: str, pid: int, interface: str) -> None:
    argv = dhcp.client_argv(interface, str(CLIENT_SCRIPT))
    try:
        commands.run(*argv, pid=pid, mark=ledger.token, timeout_s=dhcp.DEADLINE_S)
    except CommandError as error:
        raise LabError(
            error.found.splitlines()[-1],  # before it, a line for each time that it asked
            where=f"lab {ledger.name!r}, {interface} of guest {guest!r}",
            allowed=f"an answer of its subnet's DHCP server within {dhcp.DEADLINE_S:g} s",
            do=f"Read {ledger.directory}/dhcp-*.log: they tell what came to the servers.",
        ) from error


def refresh(ledger: Ledger, overlay: Overlay) -> None:
    """Start every server anew that is dead, or whose guests are others by now.

    With no memory of its leases: it would refuse an address that another guest had before.
    One that is unplugged is left alone.

    Raises:
        LabError: one died, or did not listen in time.
    """
    plugged = ledger.nodes()
    for subnet, server in dhcp.served(overlay):
        if server.device_id not in plugged:
            continue
        told, running = _file(ledger, subnet, "hosts").read_text(), _running(ledger, subnet)
        if not running or told != dhcp.hosts_file(overlay, subnet):
            kill(running)
            ledger.collect()
            _file(ledger, subnet, "leases").unlink(missing_ok=True)
            start_server(ledger, overlay, subnet, server)


def _running(ledger: Ledger, subnet: Subnet) -> list[Identity]:
    entries = (each for each in ledger.entries("process") if each["role"] == _role(subnet))
    return [one for one in map(from_json, entries) if is_alive(one)]


def _failed(ledger: Ledger, what: str, found: str, log: Path) -> LabError:
    said = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    return LabError(
        ": ".join([found, *said]),
        where=f"lab {ledger.name!r}, {what}",
        allowed=f"a server that listens within {DEADLINE_S:g} s",
        do=f"Read {log}.",
    )
