"""Mininet's command line on a lab: a command that cannot work prints why, and what to use instead."""

import errno
import os
import re
import select
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from mininet.cli import CLI
from mininet.log import error, output
from mininet.term import makeTerms, runX11
from mininet.util import quietRun

from controller.model.errors import OverlayError
from controller.system import commands
from topologies.lab.shell_switches import dpctl, link_lines, port_lines, set_segment
from topologies.nodes.nodes import Segment

POLL_MS = 200
PROMPT = chr(127)  # of the shells that Mininet starts
DEPTH = 10  # of files that `source` files
TERMINALS = {"xterm": "xterm", "gterm": "gnome-terminal"}
SYNTAX_S = 10.0
DELIMITERS = " \t\n"  # between words that are completed; a node's name may have `-` and `.`


class Shell(CLI):  # type: ignore[misc]  # Mininet has no types
    """The commands of Mininet's CLI.  A wrong one prints an error; none ends the lab."""

    def __init__(self, mininet: Any, stdin: Any = None, script: str | None = None) -> None:
        self.depth = 0
        for name in sorted(set(mininet) & {each[3:] for each in dir(self) if each[:3] == "do_"}):
            error(f"*** {name!r} is a node and a command: `py net[{name!r}].cmd('...')` runs ")
            error("a command in the node\n")
        super().__init__(mininet, stdin=stdin or sys.stdin, script=script)

    @classmethod
    def initReadline(cls) -> None:  # noqa: N802
        """Set up history and completion; Mininet's own history file may be unreadable."""
        with suppress(OSError):
            super().initReadline()
        with suppress(ImportError):
            import readline

            readline.set_completer_delims(DELIMITERS)

    # Reading a line

    def parseline(self, line: str) -> tuple[str | None, str | None, str]:
        """Split a line; a node's name may have characters that a command's cannot have."""
        word, *rest = line.split(None, 1)[:2] or [""]
        if word in self.mn and not hasattr(self, f"do_{word}"):
            return word, rest[0].strip() if rest else "", line.strip()
        found: tuple[str | None, str | None, str] = super().parseline(line)
        return found

    def onecmd(self, line: str) -> Any:
        """Run one command; every error is printed."""
        try:
            return super().onecmd(line)
        except SystemExit:  # of `py exit()`
            return True
        except OverlayError as failed:
            error(f"*** {failed}\n")
        except Exception as failed:  # noqa: BLE001  a wrong command must not end the lab
            error(f"*** {line.strip()}: {type(failed).__name__}: {failed}\n")
        return None

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        """Commands and nodes whose names begin with `text`."""
        return [*super().completenames(text, *ignored), *self.completedefault(text)]

    def completedefault(self, text: str, *_: Any) -> list[str]:
        """Nodes whose names begin with `text`."""
        return sorted(name for name in self.mn if name.startswith(text))

    # Commands in nodes

    def default(self, line: str) -> None:
        """Run a command in a node; the names of other nodes in it become addresses."""
        name, args, line = self.parseline(line)
        if name is None or name not in self.mn:
            error(f"*** Unknown command: {line}; `help` lists commands, `nodes` lists nodes\n")
            return
        if not args:
            error(f"*** Please enter a command for node: {name} <cmd>\n")
            return
        # Else bash would wait for the end of a quotation, which may never come.
        checked = commands.attempt("bash", "-n", "-c", args, timeout_s=SYNTAX_S)
        if checked.returncode or checked.stderr:
            error(f"*** {checked.stderr.strip()}\n")
            return
        node = self.mn[name]
        if node.waiting:  # a command before was interrupted
            node.close_shell()
        node.sendCmd(self._with_addresses(name, args))
        self.waitForNode(node)

    def _with_addresses(self, name: str, args: str) -> str:
        def changed(word: str) -> str:
            return (self.mn.address(name, word) or word) if word in self.mn else word

        return "".join(map(changed, re.split(r"(\s+)", args)))

    def waitForNode(self, node: Any) -> None:  # noqa: N802
        """Print what the command writes, until it ends; Ctrl-C is passed on to it.

        So is what a user types at a terminal.  Other standard input has the next commands.
        """
        poller = select.poll()
        poller.register(node.stdout, select.POLLIN)
        if is_tty := self.isatty():
            poller.register(self.stdin, select.POLLIN)
            quietRun("stty -icanon min 1")
        try:
            while node.waiting:
                try:
                    self._pass_on(node, poller)
                except KeyboardInterrupt:
                    node.sendInt()
        finally:
            if is_tty:
                quietRun("stty icanon")

    def _pass_on(self, node: Any, poller: select.poll) -> None:
        ready = [number for number, _ in poller.poll(POLL_MS)]
        if node.stdout.fileno() in ready:
            output(_read(node))
        elif node.shell.poll() is not None:
            output("\n")
            node.close_shell()
        if self.isatty() and self.stdin.fileno() in ready:
            typed = os.read(self.stdin.fileno(), 1024)
            if typed:
                node.write(typed.decode(errors="replace"))
            else:  # the terminal is gone
                poller.unregister(self.stdin)

    def isatty(self) -> bool:
        """Whether a terminal is read."""
        with suppress(OSError, ValueError, AttributeError):
            return os.isatty(self.stdin.fileno())
        return False

    def do_noecho(self, line: str) -> None:
        """Run an interactive command with echoing turned off.
        Usage: noecho node cmd {args}
        """
        if not line:
            error("usage: noecho node cmd {args}\n")
            return
        try:
            super().do_noecho(line)
        finally:
            if self.isatty():
                quietRun("stty echo")

    # Commands of Mininet that check no arguments, or that do not fit a lab

    def do_sh(self, line: str) -> None:
        """Run a command outside of the lab.
        Usage: sh cmd {args}
        """
        self._with_argument(super().do_sh, line, "sh cmd {args}")

    def do_py(self, line: str) -> None:
        """Evaluate a Python expression; `net` and the names of nodes are known.
        Usage: py expression
        """
        self._with_argument(super().do_py, line, "py expression")

    def do_px(self, line: str) -> None:
        """Execute a Python statement; `net` and the names of nodes are known.
        Usage: px statement
        """
        self._with_argument(super().do_px, line, "px statement")

    def do_time(self, line: str) -> None:
        """Measure how long a command takes.
        Usage: time command {args}
        """
        self._with_argument(super().do_time, line, "time command {args}")

    @staticmethod
    def _with_argument(command: Any, line: str, usage: str) -> None:
        if line.strip():
            command(line)
        else:
            error(f"usage: {usage}\n")

    def do_source(self, line: str) -> Any:
        """Run the commands in a file.
        Usage: source file
        """
        name = line.strip()
        if not name:
            error("usage: source file\n")
            return None
        if self.depth == DEPTH:
            error(f"*** {name}: more than {DEPTH} files that `source` each other\n")
            return None
        try:
            lines = script_lines(Path(name))
        except OSError as failed:
            error(f"*** {name}: {failed.strerror or failed}\n")
            return None
        self.depth += 1
        try:
            return any(self.onecmd(self.precmd(each)) for each in lines)
        finally:
            self.depth -= 1

    def do_pingall(self, line: str) -> None:
        """Ping between all guests that have a subnet in common.
        Usage: pingall [seconds to wait for a reply]
        """
        if line.strip() and not re.fullmatch(r"\d+(\.\d+)?", line.strip()):
            error("usage: pingall [seconds to wait for a reply]\n")
            return
        self.mn.pingAll(line.strip() or None)

    def do_iperf(self, line: str) -> None:
        """Measure TCP bandwidth between two guests, by default the first two of one network.
        Usage: iperf [guest1 guest2]
        """
        super().do_iperf(line)

    def do_iperfudp(self, line: str) -> None:
        """Measure UDP bandwidth between two guests, by default the first two of one network.
        Usage: iperfudp [bandwidth guest1 guest2]
        """
        super().do_iperfudp(line)

    def do_wait(self, _line: str) -> None:
        """Wait until all ports, flows and VTEP neighbours are complete."""
        self.mn.waitConnected()

    def do_ports(self, _line: str) -> None:
        """List the ports of each bridge with their OpenFlow numbers."""
        for node in self.mn.switches:
            output("".join(f"{line}\n" for line in port_lines(node)))

    def do_links(self, _line: str) -> None:
        """List all links, with the state of both ends."""
        output("".join(f"{line}\n" for line in link_lines(self.mn)))

    def do_dpctl(self, line: str) -> None:
        """Run ovs-ofctl on every bridge of every Open vSwitch.
        Usage: dpctl command {args}
        """
        words = line.split()
        if not words:
            error("usage: dpctl command {args}\n")
            return
        for text in dpctl(self.mn.switches, words):
            output(text)

    def do_switch(self, line: str) -> None:
        """Stop and start the switch of the underlay, of management or of a LAN.
        Usage: switch name start|stop
        """
        words = line.split()
        if len(words) != 2 or words[1] not in {"start", "stop"}:
            error("usage: switch name start|stop\n")
            return
        name, what = words
        known = sorted(each.name for each in self.mn.switches if isinstance(each, Segment))
        if name not in known:
            kind = "is no switch" if name in self.mn else "is not in the lab"
            error(f"*** {name} {kind}; switches: {', '.join(known)}. ")
            error("`link node1 node2 down` cuts off any other node\n")
            return
        set_segment(self.mn[name], is_up=what == "start")

    # Terminals and X11

    def do_xterm(self, line: str, term: str = "xterm") -> None:
        """Open terminals in nodes.
        Usage: xterm node1 node2 ...
        """
        names = line.split()
        if not names:
            error(f"usage: {term} node1 node2 ...\n")
        if not self._all_known(names) or not self._has_display(names, TERMINALS[term]):
            return
        # Not in `mn.terms`: at its end Mininet would kill processes that are not its own.
        makeTerms([self.mn[name] for name in names], term=term)

    def do_gterm(self, line: str) -> None:
        """Open GNOME terminals in nodes.
        Usage: gterm node1 node2 ...
        """
        self.do_xterm(line, term="gterm")

    def do_x(self, line: str) -> None:
        """Start an X11 program in a node.
        Usage: x node cmd {args}
        """
        words = line.split()
        if len(words) < 2:
            error("usage: x node cmd {args}\n")
        elif self._all_known(words[:1]) and self._has_display(words[:1], words[1]):
            runX11(self.mn[words[0]], words[1:])

    def _all_known(self, names: list[str]) -> bool:
        for name in names:
            if name not in self.mn:
                error(f"*** node {name!r} is not in the lab\n")
        return all(name in self.mn for name in names)

    @staticmethod
    def _has_display(names: list[str], program: str) -> bool:
        if not names:
            return False
        instead = f"`overlaylab exec LAB {names[0]} -- bash` opens a shell in this terminal\n"
        if ":" not in os.environ.get("DISPLAY", ""):
            error(f"*** no X11 display (DISPLAY is not set); {instead}")
            return False
        if not shutil.which(program):
            error(f"*** {program} is not installed; {instead}")
            return False
        return True


def _read(node: Any) -> str:
    """What a command has written; notes when it has ended, which its shell's prompt shows.

    Mininet's own `monitor` takes two characters of binary output for the prompt, and for the pid of
    a command in the background, which it then waits for.
    """
    if node.lastCmd.endswith("&"):
        return str(node.monitor())
    text = str(node.read(1024))
    node.waiting = not text.endswith(PROMPT)
    return text.removesuffix(PROMPT)


def script_lines(file: Path) -> list[str]:
    """The lines of a script.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return file.read_text(encoding="utf-8", errors="replace").splitlines()
