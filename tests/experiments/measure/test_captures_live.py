"""Captures in separate namespaces: the first and the last packet are in the file."""

import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import count
from types import SimpleNamespace

import pytest

from controller.model.errors import CommandError, MeasureError
from experiments.measure import captures
from experiments.measure.captures import capturing, decoded, parse_drops
from experiments.measure.frames import ARP, BROADCAST, LOCAL_EXPERIMENT, arp_packet, ethernet
from experiments.measure.packets import all_of, stamp_ns
from experiments.measure.sockets import senders

pytestmark = pytest.mark.root

MAC = "02:00:00:00:00:01"
ROUNDS = 3
SHOWN = "eth.type == 0x88b5"


@dataclass
class Lab:
    """Two ends of one wire in a namespace: `left` and `right` are its only interfaces."""

    keeper: subprocess.Popen
    started: list[subprocess.Popen] = field(default_factory=list)

    def pid(self, node):
        return self.keeper.pid

    def start(self, node, *argv, stdout, stderr):
        full = ("mnexec", "-a", str(self.keeper.pid), *argv)
        self.started.append(subprocess.Popen(full, stdout=stdout, stderr=stderr))
        return self.started[-1]


@pytest.fixture(scope="module")
def lab():
    """Ends with the process that keeps the namespace."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = (
        "ip link add left type veth peer name right && ip link set left up && ip link set right up"
    )
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", f"{made} && echo up && exec sleep infinity"],
        stdout=subprocess.PIPE,
        text=True,
    ) as keeper:
        assert keeper.stdout.readline() == "up\n"
        yield Lab(keeper)
        keeper.kill()


def frame(number):
    return ethernet(BROADCAST, MAC, LOCAL_EXPERIMENT, number.to_bytes(2, "big"))


def test_the_first_and_the_last_packet_are_captured_each_time(lab, tmp_path):
    where = {"one": ("left", "right"), "other": ("right",)}
    with senders(lab.pid("one"), ("left",)) as send:
        for number in range(ROUNDS):
            with capturing(lab, where, tmp_path.joinpath) as files:
                for each in range(number + 1):
                    send["left"](frame(each))

            seen = decoded(files, ("data.data",), SHOWN)
            for place in (("one", "left"), ("one", "right"), ("other", "right")):
                here = [p for p in seen if (p["node"], p["frame.interface_name"]) == place]
                assert [p["data.data"][:4] for p in here] == [f"{n:04x}" for n in range(number + 1)]
                assert files.dropped[place] == 0
    assert len(seen) == 3 * ROUNDS


def test_files_are_named_by_node_and_the_output_of_dumpcap_is_kept(lab, tmp_path):
    with capturing(lab, {"one": ("left",)}, tmp_path.joinpath) as files:
        pass

    assert files == {"one": tmp_path / "one.pcapng"}
    assert "Packets received/dropped" in (tmp_path / "one.dumpcap.txt").read_text()
    assert decoded(files["one"], (), "arp") == [], "a marker is no packet"


def test_timestamps_have_nanoseconds_and_repeated_fields_are_split(lab, tmp_path):
    pair = (MAC, IPv4Address("10.0.0.1")), (MAC, IPv4Address("10.0.0.2"))
    with senders(lab.pid("one"), ("left",)) as send:  # noqa: SIM117  the sender first
        with capturing(lab, {"one": ("left", "right")}, tmp_path.joinpath) as files:
            send["left"](ethernet(BROADCAST, MAC, ARP, arp_packet(1, *pair)))

    fields = ("arp.src.proto_ipv4", "eth.addr", "ip.src")
    left, right = sorted(decoded(files, fields, "arp"), key=lambda p: p["frame.interface_name"])
    assert all_of(left, "eth.addr") == (BROADCAST, MAC)
    assert all_of(left, "ip.src") == ()
    assert left["arp.src.proto_ipv4"] == "10.0.0.1"
    assert 0 <= stamp_ns(right) - stamp_ns(left) < 10**9
    assert (tmp_path / "one.pcapng").stat().st_size < 10_000


def test_a_missing_interface_is_an_error_with_the_message_of_dumpcap(lab, tmp_path):
    with pytest.raises(CommandError, match=r"nosuch0.*in 'one'"):  # noqa: SIM117
        with capturing(lab, {"one": ("left", "nosuch0")}, tmp_path.joinpath):
            pytest.fail("the capture began")


def test_a_capture_without_its_first_packet_is_an_error(lab, tmp_path, monkeypatch):
    @contextmanager
    def mute_at_first(pid, interfaces):
        calls = count()
        with senders(pid, interfaces) as send:
            yield {"left": lambda frame: send["left"](frame) if next(calls) else None}

    monkeypatch.setattr(captures, "senders", mute_at_first)
    with pytest.raises(MeasureError, match="the first marker frames are missing"):  # noqa: SIM117
        with capturing(lab, {"one": ("left",)}, tmp_path.joinpath):
            pass


def test_a_capture_that_does_not_report_dropped_packets_is_an_error(lab, tmp_path, monkeypatch):
    """As one that had to be killed."""
    monkeypatch.setattr(captures, "signal", SimpleNamespace(SIGINT=signal.SIGKILL))
    with pytest.raises(MeasureError, match="did not report dropped packets"):  # noqa: SIM117
        with capturing(lab, {"one": ("left",)}, tmp_path.joinpath):
            pass


def test_an_error_in_the_block_ends_the_captures(lab, tmp_path):
    with pytest.raises(ZeroDivisionError):  # noqa: SIM117
        with capturing(lab, {"one": ("left",), "other": ("right",)}, tmp_path.joinpath):
            1 / 0  # noqa: B018
    assert len(lab.started) >= 2
    assert all(child.poll() is not None for child in lab.started)


def test_a_senders_interface_must_be_there(lab):
    with pytest.raises(MeasureError, match="No such device"), senders(lab.pid("one"), ("x0",)):
        pytest.fail("the socket opened")


def test_drops_are_read_from_dumpcaps_last_lines():
    text = (
        "Packets captured: 7\n"
        "Packets received/dropped on interface 'qvo1': 7/14 "
        "(pcap:3/dumpcap:2/flushed:9/ps_ifdrop:1) (33.3%)\n"
    )
    # Flushed packets arrived after the last marker.
    assert parse_drops("host", text) == {("host", "qvo1"): 6}
