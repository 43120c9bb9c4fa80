"""One switch's OpenFlow session: requests with a timeout, and atomic bundles."""

import itertools
import queue
import threading
from collections.abc import Iterable
from typing import Any

from controller.model.errors import SwitchError

REPLY_S = 5.0
_MORE = 1  # OFPMPF_REPLY_MORE: another part of this reply follows


class Session:
    """Requests to a connected bridge.

    Replies come in on the framework's thread (`deliver`) and are handed to the one who
    waits for their xid; nobody waits longer than `timeout_s`.
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
        """End every wait: no reply will come."""
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

    def expect(self, xids: Iterable[int], replies: "queue.Queue[Any] | None") -> None:
        """Put replies to these xids into a queue; None ends that."""
        with self._lock:
            for xid in xids:
                if replies is None:
                    self._waiting.pop(xid, None)
                else:
                    self._waiting[xid] = replies

    def flows(self) -> list[Any]:
        """Every flow of the switch, as OFPFlowStats.

        Raises:
            SwitchError: no answer in time, or an error for one.
        """
        parser, ofproto = self.datapath.ofproto_parser, self.datapath.ofproto
        return self._ask(
            parser.OFPFlowStatsRequest(
                self.datapath,
                0,
                ofproto.OFPTT_ALL,
                ofproto.OFPP_ANY,
                ofproto.OFPG_ANY,
                0,
                0,
                parser.OFPMatch(),
            )
        )

    def assert_processed(self) -> None:
        """Return once the switch has processed every message sent so far.

        Raises:
            SwitchError: no reply in time.
        """
        self._ask(self.datapath.ofproto_parser.OFPBarrierRequest(self.datapath))

    def commit(self, flow_mods: Iterable[Any]) -> None:
        """Make all changes at once or none, in an ordered bundle (ONF extension 230).

        Raises:
            SwitchError: a message was refused (nothing has changed), or no answer came in time.
        """
        ofproto, bundle = self.datapath.ofproto, next(self._bundle_ids)
        flags = ofproto.ONF_BF_ATOMIC | ofproto.ONF_BF_ORDERED
        add = self.datapath.ofproto_parser.ONFBundleAddMsg
        self._control(bundle, ofproto.ONF_BCT_OPEN_REQUEST, flags)
        sent = [add(self.datapath, bundle, flags, message, []) for message in flow_mods]
        with self._listening(sent) as errors:
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
        self._ask(control(self.datapath, bundle, kind, flags, []))

    def _ask(self, message: Any) -> list[Any]:
        """The bodies of all parts of the reply to `message`."""
        bodies: list[Any] = []
        with self._listening([message]) as replies:
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
            raise SwitchError(
                f"no answer in {self.timeout_s} s",
                where=self._where,
                allowed="an answer to every request",
                do="Is ovs-vswitchd running there? It is asked again shortly.",
            ) from None
        if reply is None:
            raise self._closed()
        return reply

    def _send(self, message: Any) -> None:
        if self._is_closed or self.datapath.send_msg(message) is False:
            raise self._closed()

    def _closed(self) -> SwitchError:
        return SwitchError(
            "the session is closed",
            where=self._where,
            allowed="an open session",
            do="It connects again by itself.",
        )

    def _refused(self, error: Any) -> SwitchError:
        return SwitchError(
            f"OpenFlow error type {getattr(error, 'type', '?')} code {getattr(error, 'code', '?')}",
            where=self._where,
            allowed="messages the switch takes",
            do="ovs-vswitchd's log on that host says why.",
        )

    @property
    def _where(self) -> str:
        return f"switch {self.datapath.id:016x}"

    def _listening(self, messages: list[Any]) -> "_Listening":
        return _Listening(self, messages)


class _Listening:
    """While it is open, replies to `messages` go to one queue."""

    def __init__(self, session: Session, messages: list[Any]) -> None:
        self.session, self.replies = session, queue.Queue[Any]()
        for message in messages:
            if message.xid is None:
                session.datapath.set_xid(message)
        self.xids = [message.xid for message in messages]

    def __enter__(self) -> "queue.Queue[Any]":
        self.session.expect(self.xids, self.replies)
        return self.replies

    def __exit__(self, *_: object) -> None:
        self.session.expect(self.xids, None)
