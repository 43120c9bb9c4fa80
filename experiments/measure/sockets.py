"""Raw Ethernet sockets in the network namespaces of nodes; no process runs there.

All waiting is done by `readable`, which works for any number of open files.
"""

import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from controller.model.errors import MeasureError
from controller.system.waiting import scaled
from experiments.core.experiment import Lab
from experiments.measure.frames import LOCAL_EXPERIMENT
from experiments.measure.namespace import look_into
from topologies.plan.plan import guests

FRAME_MOST = 65536  # bytes
SEND_ONLY = 0  # as protocol: the socket receives no frame

Send = Callable[[bytes], None]
Key = TypeVar("Key")


@contextmanager
def senders(pid: int, interfaces: Sequence[str]) -> Iterator[Mapping[str, Send]]:
    """A function for each interface in the namespace of `pid`; it sends one frame there.

    Raises:
        MeasureError: the interface or the namespace does not exist.
    """
    with ExitStack() as stack:
        opened = {name: _opened({name: pid}, name, SEND_ONLY, stack)[name] for name in interfaces}
        yield {name: _sender(each, name) for name, each in opened.items()}


@contextmanager
def receivers(
    pids: Mapping[str, int], interface: str, ethertype: int
) -> Iterator[Mapping[str, socket.socket]]:
    """A socket in each node; it receives each frame of `ethertype` that arrives at the interface.

    Raises:
        MeasureError: the interface or the namespace does not exist.
    """
    with ExitStack() as stack:
        yield _opened(pids, interface, ethertype, stack)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The interfaces of guests, by port id."""

    send: Mapping[str, Send]
    sockets: Mapping[str, socket.socket]


@contextmanager
def endpoints(lab: Lab, ethertype: int = LOCAL_EXPERIMENT) -> Iterator[Endpoints]:
    """Every interface of every guest; the sockets receive frames of `ethertype`.

    Raises:
        MeasureError: an interface does not exist.
    """
    send: dict[str, Send] = {}
    sockets: dict[str, socket.socket] = {}
    port_ids: dict[str, dict[str, str]] = defaultdict(dict)  # by interface and guest
    pids = {guest: lab.pid(guest) for guest in guests(lab.overlay)}
    with ExitStack() as stack:
        for guest, ports in guests(lab.overlay).items():
            names = {f"eth{number}": port.id for number, port in enumerate(ports)}
            opened = stack.enter_context(senders(pids[guest], tuple(names)))
            send |= {names[name]: each for name, each in opened.items()}
            for name, port_id in names.items():
                port_ids[name][guest] = port_id
        for name, ids in port_ids.items():
            there = receivers({guest: pids[guest] for guest in ids}, name, ethertype)
            sockets |= {ids[guest]: each for guest, each in stack.enter_context(there).items()}
        yield Endpoints(send, sockets)


def readable(sockets: Iterable[socket.socket], timeout_s: float) -> list[socket.socket]:
    """Wait until a socket has something to read; return those that have, none after `timeout_s`.

    Not `select.select`: it refuses descriptors from 1024 on, and a large lab has as many.
    """
    with selectors.PollSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ, each)
        return [key.data for key, _ in selector.select(timeout_s)]


def without(
    awaited: Mapping[str, tuple[socket.socket, bytes]], timeout_s: float
) -> Collection[str]:
    """Wait until each node has received a frame with its nonce; return the nodes that have not.

    Args:
        timeout_s: the limit on an idle machine; it grows with the machine's load.
    """
    waiting = dict(awaited)
    end = time.monotonic() + scaled(timeout_s)
    while waiting:
        node_of = {each: node for node, (each, _) in waiting.items()}
        left = end - time.monotonic()
        ready = readable(node_of, max(0.0, left))
        if left <= 0 and not ready:  # what has arrived by then is read
            break
        for each in ready:
            _, nonce = waiting[node_of[each]]
            if nonce in each.recv(FRAME_MOST):
                del waiting[node_of[each]]
    return list(waiting)


def received(
    opened: Mapping[Key, socket.socket], is_done: Callable[[], bool], timeout_s: float
) -> Iterator[tuple[Key, bytes]]:
    """Each frame received, with the key of its socket, until `is_done` or the timeout.

    Frames that have arrived by then are all returned.

    Args:
        timeout_s: the limit on an idle machine; it grows with the machine's load.
    """
    key_of = {each: key for key, each in opened.items()}
    end = time.monotonic() + scaled(timeout_s)
    while key_of:
        left = 0.0 if is_done() else end - time.monotonic()
        ready = readable(key_of, max(0.0, left))
        if left <= 0 and not ready:
            return
        for each in ready:
            yield key_of[each], each.recv(FRAME_MOST)


def _opened(
    pids: Mapping[str, int], interface: str, protocol: int, stack: ExitStack
) -> dict[str, socket.socket]:
    """A raw socket in each namespace; it stays there when this thread leaves."""
    made: list[socket.socket] = []
    stack.callback(_close, made)

    def open_there(_: int) -> socket.socket:
        # Without a protocol it receives nothing before it is bound to its interface.
        made.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, SEND_ONLY))
        made[-1].bind((interface, protocol))
        return made[-1]

    try:
        return look_into(pids, open_there)
    except OSError as error:
        raise MeasureError(
            error.strerror or str(error),
            where=f"interface {interface!r} of {', '.join(pids)}",
            allowed="an existing interface, and root rights",
            do="`ip link` in that node lists its interfaces.",
        ) from error


def _close(sockets: Sequence[socket.socket]) -> None:
    """Close all in parallel: the kernel is slow to close a socket that has received."""
    if sockets:
        with ThreadPoolExecutor(len(sockets)) as threads:
            list(threads.map(socket.socket.close, sockets))


def _sender(opened: socket.socket, name: str) -> Send:
    def send(frame: bytes) -> None:
        if opened.send(frame) != len(frame):
            raise MeasureError(
                "a frame was sent only in part",
                where=f"interface {name!r}",
                allowed="whole frames",
                do="`ip -s link` in that node shows the counters of the interface.",
            )

    return send
