"""The logs of a lab that could not start, kept when all else of it is removed."""

import shutil
import tempfile
from pathlib import Path

from controller.model.errors import OverlayError
from controller.system.ownership import give_back
from controller.system.process import PROC, is_alive
from topologies.ledger import Ledger
from topologies.plan.ovs import LOG

WITH_OVS = frozenset({"host", "edge"})  # kinds of nodes


def keep_logs(ledger: Ledger) -> Path | None:
    """Copy its logs into a new folder, which belongs to the caller of sudo; None if there are none."""
    logs = {each.name: each for each in ledger.directory.glob("*.log")}
    for node in ledger.nodes().values():
        if node.kind in WITH_OVS and is_alive(node.keeper):
            inside = PROC / str(node.keeper.pid) / "root" / LOG.lstrip("/")
            logs |= {f"{node.name}-{each.name}": each for each in inside.glob("*.log")}
    filled = {name: log for name, log in logs.items() if log.stat().st_size}
    if not filled:
        return None
    kept = Path(tempfile.mkdtemp(prefix=f"overlaylab-{ledger.name}-"))
    for name, log in filled.items():
        shutil.copyfile(log, kept / name)
    give_back(kept)
    return kept


def with_kept_logs(error: OverlayError, ledger: Ledger) -> OverlayError:
    """The error of a lab that could not start, which names where its logs are kept."""
    try:
        kept = keep_logs(ledger)
    except OSError:  # the first error is the one to report
        return error
    if kept is None:
        return error
    do = error.do.replace(str(ledger.directory), str(kept))
    do = do if do != error.do else f"{do} Its logs are in {kept}."
    return type(error)(error.found, where=error.where, allowed=error.allowed, do=do)
