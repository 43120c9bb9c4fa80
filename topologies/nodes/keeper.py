"""Namespaces that outlive whoever made them: each is kept by a small process of the lab."""

import time
from pathlib import Path

from controller.model.errors import HostError
from controller.system import commands
from controller.system.process import PROC, Identity, is_alive
from topologies.ledger import Ledger

KEEPER = "sleep"
DEADLINE_S = 10.0
POLL_S = 0.001
NO_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


def keep(ledger: Ledger, name: str) -> Identity:
    """New network and mount namespaces; return the process that keeps them.

    Raises:
        HostError: the namespaces could not be made.
    """
    made, _ = ledger.start(f"keeper of {name}", "mnexec", "-n", KEEPER, "infinity")
    deadline = time.monotonic() + DEADLINE_S
    # mnexec turns into the keeper only when the namespaces stand.
    while not _is_keeper(made):
        if not is_alive(made) or time.monotonic() > deadline:
            raise HostError(
                f"no namespaces for {name!r}",
                where="mnexec -n",
                allowed="a network and a mount namespace of its own",
                do="`overlaylab doctor` tells what this machine lacks.",
            )
        time.sleep(POLL_S)
    return made


def _is_keeper(made: Identity) -> bool:
    try:
        return (PROC / str(made.pid) / "comm").read_text().strip() == KEEPER
    except OSError:
        return False


def without_ipv6(pid: int) -> None:
    """Switch IPv6 off there; its neighbour discovery alone keeps fifty idle hosts busy."""
    if Path("/proc/sys/net/ipv6").exists():
        commands.run("sysctl", "-qw", *NO_IPV6, pid=pid)


def ip_batch(pid: int, lines: list[str]) -> None:
    """Run many `ip` commands in one process, inside the namespaces of `pid`."""
    if lines:
        commands.run("ip", "-batch", "-", pid=pid, stdin="\n".join(lines) + "\n")
