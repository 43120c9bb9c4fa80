"""The home and the office, for real: the WAN's line, sizes, SNAT at both ends, forged GRE, commands."""

import json
import os
import re
import signal
import subprocess
from contextlib import nullcontext

import pytest

from controller.model.errors import LabError
from experiments.core.experiment import Context
from experiments.measure.captures import capturing, decoded
from experiments.measure.packets import all_of
from experiments.walk.attack import _send, cases, injected
from experiments.walk.labs import INJECTED
from experiments.walk.reach import Pinger, path_mtu, reach
from experiments.walk.words import ANSWERED, FILTERED, FORGED, OWN
from tests.labs import CommandLine, adopt_orphans, nothing_left, pinged, wait_for
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

SERVER, PC, TUNNEL_END = "10.100.0.123", "192.168.1.123", "172.16.16.1"
LINE = re.compile(
    r"IP 221\.234\.230\.1 > 106\.38\.241\.118: GREv0, length \d+: IP 172\.16\.16\.1 > 10\.100\.0\.123"
)
SITES = load("home-office").sites


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("labs")


@pytest.fixture(scope="module")
def lab(home):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    adopt_orphans()
    with pytest.MonkeyPatch.context() as patch, nothing_left(home):
        patch.setenv("OVERLAYLAB_RUN", str(home))
        with started(SITES) as lab:
            yield lab


@pytest.fixture
def context(tmp_path):
    return Context(
        keep=lambda name, text: (tmp_path / name).write_text(text),
        path=lambda name: tmp_path / name,
        watch=nullcontext,
        say=lambda _: None,
        seed=7,
    )


@pytest.fixture(autouse=True)
def shown_if_it_fails(lab, evidence):
    for router in ("home-router", "office-router"):
        evidence(router, lambda router=router: lab.run(router, "ip", "addr"))
        evidence(f"{router} nft", lambda router=router: lab.run(router, "nft", "list", "ruleset"))


def test_packets_on_the_wan_match_the_article(lab, context, tmp_path):
    with capturing(lab, {"isp1": ("isp2",)}, context.path):
        assert pinged(lab, "pc", SERVER) == 1
    shown = lab.run("isp1", "tcpdump", "-n", "-Z", "root", "-r", str(tmp_path / "isp1.pcapng"))
    assert len(LINE.findall(shown)) == 1  # and the marker frames are no GRE


def test_each_edge_router_translates_the_source(lab, context):
    where = {"pc": ("eth0",), "home-router": ("gre1",), "office-router": ("gre1", "lan")}
    with capturing(lab, where, context.path) as files:
        assert pinged(lab, "pc", SERVER) == 1
    seen = {
        (each["node"], each["frame.interface_name"]): all_of(each, "ip.src")
        for each in decoded(dict(files), ("ip.src",), "icmp.type == 8")
    }
    assert seen == {
        ("pc", "eth0"): (PC,),
        ("home-router", "gre1"): (TUNNEL_END,),
        ("office-router", "gre1"): (TUNNEL_END,),
        ("office-router", "lan"): ("10.100.0.1",),
    }


def test_without_the_tunnel_the_office_is_unreachable(lab, context):
    pinger = Pinger(lab=lab, sites=SITES, context=context, wait_s=1.0)
    found = {row["check"]: row["seen"] for row in reach(pinger)}
    assert found == {
        "answered": 5,
        "answered, tunnel down": 0,
        "answered, tunnel up again": 5,
        "ICMP error, tunnel down": "221.234.230.2: Destination Net Unreachable",
    }


def test_1468_bytes_pass_and_at_1469_the_home_router_sends_icmp(lab, context):
    pinger = Pinger(lab=lab, sites=SITES, context=context, wait_s=0.5)
    assert [row["seen"] for row in path_mtu(pinger)] == [
        1468,
        "192.168.1.1",
        1468,
        5,
        1468,
        "nobody",
    ]
    assert pinged(lab, "pc", SERVER) == 1  # the tunnel has its own MTU again
    assert int(lab.run("home-router", "cat", "/sys/class/net/gre1/mtu")) == 1468


def test_forged_gre_reaches_the_server_and_other_does_not(lab, context):
    checks, rows = injected(lab, SITES, context)
    assert {row["check"]: row["seen"] for row in checks} == {
        OWN: 0,
        FILTERED: 0,
        FORGED: INJECTED,
        ANSWERED: INJECTED,
    }
    assert {row["case"]: row["arrived"] for row in rows} == {
        OWN: 0,
        FILTERED: 0,
        FORGED: INJECTED,
        ANSWERED: INJECTED,
    }


def test_injected_packets_have_the_gateway_as_source(lab, context):
    forged = next(case for case in cases(SITES) if case.name == FORGED)
    with capturing(lab, {"server": ("eth0",)}, context.path) as files:
        _send(lab, SITES, forged)
    seen = decoded(dict(files), ("ip.src", "udp.payload"), "udp.dstport == 9 && !icmp")
    assert [each["ip.src"] for each in seen] == ["10.100.0.1"] * INJECTED


def test_a_lab_of_two_sites_has_no_overlay(lab):
    asks = (lambda: lab.overlay, lambda: lab.api("GET", "/v2.0/ports"), lab.restart_controller)
    for ask in asks:
        with pytest.raises(LabError, match="two sites, no compute hosts"):
            ask()


@pytest.fixture(scope="module")
def line(tmp_path_factory, lab):
    return CommandLine(tmp_path_factory.mktemp("commands"))


def state(line, lab):
    return json.loads(line.run("status", lab, "--format", "json").stdout)["state"]


def test_the_commands_know_a_lab_of_two_sites_and_clear_one_whose_holder_was_killed(line, tmp_path):
    with nothing_left(line.home), line:
        done = line.run("up", "home-office", "--detach", "--name", "two")
        assert (done.returncode, done.stdout, done.stderr) == (0, "two\n", "")
        assert line.run("exec", "two", "pc", "--", "ping", "-c1", "-W1", SERVER).returncode == 0
        shown = json.loads(line.run("status", "two", "--format", "json").stdout)
        kinds = {node["name"]: node["kind"] for node in shown["nodes"]}
        assert (shown["overlay"], shown["state"], kinds["office-router"]) == (
            "home-office",
            "held",
            "edge",
        )
        (tunnel,) = next(n for n in shown["nodes"] if n["name"] == "home-router")["tunnels"]
        assert (tunnel["type"], tunnel["remote_ip"]) == ("gre", "106.38.241.118")
        assert "no controller" in line.run("status", "two").stdout
        file = tmp_path / "wan.pcapng"
        capture = line.start("capture", "two", "isp1", "isp2", "-w", str(file), "--count", "2")
        wait_for(lambda: file.exists() and file.stat().st_size, "a capture's header")
        assert line.run("exec", "two", "pc", "--", "ping", "-c1", "-W1", SERVER).returncode == 0
        capture.communicate(timeout=20)
        assert capture.returncode == 0
        (script := tmp_path / "cli").write_text("pc ping -c1 server\n")
        assert "1 received" in line.run("shell", "two", str(script)).stderr  # Mininet's own way
        os.kill(shown["holder_pid"], signal.SIGKILL)
        wait_for(lambda: state(line, "two") == "abandoned", "an abandoned lab")
        assert line.run("down", "two").returncode == 0


def test_mininet_starts_it(tmp_path):
    """`mn` by itself: its topology, its pings, and nothing left."""
    with nothing_left(tmp_path):
        done = subprocess.run(
            (
                "mn",
                "--custom",
                "topologies/overlay.py",
                "--topo",
                "home-office",
                "--test",
                "pingall",
            ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "OVERLAYLAB_RUN": str(tmp_path)},
        )
    shown = done.stdout + done.stderr
    assert "attacker -> X X X" in shown  # it knows no way to private addresses
    assert "pc -> attacker desk server" in shown
