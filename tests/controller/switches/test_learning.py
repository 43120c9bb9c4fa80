"""Flood-and-learn: the first frame is flooded, the answer goes to one VTEP only.

Expected texts are those of a real Queens agent's switch, with names for port numbers.
"""

import pytest

from controller.flows.text import normalise
from tests.oracle.frames import BROADCAST, Frame
from tests.oracle.oracle import Copy
from tests.oracle.small import SERVER_A, SERVER_B, small

pytestmark = pytest.mark.rootless

LEARNED = (
    "table=20, hard_timeout=300, priority=1,vlan_tci=0x0001/0x0fff,dl_dst=fa:16:3e:7a:f5:1d"
    " actions=load:0->NXM_OF_VLAN_TCI[],load:0x6f->NXM_NX_TUN_ID[],"
)


def ids(overlay, *names):
    return tuple(sorted(port.id for port in overlay.ports if port.name in names))


@pytest.fixture
def requested(request, rig, live_rig):
    """A mesh on which ServerB's host has just heard a broadcast of ServerA."""
    overlay = small("mesh")
    if request.param == "controller":
        laid = live_rig(overlay)
    else:
        laid = rig(overlay)
        laid.install()
    (sender,) = ids(overlay, "ServerA")
    reported = laid.deliver(Frame("broadcast", sender, SERVER_A, BROADCAST), learn=True)
    assert [copy.receiver for copy in reported.copies] == ["four", "three", "two"]
    return laid


either = pytest.mark.parametrize("requested", ["text", "controller"], indirect=True)


def answer(overlay):
    (sender,) = ids(overlay, "ServerB")
    return Frame("answer", sender, SERVER_B, SERVER_A)


@either
def test_table_20_learns_the_return_path_from_a_frame_of_the_tunnel(requested):
    dumped = normalise(requested.switches["two"].dump("br-tun"))
    learned = [
        flow
        for flow in dumped
        if flow not in requested.texts(requested.overlay.host("two"))["br-tun"]
    ]
    assert learned == [LEARNED + 'output:"vxlan-c0a8960a"']


@either
def test_the_answer_goes_to_one_vtep_and_one_guest(requested):
    reported = requested.deliver(answer(requested.overlay), learn=True)
    assert reported.copies == (Copy("two", "one", "vxlan", 111),)
    assert reported.hears == ids(requested.overlay, "ServerA")


def test_without_the_broadcast_before_it_the_answer_is_flooded(rig):
    laid = rig(small("mesh"))
    laid.install()
    reported = laid.deliver(answer(laid.overlay))
    assert [copy.receiver for copy in reported.copies] == ["four", "one", "three"]
    assert reported.hears == ids(laid.overlay, "ServerA", "a2", "c")


@pytest.mark.parametrize("requested", ["controller"], indirect=True)
def test_a_restarted_controller_keeps_learned_flows(requested):
    before = requested.switches["two"].dump("br-tun")
    assert LEARNED in before
    requested.controller.kill()
    requested.controller.start()
    requested.controller.wait_until_wired()
    assert requested.switches["two"].dump("br-tun") == before
