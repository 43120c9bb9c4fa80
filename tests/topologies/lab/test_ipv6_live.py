"""IPv6 below and above: VTEPs with IPv6 addresses, and guests that may only speak for their own."""

import re
from dataclasses import replace

import pytest

from controller.model.names import link_local
from tests.labs import adopt_orphans, nothing_left, pinged, wait_for
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

FOREIGN = "fd00:1::666"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A place for labs of this module alone, with nothing left at the end."""
    adopt_orphans()
    path = tmp_path_factory.mktemp("labs")
    with pytest.MonkeyPatch.context() as patch, nothing_left(path):
        patch.setenv("OVERLAYLAB_RUN", str(path))
        yield path


@pytest.fixture(scope="module")
def lab(home):
    with started(load("ipv6-underlay").overlay) as one:
        yield one


def port(lab, name):
    return next(each for each in lab.overlay.ports if each.name == name)


PAIRS = {
    "vxlan": ("red1", "red3", 1430),
    "gre": ("green1", "green2", 1438),
    "geneve": ("blue2", "blue3", 1430),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_the_first_packet_arrives_and_the_largest_that_fits(lab, kind):
    one, other, mtu = PAIRS[kind]
    for address in (str(port(lab, other).ipv4[0]), str(port(lab, other).ipv6[0])):
        header = 48 if ":" in address else 28  # IP and ICMP
        assert pinged(lab, one, address) == 1
        asked = ("ping", "-n", "-c1", "-W1", "-Mdo")
        assert lab.attempt(one, *asked, f"-s{mtu - header}", address).returncode == 0
        assert "too long" in lab.attempt(one, *asked, f"-s{mtu - header + 1}", address).stderr


@pytest.mark.parametrize("kind", PAIRS)
def test_one_byte_more_does_not_fit_the_underlay(lab, kind):
    """With the guests' own limit out of the way, one byte more is dropped at the wire."""
    one, other, mtu = PAIRS[kind]
    address = str(port(lab, other).ipv6[0])
    devices = [(one, "eth0"), (other, "eth0")]
    devices += [(port(lab, name).host, f"qvo{port(lab, name).id[:11]}") for name in (one, other)]
    for node, device in devices:
        lab.run(node, "ip", "link", "set", device, "mtu", "1500")
    try:
        asked = ("ping", "-n", "-c1", "-W1", "-Mdo")
        assert lab.attempt(one, *asked, f"-s{mtu - 48}", address).returncode == 0
        assert lab.attempt(one, *asked, f"-s{mtu - 47}", address).returncode == 1
    finally:
        for node, device in devices:
            lab.run(node, "ip", "link", "set", device, "mtu", str(mtu))


def test_the_tunnels_are_named_by_hash_and_the_outer_header_is_ipv6(lab):
    names = lab.run("node1", "ovs-vsctl", "list-ports", "br-tun").split()
    assert {"vxlan-fr2u5y6xu", "gre-fr2u5y6xuxm"} <= set(names)
    capture = lab.directory / "wire.txt"
    argv = ("tcpdump", "-nn", "-l", "-c1", "-i", "underlay", "ip6 and udp dst port 4789")
    child = lab.start("node1", *argv, stdout=capture)
    wait_for(lambda: "listening on" in capture.read_text(), "a capture")
    assert pinged(lab, "red1", str(port(lab, "red2").ipv4[0])) == 1
    child.wait(timeout=10)
    shown = capture.read_text()
    assert re.search(r"IP6 fd00:150::10\.\d+ > fd00:150::11\.4789: VXLAN.* vni 100", shown)


def test_every_neighbour_is_known_without_solicitation(lab):
    for host, others in (("node1", ("11", "12")), ("node3", ("10", "11"))):
        shown = lab.run(host, "ovs-appctl", "tnl/neigh/show")
        assert all(f"fd00:150::{other} " in shown for other in others)


def test_link_local_works_across_hosts(lab):
    address = link_local(port(lab, "red3").mac_address)
    wait_for(lambda: pinged(lab, "red1", f"{address}%eth0"), "answer from a link-local address")


def test_a_guest_with_a_spoofed_ipv6_source_is_dropped(lab):
    _assert_foreign_is_not_heard(lab)


def test_the_current_release_drops_a_spoofed_ipv6_source_too(home):
    overlay = replace(load("ipv6-underlay").overlay, release="current")
    with started(overlay) as one:
        address = link_local(port(one, "red3").mac_address)
        wait_for(lambda: pinged(one, "red1", f"{address}%eth0"), "answer from a link-local address")
        assert pinged(one, "green1", str(port(one, "green2").ipv6[0])) == 1
        assert "type: ip6gre" in one.run("node1", "ovs-vsctl", "show")
        _assert_foreign_is_not_heard(one)


def _assert_foreign_is_not_heard(lab):
    """Its answer, a neighbour advertisement for what is not its own, is dropped in table 24."""
    one, other = "red1", "red2"
    own = str(port(lab, other).ipv6[0])
    lab.run(one, "ip", "-6", "neigh", "flush", "dev", "eth0")
    assert pinged(lab, one, own) == 1, "an own address is advertised and reached"
    lab.run(other, "ip", "addr", "add", f"{FOREIGN}/64", "dev", "eth0", "nodad")
    try:
        assert pinged(lab, one, FOREIGN, 3) == 0
        assert "lladdr" not in lab.run(one, "ip", "-6", "neigh", "show", FOREIGN)
        _unprotected(lab, other, enabled=False)
        wait_for(lambda: pinged(lab, one, FOREIGN), "answer once port security is off")
    finally:
        _unprotected(lab, other, enabled=True)
        lab.run(other, "ip", "addr", "del", f"{FOREIGN}/64", "dev", "eth0")


def _unprotected(lab, guest, *, enabled):
    body = {"port": {"port_security_enabled": enabled}}
    lab.api("PUT", f"/v2.0/ports/{port(lab, guest).id}", body)
    lab.await_ready()
