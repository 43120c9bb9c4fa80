"""A client of the controller's HTTP API, over its UNIX socket."""

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.model.errors import LabError

TIMEOUT_S = 30.0


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def call_api(
    directory: Path,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Send one request to the controller's API; return the body of the response.

    Raises:
        LabError: there is no answer, or an error status; the message has the reason.
    """
    connection = _UnixConnection(directory / "api.sock", timeout_s)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body_text = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise _refused(directory, f"{method} {path}", f"no answer ({error})") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise _refused(directory, f"{method} {path}", f"status {answer.status}: {body_text}")
    return json.loads(body_text) if body_text else {}


def _refused(directory: Path, where: str, found: str) -> LabError:
    return LabError(
        found,
        where=f"lab {directory.name!r}, API {where}",
        allowed="a status below 400",
        do=f"Correct the request, or read {directory / 'controller.log'}.",
    )
