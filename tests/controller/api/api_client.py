"""How the tests speak to the API: over a UNIX socket, and what an error must look like."""

import http.client
import socket
from pathlib import Path


class UnixConnection(http.client.HTTPConnection):
    """`http.client`, connected to a path instead of a host and port."""

    def __init__(self, path: Path, *, timeout: float = 5) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def error_of(response):
    """The one thing in an error's body, without its empty detail."""
    assert list(response.json) == ["NeutronError"]
    assert response.headers["content-type"] == "application/json"
    error = response.json["NeutronError"]
    assert error.pop("detail") == ""
    return response.status_code, error["type"], error["message"]
