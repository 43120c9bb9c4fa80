"""Namespaces that outlive the process that made them: a small process of the lab keeps each."""

from pathlib import Path

from controller.model.errors import HostError
from controller.system import commands
from controller.system.process import PROC, Identity, is_alive
from controller.system.waiting import wait_for
from topologies.ledger import Ledger

KEEPER = "sleep"
DEADLINE_S = 10.0
POLL_S = 0.001
NO_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


def keep(ledger: Ledger, name: str) -> Identity:
    """Make a network and a mount namespace; return the process that keeps them.

    Raises:
        HostError: the namespaces could not be made.
    """
    made, _ = ledger.start(f"keeper of {name}", "mnexec", "-n", KEEPER, "infinity")
    # mnexec executes the keeper once the namespaces exist.
    wait_for(
        lambda: _is_keeper(made) or not is_alive(made),
        DEADLINE_S,
        what=f"the namespaces of {name!r}",
        every_s=POLL_S,
    )
    if not _is_keeper(made):
        raise HostError(
            f"no namespaces for {name!r}",
            where="mnexec -n",
            allowed="a new network and a new mount namespace",
            do="`overlaylab doctor` shows what this machine lacks.",
        )
    return made


def _is_keeper(made: Identity) -> bool:
    try:
        return (PROC / str(made.pid) / "comm").read_text().strip() == KEEPER
    except OSError:
        return False


def without_ipv6(pid: int) -> None:
    """Disable IPv6 in the namespaces of `pid`; neighbour discovery of 50 idle hosts costs CPU time."""
    if Path("/proc/sys/net/ipv6").exists():
        commands.run("sysctl", "-qw", *NO_IPV6, pid=pid)


def ip_batch(pid: int, lines: list[str]) -> None:
    """Run many `ip` commands in one process, inside the namespaces of `pid`."""
    if lines:
        commands.run("ip", "-batch", "-", pid=pid, stdin="\n".join(lines) + "\n")
