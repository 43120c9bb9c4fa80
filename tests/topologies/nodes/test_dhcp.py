"""DHCP as values: the servers' ports, the options of dnsmasq, and the client script."""

import os
import re
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump
from controller.model import dhcp
from controller.model.errors import ModelError
from controller.model.overlay import Overlay
from controller.model.parts import Subnet
from controller.model.serial import from_json, to_json
from tests.controller.small import BLUE, RED, port, small
from topologies.nodes.dhcp import CLIENT_SCRIPT
from topologies.nodes.nodes import DhcpServer, Guest, given_addresses, guest_class
from topologies.scenario.load import load

SIX = Subnet(id="s6", name="s6", network_id=RED, cidr=ip_network("fd00:1::/64"))


def asking(*ports, more=()):
    """The small overlay with DHCP, and an IPv6 subnet on RED."""
    plain = small()
    return replace(plain, dhcp=True, subnets=(*plain.subnets, SIX, *more), ports=ports)


def two():
    """A guest on h2 and one on h1, both in RED, the first with IPv6, too."""
    both = (ip_address("198.51.1.1"), ip_address("fd00:1::1"))
    return port(1, RED, "h2", fixed_ips=both), port(2, RED, "h1")


def test_a_server_is_on_the_first_guests_host_with_the_first_free_address():
    served = dhcp.with_servers(asking(*two()))
    *guests, server = served.ports
    assert tuple(guests) == two()
    assert (server.host, server.network_id, server.device_id) == ("h2", RED, "dhcp-red")
    assert server.fixed_ips == (ip_address("198.51.1.3"),)
    assert (server.device_owner, server.port_security_enabled) == ("network:dhcp", False)


def test_servers_are_deterministic_and_added_once():
    once = dhcp.with_servers(asking(*two()))
    assert dhcp.with_servers(asking(*two())) == once
    assert dhcp.with_servers(once) == once


def test_no_server_without_dhcp_for_ipv6_or_without_guests():
    plain = replace(asking(*two()), dhcp=False)
    assert dhcp.with_servers(plain) is plain
    only_six = asking(port(1, RED, "h1", fixed_ips=(ip_address("fd00:1::1"),)))
    assert dhcp.with_servers(only_six) is only_six
    served = dhcp.served(dhcp.with_servers(asking(*two())))
    assert [server.network_id for _, server in served] == [RED]
    unbound = asking(port(1, RED, ""))
    assert dhcp.with_servers(unbound) is unbound


def test_each_ipv4_subnet_of_a_network_has_a_server_of_its_own():
    second = Subnet(id="0a1b2c3d-4e5f", name="s3", network_id=RED, cidr=ip_network("198.51.3.0/24"))
    third = port(3, RED, "h3", fixed_ips=(ip_address("198.51.3.9"),))
    servers = dhcp.with_servers(asking(*two(), third, more=(second,))).ports[3:]
    assert [(each.device_id, each.host, str(each.fixed_ips[0])) for each in servers] == [
        ("dhcp-red", "h2", "198.51.1.3"),
        ("dhcp-0a1b2c3d-4e", "h3", "198.51.3.1"),
    ]


def test_one_server_leases_a_ports_first_address_and_no_other_leases_any():
    """Else it would be a race between two servers, and between two lines of one."""
    second = Subnet(id="0a1b2c3d-4e5f", name="s3", network_id=RED, cidr=ip_network("198.51.3.0/24"))
    many = [ip_address(each) for each in ("198.51.1.8", "198.51.3.8", "198.51.1.9")]
    guests = (
        port(1, RED, "h1", fixed_ips=tuple(many)),
        port(2, RED, "h1", fixed_ips=(ip_address("198.51.3.7"),)),
    )
    overlay = dhcp.with_servers(asking(*guests, more=(second,)))
    assert [dhcp.leased(overlay, each) for each in overlay.ports] == [
        many[0],
        ip_address("198.51.3.7"),
        None,
        None,
    ]
    found = [dhcp.hosts_file(overlay, subnet) for subnet, _ in dhcp.served(overlay)]
    assert found == ["fa:16:3e:00:01:01,198.51.1.8\n", "fa:16:3e:00:01:02,198.51.3.7\n"]


def test_a_full_subnet_is_an_error():
    plain = asking(*two())
    pool = ((ip_address("198.51.1.1"), ip_address("198.51.1.2")),)
    narrow = replace(plain, subnets=(replace(plain.subnets[0], pools=pool), *plain.subnets[1:]))
    with pytest.raises(ModelError) as caught:
        dhcp.with_servers(narrow)
    assert str(caught.value) == (
        "subnet 's1': no free address for the DHCP server; allowed: an address of its "
        "allocation_pools that no guest has. Widen the pools, or leave `dhcp` out."
    )


def test_which_ports_use_dhcp():
    overlay = dhcp.with_servers(asking(*two(), port(3, BLUE, "")))
    first, second, unbound, server = overlay.ports
    assert [bool(dhcp.leased(overlay, each)) for each in (first, second, unbound, server)] == [
        True,
        True,
        False,
        False,
    ]
    assert given_addresses(overlay, first) == ("fd00:1::1/64",)
    assert given_addresses(overlay, server) == ("198.51.1.3/24",)
    static = replace(overlay, dhcp=False)
    assert given_addresses(static, first) == ("198.51.1.1/24", "fd00:1::1/64")
    assert (guest_class((first,)), guest_class((server,))) == (Guest, DhcpServer)


def test_the_hosts_file_lists_the_guests_of_the_subnet_only():
    overlay = dhcp.with_servers(asking(*two(), port(3, BLUE, "h1")))
    assert dhcp.hosts_file(overlay, overlay.subnets[0]) == (
        "fa:16:3e:00:01:01,198.51.1.1\nfa:16:3e:00:01:02,198.51.1.2\n"
    )


def test_dnsmasq_gets_range_mtu_and_gateway():
    overlay = dhcp.with_servers(asking(*two()))
    plain = overlay.subnets[0]
    argv = dhcp.server_argv(overlay, plain, hosts="/l/h", leases="/l/l")
    assert "--dhcp-range=198.51.1.0,static,255.255.255.0,86400s" in argv
    assert "--dhcp-option-force=option:mtu,1450" in argv
    assert "--dhcp-option=option:router" in argv, "an empty one, or dnsmasq names itself"
    gated = replace(plain, gateway_ip=ip_address("198.51.1.254"))
    own = replace(overlay.networks[0], mtu=1337)
    changed = replace(overlay, networks=(own, *overlay.networks[1:]))
    argv = dhcp.server_argv(changed, gated, hosts="/l/h", leases="/l/l")
    assert "--dhcp-option-force=option:mtu,1337" in argv
    assert "--dhcp-option=option:router,198.51.1.254" in argv


def test_the_servers_port_has_the_flows_of_an_unprotected_one():
    """Neutron leaves network:* ports unprotected (AG:1403); elsewhere it is a port like others."""
    overlay = dhcp.with_servers(asking(*two()))
    server = overlay.ports[-1]
    own = dump(bridge_flows(overlay, new_binding(overlay, "h2"), "br-int"))
    assert not any(f"qvo{server.id[:11]}" in flow for flow in own)
    l2pop = replace(
        overlay,
        hosts=tuple(
            replace(host, l2_population=True, arp_responder=True) for host in overlay.hosts
        ),
    )
    far = "\n".join(dump(bridge_flows(l2pop, new_binding(l2pop, "h1"), "br-tun")))
    assert f"dl_dst={server.mac_address}" in far
    assert "arp_tpa=198.51.1.3" in far


def test_a_server_is_kept_in_the_state_file():
    overlay = dhcp.with_servers(asking(*two()))
    assert from_json(to_json(overlay), Overlay) == overlay


def test_the_shipped_scenario_is_the_article_with_a_server():
    overlay, article = load("article-dhcp").overlay, load("article").overlay
    *guests, server = overlay.ports
    assert [(p.mac_address, p.fixed_ips) for p in guests] == [
        (p.mac_address, p.fixed_ips) for p in article.ports
    ]
    assert (server.device_id, server.host) == ("dhcp-vxlan_net", "controller")
    assert all(host.hybrid_plug for host in overlay.hosts)
    assert (overlay.networks, overlay.mtu_of(overlay.networks[0])) == (article.networks, 1450)


def test_the_client_script_is_executable_and_changes_the_interface_only():
    assert os.access(CLIENT_SCRIPT, os.X_OK), "git must keep its x bit"
    text = CLIENT_SCRIPT.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"resolv|/etc|>", code)
    assert code.count('dev "$interface"') + code.count('link set "$interface"') == 6
