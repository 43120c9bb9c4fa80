"""The holder of a lab: the process that keeps it running, in the foreground or detached."""

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
from topologies.nodes import neighbours, sites
from topologies.nodes.neutron import relaunch

WATCH_S = 0.25
REFRESH_S = neighbours.AGE_S / 4
LONGEST_WAIT_S = 30.0  # between two starts of a controller that ends at once


def hold(lab: Lab, say: Callable[[str], None]) -> None:
    """Keep a lab running until a signal: restart its controller, refresh its VTEP neighbours.

    Raises:
        LabError: its record is gone.
    """
    refreshed, watcher = time.monotonic(), None if lab.sites else Watcher(lab, say)
    while True:
        time.sleep(WATCH_S)
        _assert_recorded(lab)
        if watcher:
            watcher.look(time.monotonic())
        if time.monotonic() - refreshed > REFRESH_S:
            refreshed = time.monotonic()
            refresh_neighbours(lab)


def _assert_recorded(lab: Lab) -> None:
    if not lab.ledger.last("lab"):
        raise LabError(
            "its record is gone",
            where=f"lab {lab.name!r}",
            allowed=f"the files of {lab.directory} as the lab has made them",
            do="It is taken down. End a lab by `overlaylab down`.",
        )


class Watcher:
    """Restarts a controller that has died, with growing pauses if it dies again at once."""

    def __init__(self, lab: Lab, say: Callable[[str], None]) -> None:
        self._lab, self._say = lab, say
        self._wait_s, self._tried = WATCH_S, -math.inf

    def look(self, now: float) -> None:
        """Reap children that have ended; restart the controller if it is dead and the pause is over."""
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


def refresh_neighbours(lab: Lab) -> None:
    """Renew the VTEP neighbours of every host for another hour."""
    for site in lab.sites.sites if lab.sites else ():
        with suppress(OverlayError):
            sites.set_provider_neighbour(lab.pid(site.router), site)
    try:
        overlay, datapath = lab.overlay, lab.ledger.last("settings")["datapath"]
    except (OSError, OverlayError):  # `status` reports a corrupt state.json; the holder goes on
        return
    for host in overlay.hosts:
        # The controller reports a dead switch; the other hosts still need their neighbours.
        with suppress(OverlayError):
            neighbours.set_neighbours(lab.pid(host.name), overlay, host, datapath)


def detach(overlay: Overlay | Sites, say: Callable[[str], None], **options: Any) -> str:
    """Start a lab in a new process, its holder; return its name when it is ready.

    Raises:
        OverlayError: the holder's own error.
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
    """Pass on the holder's messages until it is ready; raise its error here."""
    with os.fdopen(reading) as pipe:
        for line in pipe:
            message = json.loads(line)
            if "ready" in message:
                return str(message["ready"])
            if "error" in message:
                raise _error(**message)
            say(message["say"])
    raise LabError("the holder ended", where="lab", allowed="a lab that is ready", do="Try again.")


def _error(*, kind: str, error: str, where: str, allowed: str, do: str) -> OverlayError:
    """The holder's error, of the same class, so that the exit status is the same."""
    of_kind: type[OverlayError] = getattr(errors, kind, OverlayError)
    return of_kind(error, where=where, allowed=allowed, do=do)


def _be_holder(overlay: Overlay | Sites, writing: int, options: dict[str, Any]) -> None:
    """Run the detached holder; it never returns."""
    os.setsid()
    os.environ.pop(MARK, None)  # a lab started inside another one must not end with it
    status = 1
    try:
        with os.fdopen(writing, "w", buffering=1) as pipe:
            status = _hold_detached(
                overlay, lambda **message: pipe.write(json.dumps(message) + "\n"), options
            )
    finally:
        os._exit(status)


def _hold_detached(
    overlay: Overlay | Sites, send: Callable[..., Any], options: dict[str, Any]
) -> int:
    try:
        with started(overlay, say=lambda text: send(say=text), **options) as lab:
            _log_to(lab.directory / "holder.log")
            # A clean-up may have to end this process; it would not end that of a user.
            lab.ledger.process(os.getpid(), "holder")
            send(ready=lab.name)
            hold(lab, _log)
    except KeyboardInterrupt:
        return 130
    except OverlayError as error:
        parts = {"where": error.where, "allowed": error.allowed, "do": error.do}
        with suppress(BrokenPipeError):
            send(kind=type(error).__name__, error=error.found, **parts)
    except BaseException:  # noqa: BLE001  nothing above catches it; its message must not be lost
        text = traceback.format_exc().strip().splitlines()[-1]
        parts = {"where": "holder", "allowed": "no crash", "do": "Report it."}
        with suppress(BrokenPipeError):
            send(kind="LabError", error=text, **parts)
    return 1


def _log_to(path: Path) -> None:
    """Redirect standard output and error of this process to a file, and its input from /dev/null."""
    null, log = os.open(os.devnull, os.O_RDONLY), os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)
