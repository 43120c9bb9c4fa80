"""The connections of the API's server, with limits, so that no client can hold up another.

waitress reads requests in one thread that never blocks, so slow clients cost no thread.  It has no
limit for the time of one request, and at its limit of connections it accepts no more; both are here.
"""

import json
import logging
import socket
import time
from typing import Any

from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.server import UnixWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from controller.api.body import BODY_MAX
from controller.api.errors import error_body

CONNECTIONS_MAX = 256  # one more ends the connection that has waited longest for a request
ACCEPTED_AT_ONCE = 32  # connections; each turn of the loop looks at all
REQUEST_S = 10.0  # from a request's first byte to its last
IDLE_S = 30.0  # without a request, or until a client has read its answer
HEADER_MAX = 16384  # bytes
DISCARDED_MAX = 1 << 20  # bytes of a too large body that are read, so that the client reads the 413


class RequestTimeoutError(Error):  # type: ignore[misc]  # waitress has no types
    """The request was not complete in time (RFC 9110, 15.5.9)."""

    code = 408
    reason = "Request Timeout"


class ContentTooLargeError(Error):  # type: ignore[misc]
    """The body is too large (RFC 9110, 15.5.14)."""

    code = 413
    reason = "Content Too Large"


class ServiceUnavailableError(Error):  # type: ignore[misc]
    """There is no connection left (RFC 9110, 15.6.4)."""

    code = 503
    reason = "Service Unavailable"


def _answer(error: Any) -> bytes:
    """The body of an error, in Neutron's form."""
    type_ = f"HTTP{error.reason.replace(' ', '')}"
    return json.dumps(error_body(type_, str(error.body))).encode()


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that does not reach the application."""

    def execute(self) -> None:
        error, body = self.request.error, _answer(self.request.error)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Body(OverflowableBuffer):  # type: ignore[misc]
    """Keeps a body of at most BODY_MAX bytes; a larger one is read and discarded."""

    is_too_large = False

    def append(self, data: bytes) -> None:
        self.is_too_large = self.is_too_large or len(self) + len(data) > BODY_MAX
        if not self.is_too_large:
            super().append(data)


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """One request; what follows it in the same data is kept for the next."""

    def __init__(self, adj: Any, following: bytearray) -> None:
        super().__init__(adj)
        self.began = time.monotonic()
        self._following, self._body = following, _Body(BODY_MAX)

    def received(self, data: bytes) -> int:
        """Take `data`; the number of bytes taken, which is all of them once a request is complete."""
        taken = 0
        try:
            taken = super().received(data)
        except ValueError as error:  # such as a length of 5000 digits, or `http://[`
            self.error, self.completed = BadRequest(f"invalid request: {error}"), True
        if not self.completed:
            return taken
        self.expect_continue = False  # else waitress would answer 100 and wait for more
        if self._body.is_too_large or isinstance(self.error, RequestEntityTooLarge):
            self.error = ContentTooLargeError(f"A body may have {BODY_MAX} bytes.")
        if not self.error:
            self._following += data[taken:]
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = self._body
        if isinstance(self.body_rcv, ChunkedReceiver) and "CONTENT_LENGTH" in self.headers:
            # RFC 9112, 6.3: two lengths ought to be handled as an error.
            self.error, self.completed = BadRequest("two lengths of one body"), True


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection; it has one request at a time, and limits for the time of each step."""

    error_task_class = _ErrorTask
    is_refused = False  # too many connections: answer 503
    request: _Request | None

    def __init__(self, *args: Any, **options: Any) -> None:
        self._following = bytearray()
        self.free_since = time.monotonic()  # the last request, or the start of the connection
        super().__init__(*args, **options)

    def parser_class(self, adj: Any) -> _Request:
        """A new request."""
        return _Request(adj, self._following)

    def readable(self) -> bool:
        """Whether more data is wanted; first take the next request from what was read already."""
        if super().readable() and self._following:
            data = bytes(self._following)
            self._following.clear()
            self.received(data)
        return bool(super().readable())

    def received(self, data: bytes) -> bool:
        """Take data, and answer 503 at once if the listener has refused the request."""
        taken = bool(super().received(data))
        if self.is_refused:
            self.is_refused = False
            busy = "All connections have a request in progress: try again."
            self.requests[0].error = ServiceUnavailableError(busy)
            self.service()
        return taken

    def service(self) -> None:
        """Answer the request."""
        self.free_since = time.monotonic()  # the client may have the answer before the next line
        super().service()
        self.free_since = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether the application has a request of this connection."""
        return bool(self.requests)

    def end_if_late(self, now: float) -> None:
        """Answer 408 if the request is not complete in time; end an idle connection."""
        if self.is_busy:
            return
        request = self.request
        if request is not None and now > request.began + REQUEST_S:
            self._refuse(request)
        elif request is None and now > self.free_since + IDLE_S:
            self.handle_close()  # at once: a client that never reads is never ready to be written to

    def _refuse(self, request: _Request) -> None:
        with self.requests_lock:
            request.error = RequestTimeoutError(
                f"The request was not complete after {REQUEST_S:g} s."
            )
            request.completed, self.request = True, None
            self.requests.append(request)
        self.service()


class Listener(UnixWSGIServer):  # type: ignore[misc]
    """Accepts connections; the settings of waitress that go with it are `SETTINGS`."""

    channel_class = _Channel

    def end_late(self) -> None:
        """End connections that are late; to be called between two turns of the loop."""
        now = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.end_if_late(now)

    def handle_accept(self) -> None:
        """Accept connections, and end those that have waited longest for a request if needed.

        The new ones are accepted first: had one the descriptor of a connection that is ended, it
        would get that one's events of this turn.
        """
        before = set(self.active_channels.values())
        for _ in range(ACCEPTED_AT_ONCE):
            count = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == count:
                break
        count = len(self.active_channels)
        # If all others are busy, the new ones stay and get a 503; beyond 2 x the limit not even that.
        old = self.active_channels.values() if count > 2 * CONNECTIONS_MAX else before
        free = sorted((one for one in old if not one.is_busy), key=lambda one: one.free_since)
        for channel in free[: max(count - CONNECTIONS_MAX, 0)]:
            channel.handle_close()

    def add_task(self, task: _Channel) -> None:
        """Let a thread answer the request of a connection, unless there are too many connections."""
        task.is_refused = len(self.active_channels) > CONNECTIONS_MAX
        if not task.is_refused:
            super().add_task(task)


SETTINGS: dict[str, Any] = {
    "threads": 4,
    "connection_limit": 1 << 20,  # never reached: `Listener` has the limit
    "max_request_header_size": HEADER_MAX,
    "max_request_body_size": DISCARDED_MAX,
    "channel_timeout": 1 << 20,  # never reached: `end_late` has the times
    "log_socket_errors": False,  # a client that went away is no error here
    "clear_untrusted_proxy_headers": True,
    "ident": "overlaylab",
}


def listener(app: Any, sockets: dict[int, Any], bound: socket.socket) -> Listener:
    """A server for `app` on a bound UNIX socket; `sockets` is the map that its loop runs over."""
    # It warns of every request that waits for a thread: 100 clients would fill the log.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings = Adjustments(**SETTINGS, sockets=[bound])
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(settings.threads)
    return Listener(
        app,
        map=sockets,
        _sock=bound,
        dispatcher=dispatcher,
        adj=settings,
        bind_socket=False,
        sockinfo=(bound.family, bound.type, bound.proto, bound.getsockname()),
    )
