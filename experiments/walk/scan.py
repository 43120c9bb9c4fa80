"""TCP connections from inside a node: a scan of many ports at once, and single sockets."""

import errno
import selectors
import socket
import time
from collections.abc import Iterable

from experiments.measure.namespace import look_into
from experiments.walk.words import CLOSED, NO_ANSWER, OPEN, UNREACHABLE

ANSWERS = (OPEN, CLOSED)  # a host with that address exists
AT_ONCE = 256  # connections
OUTCOMES = {0: OPEN, errno.ECONNREFUSED: CLOSED}

Endpoint = tuple[str, int]  # address, port


def scan(pid: int, endpoints: Iterable[Endpoint], wait_s: float) -> dict[Endpoint, str]:
    """The outcome of a connection to each endpoint, from the namespace of process `pid`.

    Answers are awaited for `wait_s`, once for each group of `AT_ONCE`.
    """
    wanted = list(endpoints)

    def connect_all(_: int) -> dict[Endpoint, str]:
        groups = (wanted[at : at + AT_ONCE] for at in range(0, len(wanted), AT_ONCE))
        return {
            endpoint: outcome
            for group in groups
            for endpoint, outcome in _connect(group, wait_s).items()
        }

    return look_into({pid: pid}, connect_all)[pid]


def _connect(endpoints: list[Endpoint], wait_s: float) -> dict[Endpoint, str]:
    found = dict.fromkeys(endpoints, NO_ANSWER)
    with selectors.DefaultSelector() as waiting:
        for endpoint in endpoints:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            code = one.connect_ex(endpoint)
            if code == errno.EINPROGRESS:
                waiting.register(one, selectors.EVENT_WRITE, endpoint)
            else:
                found[endpoint] = OUTCOMES.get(code, UNREACHABLE)
                one.close()
        _await(waiting, found, wait_s)
        for key in list(waiting.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # they are sockets
    return found


def _await(waiting: selectors.BaseSelector, found: dict[Endpoint, str], wait_s: float) -> None:
    end = time.monotonic() + wait_s
    while waiting.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            one: socket.socket = key.fileobj  # type: ignore[assignment]
            code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found[key.data] = OUTCOMES.get(code, UNREACHABLE)
            waiting.unregister(one)
            one.close()


def listener(pid: int, address: str, port: int) -> socket.socket:
    """A socket that accepts connections inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.create_server((address, port)))[pid]


def datagrams(pid: int) -> socket.socket:
    """A UDP socket inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))[pid]


def connected(pid: int, endpoint: Endpoint, timeout_s: float) -> socket.socket:
    """A connection to `endpoint` from inside the namespace of process `pid`."""
    return look_into({pid: pid}, lambda _: socket.create_connection(endpoint, timeout_s))[pid]
