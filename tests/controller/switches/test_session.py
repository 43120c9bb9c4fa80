"""A session answers, refuses, or gives up in time; it never hangs."""

import threading
from types import SimpleNamespace

import pytest
from os_ken.ofproto import ofproto_v1_3, ofproto_v1_3_parser

from controller.model.errors import SwitchError
from controller.switches.session import Session


class FakeSwitch:
    """A datapath whose switch answers what `answers` says, at once."""

    ofproto, ofproto_parser = ofproto_v1_3, ofproto_v1_3_parser
    id = 0x1

    def __init__(self, answers, *, is_open=True):
        self.answers, self.is_open = answers, is_open
        self.sent, self.session, self.xid = [], None, 0

    def set_xid(self, message):
        self.xid += 1
        message.set_xid(self.xid)

    def send_msg(self, message):
        self.sent.append(message)
        for reply in self.answers(message):
            self.session.deliver(reply)
        return self.is_open


def session_with(answers, **options):
    switch = FakeSwitch(answers, **options)
    switch.session = Session(switch, timeout_s=0.2)
    return switch.session


def answer_all_but_adds(message):
    """As a switch does: what is added to a bundle gets no reply."""
    is_add = type(message).__name__ == "ONFBundleAddMsg"
    return [] if is_add else [SimpleNamespace(xid=message.xid)]


def test_the_parts_of_a_long_reply_are_joined():
    def answer(message):
        return [
            SimpleNamespace(xid=message.xid, flags=1, body=["a"]),
            SimpleNamespace(xid=message.xid, flags=0, body=["b"]),
        ]

    assert session_with(answer).flows() == ["a", "b"]


def test_a_switch_that_does_not_answer_is_an_error_after_the_timeout():
    with pytest.raises(SwitchError) as caught:
        session_with(lambda _: []).assert_processed()
    assert str(caught.value) == (
        "switch 0000000000000001: no answer in 0.2 s; allowed: an answer to every request. "
        "Is ovs-vswitchd running there? The controller tries again shortly."
    )


def test_a_closed_session_is_an_error_at_once():
    with pytest.raises(SwitchError, match="the session is closed"):
        session_with(lambda _: [], is_open=False).assert_processed()


def test_a_refused_message_in_a_bundle_is_an_error():
    def answer(message):
        if type(message).__name__ == "ONFBundleAddMsg":
            return [SimpleNamespace(xid=message.xid, type=5, code=3)]
        return answer_all_but_adds(message)

    session = session_with(answer)
    mod = ofproto_v1_3_parser.OFPFlowMod(session.datapath)
    with pytest.raises(SwitchError, match="OpenFlow error type 5 code 3"):
        session.commit([mod])
    kinds = {getattr(message, "type", None) for message in session.datapath.sent}
    assert ofproto_v1_3.ONF_BCT_DISCARD_REQUEST in kinds
    assert ofproto_v1_3.ONF_BCT_COMMIT_REQUEST not in kinds


def test_a_waiting_request_fails_when_the_session_ends():
    switch = FakeSwitch(lambda _: [])
    switch.session = Session(switch, timeout_s=60)
    ending = threading.Timer(0.05, switch.session.close)
    ending.start()
    with pytest.raises(SwitchError, match="the session is closed"):
        switch.session.assert_processed()
    ending.join()
    with pytest.raises(SwitchError, match="the session is closed"):
        switch.session.assert_processed()


def test_a_bundle_is_opened_filled_and_committed_in_order():
    session = session_with(answer_all_but_adds)
    session.commit([ofproto_v1_3_parser.OFPFlowMod(session.datapath)])
    *kinds, last = [
        getattr(m, "type", type(m).__name__.removeprefix("ONF")) for m in session.datapath.sent
    ]
    assert kinds == [ofproto_v1_3.ONF_BCT_OPEN_REQUEST, "BundleAddMsg", "OFPBarrierRequest"]
    assert last == ofproto_v1_3.ONF_BCT_COMMIT_REQUEST
    sent = [m for m in session.datapath.sent if hasattr(m, "bundle_id")]
    assert len({m.bundle_id for m in sent}) == 1


def test_a_reply_without_a_request_is_not_delivered():
    assert session_with(answer_all_but_adds).deliver(SimpleNamespace(xid=99)) is False


def test_no_request_waits_after_a_failure():
    session = session_with(lambda _: [])
    with pytest.raises(SwitchError):
        session.assert_processed()
    assert session._waiting == {}
