"""The article's lab as its author saw it, from inside the nodes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump, normalise
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from tests.labs import replies
from topologies.lab import Lab, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

GOLDEN = Path(__file__).parents[2] / "golden"
A, B = "172.16.166.117", "172.16.166.125"


@pytest.fixture(scope="module")
def article() -> Iterator[Lab]:
    with started(load("article").overlay) as lab:
        yield lab


def rules(dumped: str) -> set[str]:
    """A dump in OpenFlow 1.0's spelling, without cookies, counters and ages."""
    bare = re.sub(r"cookie=0x[0-9a-f]+,", "", dumped)
    bare = re.sub(r"\b(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]+,\s*", "", bare)
    return {re.sub(r"\s+", " ", line).strip() for line in bare.splitlines() if "actions=" in line}


def stated(lab: Lab, host: str, bridge: str) -> list[str]:
    """What the controller installed: guests speak IPv6 as soon as they are up, and are learned."""
    show = ("ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows", bridge)
    flows = normalise(lab.run(host, *show))
    return [flow for flow in flows if not flow.startswith("table=20, hard_timeout=300, ")]


def offline(overlay: Overlay, host: str, bridge: str) -> list[str]:
    return dump(bridge_flows(overlay, new_binding(overlay, host), bridge))


def assert_pings(lab: Lab, guest: str, address: str) -> None:
    """Three of three come back, the first one too, none twice."""
    assert replies(lab, guest, address, 3) == [1, 2, 3]


def test_the_first_ping_is_answered_and_the_tables_match_the_article(article):
    assert_pings(article, "ServerA", B)
    for bridge, count in (("br-tun", 13), ("br-int", 6)):
        printed = rules((GOLDEN / "article" / f"{bridge}.controller.flows").read_text())
        assert len(printed) == count
        live = rules(article.run("controller", "ovs-ofctl", "--names", "dump-flows", bridge))
        plain = rules(article.run("controller", "ovs-ofctl", "--no-names", "dump-flows", bridge))
        assert printed - live - plain == set()


def test_the_ports_match_the_article(article):
    printed = (GOLDEN / "article" / "br-tun.controller.show").read_text()
    shown = article.run("controller", "ovs-ofctl", "show", "br-tun")
    ports = re.compile(r"^ *(\d+)\((\S+)\):", re.MULTILINE)
    assert ports.findall(shown) == ports.findall(printed)
    assert ports.findall(shown) == [
        ("1", "patch-int"),
        ("2", "gre-c0a8960b"),
        ("3", "vxlan-c0a8960b"),
    ]


def test_pings_pass_in_both_directions(article):
    assert_pings(article, "ServerB", A)
    assert_pings(article, "ServerA", B)


def test_guests_have_the_mac_address_and_mtu_of_their_network(article):
    for guest, mac, address in (
        ("ServerA", "fa:16:3e:7a:f5:1d", f"{A}/24"),
        ("ServerB", "fa:16:3e:29:99:6a", f"{B}/24"),
    ):
        shown = article.run(guest, "ip", "addr", "show", "eth0")
        assert "mtu 1450" in shown
        assert f"link/ether {mac}" in shown
        assert f"inet {address}" in shown


def test_1450_bytes_pass_unfragmented_and_1451_do_not(article):
    ping = ("ping", "-n", "-c", "1", "-W", "1", "-M", "do")
    assert article.attempt("ServerA", *ping, "-s", "1422", B).returncode == 0  # 1422 + 8 + 20
    assert "message too long" in article.attempt("ServerA", *ping, "-s", "1423", B).stderr


@pytest.mark.parametrize("mode", ["vxlan-mesh", "vxlan-l2pop-arp", "gre-l2pop", "flat"])
def test_live_dumps_equal_the_offline_text_and_pings_pass(mode):
    overlay = with_mode(load("article").overlay, parse_mode(mode))
    with started(overlay) as lab:
        for host in ("controller", "computer"):
            for bridge in ("br-int", "br-vtep" if mode == "flat" else "br-tun"):
                assert stated(lab, host, bridge) == offline(overlay, host, bridge)
        assert_pings(lab, "ServerA", B)
        assert_pings(lab, "ServerB", A)
        mtu = {"flat": 1500, "gre-l2pop": 1458}.get(mode, 1450)
        assert f"mtu {mtu} " in lab.run("ServerA", "ip", "link", "show", "eth0")


@pytest.mark.parametrize(
    ("mode", "golden"),
    [
        ("vxlan-mesh", "q_a_vxlan_flood_learn_queens.br-tun"),
        ("vxlan-l2pop-arp", "q_c_vxlan_l2pop_arp_queens.br-tun"),
    ],
)
def test_live_equals_the_real_neutron(mode, golden):
    with started(with_mode(load("article").overlay, parse_mode(mode))) as lab:
        real = normalise((GOLDEN / "neutron" / f"{golden}.names.flows").read_text())
        assert stated(lab, "controller", "br-tun") == real
