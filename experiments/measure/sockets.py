"""Raw Ethernet sockets in the namespaces of nodes, without a process there."""

import select
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from controller.model.errors import MeasureError
from experiments.measure.namespace import look_into

FRAME_MOST = 65536  # bytes
NOT_RECEIVING = 0  # as protocol: a socket that only sends is handed no frame

Send = Callable[[bytes], None]
Key = TypeVar("Key")


@contextmanager
def senders(pid: int, interfaces: Sequence[str]) -> Iterator[Mapping[str, Send]]:
    """For each interface in the namespace of `pid` a function that sends a frame there.

    Raises:
        MeasureError: there is no such interface or namespace.
    """
    with ExitStack() as stack:
        opened = {
            name: _opened({name: pid}, name, NOT_RECEIVING, stack)[name] for name in interfaces
        }
        yield {name: _sender(each, name) for name, each in opened.items()}


@contextmanager
def listeners(
    pids: Mapping[str, int], interface: str, ethertype: int
) -> Iterator[Mapping[str, socket.socket]]:
    """A socket in each node that is handed every frame of `ethertype` its interface receives.

    Raises:
        MeasureError: there is no such interface or namespace.
    """
    with ExitStack() as stack:
        yield _opened(pids, interface, ethertype, stack)


def without(
    awaited: Mapping[str, tuple[socket.socket, bytes]], timeout_s: float
) -> Collection[str]:
    """Wait until each has received a frame that holds its nonce; return those that have not."""
    waiting = {each.fileno(): (node, each, nonce) for node, (each, nonce) in awaited.items()}
    end = time.monotonic() + timeout_s
    while waiting and (left := end - time.monotonic()) > 0:
        for number in select.select(list(waiting), (), (), left)[0]:
            _, each, nonce = waiting[number]
            if nonce in each.recv(FRAME_MOST):
                del waiting[number]
    return [node for node, _, _ in waiting.values()]


def heard(
    opened: Mapping[Key, socket.socket], is_done: Callable[[], bool], timeout_s: float
) -> Iterator[tuple[Key, bytes]]:
    """Every frame as it is received, with whose it is, until `is_done` or the time is over.

    What has come by then is given out to the last frame.
    """
    by_number = {each.fileno(): key for key, each in opened.items()}
    end = time.monotonic() + timeout_s
    while by_number:
        over = is_done() or time.monotonic() > end
        left = 0.0 if over else end - time.monotonic()
        ready = select.select(list(opened.values()), (), (), max(0.0, left))[0]
        if over and not ready:
            return
        for each in ready:
            yield by_number[each.fileno()], each.recv(FRAME_MOST)


def _opened(
    pids: Mapping[str, int], interface: str, protocol: int, stack: ExitStack
) -> dict[str, socket.socket]:
    """A raw socket in each namespace, which stays in there."""
    made: list[socket.socket] = []
    stack.callback(_close, made)

    def open_there(_: int) -> socket.socket:
        # Made without a protocol it is handed nothing until it is bound to its interface.
        made.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, NOT_RECEIVING))
        made[-1].bind((interface, protocol))
        return made[-1]

    try:
        return look_into(pids, open_there)
    except OSError as error:
        raise MeasureError(
            error.strerror or str(error),
            where=f"interface {interface!r} of {', '.join(pids)}",
            allowed="an interface that is there, and root",
            do="`ip link` in that node lists its interfaces.",
        ) from error


def _close(sockets: Sequence[socket.socket]) -> None:
    """Close all at once: the kernel takes its time over each that has been receiving."""
    if sockets:
        with ThreadPoolExecutor(len(sockets)) as threads:
            list(threads.map(socket.socket.close, sockets))


def _sender(opened: socket.socket, name: str) -> Send:
    def send(frame: bytes) -> None:
        if opened.send(frame) != len(frame):
            raise MeasureError(
                "a frame was sent in part",
                where=f"interface {name!r}",
                allowed="whole frames",
                do="See what `ip -s link` in that node says.",
            )

    return send
