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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topologies.errors import LabError, UsageError
from topologies.lab.process import (
    Identity,
    boot_id,
    identify,
    is_alive,
    kill,
    lineage,
    marked,
)

HOME_VARIABLE = "OVERLAYLAB_RUN"  # tests keep their labs apart by it
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
ROUNDS = 5  # a process may fork while its siblings are being killed


def home() -> Path:
    """Where the directories of labs are."""
    return Path(os.environ.get(HOME_VARIABLE, "/run/overlaylab"))


@dataclass(frozen=True, slots=True)
class Ledger:
    """The record of one lab."""

    directory: Path
    token: str

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.directory.name

    @property
    def path(self) -> Path:
        """The file, one JSON object a line, only ever appended to."""
        return self.directory / "ledger"

    def process(self, pid: int, role: str) -> Identity | None:
        """Record a process just started; None if it is gone already."""
        identity = identify(pid)
        if identity:
            self._append({"what": "process", "role": role, **_as_json(identity)})
        return identity

    def owner_is(self, pid: int) -> None:
        """Record which process holds the lab from now on."""
        identity = identify(pid)
        if identity:
            self._append({"what": "owner", **_as_json(identity)})

    def entries(self) -> Iterator[dict[str, Any]]:
        """What is recorded, in order; a last line cut short by a crash is left out."""
        for line in self.path.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return

    def owner(self) -> Identity | None:
        """The process that holds the lab, or None if it is dead."""
        found = [entry for entry in self.entries() if entry["what"] == "owner"]
        owner = Identity(found[-1]["pid"], found[-1]["start"]) if found else None
        return owner if owner and self.is_of_this_boot and is_alive(owner) else None

    @property
    def is_of_this_boot(self) -> bool:
        """False if its pids are those of an earlier boot."""
        return any(entry.get("boot") == boot_id() for entry in self.entries())

    def processes(self) -> frozenset[Identity]:
        """Living processes of the lab: those recorded, and those that bear its token."""
        if not self.is_of_this_boot:
            return frozenset()
        recorded = (
            Identity(entry["pid"], entry["start"])
            for entry in self.entries()
            if entry["what"] == "process"
        )
        return frozenset((*filter(is_alive, recorded), *marked(self.token)))

    def undo(self) -> None:
        """End what is recorded and remove the directory; safe to repeat.

        Raises:
            LabError: a process would not end.
        """
        spared = lineage()
        for _ in range(ROUNDS):
            if not self.path.exists():
                break
            doomed = [one for one in self.processes() if one.pid not in spared]
            if not doomed:
                break
            kill(doomed)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _append(self, entry: dict[str, Any]) -> None:
        with self.path.open("a") as file:  # O_APPEND: one short line is written whole
            file.write(json.dumps(entry) + "\n")


def _as_json(identity: Identity) -> dict[str, int]:
    return {"pid": identity.pid, "start": identity.start}


def claim(name: str | None = None) -> Ledger:
    """Take a name for a new lab: its directory, with the ledger already inside.

    Raises:
        UsageError: the name cannot be a lab's.
        LabError: the name is taken.
    """
    wanted = name or f"ol{secrets.token_hex(3)}"
    _assert_name(wanted)
    home().mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Ledger(home() / f".{wanted}.{secrets.token_hex(4)}", secrets.token_hex(16))
    draft.directory.mkdir(mode=0o700)
    draft._append({"what": "lab", "token": draft.token, "boot": boot_id()})
    draft.owner_is(os.getpid())
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
            token = next(entry["token"] for entry in ledger.entries() if "token" in entry)
            return Ledger(ledger.directory, token)
        except (FileNotFoundError, StopIteration):
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
