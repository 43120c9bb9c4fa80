"""Ask an OVS daemon over its control socket: what `ovs-appctl` does, without a process each time.

The protocol is JSON-RPC 1.0, one object after the other (ovs: lib/unixctl.c).
"""

import json
import socket
from pathlib import Path

from topologies.errors import CommandError

TIMEOUT_S = 10
CHUNK_BYTES = 65536


class UnixCtl:
    """One connection to one daemon, kept open."""

    def __init__(self, path: Path) -> None:
        self._decoder = json.JSONDecoder()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(path))

    def ask(self, command: str, *arguments: str) -> str:
        """The daemon's answer, as `ovs-appctl` would print it.

        Raises:
            CommandError: the daemon refused, or hung up.
        """
        request = {"id": 0, "method": command, "params": arguments}
        self._socket.sendall(json.dumps(request).encode())
        reply = self._reply()
        if reply["error"] is not None:
            raise CommandError(
                str(reply["error"]).strip(),
                where=f"`{' '.join((command, *arguments))}`",
                allowed="an answer without an error",
                do="Read the daemon's log.",
            )
        return str(reply["result"])

    def _reply(self) -> dict[str, object]:
        received = b""
        while chunk := self._socket.recv(CHUNK_BYTES):
            received += chunk
            if chunk.rstrip().endswith(b"}"):
                try:
                    return json.loads(received)
                except ValueError:  # a brace inside the text; more is to come
                    continue
        raise CommandError("it hung up", where="control socket", allowed="an answer",
                           do="Read the daemon's log.")  # fmt: skip

    def close(self) -> None:
        self._socket.close()
