"""Take labs down: running ones, abandoned ones, and those with a corrupt ledger."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from controller.model.errors import LabError, OverlayError, WaitError
from controller.system.process import send
from controller.system.waiting import wait_for
from topologies.ledger import NAME, Ledger, find, home, labs

END_S = 60.0  # for a holder to take its lab down
POLL_S = 0.05
DRAFT_S = 10.0  # for `claim` to write a ledger into its new directory


def take_down(ledger: Ledger) -> None:
    """Take a lab down: its holder does so if it runs; the ledger shows what is left.

    Raises:
        LabError: a process did not end.
    """
    owner = ledger.owner() if ledger.path.exists() else None
    if owner and owner.pid != os.getpid():
        send(owner, signal.SIGTERM)
        with suppress(WaitError):
            wait_for(
                lambda: not (ledger.path.exists() and ledger.owner()),
                END_S,
                what="the holder to end",
                every_s=POLL_S,
            )
    ledger.undo()


def take_down_by_name(name: str) -> None:
    """Take down the lab called `name`; if its ledger is corrupt, only remove its directory.

    Raises:
        LabError: there is no such lab, or a process did not end.
    """
    try:
        ledger = find(name)
    except LabError:
        if not (NAME.fullmatch(name) and _is_a_labs(home() / name)):
            raise
        shutil.rmtree(home() / name, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):  # another process has taken it down in the meantime
            take_down(ledger)


def take_down_all() -> None:
    """Take down every lab, and remove the directories of labs that were killed while starting.

    Raises:
        LabError: some did not end; all others are down.
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
    """Whether a directory is a lab's: it has a ledger, the mode of a lab's directory, or no files."""
    try:
        found = directory.lstat()
        content = [path.name for path in directory.iterdir()]
    except OSError:
        return False
    private = stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == os.geteuid()
    return stat.S_ISDIR(found.st_mode) and ("ledger" in content or not content or private)


def _dead_drafts() -> Iterator[Ledger]:
    """Directories of processes that were killed inside `claim`, before the rename."""
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
    """Whether a process is still making a lab of it."""
    if draft.token:
        if draft.owner() or draft.processes():
            return True
        if draft.last("owner"):
            return False
    return time.time() - draft.directory.stat().st_mtime < DRAFT_S
