"""Serves a WSGI application on a UNIX socket that only its owner can open."""

import os
import select
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.api import connections
from controller.model.errors import LabError

OWNER_ONLY = 0o177  # the umask that leaves a socket file with mode 0600
CLOSE_S = 5.0  # how long `close` waits for running requests
TURN_S = 1.0  # how long one turn of the loop waits; a trigger ends it earlier


class ApiServer:
    """A listening server; call `run` in one thread, `close` in another."""

    def __init__(self, app: Callable[..., Any], path: Path, listener: socket.socket) -> None:
        self._path, self._file = path, _identity(path)
        self._sockets: dict[int, Any] = {}
        self._stop, self._ended = threading.Event(), threading.Event()
        self._is_running = False
        self._server = connections.listener(app, self._sockets, listener)

    def run(self) -> None:
        """Serve until `close`."""
        self._is_running = True
        # poll takes file descriptors over 1023; eventlet takes poll away.
        use_poll = hasattr(select, "poll")
        try:
            while not self._stop.is_set():
                self._server.asyncore.loop(
                    timeout=TURN_S, map=self._sockets, use_poll=use_poll, count=1
                )
                self._server.end_late()
        finally:
            self._end()

    def close(self) -> None:
        """Stop serving and remove the socket file; safe to repeat."""
        self._stop.set()
        if not self._is_running:
            self._end()
        elif not self._ended.is_set():
            self._server.pull_trigger()
            self._ended.wait(CLOSE_S)

    def _end(self) -> None:
        if self._ended.is_set():
            return
        self._server.task_dispatcher.shutdown(timeout=CLOSE_S)
        for one in list(self._sockets.values()):
            one.close()
        # A later server may have replaced the file: remove only our own.
        if _identity(self._path) == self._file:
            self._path.unlink(missing_ok=True)
        self._ended.set()


def serve(app: Callable[..., Any], socket_path: Path) -> ApiServer:
    """A server for `app` that listens on `socket_path`; the file has mode 0600 from the start.

    Raises:
        LabError: another process listens there, the path is no socket, or it cannot be created.
    """
    _clear_stale(socket_path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(OWNER_ONLY)
    try:
        listener.bind(str(socket_path))
    except OSError as error:
        listener.close()
        raise _refusal(
            socket_path, str(error), "a path of at most 107 bytes in a writable directory"
        ) from error
    finally:
        os.umask(before)
    return ApiServer(app, socket_path, listener)


def _clear_stale(path: Path) -> None:
    """Remove the socket file of a server that was killed."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise _refusal(path, "not a socket", "a free path, or the socket of a stopped controller")
    if _has_listener(path):
        raise _refusal(path, "another process listens there", "one controller for each lab")
    path.unlink(missing_ok=True)


def _has_listener(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CLOSE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # such as a full backlog: there is a listener
            return True
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        seen = path.lstat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino


def _refusal(path: Path, found: str, allowed: str) -> LabError:
    return LabError(
        found, where=f"API socket {path}", allowed=allowed, do="`overlaylab status` lists labs."
    )
