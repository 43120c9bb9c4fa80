"""Guests with leases from dnsmasq: across hosts, with the network's own MTU, tenants isolated."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from controller.model import dhcp
from controller.model.errors import HostError, LabError
from controller.model.names import hybrid_names, int_port_name
from tests.labs import adopt_orphans, nothing_left, pinged
from topologies.lab import started
from topologies.nodes import dhcp as lab_dhcp
from topologies.scenario.load import load

pytestmark = pytest.mark.root

RESOLVER = Path("/etc/resolv.conf")
TENANTS = """
summary: two tenants with the same addresses, each with a DHCP server on the first host
dhcp: true
agent: {tunnel_types: [vxlan], l2_population: true, arp_responder: true}
hosts:
  - {name: node1, local_ip: 192.0.2.1}
  - {name: node2, local_ip: 192.0.2.2, plug: hybrid}
networks:
  - name: red
    network_type: vxlan
    segmentation_id: 100
    mtu: 1337
    subnets: [{cidr: 10.0.0.0/24, gateway_ip: 10.0.0.254}, {cidr: "fd00:1::/64"}]
  - name: blue
    network_type: vxlan
    segmentation_id: 200
    subnets: [{cidr: 10.0.0.0/24, gateway_ip: null}]
ports:
  - {server: red1, host: node1, network: red, fixed_ips: [10.0.0.11, "fd00:1::11"]}
  - {server: red2, host: node2, network: red, fixed_ips: [10.0.0.12, "fd00:1::12"]}
  - {server: blue1, host: node1, network: blue, fixed_ips: [10.0.0.12]}
  - {server: blue2, host: node2, network: blue, fixed_ips: [10.0.0.11]}
  - {server: old1, host: node1, network: blue, fixed_ips: [10.0.0.13]}
  - {server: off2, host: node2, network: blue, admin_state_up: false}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    adopt_orphans()
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("labs")
        patch.setenv("OVERLAYLAB_RUN", str(path))
        yield path


@pytest.fixture(scope="module")
def tenants(home, tmp_path_factory):
    file = tmp_path_factory.mktemp("scenario") / "tenants.yaml"
    file.write_text(TENANTS, encoding="utf-8")
    before = RESOLVER.read_bytes() if RESOLVER.exists() else b""
    with nothing_left(home), started(load(file).overlay) as lab:
        yield lab
    assert (RESOLVER.read_bytes() if RESOLVER.exists() else b"") == before


def shown(lab, guest):
    """MTU, addresses and default gateway of a guest."""
    text = lab.run(guest, "ip", "address", "show", "dev", "eth0")
    via = re.findall(r"default via (\S+)", lab.run(guest, "ip", "route"))
    addresses = re.findall(r"inet6? (\S+) scope global", text)
    return int(re.search(r"mtu (\d+)", text)[1]), addresses, via


def log(lab, network):
    """What the server of the only IPv4 subnet of a network has logged."""
    overlay = lab.overlay
    ids = [net.id for net in overlay.networks if net.name == network]
    subnet = next(each for each, _ in dhcp.served(overlay) if each.network_id in ids)
    return (lab.directory / f"dhcp-{subnet.id}.log").read_text()


@pytest.mark.parametrize(
    ("guest", "expected"),
    [
        ("red1", (1337, ["10.0.0.11/24", "fd00:1::11/64"], ["10.0.0.254"])),
        ("red2", (1337, ["10.0.0.12/24", "fd00:1::12/64"], ["10.0.0.254"])),
        ("blue1", (1450, ["10.0.0.12/24"], [])),
        ("blue2", (1450, ["10.0.0.11/24"], [])),
    ],
)
def test_a_guest_has_address_mtu_and_gateway_of_its_own_networks_server(tenants, guest, expected):
    assert shown(tenants, guest) == expected


def test_a_guest_on_another_host_gets_its_lease_over_the_tunnel(tenants):
    overlay = tenants.overlay
    ports = {port.name: port for port in overlay.ports}
    assert ports["dhcp-red"].host == "node1", "else it would prove nothing"
    assert f"DHCPACK(eth0) 10.0.0.12 {ports['red2'].mac_address}" in log(tenants, "red")
    assert f"DHCPACK(eth0) 10.0.0.11 {ports['blue2'].mac_address}" in log(tenants, "blue")


def test_no_server_receives_requests_of_the_other_tenant(tenants):
    ports = {port.name: port for port in tenants.overlay.ports}
    for network, own, other in (("red", "red2", "blue2"), ("blue", "blue2", "red2")):
        assert ports[own].mac_address in log(tenants, network), "it would show"
        assert ports[other].mac_address not in log(tenants, network)


def test_a_port_that_is_switched_off_gets_no_lease_and_delays_no_other(tenants):
    assert shown(tenants, "off2") == (1500, [], [])


def test_guests_reach_each_other_and_their_server(tenants):
    server = next(port for port in tenants.overlay.ports if port.name == "dhcp-red")
    assert pinged(tenants, "red1", "10.0.0.12", 2) == 2
    assert pinged(tenants, "red2", str(server.ipv4[0]), 2) == 2
    assert pinged(tenants, "blue1", "10.0.0.11", 2) == 2


def test_the_mtu_is_from_the_server(tenants):
    """Without option 26 the interface keeps Ethernet's 1500 bytes, as before the first lease."""
    script = str(lab_dhcp.CLIENT_SCRIPT)
    tenants.run("red2", "ip", "link", "set", "eth0", "mtu", str(dhcp.ETHERNET_MTU))
    tenants.run("red2", *dhcp.client_argv("eth0", script), timeout_s=dhcp.DEADLINE_S)
    assert shown(tenants, "red2")[0] == 1337


def test_an_unknown_client_is_not_answered(tenants):
    """A MAC that the server does not know; the right one before and after is the control."""
    overlay, script = tenants.overlay, str(lab_dhcp.CLIENT_SCRIPT)
    once = ("udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "2", "-T", "1", "-s", script)
    mac = next(port.mac_address for port in overlay.ports if port.name == "dhcp-blue")
    assert tenants.attempt("blue2", *once).returncode == 0
    stranger = "fa:16:3e:12:34:56"
    assert stranger != mac
    tenants.run("blue2", "ip", "link", "set", "eth0", "address", stranger)
    try:
        assert tenants.attempt("blue2", *once).returncode == 1
    finally:
        own = next(port.mac_address for port in overlay.ports if port.name == "blue2")
        tenants.run("blue2", "ip", "link", "set", "eth0", "address", own)
    assert tenants.attempt("blue2", *once).returncode == 0


def test_a_guest_plugged_later_gets_a_lease_also_for_a_used_address(tenants):
    old = next(port for port in tenants.overlay.ports if port.name == "old1")
    assert shown(tenants, "old1")[1] == ["10.0.0.13/24"]
    tenants.unplug(old.id)
    tenants.api("DELETE", f"/v2.0/ports/{old.id}")
    made = tenants.api(
        "POST",
        "/v2.0/ports",
        {
            "port": {
                "network_id": old.network_id,
                "name": "new1",
                "device_id": "new1",
                "binding:host_id": "node2",
                "fixed_ips": [{"ip_address": "10.0.0.13"}],
            }
        },
    )["port"]
    tenants.plug(made["id"])
    assert shown(tenants, "new1") == (1450, ["10.0.0.13/24"], [])
    assert f"DHCPACK(eth0) 10.0.0.13 {made['mac_address']}" in log(tenants, "blue")
    assert pinged(tenants, "blue2", "10.0.0.13") == 1


def test_without_the_programs_the_error_names_the_packages(monkeypatch):
    overlay = load("article-dhcp").overlay
    monkeypatch.setattr(lab_dhcp.shutil, "which", lambda _: None)
    with pytest.raises(HostError) as caught:
        lab_dhcp.assert_able(overlay)
    assert str(caught.value) == (
        "this machine: no dnsmasq and no udhcpc; allowed: a DHCP server and client, which "
        "`dhcp: true` needs. `apt-get install dnsmasq-base udhcpc` as root, or leave `dhcp` out of the "
        "scenario."
    )
    lab_dhcp.assert_able(replace(overlay, dhcp=False))


def test_a_guest_without_a_lease_is_an_error_that_names_it(tenants, monkeypatch):
    monkeypatch.setattr(lab_dhcp.dhcp, "TRIES", 1)
    port = next(each for each in tenants.overlay.ports if each.name == "red2")
    tenants.run("red2", "ip", "link", "set", "eth0", "address", "fa:16:3e:12:34:57")
    try:
        with pytest.raises(LabError, match="eth0 of guest 'red2': udhcpc: no lease") as caught:
            lab_dhcp.request_leases(tenants.ledger, tenants.overlay, [port])
        assert "dhcp-*.log" in str(caught.value)
    finally:
        tenants.run("red2", "ip", "link", "set", "eth0", "address", port.mac_address)
        monkeypatch.undo()
        lab_dhcp.request_leases(tenants.ledger, tenants.overlay, [port])


def test_an_unplugged_server_gives_no_leases_until_it_is_plugged_again(tenants, monkeypatch):
    ports = {port.name: port for port in tenants.overlay.ports}
    guest, server = ports["red2"], ports["dhcp-red"]
    tenants.unplug(server.id)
    tenants.unplug(guest.id)
    monkeypatch.setattr(lab_dhcp.dhcp, "TRIES", 1)
    with pytest.raises(LabError, match="guest 'red2': udhcpc: no lease"):
        tenants.plug(guest.id)
    assert "red2" not in tenants.nodes()  # what failed is undone
    monkeypatch.undo()
    tenants.plug(server.id)
    assert tenants.nodes()["dhcp-red"].kind == "dhcp"
    tenants.plug(guest.id)
    assert shown(tenants, "red2") == (1337, ["10.0.0.12/24", "fd00:1::12/64"], ["10.0.0.254"])


def test_a_guest_changes_from_hybrid_to_direct_plug_and_back(tenants):
    """By hand, and in this order: the plug that is taken away is the old host's."""
    port = next(each for each in tenants.overlay.ports if each.name == "red2")
    own = {*hybrid_names(port.id), int_port_name(port.id)}
    for host, has in (("node1", {int_port_name(port.id)}), ("node2", own)):
        left = "node2" if host == "node1" else "node1"
        tenants.api("PUT", f"/v2.0/ports/{port.id}", {"port": {"binding:host_id": host}})
        tenants.unplug(port.id)
        tenants.plug(port.id)
        assert (devices(tenants, host) & own, devices(tenants, left) & own) == (has, set())
        assert pinged(tenants, "red1", "10.0.0.12") == 1


def devices(lab, host):
    """The names of a host's devices."""
    shown = json.loads(lab.run(host, "ip", "-json", "link", "show"))
    return {each["ifname"] for each in shown}
