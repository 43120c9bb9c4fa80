"""`overlaylab trace` on running labs: what it predicts is what a capture then shows."""

import html
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from controller.model.encap import NetworkType
from controller.model.modes import parse_mode, with_mode
from experiments.cli.main import main
from experiments.cli.pages.trace_page import as_html
from experiments.measure.captures import capturing, decoded
from experiments.measure.packets import all_of
from tests.labs import CommandLine
from topologies.drawing.dot import as_dot
from topologies.drawing.overlay_drawing import draw_overlay
from topologies.drawing.ports import planned
from topologies.lab import Lab, started
from topologies.lab.picture import drawing_of
from topologies.scenario.load import load
from topologies.trace.trace import trace_frame

pytestmark = pytest.mark.root

A, B = "ServerA", "ServerB"
ADDRESS_A, ADDRESS_B, EVERYONE = "172.16.166.117", "172.16.166.125", "172.16.166.255"
MAC_A, MAC_B = "fa:16:3e:7a:f5:1d", "fa:16:3e:29:99:6a"
CUTS = 2000  # of a flow, at most; each takes about 20 ms
LEARNS = ("own", "gre-mesh")
FIELDS = (
    "frame.len",
    "eth.src",
    "eth.dst",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "udp.dstport",
    "vxlan.vni",
    "gre.key",
    "vlan.id",
    "arp.opcode",
    "icmp.type",
)
SHOWN = {
    "arp": f"arp.opcode == 1 && arp.src.proto_ipv4 == {ADDRESS_A} && eth.dst == ff:ff:ff:ff:ff:ff",
    "ping": f"icmp.type == 8 && ip.dst == {ADDRESS_B}",
    "broadcast": f"icmp.type == 8 && ip.dst == {EVERYONE}",
}


@dataclass
class Raised:
    mode: str
    lab: Lab


@pytest.fixture(
    scope="module", params=["own", "gre-mesh", "vxlan-l2pop", "vxlan-l2pop-arp", "vlan"]
)
def article(request):
    overlay = load("article").overlay
    overlay = overlay if request.param == "own" else with_mode(overlay, parse_mode(request.param))
    with started(overlay) as lab:
        yield Raised(request.param, lab)


def tables(course, host="controller", bridge="br-tun"):
    stages = (*course.near, *course.far)
    return [step.table for s in stages for step in s.steps if (s.host, s.bridge) == (host, bridge)]


def forget(lab):
    """Take away what the switches learned of the two: guests' own IPv6 may teach it again."""
    for host in ("controller", "computer"):
        for mac in (MAC_A, MAC_B):
            learned = f"table=20,priority=1,vlan_tci=0x0001/0x0fff,dl_dst={mac}"
            lab.run(host, "ovs-ofctl", "-OOpenFlow13", "--strict", "del-flows", "br-tun", learned)
        lab.run(host, "ovs-appctl", "fdb/flush", "br-int")


def until(condition, what, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def cold_walk(lab, kind, wanted):
    def try_once():
        forget(lab)
        course = trace_frame(lab, A, B, kind)
        return course if tables(course) == wanted else None

    return until(try_once, f"no cold {kind} with br-tun tables {wanted}")


def warm_walk(lab):
    """A ping over cached flows teaches only when their counters are read: up to half a second later."""

    def try_once():
        lab.run(A, "ping", "-n", "-c1", "-W2", ADDRESS_B)
        course = trace_frame(lab, A, B, "ping")
        return course if tables(course) == [0, 2, 20] else None

    return until(try_once, "no warm ping by br-tun tables 0, 2, 20")


def test_cold_and_warm_take_the_paths_of_the_mode(article):
    lab, mode = article.lab, article.mode
    if mode == "vlan":
        for kind in ("arp", "ping", "broadcast"):
            course = trace_frame(lab, A, B, kind)
            assert course.delivered
            assert tables(course, bridge="br-vtep") == [0]
        return
    stated = mode.startswith("vxlan-l2pop")
    assert cold_walk(lab, "ping", [0, 2, 20] if stated else [0, 2, 20, 22]).delivered
    assert cold_walk(lab, "arp", [0, 2, 21] if mode.endswith("arp") else [0, 2, 22]).delivered
    assert cold_walk(lab, "broadcast", [0, 2, 22]).delivered

    warm = warm_walk(lab)
    assert warm.delivered
    hit = next(
        s for stage in warm.near if stage.bridge == "br-tun" for s in stage.steps if s.table == 20
    )
    assert hit.learned is (mode in LEARNS)
    assert ("Learned by the switch" in hit.why) is (mode in LEARNS)
    assert trace_frame(lab, B, A, "ping").delivered


def test_every_step_is_a_flow_that_the_controller_states_or_a_learned_one(article):
    for kind in ("arp", "ping", "broadcast"):
        course = trace_frame(article.lab, A, B, kind)
        steps = [step for stage in (*course.near, *course.far) for step in stage.steps]
        assert len(steps) > 5
        assert not [step for step in steps if "someone else" in step.why or not step.why]


def test_a_trace_changes_nothing(article):
    """A trace is no packet: no counter, no learned flow, no MAC.  Positive control: a ping is."""

    def counted():
        article.lab.run("controller", "ovs-appctl", "revalidator/wait")  # what was sent is counted
        shown = article.lab.run(
            "controller",
            "ovs-ofctl",
            "-OOpenFlow13",
            "--names",
            "dump-flows",
            "br-int",
            f"table=25,dl_src={MAC_A}",
        )
        return int(shown.rpartition("n_packets=")[2].split(",")[0])

    before = counted()
    article.lab.run(A, "ping", "-n", "-c3", "-i0.05", "-W2", ADDRESS_B)
    until(lambda: counted() >= before + 3, "the ping was not counted")

    def unmoved():
        between = counted()
        for kind in ("arp", "ping", "broadcast"):
            trace_frame(article.lab, A, B, kind)
        return counted() == between

    # The guest itself may speak once in a while (ARP, IPv6); a trace that counted would do so each time.
    until(unmoved, "every walk came with packets")


def test_the_header_stack_is_what_a_capture_shows(article, tmp_path):
    lab = article.lab
    predicted = {kind: trace_frame(lab, A, B, kind) for kind in SHOWN}
    with capturing(lab, {"controller": ("underlay",)}, tmp_path.joinpath) as files:
        lab.run(A, "ip", "neigh", "flush", "dev", "eth0")
        lab.run(A, "ping", "-n", "-c1", "-W2", ADDRESS_B)
        lab.attempt(A, "ping", "-n", "-b", "-c1", "-W1", EVERYONE)
    for kind, course in predicted.items():
        seen = decoded(files, FIELDS, SHOWN[kind])
        if course.wire is None:
            assert (article.mode, kind) == ("vxlan-l2pop-arp", "arp")
            assert seen == []  # the pings of the same capture are the positive control
        else:
            assert [summary(course.wire)] == [captured(packet) for packet in seen]


def summary(wire):
    """The walk's header stack, in the words of `captured`."""
    layers = [(layer.name, layer.says) for layer in wire.layers]
    says = dict(layers)
    return {
        "size": wire.size,
        "ethernet": [tuple(says.split(" > ")) for name, says in layers if name == "Ethernet"],
        "ip": [tuple(says.split(" > ")) for name, says in layers if name == "IPv4"],
        "udp": says["UDP"].rpartition(" ")[2] if "UDP" in says else "",
        "vni": int(says["VXLAN"].split()[1]) if "VXLAN" in says else None,
        "key": int(says["GRE"].split()[1]) if "GRE" in says else None,
        "vlan": says.get("802.1Q", "").rpartition(" ")[2],
    }


def captured(packet):
    """A packet as tshark decoded it, outer headers first."""
    vni, key = packet["vxlan.vni"], packet["gre.key"]
    return {
        "size": int(packet["frame.len"]),
        "ethernet": list(zip(all_of(packet, "eth.src"), all_of(packet, "eth.dst"), strict=True)),
        "ip": list(zip(all_of(packet, "ip.src"), all_of(packet, "ip.dst"), strict=True)),
        "udp": packet["udp.dstport"],
        "vni": int(vni) if vni else None,
        "key": int(key, 0) if key else None,
        "vlan": packet["vlan.id"],
    }


def test_the_page_and_the_drawing_show_the_lab(article, tmp_path):
    lab, page = article.lab, tmp_path / "trace.html"

    assert main(("trace", lab.name, A, B, "--format", "html", "-o", str(page))) == 0
    # What bridges have learned may be different in the next trace, but not the way.
    course, places = trace_frame(lab, A, B, "arp"), re.compile(r'data-at="([^"]*)"')
    assert places.findall(page.read_text()) == places.findall(as_html(course))
    assert html.escape(course.end) in html.escape(html.unescape(page.read_text()))
    ports = [planned(lab.overlay, host) for host in lab.overlay.hosts]
    assert as_dot(drawing_of(lab)) == as_dot(draw_overlay(lab.overlay, ports))
    assert "ServerA" in as_dot(drawing_of(lab, "controller"))


def test_a_lost_frame_is_reported_with_status_1(tmp_path):
    with CommandLine(tmp_path / "labs") as cli:
        assert cli.run("up", "article", "--name", "lost", "--detach").returncode == 0
        whole = cli.run("trace", "lost", A, B, "--format", "json")
        assert (whole.returncode, whole.stderr) == (0, "")
        assert json.loads(whole.stdout)["delivered"] is True

        # The controller adds a missing flow again within a poll, so it is deleted all the time.
        cut = "ovs-ofctl -OOpenFlow13 del-flows br-tun table=4,tun_id=0x6f"
        loop = f"for i in $(seq {CUTS}); do {cut} || exit 1; if test -e {tmp_path}/seen; then break; fi; done"

        def lost():
            found = cli.run("trace", "lost", A, B)
            return found if found.returncode == 1 else None

        with ThreadPoolExecutor() as pool:
            cutting = pool.submit(cli.run, "exec", "lost", "computer", "--", "sh", "-c", loop)
            try:
                broken = until(lost, "no trace without the flow", timeout_s=30)
            finally:
                (tmp_path / "seen").touch()
        assert cutting.result().returncode == 0
        assert broken.stderr == ""
        assert "Dropped on computer, in br-tun table 4." in broken.stdout
        assert (
            "table=4, priority=1,tun_id=0x6f actions="
            in broken.stdout.rpartition("missing flows")[2]
        )
        until(lambda: not lost(), "the controller did not add the flow again", timeout_s=30)

        cli.run("exec", "lost", B, "--", "ip", "link", "set", "eth0", "down")
        fed = json.loads(cli.run("trace", "lost", B, A, "--format", "json").stdout)
        assert (fed["delivered"], fed["wire"]["target"]) == (True, "controller")  # asked, not sent

        nobody = cli.run("trace", "lost", A, "ServerC")
        assert nobody.returncode == 2
        assert "no guest 'ServerC'; allowed: ServerA, ServerB" in nobody.stderr
        gone = cli.run("trace", "nolab", A, B)
        assert gone.returncode != 0
        assert "no lab 'nolab'" in gone.stderr
        assert cli.run("down", "lost").returncode == 0


def test_a_port_that_is_switched_off_gets_nothing():
    overlay = with_mode(load("article").overlay, parse_mode("vxlan-l2pop"))
    assert overlay.networks[0].network_type is NetworkType.VXLAN
    with started(overlay) as lab:
        assert trace_frame(lab, A, B, "ping").delivered
        port = next(port for port in overlay.ports if port.device_id == B)
        lab.api("PUT", f"/v2.0/ports/{port.id}", {"port": {"admin_state_up": False}})
        # Host by host: for a moment the sender still has a tunnel that the far side has not.
        end = "Dropped on controller, in br-tun table 22."
        course = until(
            lambda: next(
                (c for c in [trace_frame(lab, A, B, "ping")] if c.end.startswith(end)), None
            ),
            "a port that is switched off is still reached",
        )
        assert "ServerB's port is switched off or not plugged: no flow serves it." in course.facts
