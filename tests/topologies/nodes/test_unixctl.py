"""The control socket of a daemon in a host."""

import pytest

from controller.model.errors import SwitchError
from topologies.nodes import unixctl


def test_the_control_socket_of_the_running_daemon_is_used(tmp_path):
    rundir = tmp_path / "root/run/openvswitch"
    rundir.mkdir(parents=True)
    here = f"..{tmp_path}"  # instead of a pid
    with pytest.raises(SwitchError, match="no pidfile in"):
        unixctl.socket_of(here, "ovs-vswitchd")
    for pid in (1, 22, 333):  # a daemon that was killed does not remove its own
        (rundir / f"ovs-vswitchd.{pid}.ctl").touch()
    (rundir / "ovs-vswitchd.pid").write_text("22\n")

    assert unixctl.socket_of(here, "ovs-vswitchd").name == "ovs-vswitchd.22.ctl"
