"""Take labs down: running ones, abandoned ones, and those with a corrupt ledger."""

import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from controller.model.errors import LabError, OverlayError, WaitError
from controller.system.commands import MARK
from controller.system.process import Identity, lineage, marks, name_of, send
from controller.system.waiting import wait_for
from topologies.ledger import DEFAULT_HOME, HOME_VARIABLE, NAME, Ledger, find, home, labs
from topologies.leftovers import distrust, only_one, remove

END_S = 60.0  # for a holder to take its lab down
POLL_S = 0.05
DRAFT_S = 10.0  # for `claim` to write a ledger into its new directory


def take_down(ledger: Ledger) -> None:
    """Take a lab down: its holder does so if it runs; the ledger shows what is left.

    Raises:
        LabError: something is left, which the message names; the record is kept.
    """
    owner = ledger.owner()
    if owner and owner.pid != os.getpid():
        send(owner, signal.SIGTERM)
        send(owner, signal.SIGCONT)  # a stopped process handles a signal when it continues
        with suppress(WaitError):
            wait_for(lambda: not ledger.owner(), END_S, what="the holder to end", every_s=POLL_S)
    ledger.undo()


def take_down_by_name(name: str) -> None:
    """Take down the lab called `name`; if its record is lost, only remove its directory.

    Raises:
        LabError: there is no such lab, or something is left, which the message names.
    """
    try:
        ledger = find(name)
    except LabError:
        directory = home() / name
        if not NAME.fullmatch(name) or distrust(directory, "ledger") or not _is_a_labs(directory):
            raise
        _remove_without_record(directory)
    else:
        take_down(ledger)


def _remove_without_record(directory: Path) -> None:
    """Remove the directory of a lab whose record and its copy are lost.

    Raises:
        LabError: processes of a lost lab still run, perhaps of this one; or a file cannot be deleted.
    """
    left = [
        f"process {one.pid} ({name_of(one.pid)}), which belongs to this lab or to another one "
        f"whose record is lost: see /proc/{one.pid}/environ, then `kill {one.pid}`"
        for one in _lost()
    ]
    with only_one(directory) as is_there:
        left = left or (remove(directory, last="ledger") if is_there else [])
    if left:
        raise LabError(
            "its record is damaged; not removed: " + "; ".join(left),
            where=f"lab {directory.name!r}",
            allowed="nothing left",
            do=f"Correct that, then `overlaylab down {directory.name}` again.",
        )


def _lost() -> list[Identity]:
    """Processes of labs in this `home` that no readable record has the token of."""
    # Processes first: a lab that starts meanwhile has a record by the time records are read.
    found, spared = list(marks()), lineage()
    known = set()
    for name in labs():
        with suppress(LabError):
            known.add(find(name).token)
    here = str(home())
    return sorted(
        (
            process
            for process, variables in found
            if variables.get(HOME_VARIABLE, str(DEFAULT_HOME)) == here
            if variables.get(MARK) not in known and process.pid not in spared
        ),
        key=lambda each: each.pid,
    )


def take_down_all() -> None:
    """Take down every lab, and remove the directories of labs that were killed while starting.

    Raises:
        LabError: some did not end; all others are down.
    """
    failed: list[str] = []
    for name in labs():
        try:
            take_down_by_name(name)
        except (OSError, OverlayError) as error:
            if os.path.lexists(home() / name):
                failed.append(str(error) if isinstance(error, OverlayError) else f"{name}: {error}")
    for draft in _dead_drafts():
        try:
            draft.undo()
        except LabError as error:
            failed.append(str(error))
    if failed:
        raise LabError(
            "; ".join(failed),
            where=f"{len(failed)} not down in {home()}",
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
