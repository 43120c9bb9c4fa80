"""A client of the OVS daemons' control sockets: `ovs-appctl` without a process."""

import json
import socket
from pathlib import Path

from controller.model.errors import SwitchError

TIMEOUT_S = 5.0
CHUNK = 65536


def socket_of(pid: int, daemon: str) -> Path:
    """The control socket of `daemon` in the mount namespace of process `pid`.

    A daemon that was killed leaves its socket behind, so the pid comes from the pidfile.

    Raises:
        SwitchError: the daemon has not started.
    """
    rundir = Path(f"/proc/{pid}/root/run/openvswitch")
    try:
        return rundir / f"{daemon}.{int((rundir / f'{daemon}.pid').read_text())}.ctl"
    except (OSError, ValueError) as error:
        raise _silent(daemon, f"no pidfile in {rundir}") from error


def ask(pid: int, daemon: str, method: str, *params: str) -> str:
    """Send one command to `daemon` in the namespaces of `pid`; return its answer (JSON-RPC 1.0).

    Raises:
        SwitchError: it did not answer in time, or returned an error.
    """
    question = json.dumps({"id": 0, "method": method, "params": params}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(str(socket_of(pid, daemon)))
            connection.sendall(question)
            answer = _read(connection)
        except OSError as error:
            raise _silent(daemon, str(error)) from error
    if answer.get("error"):
        raise _silent(f"{daemon} {method}", str(answer["error"]).strip())
    return str(answer["result"])


def _read(connection: socket.socket) -> dict[str, object]:
    """Read one JSON object; its length is not sent, so read until it is complete."""
    data = b""
    while chunk := connection.recv(CHUNK):
        data += chunk
        try:
            return dict(json.loads(data))
        except ValueError:
            continue
    raise OSError("it closed the connection")


def _silent(where: str, found: str) -> SwitchError:
    return SwitchError(
        found,
        where=where,
        allowed=f"an answer within {TIMEOUT_S} s",
        do="`overlaylab status` shows which switches answer.",
    )
