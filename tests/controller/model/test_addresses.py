"""Gateways and pools: one table for the scenario's way in and for the API's."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model.addresses import default_gateway, default_pools, free_address
from controller.model.parts import Subnet
from tests.controller.api.resource_requests import network, port, subnet
from tests.topologies.scenario.scenario_files import with_two_hosts, write
from topologies.scenario.load import load

# cidr, requested gateway_ip if any (None: no gateway), gateway, pools, the first port's address
TABLE = [
    ("10.0.0.0/24", "", "10.0.0.1", "10.0.0.2-10.0.0.254", "10.0.0.2"),
    ("10.0.0.0/24", None, "None", "10.0.0.1-10.0.0.254", "10.0.0.1"),
    ("10.0.0.0/29", "10.0.0.3", "10.0.0.3", "10.0.0.1-10.0.0.2 10.0.0.4-10.0.0.6", "10.0.0.1"),
    ("10.0.0.0/29", "10.0.0.6", "10.0.0.6", "10.0.0.1-10.0.0.5", "10.0.0.1"),
    ("10.0.0.0/30", "", "10.0.0.1", "10.0.0.2-10.0.0.2", "10.0.0.2"),
    ("10.0.0.0/31", "", "10.0.0.1", "10.0.0.0-10.0.0.0", "10.0.0.0"),
    ("10.0.0.0/31", None, "None", "10.0.0.0-10.0.0.1", "10.0.0.0"),
    ("10.0.0.9/32", "", "None", "10.0.0.9-10.0.0.9", "10.0.0.9"),
    ("fd00::/126", "", "fd00::1", "fd00::2-fd00::3", "fd00::2"),
    ("fd00::/127", "", "fd00::1", "fd00::-fd00::", "fd00::"),
    ("fd00::/127", "fd00::", "fd00::", "fd00::1-fd00::1", "fd00::1"),
    ("fd00::7/128", "", "None", "fd00::7-fd00::7", "fd00::7"),
    ("fd00::/64", "", "fd00::1", "fd00::2-fd00::ffff:ffff:ffff:ffff", "fd00::2"),
]


def reported(subnet: Subnet) -> tuple[str, str]:
    return str(subnet.gateway_ip), " ".join(f"{low}-{high}" for low, high in subnet.pools)


@pytest.mark.parametrize(("cidr", "requested", "gateway", "pools", "first"), TABLE)
def test_a_scenarios_subnet(tmp_path: Path, monkeypatch, cidr, requested, gateway, pools, first):
    monkeypatch.chdir(tmp_path)
    line = (
        ""
        if requested == ""
        else f", gateway_ip: {'null' if requested is None else repr(requested)}"
    )
    text = f"""\
        networks:
          - {{name: n, network_type: vxlan, segmentation_id: 7, subnets: [{{cidr: '{cidr}'{line}}}]}}
        ports: [{{server: a, host: h1, network: n}}]
        """
    overlay = load(write("s.yaml", with_two_hosts(text))).overlay
    assert reported(overlay.subnets[0]) == (gateway, pools)
    assert [str(ip) for ip in overlay.ports[0].fixed_ips] == [first]


@pytest.mark.parametrize(("cidr", "requested", "gateway", "pools", "first"), TABLE)
def test_a_subnet_of_the_api_stores_its_default_pools(cidr, requested, gateway, pools, first):
    more = {} if requested == "" else {"gateway_ip": requested}
    overlay = port(subnet(network(), network_id="net-n", cidr=cidr, **more), network_id="net-n")
    assert reported(overlay.subnets[-1]) == (gateway, pools)
    assert [str(ip) for ip in overlay.port_of["port-n"].fixed_ips] == [first]


def test_a_pool_allocates_usable_addresses_only():
    cidr = ip_network("10.0.0.0/30")
    whole = Subnet(id="s", name="s", network_id="n", cidr=cidr, pools=((cidr[0], cidr[3]),))
    assert free_address(whole, set()) == cidr[1]
    assert free_address(whole, {cidr[1], cidr[2]}) is None


@given(st.integers(0, 2**32 - 1), st.integers(8, 32), st.data())
def test_default_pools_are_all_but_network_broadcast_and_gateway(number, length, data):
    cidr = ip_network((number, length), strict=False)
    offset = data.draw(st.integers(0, min(cidr.num_addresses - 1, 300)))
    gateway = cidr[offset]
    pools = default_pools(cidr, gateway)
    inside = sum(int(high) - int(low) + 1 for low, high in pools)
    edges = {cidr[0], cidr[-1]} if cidr.num_addresses > 2 else set()
    assert inside == cidr.num_addresses - len(edges | {gateway})
    for unusable in (*edges, gateway):
        assert not any(low <= unusable <= high for low, high in pools)


def test_the_default_gateway_is_the_first_address():
    assert default_gateway(ip_network("10.0.0.0/24")) == ip_address("10.0.0.1")
    assert default_gateway(ip_network("10.0.0.0/32")) is None


@given(st.sets(st.integers(1, 14)))
def test_a_free_address_is_the_lowest_that_is_not_taken(taken):
    cidr = ip_network("10.0.0.0/28")
    subnet = Subnet(
        id="s",
        name="s",
        network_id="n",
        cidr=cidr,
        pools=((cidr[1], cidr[14]),),
        gateway_ip=cidr[1],
    )
    free = sorted(set(range(2, 15)) - taken)
    assert free_address(subnet, {cidr[number] for number in taken}) == (
        cidr[free[0]] if free else None
    )


def test_there_is_no_pool_below_the_first_address_of_all():
    pools = default_pools(ip_network("::/127"), ip_address("::"))

    assert pools == ((ip_address("::1"), ip_address("::1")),)


def test_the_next_free_address_is_the_same_when_the_search_continues():
    cidr = ip_network("10.0.0.0/28")
    pools = ((cidr[9], cidr[11]), (cidr[2], cidr[4]), (cidr[6], cidr[6]))
    subnet = Subnet(id="s", name="s", network_id="n", cidr=cidr, pools=pools, gateway_ip=cidr[3])
    taken, after = {cidr[10]}, None
    found = []
    while (address := free_address(subnet, taken, after=after)) is not None:
        assert address == free_address(subnet, taken)
        found.append(address)
        taken.add(address)
        after = address

    assert found == [cidr[9], cidr[11], cidr[2], cidr[4], cidr[6]]
