"""What a lab has made, written down first, so that anyone can undo just that.

A lab is a directory under /run/overlaylab, of mode 0700.  Its `ledger` is there before
the directory gets its name, with a random token that every process of the lab bears in
its environment; pids follow as they are known.  Namespaces, links, mounts and sockets
all belong to those processes and go with them.
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

HOME_VARIABLE = "OVERLAYLAB_RUN"  # tests keep their labs apart by it
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_CHILDREN: "dict[Path, list[subprocess.Popen[bytes]]]" = {}  # to a process, its children are global
ROUNDS = 5  # a process may fork while its siblings are being killed


def home() -> Path:
    """Where the directories of labs are."""
    return Path(os.environ.get(HOME_VARIABLE, "/run/overlaylab"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """A node of the lab, and the process that keeps its namespaces."""

    name: str
    kind: str  # guest, host, segment or neutron
    keeper: Identity
    facts: dict[str, Any] = field(default_factory=dict)  # host: index; guest: ports


@dataclass(frozen=True, slots=True)
class Ledger:
    """The record of one lab: a file, one JSON object a line, only ever appended to."""

    directory: Path
    token: str

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.directory.name

    @property
    def children(self) -> "list[subprocess.Popen[bytes]]":
        """Processes of the lab that this one started, and so has to wait for at their end."""
        return _CHILDREN.setdefault(self.directory, [])

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / "ledger"

    def start(self, role: str, *argv: str, **options: Any) -> Identity:
        """Start a process of the lab (see `commands.start`) and record it.

        Raises:
            CommandError: it could not start.
        """
        child = commands.start(*argv, mark=self.token, **options)
        self.children.append(child)  # to be waited for when it has ended
        return self.process(child.pid, role) or Identity(child.pid, 0)

    def process(self, pid: int, role: str) -> Identity | None:
        """Record a process just started; None if it is gone already."""
        identity = identify(pid)
        if identity:
            self.note("process", role=role, **as_json(identity))
        return identity

    def node(self, name: str, kind: str, keeper: Identity, **facts: Any) -> None:
        """Record a node, or new facts about it."""
        self.note("node", name=name, kind=kind, **as_json(keeper), facts=facts)

    def note(self, what: str, **facts: Any) -> None:
        """Add one entry."""
        with self.path.open("a") as file:  # O_APPEND: one short line is written whole
            file.write(json.dumps({"what": what, **facts}) + "\n")

    def write(self, name: str, text: str) -> None:
        """Write a file of the lab that only root may read, whole or not at all."""
        draft = self.directory / f".{name}.{os.getpid()}"
        draft.write_text(text)
        draft.chmod(0o600)
        draft.replace(self.directory / name)

    def entries(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """What is recorded, in order; a line cut short by a crash is left out."""
        for line in self.path.read_text(errors="replace").splitlines():
            with suppress(ValueError, AttributeError, KeyError):  # no JSON, no object, no entry
                entry = json.loads(line)
                if entry.get("what") in (kinds or (entry["what"],)):
                    yield entry

    def last(self, what: str) -> dict[str, Any]:
        """The last entry of a kind; empty if there is none."""
        return next(iter(reversed(list(self.entries(what)))), {})

    def nodes(self) -> dict[str, NodeEntry]:
        """The nodes there are now, by name, in the order in which they came."""
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
        """The process that holds the lab, or None if it is dead."""
        return self.living("owner")

    def living(self, what: str) -> Identity | None:
        """The process of the last entry of a kind (owner, controller), or None if it is dead."""
        entry = self.last(what)
        identity = from_json(entry) if _is_whole(entry) and self.is_of_this_boot else None
        return identity if identity and is_alive(identity) else None

    @property
    def is_of_this_boot(self) -> bool:
        """False if its pids are those of an earlier boot."""
        return self.last("lab").get("boot") == boot_id()

    def processes(self) -> frozenset[Identity]:
        """Living processes of the lab: those recorded, and those that bear its token."""
        if not self.is_of_this_boot:
            return frozenset()
        bearing = marked(self.token) if self.token else ()
        return frozenset((*filter(is_alive, self._recorded()), *bearing))

    def undo(self) -> None:
        """End what is recorded and remove the directory; safe to repeat.

        Raises:
            LabError: a process would not end.
        """
        spared, ended = lineage(), self._recorded()
        for _ in range(ROUNDS):
            doomed = self._doomed(spared)
            if not doomed:
                break
            ended.update(doomed)
            kill(doomed)
        for child in _CHILDREN.pop(self.directory, []):
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
        gone = [one for one in ended if one.pid not in spared and not is_alive(one)]
        reap(gone)
        reap_orphans_of(gone)
        shutil.rmtree(self.directory, ignore_errors=True)

    def collect(self) -> None:
        """Wait for children that have ended, such as a killed controller, and for theirs."""
        for child in self.children:
            child.poll()
        dead = (one for one in self._recorded() if not is_alive(one))
        reap_orphans_of(dead, but={child.pid for child in self.children})

    def _recorded(self) -> set[Identity]:
        try:
            of_now = self.is_of_this_boot
            return (
                set(map(from_json, filter(_is_whole, self.entries("process")))) if of_now else set()
            )
        except FileNotFoundError:  # undone already
            return set()

    def _doomed(self, spared: frozenset[int]) -> list[Identity]:
        try:
            return [one for one in self.processes() if one.pid not in spared]
        except FileNotFoundError:  # undone already
            return []


def as_json(identity: Identity) -> dict[str, int]:
    """A process as it is recorded."""
    return {"pid": identity.pid, "start": identity.start}


def from_json(entry: dict[str, Any]) -> Identity:
    """The process that was recorded."""
    return Identity(entry["pid"], entry["start"])


def _is_whole(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("pid"), int) and isinstance(entry.get("start"), int)


def _me() -> Identity:
    identity = identify(os.getpid())
    return identity or Identity(os.getpid(), 0)


def claim(name: str | None = None) -> Ledger:
    """Take a name for a new lab: its directory, with the ledger already inside.

    Raises:
        UsageError: the name cannot be a lab's.
        LabError: the name is taken.
    """
    wanted = f"ol{secrets.token_hex(3)}" if name is None else name
    _assert_name(wanted)
    home().mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Ledger(home() / f".{wanted}.{secrets.token_hex(4)}", secrets.token_hex(16))
    draft.directory.mkdir(mode=0o700)
    draft.note("lab", token=draft.token, boot=boot_id())
    draft.note("owner", **as_json(_me()))
    try:
        # Onto a directory with a ledger in it, rename fails: so a name is taken just once.
        draft.directory.rename(home() / wanted)
    except OSError:
        shutil.rmtree(draft.directory)
        raise _taken(wanted) from None
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
    """Names of all labs on this machine, dead ones included."""
    return tuple(sorted(path.parent.name for path in home().glob("[!.]*/ledger")))


def _assert_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            repr(name),
            where="lab name",
            allowed="a letter or digit, then up to 31 letters, digits, '_' or '-'",
            do="Pick another, or none: one is made up.",
        )


def _taken(name: str) -> LabError:
    return LabError(
        f"lab {name!r} exists",
        where=str(home()),
        allowed="a name that is not taken",
        do=f"Pick another, or `overlaylab down {name}` first.",
    )
