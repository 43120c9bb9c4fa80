"""The article's lab as its nodes were wired: hybrid plug and DHCP."""

import json
import re

import pytest

from controller.model.names import hybrid_names, int_port_name
from tests.labs import adopt_orphans, nothing_left, pinged, wait_for
from topologies.lab import attach, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

B = "172.16.166.125"


@pytest.fixture
def home(tmp_path, monkeypatch):
    adopt_orphans()
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path))
    return tmp_path


def links(lab, host):
    """A host's links by name."""
    shown = lab.run(host, "ip", "-details", "-json", "link")
    return {each["ifname"]: each for each in json.loads(shown)}


def test_each_hybrid_guest_has_its_own_bridge(home):
    overlay = load("article-dhcp").overlay
    port = overlay.ports[0]
    tap, bridge, qvb = hybrid_names(port.id)
    assert (tap, bridge) == ("tap00a1bde0-be", "qbr00a1bde0-be")
    with nothing_left(home), started(overlay) as lab:
        found = links(lab, "controller")
        assert (found[tap]["master"], found[qvb]["master"]) == (bridge, bridge)
        assert found[qvb]["link"] == int_port_name(port.id)
        assert {found[name]["mtu"] for name in (tap, bridge, qvb, int_port_name(port.id))} == {1450}
        kind = found[bridge]["linkinfo"]["info_data"]
        assert (kind["ageing_time"], kind["stp_state"], kind["mcast_snooping"]) == (0, 0, 0)
        ports = lab.run("controller", "ovs-vsctl", "list-ports", "br-int").split()
        assert int_port_name(port.id) in ports
        assert not {tap, qvb} & set(ports)
        assert pinged(lab, "ServerA", B, 3) == 3
        assert "mtu 1450" in lab.run("ServerA", "ip", "address", "show", "eth0")
        assert _tcp(lab) == SIZE
        _assert_live(lab, overlay)


PORT, SIZE = 5001, 2_000_000
SERVE = f"""
import socket
listening = socket.create_server(("0.0.0.0", {PORT}))
print("up", flush=True)
taken, got = listening.accept()[0], 0
while data := taken.recv(65536):
    got += len(data)
print(got)
"""
SEND = f"""
import socket
with socket.create_connection(("{B}", {PORT}), timeout=5) as one:
    one.sendall(bytes({SIZE}))
"""


def _tcp(lab):
    """Bytes that TCP brought from ServerA to ServerB: user-space OVS drops partial checksums."""
    out = lab.directory / "tcp"
    server = lab.start("ServerB", "python3", "-c", SERVE, stdout=out)
    wait_for(lambda: "up" in out.read_text(), "a server")
    lab.run("ServerA", "python3", "-c", SEND, timeout_s=20)
    server.wait(timeout=10)
    return int(re.findall(r"\d+", out.read_text())[-1])


def _assert_live(lab, overlay):
    """Plugged and unplugged while it is up, by a process that did not raise it."""
    other = attach(lab.name)
    network = overlay.networks[0].id
    before = set(links(lab, "computer"))
    made = other.api(
        "POST",
        "/v2.0/ports",
        {
            "port": {
                "network_id": network,
                "name": "late",
                "device_id": "late",
                "binding:host_id": "computer",
            }
        },
    )["port"]
    other.plug(made["id"])
    added = {*hybrid_names(made["id"]), int_port_name(made["id"])}
    assert set(links(lab, "computer")) - before == added
    assert pinged(lab, "late", "172.16.166.117") == 1
    other.unplug(made["id"])
    assert set(links(lab, "computer")) == before
    assert pinged(lab, "ServerA", B) == 1
