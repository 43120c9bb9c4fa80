"""Which interface of a node a name means, and a capture that goes to standard output."""

import os
import subprocess

import pytest

from controller.model.errors import UsageError
from experiments.cli.lab_text import interface_lines
from topologies.lab import capture
from topologies.lab.interfaces import Interface, meant
from topologies.lab.signals import interrupts

pytestmark = pytest.mark.pure

PORT = "00a1bde0-be17-4c53-9d20-166117750000"
GUEST = Interface(
    "qvo00a1bde0-be",
    1450,
    peer="ServerA",
    peer_interface="eth0",
    more_names=("qvo00a1bde0-be", "tap00a1bde0-be", PORT),
)
UNDERLAY = Interface("underlay", 1500, peer="underlay", peer_interface="host1")
BRIDGE = Interface("br-vtep", 1500, addresses=("10.0.0.1/24",))
DOWN = Interface("br-int", 1450, is_up=False)
HOST = (GUEST, UNDERLAY, BRIDGE, DOWN)
# Interfaces of the switch are named by the order of hosts, and hosts as the scenario likes.
SWITCH = (Interface("host1", 1500, peer="host2"), Interface("host2", 1500, peer="host1"))


@pytest.mark.parametrize("name", ["ServerA", "qvo00a1bde0-be", "tap00a1bde0-be", PORT])
def test_a_servers_port_by_each_of_its_names(name):
    assert meant(HOST, name) == [GUEST]


def test_an_interface_by_its_own_name():
    assert meant(HOST, "br-vtep") == [BRIDGE]
    assert meant(HOST, "eth0") == []


def test_the_name_of_a_peer_comes_before_that_of_an_interface():
    assert meant(SWITCH, "host1") == [SWITCH[1]]


def test_two_interfaces_to_one_peer_are_both_meant():
    twice = (Interface("a", 1500, peer="vm"), Interface("b", 1500, peer="vm"))
    assert meant(twice, "vm") == list(twice)
    assert meant(twice, "b") == [twice[1]]


def test_the_list_of_interfaces():
    assert (
        "\n".join(interface_lines(HOST))
        == """\
interface       connected to      MTU   addresses
qvo00a1bde0-be  ServerA (eth0)    1450  -
underlay        underlay (host1)  1500  -
br-vtep         -                 1500  10.0.0.1/24
br-int          -                 1450  down"""
    )


def test_a_capture_is_not_written_to_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageError, match=r"standard output: a terminal; .* wireshark -k -i -"):
        capture._opened(capture.STDOUT)


def test_a_capture_ends_when_its_reader_has_ended():
    reading, writing = os.pipe()
    os.close(reading)
    child = subprocess.Popen(["sleep", "60"])
    with interrupts() as signals, os.fdopen(writing, "wb") as out:
        signals.shielded = True
        assert capture._wait(child, signals, out) is False
    assert child.returncode is not None
