"""Holding a lab until told to end, in the foreground or as a process of its own."""

import json
import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from controller.model import errors
from controller.model.errors import LabError, OverlayError
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from controller.system.commands import MARK
from topologies.lab.lab import Lab
from topologies.lab.starting import started
from topologies.nodes import neighbours, sites_ready
from topologies.nodes.neutron import relaunch

WATCH_S = 0.25
REFRESH_S = neighbours.AGE_S / 4
LONGEST_WAIT_S = 30.0  # between two tries to start a controller that dies at once


def hold(lab: Lab, say: Callable[[str], None]) -> None:
    """Keep a lab alive until a signal or Ctrl-C: its controller, and its VTEP neighbours."""
    told, watcher = time.monotonic(), None if lab.sites else Watcher(lab, say)
    while True:
        time.sleep(WATCH_S)
        if watcher:
            watcher.look(time.monotonic())
        if time.monotonic() - told > REFRESH_S:
            told = time.monotonic()
            tell_neighbours(lab)


class Watcher:
    """Starts the controller again if it has died; ever more slowly one that dies at once."""

    def __init__(self, lab: Lab, say: Callable[[str], None]) -> None:
        self._lab, self._say = lab, say
        self._wait_s, self._tried = WATCH_S, -math.inf

    def look(self, now: float) -> None:
        """Wait for those that have ended, and start the controller if its time has come."""
        self._lab.ledger.collect()
        if self._lab.ledger.living("controller") is None:
            if now >= self._tried + self._wait_s:
                self._start(now)
        elif now >= self._tried + LONGEST_WAIT_S:
            self._wait_s = WATCH_S

    def _start(self, now: float) -> None:
        self._tried, self._wait_s = now, min(2 * self._wait_s, LONGEST_WAIT_S)
        after = f"if it dies again, the next try is in {self._wait_s:g} s"
        try:
            if relaunch(self._lab.ledger):
                self._say(f"the controller had died: started again; {after}")
        except OverlayError as error:
            self._say(f"the controller had died and cannot start ({error}); {after}")


def tell_neighbours(lab: Lab) -> None:
    """Make every VTEP known to every host for another hour."""
    for site in lab.sites.sites if lab.sites else ():
        with suppress(OverlayError):
            sites_ready.set_provider_neighbour(lab.pid(site.router), site)
    try:
        overlay, datapath = lab.overlay, lab.ledger.last("settings")["datapath"]
    except (OSError, OverlayError):  # a spoilt state.json is for `status` to tell, not to die of
        return
    for host in overlay.hosts:
        # A dead switch is for the controller to report; the others still need their neighbours.
        with suppress(OverlayError):
            neighbours.set_neighbours(lab.pid(host.name), overlay, host, datapath)


def detach(overlay: Overlay | Sites, say: Callable[[str], None], **options: Any) -> str:
    """Raise a lab in a process of its own; return its name when it is ready.

    Raises:
        OverlayError: the holder's own reason why it could not.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_holder(overlay, writing, options)
    os.close(writing)
    try:
        return _outcome(reading, say)
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise


def _outcome(reading: int, say: Callable[[str], None]) -> str:
    """Pass on what the holder says until it is ready, or raise its error here."""
    with os.fdopen(reading) as pipe:
        for line in pipe:
            told = json.loads(line)
            if "ready" in told:
                return str(told["ready"])
            if "error" in told:
                raise _error(told)
            say(told["say"])
    raise LabError(
        "the holder died", where="lab", allowed="a holder that gets ready", do="Try again."
    )


def _error(told: dict[str, str]) -> OverlayError:
    """The holder's error, of its own class, so that the exit status is the same."""
    kind: type[OverlayError] = getattr(errors, told["class"], OverlayError)
    return kind(told["error"], where=told["where"], allowed=told["allowed"], do=told["do"])


def _be_holder(overlay: Overlay | Sites, writing: int, options: dict[str, Any]) -> None:
    """The life of a detached holder; it never returns."""
    os.setsid()
    os.environ.pop(MARK, None)  # whoever started us from inside another lab may take that one down
    status = 1
    try:
        with os.fdopen(writing, "w", buffering=1) as pipe:
            status = _hold_detached(
                overlay, lambda **told: pipe.write(json.dumps(told) + "\n"), options
            )
    finally:
        os._exit(status)


def _hold_detached(
    overlay: Overlay | Sites, tell: Callable[..., Any], options: dict[str, Any]
) -> int:
    try:
        with started(overlay, say=lambda text: tell(say=text), **options) as lab:
            _log_to(lab.directory / "holder.log")
            tell(ready=lab.name)
            hold(lab, _log)
    except KeyboardInterrupt:
        return 130
    except OverlayError as error:
        with suppress(BrokenPipeError):
            tell(
                **{
                    "class": type(error).__name__,
                    "error": error.found,
                    "where": error.where,
                    "allowed": error.allowed,
                    "do": error.do,
                }
            )
    except BaseException:  # noqa: BLE001  nobody is left to catch it; its words must not be lost
        text = traceback.format_exc().strip().splitlines()[-1]
        with suppress(BrokenPipeError):
            tell(
                **{
                    "class": "LabError",
                    "error": text,
                    "where": "holder",
                    "allowed": "no crash",
                    "do": "Report it.",
                }
            )
    return 1


def _log_to(path: Path) -> None:
    """Turn the standard streams of this process to a file, and its input to nothing."""
    null, log = os.open(os.devnull, os.O_RDONLY), os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)
