"""One switch's OpenFlow session: requests with a timeout, and atomic bundles."""

import itertools
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from controller.model.errors import SwitchError

REPLY_S = 5.0
_MORE = 1  # OFPMPF_REPLY_MORE: another part of this reply follows


class Session:
    """Requests to a connected bridge.

    The framework's thread passes replies to `deliver`, which passes each to the request with its
    xid.  A request waits at most `timeout_s`.
    """

    _bundle_ids = itertools.count(1)

    def __init__(self, datapath: Any, *, timeout_s: float = REPLY_S) -> None:
        self.datapath = datapath
        self.timeout_s = timeout_s
        self._waiting: dict[int, queue.Queue[Any]] = {}
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def dpid(self) -> int:
        """The switch's datapath id."""
        return int(self.datapath.id)

    def close(self) -> None:
        """End every wait: there will be no reply."""
        with self._lock:
            self._is_closed = True
            waiting = set(self._waiting.values())
        for replies in waiting:
            replies.put(None)

    def deliver(self, message: Any) -> bool:
        """Pass `message` to the request with its xid; False if there is none."""
        with self._lock:
            waiting = self._waiting.get(message.xid)
        if waiting is None:
            return False
        waiting.put(message)
        return True

    @contextmanager
    def _replies_to(self, messages: list[Any]) -> "Iterator[queue.Queue[Any]]":
        """Collect the replies to `messages` in a queue until the end of the block."""
        for message in messages:
            if message.xid is None:
                self.datapath.set_xid(message)
        xids, replies = [message.xid for message in messages], queue.Queue[Any]()
        with self._lock:
            self._waiting |= dict.fromkeys(xids, replies)
        try:
            yield replies
        finally:
            with self._lock:
                for xid in xids:
                    self._waiting.pop(xid, None)

    def flows(self) -> list[Any]:
        """Every flow of the switch, as OFPFlowStats.

        Raises:
            SwitchError: no answer in time, or an error.
        """
        return self._request(self.datapath.ofproto_parser.OFPFlowStatsRequest(self.datapath))

    def assert_processed(self) -> None:
        """Return once the switch has processed every message sent so far.

        Raises:
            SwitchError: no reply in time.
        """
        self._request(self.datapath.ofproto_parser.OFPBarrierRequest(self.datapath))

    def commit(self, flow_mods: Iterable[Any]) -> None:
        """Apply all changes at once or none, in an ordered bundle (ONF extension 230).

        Raises:
            SwitchError: a message was refused (nothing has changed), or no answer came in time.
        """
        ofproto, bundle = self.datapath.ofproto, next(self._bundle_ids)
        flags = ofproto.ONF_BF_ATOMIC | ofproto.ONF_BF_ORDERED
        add = self.datapath.ofproto_parser.ONFBundleAddMsg
        self._control(bundle, ofproto.ONF_BCT_OPEN_REQUEST, flags)
        sent = [add(self.datapath, bundle, flags, message, []) for message in flow_mods]
        with self._replies_to(sent) as errors:
            for message in sent:
                self._send(message)
            # ovs-vswitchd skips messages it cannot parse and would commit the others.
            self.assert_processed()
            if not errors.empty():
                self._control(bundle, ofproto.ONF_BCT_DISCARD_REQUEST, flags)
                raise self._refused(errors.get())
            self._control(bundle, ofproto.ONF_BCT_COMMIT_REQUEST, flags)

    def _control(self, bundle: int, kind: int, flags: int) -> None:
        control = self.datapath.ofproto_parser.ONFBundleCtrlMsg
        self._request(control(self.datapath, bundle, kind, flags, []))

    def _request(self, message: Any) -> list[Any]:
        """The bodies of all parts of the reply to `message`."""
        bodies: list[Any] = []
        with self._replies_to([message]) as replies:
            self._send(message)
            while True:
                reply = self._next(replies)
                if hasattr(reply, "code"):
                    raise self._refused(reply)
                if isinstance(part := getattr(reply, "body", None), list):
                    bodies += part
                if not getattr(reply, "flags", 0) & _MORE or not isinstance(part, list):
                    return bodies

    def _next(self, replies: "queue.Queue[Any]") -> Any:
        try:
            reply = replies.get(timeout=self.timeout_s)
        except queue.Empty:
            raise self._error(
                f"no answer in {self.timeout_s} s",
                "an answer to every request",
                "Is ovs-vswitchd running there? The controller tries again shortly.",
            ) from None
        if reply is None:
            raise self._closed()
        return reply

    def _send(self, message: Any) -> None:
        if self._is_closed or self.datapath.send_msg(message) is False:
            raise self._closed()

    def _closed(self) -> SwitchError:
        return self._error(
            "the session is closed", "an open session", "The switch connects again by itself."
        )

    def _refused(self, error: Any) -> SwitchError:
        return self._error(
            f"OpenFlow error type {getattr(error, 'type', '?')} code {getattr(error, 'code', '?')}",
            "messages that the switch accepts",
            "See the log of ovs-vswitchd on that host.",
        )

    def _error(self, found: str, allowed: str, do: str) -> SwitchError:
        where = f"switch {self.datapath.id:016x}"
        return SwitchError(found, where=where, allowed=allowed, do=do)
