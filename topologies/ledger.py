"""The record of what a lab has made, so that any process can take exactly that down.

A lab is a directory under /run/overlaylab, of mode 0700.  The file `ledger` in it starts with a
random token, which every process of the lab has in its environment; pids are added as processes
start.  Namespaces, links, mounts and sockets belong to those processes and end with them.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.model.errors import LabError, UsageError
from controller.system import commands
from controller.system.process import (
    Identity,
    boot_id,
    identify,
    is_alive,
    kill,
    lineage,
    marked,
    reap,
    reap_orphans_of,
)

HOME_VARIABLE = "OVERLAYLAB_RUN"  # another directory for labs; tests use it
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
ROUNDS = 5  # a process may fork while others are being killed


def home() -> Path:
    """The directory that has one directory for each lab."""
    return Path(os.environ.get(HOME_VARIABLE, "/run/overlaylab"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """A node of the lab and the process that keeps its namespaces."""

    name: str
    kind: str  # guest, host, segment or neutron
    keeper: Identity
    facts: dict[str, Any] = field(default_factory=dict)  # of a host `index`, of a guest `ports`


@dataclass(slots=True)
class Ledger:
    """The record of one lab: a file of JSON objects, one a line, which only grows.

    Attributes:
        children: processes of the lab that this object started; it waits for them when they end.
    """

    directory: Path
    token: str
    children: "list[subprocess.Popen[bytes]]" = field(
        default_factory=list, compare=False, repr=False
    )

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def path(self) -> Path:
        return self.directory / "ledger"

    def start(
        self, role: str, *argv: str, **options: Any
    ) -> "tuple[Identity, subprocess.Popen[bytes]]":
        """Start a process of the lab (see `commands.start`), record it and return it.

        Raises:
            CommandError: it could not start.
        """
        child = commands.start(*argv, mark=self.token, **options)
        self.children.append(child)
        return self.process(child.pid, role) or Identity(child.pid, 0), child

    def process(self, pid: int, role: str) -> Identity | None:
        """Record a process that was just started; None if it has ended already."""
        identity = identify(pid)
        if identity:
            self.note("process", role=role, **as_json(identity))
        return identity

    def node(self, name: str, kind: str, keeper: Identity, **facts: Any) -> None:
        """Record a node, or new facts about a recorded one."""
        self.note("node", name=name, kind=kind, **as_json(keeper), facts=facts)

    def note(self, what: str, **facts: Any) -> None:
        """Add one entry."""
        with self.path.open("a") as file:  # O_APPEND: one short line is written whole
            file.write(json.dumps({"what": what, **facts}) + "\n")

    def write(self, name: str, text: str) -> None:
        """Write a file into the lab's directory, atomically; only root may read it."""
        draft = self.directory / f".{name}.{os.getpid()}"
        draft.write_text(text)
        draft.chmod(0o600)
        draft.replace(self.directory / name)

    def entries(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """The entries of these kinds, or all, in order; a line that a crash cut short is skipped."""
        try:
            lines = self.path.read_text(errors="replace").splitlines()
        except FileNotFoundError:  # the lab has been taken down
            return
        for line in lines:
            with suppress(ValueError, AttributeError, KeyError):
                entry = json.loads(line)
                if entry.get("what") in (kinds or (entry["what"],)):
                    yield entry

    def last(self, what: str) -> dict[str, Any]:
        """The last entry of a kind; empty if there is none."""
        return next(iter(reversed(list(self.entries(what)))), {})

    def nodes(self) -> dict[str, NodeEntry]:
        """The nodes of the lab now, by name, in the order in which they were made."""
        found: dict[str, NodeEntry] = {}
        for entry in self.entries("node", "gone"):
            if entry["what"] == "gone":
                found.pop(entry["name"], None)
            else:
                name, kind, facts = entry["name"], entry["kind"], entry["facts"]
                keeper = from_json(entry)
                found[name] = NodeEntry(name=name, kind=kind, keeper=keeper, facts=facts)
        return found

    def owner(self) -> Identity | None:
        """The process that holds the lab; None if it has ended."""
        return self.living("owner")

    def living(self, what: str) -> Identity | None:
        """The process of the last entry of a kind (owner, controller); None if it has ended."""
        entry = self.last(what)
        identity = from_json(entry) if _is_whole(entry) and self.is_of_this_boot else None
        return identity if identity and is_alive(identity) else None

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the recorded pids are of this boot."""
        return self.last("lab").get("boot") == boot_id()

    def processes(self) -> frozenset[Identity]:
        """Running processes of the lab: recorded ones, and those with its token."""
        if not self.is_of_this_boot:
            return frozenset()
        with_token = marked(self.token) if self.token else ()
        return frozenset((*filter(is_alive, self._recorded()), *with_token))

    def undo(self) -> None:
        """End all processes of the lab and remove its directory; safe to repeat.

        Raises:
            LabError: a process did not end.
        """
        spared, ended = lineage(), self._recorded()
        for _ in range(ROUNDS):
            running = [one for one in self.processes() if one.pid not in spared]
            if not running:
                break
            ended.update(running)
            kill(running)
        for child in self.children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
        self.children.clear()
        gone = [one for one in ended if one.pid not in spared and not is_alive(one)]
        reap(gone)
        reap_orphans_of(gone)
        shutil.rmtree(self.directory, ignore_errors=True)

    def collect(self) -> None:
        """Reap children that have ended, such as a killed controller, and orphans of theirs."""
        for child in self.children:
            child.poll()
        dead = (one for one in self._recorded() if not is_alive(one))
        reap_orphans_of(dead, but={child.pid for child in self.children})

    def _recorded(self) -> set[Identity]:
        entries = self.entries("process") if self.is_of_this_boot else ()
        return {from_json(entry) for entry in entries if _is_whole(entry)}


def as_json(identity: Identity) -> dict[str, int]:
    """A process as an entry has it."""
    return {"pid": identity.pid, "start": identity.start}


def from_json(entry: dict[str, Any]) -> Identity:
    """The process of an entry."""
    return Identity(entry["pid"], entry["start"])


def _is_whole(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("pid"), int) and isinstance(entry.get("start"), int)


def claim(name: str | None = None) -> Ledger:
    """Make the directory of a new lab, with its ledger; a random name by default.

    Raises:
        UsageError: the name is not allowed.
        LabError: the name is taken.
    """
    wanted = f"ol{secrets.token_hex(3)}" if name is None else name
    if not NAME.fullmatch(wanted):
        raise UsageError(
            repr(wanted),
            where="lab name",
            allowed="a letter or digit, then up to 31 letters, digits, '_' or '-'",
            do="Use another name, or none for a random one.",
        )
    home().mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Ledger(home() / f".{wanted}.{secrets.token_hex(4)}", secrets.token_hex(16))
    draft.directory.mkdir(mode=0o700)
    draft.note("lab", token=draft.token, boot=boot_id())
    draft.note("owner", **as_json(identify(os.getpid()) or Identity(os.getpid(), 0)))
    try:
        # `rename` fails if the target directory is not empty, so two labs never share a name.
        draft.directory.rename(home() / wanted)
    except OSError:
        shutil.rmtree(draft.directory)
        raise LabError(
            f"lab {wanted!r} exists",
            where=str(home()),
            allowed="a name that is not taken",
            do=f"Use another name, or `overlaylab down {wanted}` first.",
        ) from None
    return Ledger(home() / wanted, draft.token)


def find(name: str) -> Ledger:
    """The ledger of the lab called `name`.

    Raises:
        LabError: there is no such lab.
    """
    if NAME.fullmatch(name):
        ledger = Ledger(home() / name, "")
        try:
            return Ledger(ledger.directory, ledger.last("lab")["token"])
        except (OSError, KeyError):
            pass
    raise LabError(
        f"no lab {name!r}",
        where=str(home()),
        allowed=", ".join(labs()) or "none (no lab is up)",
        do="`overlaylab status` lists the labs that are up.",
    )


def labs() -> tuple[str, ...]:
    """Names of all labs on this machine, also of those whose holder has ended."""
    return tuple(sorted(path.parent.name for path in home().glob("[!.]*/ledger")))
