"""One compute host's own OVS: no root, no device, nothing outside its directory.

`--enable-dummy=override` replaces every kind of port by a dummy (patch ports stay real),
so a VXLAN port keeps its type and options in OVSDB, and a trace shows the copy sent
to it without asking the machine's routes.
"""

import os
import shutil
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import mkdtemp

from controller.model.errors import CommandError
from controller.system import commands
from tests.controller.switches.unixctl import UnixCtl

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
DAEMON = ("--detach", "--no-chdir", "-vconsole:off", "-vsyslog:off")
END_S = 5.0


class Switch:
    """`ovsdb-server` and `ovs-vswitchd` in a directory of their own; `close` ends both."""

    def __init__(self) -> None:
        with ExitStack() as undo:
            self.home = Path(mkdtemp(prefix="ol-"))  # short: UNIX socket paths end at 107 bytes
            undo.callback(shutil.rmtree, self.home, ignore_errors=True)
            self.env = {"OVS_RUNDIR": str(self.home)}  # else its sockets land in the host's own
            self.db = f"unix:{self.home}/db.sock"
            self._raise(undo)
            self.ctl = UnixCtl(self.home / "vswitchd.ctl")
            undo.callback(self.ctl.close)
            self._undo = undo.pop_all()

    def _raise(self, undo: ExitStack) -> None:
        database = f"{self.home}/conf.db"
        commands.run("ovsdb-tool", "create", database, SCHEMA)
        self._daemon(undo, "ovsdb-server", f"--remote=p{self.db}", database)
        self._daemon(undo, "ovs-vswitchd", "--enable-dummy=override", "--disable-system", self.db)

    def _daemon(self, undo: ExitStack, name: str, *arguments: str) -> None:
        pidfile, ctl = self.home / f"{name}.pid", self.home / f"{name.removeprefix('ovs-')}.ctl"
        undo.callback(_end, ctl, pidfile)
        commands.run(
            name,
            *DAEMON,
            f"--pidfile={pidfile}",
            f"--unixctl={ctl}",
            f"--log-file={self.home}/{name}.log",
            *arguments,
            env=self.env,
        )

    def vsctl(self, *arguments: str) -> str:
        """One transaction on its OVSDB; returns when the switch has carried it out."""
        if not arguments:
            return ""
        return commands.run("ovs-vsctl", "--timeout=10", f"--db={self.db}", *arguments)

    def ofctl(self, *arguments: str, stdin: str | None = None) -> str:
        return commands.run("ovs-ofctl", "-OOpenFlow13", *arguments, stdin=stdin, env=self.env)

    def load(self, bridge: str, flows: list[str]) -> None:
        """Add flows given as text."""
        self.ofctl("--names", "add-flows", bridge, "-", stdin="\n".join(flows) + "\n")

    def dump(self, bridge: str, *options: str) -> str:
        """All flows as the switch itself prints them."""
        return self.ofctl("--names", "--no-stats", *options, "dump-flows", bridge)

    def clear(self) -> None:
        """Take every bridge away, so that the switch is as new."""
        bridges = self.vsctl("list-br").split()
        self.vsctl(*(word for bridge in bridges for word in ("--", "del-br", bridge)))

    def close(self) -> None:
        self._undo.close()


def _end(ctl: Path, pidfile: Path) -> None:
    """End a daemon by its own socket, and by its recorded pid if it does not obey."""
    if not pidfile.exists():
        return
    pid = int(pidfile.read_text())
    with suppress(OSError, CommandError):
        requested = UnixCtl(ctl)
        requested.ask("exit")
        requested.close()
    deadline = time.monotonic() + END_S
    while _is_alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.002)


def _is_alive(pid: int) -> bool:
    """True while it runs; one that ended but was not yet collected by init runs no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
