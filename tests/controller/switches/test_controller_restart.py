"""A controller that dies and comes back costs no packet and renumbers nothing."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from controller.flows.text import normalise
from topologies.lab import Lab, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

STREAM = Path(__file__).parents[2] / "stream.py"
FAR, PORT = "172.16.166.125", 5001
SLACK_S = 0.1  # between two looks at the age of one flow; OVS counts it in milliseconds
PLACES = [(host, bridge) for host in ("controller", "computer") for bridge in ("br-int", "br-tun")]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with started(load("article").overlay) as lab:
        yield lab


def until(condition: Callable[[], object], what: str, *, timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}"
        time.sleep(0.02)


def stream_during(lab: Lab, tmp_path: Path, deed: Callable[[], None], *, seconds: int) -> dict:
    """What became of a stream from ServerA to ServerB while `deed` was done."""
    reported, printed = tmp_path / "received", tmp_path / "sent"
    receiver = lab.start(
        "ServerB", sys.executable, str(STREAM), "receive", str(PORT), stdout=reported
    )
    until(reported.read_text, "the receiver says something")
    assert reported.read_text() == "listening\n"
    argv = (sys.executable, str(STREAM), "send", FAR, str(PORT), str(seconds))
    sender = lab.start("ServerA", *argv, stdout=printed)
    try:
        until(printed.read_text, "the sender says something")
        assert printed.read_text() == "sending\n"
        deed()
        assert sender.poll() is None, "the stream ended before the deed did: make it longer"
        assert sender.wait(timeout=seconds + 10) == 0
        assert receiver.wait(timeout=10) == 0
    finally:
        for process in (sender, receiver):
            process.kill()
            process.wait()
    return json.loads(reported.read_text().splitlines()[-1])


def cut_the_underlay(lab: Lab) -> None:
    """For a tenth of a second nothing leaves `computer`."""
    lab.run("ServerA", "ping", "-c", "1", FAR)  # the stream's way is open
    lab.run("computer", "ip", "link", "set", "underlay", "down")
    time.sleep(0.1)  # the length of the gap, not a wait for something
    lab.run("computer", "ip", "link", "set", "underlay", "up")
    lab.run("ServerA", "ping", "-c", "1", "-w", "5", FAR, timeout_s=10)


def flows(lab: Lab, host: str, bridge: str) -> list[str]:
    show = ("ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows", bridge)
    found = normalise(lab.run(host, *show))
    return [flow for flow in found if not flow.startswith("table=20, hard_timeout=300, ")]


class Came(NamedTuple):
    """Between which two moments a flow came [s, on the monotonic clock]."""

    first: float
    last: float

    def is_moved(self, then: "Came") -> bool:
        """Whether it came at another time than `then`, however long both looks took."""
        return self.first > then.last + SLACK_S or self.last < then.first - SLACK_S


def installed(lab: Lab, host: str, bridge: str) -> dict[str, Came]:
    """When each flow came; without those that the switch learns."""
    before = time.monotonic()
    shown = lab.run(host, "ovs-ofctl", "-O", "OpenFlow13", "--names", "dump-flows", bridge)
    after = time.monotonic()
    found = {}
    for line in shown.splitlines():
        if "duration=" in line and "hard_timeout=300" not in line.partition("actions=")[0]:
            flow = re.sub(
                r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, ", "", line.strip()
            )
            age_s = float(re.search(r"duration=([\d.]+)s", line)[1])
            found[flow] = Came(before - age_s, after - age_s)
    return found


def tags(lab: Lab, host: str) -> dict[str, str]:
    listing = lab.run(host, "ovs-vsctl", "--format=json", "--columns=name,tag", "list", "Port")
    return {name: tag for name, tag in json.loads(listing)["data"] if isinstance(tag, int)}


def test_the_checker_detects_a_loss(lab, tmp_path):
    found = stream_during(lab, tmp_path, lambda: cut_the_underlay(lab), seconds=4)
    assert found["sent"] == 4000
    assert 50 <= found["lost"] < 2000


def test_no_packet_is_lost_when_the_controller_is_killed_and_restarted(lab, tmp_path):
    def kill() -> None:
        lab.restart_controller()
        lab.restart_controller()

    before = flows(lab, "controller", "br-tun")
    found = stream_during(lab, tmp_path, kill, seconds=12)
    assert found == {"sent": 12000, "lost": 0, "doubles": 0}
    assert flows(lab, "controller", "br-tun") == before


def test_a_restart_changes_no_flow(lab):
    """Every flow is as old as it was: none was taken away and put back, or replaced."""
    before = {place: installed(lab, *place) for place in PLACES}
    assert all(before.values())
    lab.restart_controller()
    for place in PLACES:
        after = installed(lab, *place)
        assert after.keys() == before[place].keys()
        moved = {flow for flow, then in before[place].items() if after[flow].is_moved(then)}
        assert moved == set(), place


def test_the_comparison_of_ages_detects_a_replaced_flow(lab):
    before = installed(lab, "computer", "br-int")
    again = installed(lab, "computer", "br-int")
    assert not any(again[flow].is_moved(then) for flow, then in before.items())
    time.sleep(0.6)  # the length of the shift, not a wait for something
    lab.run(
        "computer",
        "sh",
        "-c",
        "ovs-ofctl -OOpenFlow13 --no-stats dump-flows br-int"
        " | grep cookie > /run/openvswitch/flows; ovs-ofctl -OOpenFlow13 add-flows br-int /run/openvswitch/flows",
    )
    assert installed(lab, "computer", "br-int").keys() == before.keys()

    def are_moved() -> bool:  # a look that takes long leaves it open
        after = installed(lab, "computer", "br-int")
        return all(after[flow].is_moved(then) for flow, then in before.items())

    until(are_moved, "every flow has come later")


def test_a_network_added_later_does_not_change_local_vlans(lab):
    before = {host: tags(lab, host) for host in ("controller", "computer")}
    lab.restart_controller()
    network = lab.api("POST", "/v2.0/networks", {"network": {"name": "later"}})["network"]
    subnet = {"network_id": network["id"], "cidr": "10.9.0.0/24", "ip_version": 4}
    lab.api("POST", "/v2.0/subnets", {"subnet": subnet})
    for host in ("controller", "computer"):
        body = {"network_id": network["id"], "binding:host_id": host, "device_id": f"on-{host}"}
        port = lab.api("POST", "/v2.0/ports", {"port": body})["port"]
        lab.plug(port["id"])
    after = {host: tags(lab, host) for host in ("controller", "computer")}
    for host, known in before.items():
        assert {name: after[host][name] for name in known} == known
        assert sorted(after[host].values()) == [1, 2]
    target = lab.api("GET", "/v2.0/ports?device_id=on-computer")["ports"][0]
    address = target["fixed_ips"][0]["ip_address"]
    lab.run("on-controller", "ping", "-c", "3", "-i", "0.2", "-w", "3", address)
