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
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.model.errors import LabError, UsageError
from controller.model.near import did_you_mean
from controller.system import commands
from controller.system.process import (
    Identity,
    await_end,
    boot_id,
    identify,
    is_alive,
    lineage,
    marked,
    reap,
    reap_orphans_of,
    send,
)
from topologies.leftovers import distrust, holder_of, holders, only_one, remove, still_running
from topologies.one_change import no_change

HOME_VARIABLE = "OVERLAYLAB_RUN"  # another directory for labs; tests use it
DEFAULT_HOME = Path("/run/overlaylab")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
COPY = "lab.json"  # a copy of the first entries of the ledger
KILL_S = 10.0
CHANGE_S = 10.0  # how long a clean-up waits for a change of the lab to end
ROUNDS = 5  # a process may fork while others are being killed


def home() -> Path:
    """The directory that has one directory for each lab."""
    return Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME))


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
            LabError: it could not be recorded; it is ended.
        """
        child = commands.start(*argv, mark=self.token, **options)
        self.children.append(child)
        try:
            return self.process(child.pid, role) or Identity(child.pid, 0), child
        except LabError:  # a process that is not recorded must not stay
            child.kill()
            child.wait()
            raise

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
        """Add one entry.

        Raises:
            LabError: it cannot be written, as on a full disk.
        """
        line = json.dumps({"what": what, **facts}) + "\n"
        # O_APPEND: one short line is written whole.  After a line that was cut short, a new one.
        with _recording(self.path), self.path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            is_cut = file.read(1) not in {b"", b"\n"}
            file.write(b"\n" * is_cut + line.encode())

    def write(self, name: str, text: str) -> None:
        """Write a file into the lab's directory, atomically; only root may read it.

        Raises:
            LabError: it cannot be written, as on a full disk.
        """
        draft = self.directory / f".{name}.{os.getpid()}"
        with _recording(self.directory / name):
            draft.write_text(text)
            draft.chmod(0o600)
            draft.replace(self.directory / name)

    def entries(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """The entries of these kinds, or all, in order; a damaged line is skipped.

        If the entry of the lab itself is lost, it is read from its copy.

        Raises:
            LabError: the record is a link, no file, or of another user.
        """
        found = list(self._parsed(self.path))
        if not any(entry["what"] == "lab" for entry in found):
            found = [*self._parsed(self.directory / COPY), *found]
        return (entry for entry in found if not kinds or entry["what"] in kinds)

    def _parsed(self, path: Path) -> Iterator[dict[str, Any]]:
        if reason := distrust(self.directory, path.name):
            raise untrusted(self.name, reason)
        try:
            lines = path.read_text(errors="replace").splitlines()
        except FileNotFoundError:  # the lab has been taken down
            return
        except OSError as error:
            raise untrusted(self.name, f"{path}: {error.strerror}") from error
        for line in lines:
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and isinstance(entry.get("what"), str):
                    yield entry

    def last(self, what: str) -> dict[str, Any]:
        """The last entry of a kind; empty if there is none."""
        return next(iter(reversed(list(self.entries(what)))), {})

    def nodes(self) -> dict[str, NodeEntry]:
        """The nodes of the lab now, by name, in the order in which they were made."""
        found: dict[str, NodeEntry] = {}
        for entry in self.entries("node", "gone"):
            with suppress(KeyError):  # a damaged entry
                name = entry["name"]
                if entry["what"] == "gone":
                    found.pop(name, None)
                else:
                    kind, facts, keeper = entry["kind"], entry["facts"], from_json(entry)
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
            LabError: something is left, which the message names; the record is kept.
        """
        with only_one(self.directory) as is_there:
            # By now another lab may have the name: another process has taken this one down.
            is_ours = is_there and self.last("lab").get("token", self.token) in {self.token, ""}
            left = self._undo_alone() if is_ours else []
        self.children.clear()
        if left:
            raise LabError(
                "not removed: " + "; ".join(left),
                where=f"lab {self.name!r}",
                allowed="nothing left",
                do=f"Its record is kept: correct that, then `overlaylab down {self.name}` again.",
            )

    def _undo_alone(self) -> list[str]:
        """Remove it while no other process changes it: what is added meanwhile would be left."""
        with no_change(self.directory, timeout_s=CHANGE_S):
            return self._undo(lineage())

    def _undo(self, spared: frozenset[int]) -> list[str]:
        """Remove what can be removed; return what is left, each with the reason."""
        own = {one.pid for one in self.processes()} | spared
        held = {*holders(self._keepers(), own), *map(holder_of, self._noted("held"))}
        left = self._end(spared)
        for holder in held:
            if holder.is_there():
                left.append(str(holder))
                with suppress(LabError):  # without the entry, a later clean-up misses this one only
                    self.note("held", **holder.as_entry())
        return left or remove(self.directory, last=self.path.name)

    def _end(self, spared: frozenset[int]) -> list[str]:
        """End the processes of the lab and reap those that are children; return what still runs."""
        ended = self._recorded()
        for _ in range(ROUNDS):
            running = [one for one in self.processes() if one.pid not in spared]
            ended.update(running)
            if not running or _kill(running):
                break
        for child in self.children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
        gone = [one for one in ended if one.pid not in spared and not is_alive(one)]
        reap(gone)
        reap_orphans_of(gone)
        left = sorted(self.processes(), key=lambda each: each.pid)
        return [still_running(one) for one in left if one.pid not in spared]

    def _keepers(self) -> dict[str, Identity]:
        """The living processes that keep the namespaces of nodes, by node."""
        found = {}
        for entry in self._noted("node"):
            keeper = from_json(entry)
            if is_alive(keeper):
                found[str(entry.get("name"))] = keeper
        return found

    def _noted(self, what: str) -> list[dict[str, Any]]:
        """The entries of a kind from this boot that have all that is needed."""
        entries = self.entries(what) if self.is_of_this_boot else ()
        return [entry for entry in entries if _is_whole(entry) or entry.get("mount")]

    def collect(self) -> None:
        """Reap children that have ended, such as a killed controller, and orphans of theirs."""
        for child in self.children:
            child.poll()
        dead = (one for one in self._recorded() if not is_alive(one))
        reap_orphans_of(dead, but={child.pid for child in self.children})

    def _recorded(self) -> set[Identity]:
        return {from_json(entry) for entry in self._noted("process")}


@contextmanager
def _recording(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            allowed="space and the right to write there",
            do="`df` shows how full the disk is; free some space, then try again.",
        ) from error


def untrusted(name: str, reason: str) -> LabError:
    """The error for a directory of labs that is not, or may not be, one of ours."""
    return LabError(
        reason,
        where=f"lab {name!r}",
        allowed="a directory and a record that are no links and that only root can write",
        do=f"Nothing was changed. Look at {home() / name}, and remove it yourself.",
    )


def _kill(running: list[Identity]) -> bool:
    """Kill these processes; whether one still runs after `KILL_S`."""
    for one in running:
        send(one, signal.SIGKILL)
    return bool(await_end(running, timeout_s=KILL_S))


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
    draft = Ledger(home() / f".{wanted}.{secrets.token_hex(4)}", secrets.token_hex(16))
    with _recording(home()):
        home().mkdir(mode=0o755, parents=True, exist_ok=True)
        draft.directory.mkdir(mode=0o700)
    try:
        draft.note("lab", token=draft.token, boot=boot_id())
        draft.note("owner", **as_json(identify(os.getpid()) or Identity(os.getpid(), 0)))
        draft.write(COPY, draft.path.read_text())
        # `rename` fails if the target directory is not empty, so two labs never share a name.
        draft.directory.rename(home() / wanted)
    except LabError:
        shutil.rmtree(draft.directory, ignore_errors=True)
        raise
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
        LabError: there is no such lab, or its record is damaged or not trusted.
    """
    if NAME.fullmatch(name):
        ledger = Ledger(home() / name, "")
        token = ledger.last("lab").get("token")
        if isinstance(token, str) and token:
            return Ledger(ledger.directory, token)
        if name in labs():
            raise LabError(
                "its record is damaged",
                where=f"lab {name!r}",
                allowed="a record that begins with the lab's token",
                do=f"`overlaylab down {name}` removes it.",
            )
    raise LabError(
        f"no lab {name!r}",
        where=str(home()),
        allowed=", ".join(labs()) or "none (no lab is up)",
        do=did_you_mean(name, labs(), "`overlaylab status` lists the labs that are up."),
    )


def labs() -> tuple[str, ...]:
    """Names of all labs on this machine, also of those whose holder has ended."""
    records = (*home().glob("[!.]*/ledger"), *home().glob(f"[!.]*/{COPY}"))
    return tuple(sorted({path.parent.name for path in records}))
