"""What a visit to a Linux bridge host reads."""

import os
from dataclasses import replace

import pytest

from controller.flows.linuxbridge import Kernel
from controller.model.errors import SwitchError
from controller.switches.linuxbridge_worker import BridgeTask, devices, netns_address
from controller.system.process import identify
from tests.controller.small import RED, port, small

ONE, TWO, THREE = port(1, RED, "h1"), port(2, RED, "h2", status="DOWN"), port(3, RED, "h2")


def test_a_port_is_active_when_its_tap_is_there():
    overlay = small(ONE, TWO, THREE)
    seen = Kernel(devices={"tap00000002-00": ""})

    def changes(host):
        return BridgeTask(host, "netns:1", seen=seen).status_changes(overlay)

    assert changes("h1") == {ONE.id: "DOWN"}
    assert changes("h2") == {TWO.id: "ACTIVE", THREE.id: "DOWN"}


def test_an_address_with_a_null_byte_has_no_devices():
    assert devices("netns:\0") == frozenset()


def test_a_reused_pid_is_not_taken_for_the_keeper_of_a_host():
    here = identify(os.getpid())
    earlier = replace(here, start=here.start - 1)  # the process that had this pid before
    assert "lo" in devices(netns_address(here))
    assert devices(netns_address(earlier)) == frozenset()
    assert BridgeTask("h", netns_address(here)).pid == os.getpid()
    with pytest.raises(SwitchError, match="no process at address"):
        _ = BridgeTask("h", netns_address(earlier)).pid
