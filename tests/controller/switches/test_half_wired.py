"""A host read while ovs-vswitchd has not yet done what OVSDB asks."""

import os
import signal

import pytest

from controller.model.errors import SwitchError
from controller.switches.ovsdb import Ovsdb
from controller.switches.reading import pending, plugged
from controller.switches.worker import Task
from tests.oracle.small import small

pytestmark = pytest.mark.rootless


@pytest.fixture
def halted(rig):
    """A wired host whose ovs-vswitchd stands still while a port is added.  Undone: it goes on."""
    switch = rig(small("mesh")).switches["two"]
    pid = int((switch.home / "ovs-vswitchd.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        switch.vsctl(
            "--no-wait",
            "add-port",
            "br-int",
            "qvolate",
            "--",
            "set",
            "Interface",
            "qvolate",
            "external_ids:iface-id=late",
        )
        yield switch
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_port_without_number_is_neither_plugged_nor_unplugged(halted):
    reading = Ovsdb(halted.db).read()
    assert pending(reading, ["br-int"]) == {"qvolate"}
    assert "late" not in plugged(reading)
    with pytest.raises(SwitchError, match="has not numbered qvolate"):
        Task("two", Ovsdb(halted.db), {}, reading).status_changes(small("mesh"))


def test_the_port_is_plugged_when_ovs_vswitchd_resumes(rig):
    switch = rig(small("mesh")).switches["two"]
    switch.vsctl(
        "add-port",
        "br-int",
        "qvolate",
        "--",
        "set",
        "Interface",
        "qvolate",
        "external_ids:iface-id=late",
    )
    reading = Ovsdb(switch.db).read()
    assert not pending(reading, ["br-int"])
    assert "late" in plugged(reading)
