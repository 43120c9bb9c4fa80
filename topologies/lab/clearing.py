"""Taking labs down: those that are held, those left behind, and those whose ledger is spoilt."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from controller.model.errors import LabError, OverlayError
from controller.system.process import await_end, send
from topologies.ledger import NAME, Ledger, find, home, labs

END_S = 60.0  # for a holder to take its lab down
LOOK_S = 0.25
DRAFT_S = 10.0  # for `claim` to write a ledger into the directory that it has made


def take_down(ledger: Ledger) -> None:
    """End a lab: by its holder if that lives, and by the ledger what is then left.

    Raises:
        LabError: a process would not end.
    """
    owner = ledger.owner() if ledger.path.exists() else None
    if owner and owner.pid != os.getpid():
        send(owner, signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while ledger.path.exists() and time.monotonic() < deadline and ledger.owner():
            await_end([owner], timeout_s=LOOK_S)
    ledger.undo()


def take_down_by_name(name: str) -> None:
    """Take down the lab called `name`, or remove its directory if that tells of no lab.

    Raises:
        LabError: there is neither, or a process would not end.
    """
    try:
        ledger = find(name)
    except LabError:
        if not (NAME.fullmatch(name) and _is_a_labs(home() / name)):
            raise
        shutil.rmtree(home() / name, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):  # somebody else has taken it down meanwhile
            take_down(ledger)


def take_down_all() -> None:
    """Take down every lab there is, and remove what a kill has left of labs to be.

    Raises:
        LabError: some would not end; all others are down.
    """
    failed: list[str] = []
    for name in labs():
        try:
            take_down_by_name(name)
        except (OSError, KeyError, TypeError, OverlayError) as error:
            if (home() / name).exists():
                failed.append(
                    f"{name!r}: {error!r}" if isinstance(error, KeyError) else f"{name!r}: {error}"
                )
    for draft in _dead_drafts():
        draft.undo()
    if failed:
        raise LabError(
            "; ".join(failed),
            where=f"{len(failed)} in {home()}",
            allowed="no lab left",
            do="Try `overlaylab down --all` again; all others are down.",
        )


def _is_a_labs(directory: Path) -> bool:
    """Whether a lab has been here: its ledger, or the mode of its directory; or nothing at all."""
    try:
        found = directory.lstat()
        content = [path.name for path in directory.iterdir()]
    except OSError:
        return False
    private = stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == os.geteuid()
    return stat.S_ISDIR(found.st_mode) and ("ledger" in content or not content or private)


def _dead_drafts() -> Iterator[Ledger]:
    """Directories that `claim` made and was killed before it gave them their name."""
    for directory in home().glob(".*.*"):
        name, _, tail = directory.name[1:].rpartition(".")
        if NAME.fullmatch(name) and len(tail) == 8 and _is_a_labs(directory):
            draft = Ledger(directory, "")
            with suppress(OSError, KeyError):
                if draft.path.exists():
                    draft = Ledger(directory, str(draft.last("lab").get("token", "")))
                if not _is_alive(draft):
                    yield draft


def _is_alive(draft: Ledger) -> bool:
    """Whether somebody still makes a lab of it."""
    if draft.token:
        if draft.owner() or draft.processes():
            return True
        if draft.last("owner"):
            return False
    return time.time() - draft.directory.stat().st_mtime < DRAFT_S
