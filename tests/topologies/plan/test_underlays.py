"""Underlays as values: routers, cables, addresses, routes, and what is refused."""

import re
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import chain

import pytest

from controller.model.check_underlay import router_names
from controller.model.errors import ModelError
from controller.model.modes import parse_mode, with_mode
from controller.model.names import underlay_mac
from controller.model.serial import dump_state, load_state
from controller.model.underlay import Shape, Underlay
from tests.controller.small import small
from topologies.nodes.routers import cables, host_end
from topologies.nodes.topo import LeafSpineTopo, WanTopo
from topologies.nodes.wires import impaired, impairments
from topologies.plan import plan, underlays
from topologies.scenario import load as scenario

FABRIC = Underlay(shape=Shape.LEAF_SPINE, spines=4, hash_policy=2)
WAN = Underlay(shape=Shape.WAN)


def overlay(underlay, hosts=3, **options):
    return replace(small(hosts=hosts, **options), underlay=underlay)


def test_a_switch_has_no_router():
    assert router_names(small()) == ()
    assert list(cables(small())) == []
    assert underlays.Wiring(small().underlay).edge(2) == "underlay"
    assert host_end(small()) == {}


@pytest.mark.parametrize(
    ("shape", "topo"), [(Shape.LEAF_SPINE, LeafSpineTopo), (Shape.WAN, WanTopo)]
)
def test_a_drawing_has_the_nodes_and_addresses_of_the_underlay(shape, topo):
    wired, drawn = underlays.Wiring(Underlay(shape=shape)), topo.__doc__
    boxes = set(re.findall(r"\[(\w+)\]", drawn))

    assert boxes == {*wired.core(), *map(wired.edge, range(len(boxes) - len(wired.core())))}
    firsts = {f"{cable.first}/31" for cable in wired.uplinks(0)}
    addresses = {str(underlays.GATEWAY), str(underlays.LINK_IP), *firsts}
    assert {each.strip(",;") for each in re.findall(r"198\.\S+", drawn)} <= addresses


def test_each_host_has_a_leaf_with_a_cable_to_every_spine():
    fabric = overlay(FABRIC)

    assert router_names(fabric) == (
        "leaf1",
        "leaf2",
        "leaf3",
        "spine1",
        "spine2",
        "spine3",
        "spine4",
    )
    joined = [(each["node1"], each["node2"]) for each in cables(fabric)]
    assert joined == [(f"spine{k}", f"leaf{n}") for n in (1, 2, 3) for k in (1, 2, 3, 4)]
    assert underlays.Wiring(FABRIC).edge(2) == "leaf3"


def test_a_wan_has_two_transit_routers_in_a_row():
    wan = overlay(WAN, hosts=4)

    assert router_names(wan) == ("edge1", "edge2", "edge3", "edge4", "transit1", "transit2")
    assert [(each["node1"], each["node2"]) for each in cables(wan)] == [
        ("transit1", "transit2"),
        ("transit1", "edge1"),
        ("transit2", "edge2"),
        ("transit1", "edge3"),
        ("transit2", "edge4"),
    ]


def test_a_wan_may_have_a_smaller_mtu_in_the_middle():
    wan = overlay(replace(WAN, wan_mtu=1492))

    assert [each["mtu"] for each in cables(wan)] == [1492, 1500, 1500, 1500]
    with pytest.raises(ModelError, match=r"wan_mtu 1501; allowed: 576\.\.1500 bytes"):
        overlay(replace(WAN, wan_mtu=1501))
    kept, *_ = load_state(dump_state(wan, {}))
    assert kept.underlay.wan_mtu == 1492


@pytest.mark.parametrize("underlay", [FABRIC, Underlay(shape=Shape.LEAF_SPINE, spines=8), WAN])
def test_addresses_are_unique_and_each_end_has_the_mac_of_the_other(underlay):
    wired = underlays.Wiring(underlay)
    every = list(chain(wired.trunks(), *(wired.uplinks(index) for index in range(16))))
    addresses = [each.first + end for each in every for end in (0, 1)]

    assert len(set(addresses)) == len(addresses) == len({underlay_mac(ip) for ip in addresses})
    assert all(ip in ip_network("198.19.0.0/16") for ip in addresses)
    assert not {underlays.GATEWAY, underlays.LINK_IP} & set(addresses)
    one = every[-1]
    name, own, far = one.end(one.one)
    assert (name, own, far) == (one.other, *reversed(one.end(one.other)[1:]))
    assert f"neigh replace {far} lladdr {underlay_mac(far)} dev {name} nud permanent" in one.lines(
        one.one
    )


def test_a_leaf_has_equal_cost_routes_over_all_spines_and_one_to_its_host():
    lines = underlays.lines(
        FABRIC, "leaf2", [(0, ip_address("192.0.2.1")), (1, ip_address("192.0.2.2"))]
    )

    assert "route replace 192.0.2.2 dev host2" in lines
    assert not any("192.0.2.1 " in line for line in lines)
    (default,) = (line for line in lines if "default" in line)
    assert default == (
        "route replace default nexthop via 198.19.2.2 dev spine1 nexthop via 198.19.4.2 dev spine2 "
        "nexthop via 198.19.6.2 dev spine3 nexthop via 198.19.8.2 dev spine4"
    )


def test_a_spine_has_a_route_to_each_vtep_and_no_other():
    lines = underlays.lines(
        FABRIC, "spine3", [(0, ip_address("192.0.2.1")), (2, ip_address("192.0.2.3"))]
    )

    assert [line for line in lines if line.startswith("route")] == [
        "route replace 192.0.2.1 via 198.19.6.1 dev leaf1",
        "route replace 192.0.2.3 via 198.19.6.5 dev leaf3",
    ]


def test_a_transit_router_forwards_packets_for_the_other_side():
    members = [(n, ip_address(f"192.0.2.{n + 1}")) for n in range(3)]
    ways = {
        router: [line for line in underlays.lines(WAN, router, members) if line.startswith("route")]
        for router in ("transit1", "transit2", "edge1")
    }

    assert ways["transit1"] == [
        "route replace 192.0.2.1 via 198.19.2.1 dev edge1",
        "route replace 192.0.2.2 via 198.19.128.1 dev transit2",
        "route replace 192.0.2.3 via 198.19.2.5 dev edge3",
    ]
    assert ways["transit2"] == [
        "route replace 192.0.2.1 via 198.19.128.0 dev transit1",
        "route replace 192.0.2.2 via 198.19.4.3 dev edge2",
        "route replace 192.0.2.3 via 198.19.128.0 dev transit1",
    ]
    assert ways["edge1"] == [
        "route replace 192.0.2.1 dev host1",
        "route replace default nexthop via 198.19.2.0 dev transit1",
    ]


@pytest.mark.parametrize("underlay", [FABRIC, WAN])
def test_every_route_ends_at_the_host(underlay):
    """Followed from router to router, by whatever the first nexthop is."""
    members = [(n, ip_address(f"192.0.2.{n + 1}")) for n in range(5)]
    wired = underlays.Wiring(underlay)
    names = (*map(wired.edge, range(5)), *wired.core())
    tables = {name: _routes(underlays.lines(underlay, name, members)) for name in names}
    for at in range(5):
        for index, vtep in members:
            router, passed = wired.edge(at), []
            while router != f"host{index + 1}":
                passed.append(router)
                assert len(passed) < 6, passed
                table = tables[router]
                router = table[str(vtep)] if str(vtep) in table else table["default"]
            assert passed[-1] == wired.edge(index)


def _routes(lines):
    routes = (line.split() for line in lines if line.startswith("route"))
    return {words[2]: words[words.index("dev") + 1] for words in routes}


def test_the_hash_policy_is_a_kernel_parameter_of_the_routers():
    assert "net.ipv4.fib_multipath_hash_policy=2" in underlays.kernel(FABRIC)
    assert "net.ipv4.ip_forward=1" in underlays.kernel(WAN)


def test_a_host_behind_a_router_has_the_mac_of_its_router_only():
    fabric = overlay(FABRIC)
    host = fabric.hosts[0]

    assert plan.vtep_address(fabric, host) == "192.0.2.1/32"
    assert plan.next_hops(fabric, host) == {underlays.GATEWAY: underlay_mac(underlays.GATEWAY)}
    assert host_end(fabric) == {"addr2": underlay_mac(underlays.GATEWAY)}
    assert plan.vtep_ways(fabric, host, "br-vtep") == [
        "addr replace 192.0.2.1/32 dev br-vtep",
        "addr replace 198.19.0.2/30 dev br-vtep",
        "route replace default via 198.19.0.1 dev br-vtep src 192.0.2.1",
        f"neigh replace 198.19.0.1 lladdr {underlay_mac(underlays.GATEWAY)} dev br-vtep nud permanent",
    ]


def test_a_host_on_a_switch_has_the_mac_of_every_other():
    host = small().hosts[0]
    others = [ip_address(f"192.0.2.{n}") for n in (2, 3)]

    assert plan.next_hops(small(), host) == {ip: underlay_mac(ip) for ip in others}
    assert plan.vtep_ways(small(), host, "underlay")[0] == "addr replace 192.0.2.1/24 dev underlay"


def test_delay_and_loss_use_the_commands_of_mininets_tclink():
    assert impairments("underlay", 2.5, 1.25) == [
        (
            "tc",
            "qdisc",
            "add",
            "dev",
            "underlay",
            "root",
            "handle",
            "10:",
            "netem",
            "delay",
            "2.5ms",
            "loss",
            "1.25000",
        )
    ]
    assert impairments("underlay", 0.0, 3.0)[0][-3:] == ("netem", "loss", "3.00000")
    assert impairments("underlay", 0.0, 0.0) == []
    assert impaired(Underlay()) == {}
    assert impaired(Underlay(delay_ms=5))["delay_ms"] == 5


def test_the_scenario_and_the_state_keep_the_underlay():
    fabric = scenario.load("leaf-spine").overlay

    assert fabric.underlay == Underlay(shape=Shape.LEAF_SPINE, spines=2, hash_policy=1)
    assert len(fabric.hosts) == 4
    kept, *_ = load_state(dump_state(fabric, {}))
    assert kept.underlay == fabric.underlay


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"spines": 9},
            "underlay: spines 9; allowed: 1..8. Pick one in that range, or leave the key out.",
        ),
        ({"spines": 0}, "underlay: spines 0; allowed: 1..8."),
        ({"delay_ms": -1.0}, "underlay: delay_ms -1.0; allowed: 0..10000."),
        ({"loss_percent": 101.0}, "underlay: loss_percent 101.0; allowed: 0..100."),
        (
            {"wan_mtu": 1492},
            "underlay: wan_mtu 1492; allowed: 576..1500 bytes, with `shape: wan` only.",
        ),
        (
            {"hash_policy": 3},
            "underlay: hash_policy 3; allowed: 0: addresses; 1: addresses and ports; 2: ",
        ),
    ],
)
def test_a_number_out_of_range_is_refused(values, message):
    with pytest.raises(ModelError) as error:
        overlay(replace(FABRIC, **values))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("underlay", [FABRIC, WAN])
def test_traffic_that_routers_cannot_forward_is_refused(underlay):
    one, fabric = small(hosts=1).hosts[0], scenario.load("leaf-spine").overlay
    with pytest.raises(
        ModelError, match=r"vxlan_group .* on a routed underlay.*forward no multicast"
    ):
        with_mode(replace(fabric, underlay=underlay), parse_mode("kvxlan-multicast"))
    with pytest.raises(ModelError, match=r"local_ip 2001:db8::1 on a routed underlay.*IPv4 only"):
        _with_host(underlay, replace(one, local_ip=ip_address("2001:db8::1")))
    with pytest.raises(
        ModelError, match=r"local_ip 198.19.4.4; allowed: any address outside 198.19"
    ):
        _with_host(underlay, replace(one, local_ip=ip_address("198.19.4.4")))
    name = router_names(overlay(underlay))[0]
    with pytest.raises(ModelError, match=rf"host '{name}': name '{name}' is the name of a router"):
        _with_host(underlay, replace(one, name=name))


def _with_host(underlay, host):
    bare = small(hosts=1)
    return replace(bare, hosts=(host,), networks=(), subnets=(), underlay=underlay)


def test_untunnelled_networks_need_one_ethernet():
    fabric = scenario.load("leaf-spine").overlay
    with pytest.raises(ModelError, match="each host is behind a router of its own"):
        with_mode(fabric, parse_mode("vlan"))
    with_mode(replace(fabric, underlay=Underlay()), parse_mode("vlan"))


def test_an_error_names_the_line_of_its_key(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "summary: x\nunderlay:\n  mtu: 1500\n  shape: leaf-spine\n  spines: 77\n"
        "agent: {tunnel_types: [vxlan]}\nhosts:\n  - {name: a, local_ip: 192.0.2.1}\n"
    )
    with pytest.raises(ModelError, match=r"wrong.yaml:5.*spines 77"):
        scenario.load(str(path))


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (("192.0.2.1", "192.0.2.2"), 24),
        (("192.0.2.1", "192.0.3.2"), 23),
        (("192.0.2.1", "192.0.2.255"), 23),  # a /24 would make it the broadcast address
        (("192.0.2.0", "192.0.2.1"), 22),  # the first address of a /24 and of a /23
        (("192.0.2.9", "192.0.1.255"), 22),
    ],
)
def test_no_vtep_is_the_first_or_last_address_of_its_prefix(addresses, expected):
    switched = small(hosts=2)
    hosts = tuple(
        replace(each, local_ip=ip_address(address))
        for each, address in zip(switched.hosts, addresses, strict=True)
    )
    overlay_ = replace(switched, hosts=hosts)

    assert [plan.vtep_address(overlay_, host) for host in hosts] == [
        f"{address}/{expected}" for address in addresses
    ]
