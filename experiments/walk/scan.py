"""Which TCP ports answer, asked from inside a node by plain connections, all at once."""

import errno
import selectors
import socket
import time
from collections.abc import Iterable

from experiments.measure.namespace import look_into

OPEN, CLOSED, UNREACHABLE, SILENT = "open", "closed", "unreachable", "silent"
ANSWERS = (OPEN, CLOSED)  # somebody with that address is there
AT_ONCE = 256  # connections under way
_MEANS = {0: OPEN, errno.ECONNREFUSED: CLOSED}

Door = tuple[str, int]  # address, port


def scan(pid: int, doors: Iterable[Door], wait_s: float) -> dict[Door, str]:
    """What becomes of a connection to each door, from the namespace of process `pid`.

    Silence is waited for `wait_s`, once for each group of `AT_ONCE`.
    """
    wanted = list(doors)

    def ask(_: int) -> dict[Door, str]:
        groups = (wanted[at : at + AT_ONCE] for at in range(0, len(wanted), AT_ONCE))
        return {door: word for group in groups for door, word in _knock(group, wait_s).items()}

    return look_into({pid: pid}, ask)[pid]


def _knock(doors: list[Door], wait_s: float) -> dict[Door, str]:
    found = dict.fromkeys(doors, SILENT)
    with selectors.DefaultSelector() as waiting:
        for door in doors:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            code = one.connect_ex(door)
            if code == errno.EINPROGRESS:
                waiting.register(one, selectors.EVENT_WRITE, door)
            else:
                found[door] = _word(code)
                one.close()
        _await(waiting, found, wait_s)
        for key in list(waiting.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # they are sockets
    return found


def _await(waiting: selectors.BaseSelector, found: dict[Door, str], wait_s: float) -> None:
    end = time.monotonic() + wait_s
    while waiting.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            one: socket.socket = key.fileobj  # type: ignore[assignment]
            found[key.data] = _word(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            waiting.unregister(one)
            one.close()


def _word(code: int) -> str:
    return _MEANS.get(code, UNREACHABLE)


def listener(pid: int, address: str, port: int) -> socket.socket:
    """A socket that takes connections inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.create_server((address, port)))[pid]


def datagrams(pid: int) -> socket.socket:
    """A UDP socket inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))[pid]


def connected(pid: int, door: Door, timeout_s: float) -> socket.socket:
    """A connection to `door` from inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.create_connection(door, timeout_s))[pid]
