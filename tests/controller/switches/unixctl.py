"""Ask an OVS daemon over its control socket: what `ovs-appctl` does, without a process each time.

The protocol is JSON-RPC 1.0, one object after the other (ovs: lib/unixctl.c).
"""

import json
import socket
from pathlib import Path

from controller.model.errors import CommandError

TIMEOUT_S = 10
CHUNK_BYTES = 65536
DECODER = json.JSONDecoder()


class UnixCtl:
    """One connection to one daemon, kept open; it answers requests in their order."""

    def __init__(self, path: Path) -> None:
        self._received = ""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(path))

    def ask(self, command: str, *arguments: str) -> str:
        """The daemon's answer, as `ovs-appctl` would print it.

        Raises:
            CommandError: the daemon refused, or hung up.
        """
        self.put(command, *arguments)
        return self.answer()

    def put(self, command: str, *arguments: str) -> None:
        """Ask, and fetch the answer later: several daemons then work at the same time."""
        request = {"id": 0, "method": command, "params": arguments}
        self._socket.sendall(json.dumps(request).encode())

    def answer(self) -> str:
        """The answer to the oldest question that was put.

        Raises:
            CommandError: the daemon refused, or hung up.
        """
        reply = self._reply()
        if reply["error"] is not None:
            raise _wrong(str(reply["error"]).strip())
        return str(reply["result"])

    def _reply(self) -> dict[str, object]:
        while True:
            try:
                reply, end = DECODER.raw_decode(self._received)
            except ValueError:  # more is to come
                chunk = self._socket.recv(CHUNK_BYTES)
                if not chunk:
                    raise _wrong("it hung up") from None
                self._received += chunk.decode()  # json.c writes ASCII only
            else:
                self._received = self._received[end:].lstrip()
                return reply

    def close(self) -> None:
        self._socket.close()


def _wrong(printed: str) -> CommandError:
    return CommandError(
        printed,
        where="control socket",
        allowed="an answer without an error",
        do="Read the daemon's log.",
    )
