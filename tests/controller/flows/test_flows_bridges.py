"""Flows of one host: what each part of the overlay adds, and what holds for every flow."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.flows.actions import Goto, Output
from controller.flows.binding import Binding, new_binding
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.text import dump, flow_text
from controller.model.errors import ModelError
from controller.model.modes import MODES, parse_mode, with_mode
from controller.model.overlay import Overlay
from tests.controller.small import BLUE, RED, VXLAN, port, small

A, B, C = port(1, RED, "h1"), port(2, RED, "h2"), port(3, BLUE, "h3")
BASE = small(A, B, C)


def lines(overlay: Overlay, host: str = "h1", bridge: str = "br-tun") -> list[str]:
    return dump(bridge_flows(overlay, new_binding(overlay, host), bridge))


def of_table(table: int, text: list[str]) -> list[str]:
    return [line for line in text if line.startswith(f"table={table}, ")]


def l2pop(overlay: Overlay, *, arp: bool = False) -> Overlay:
    hosts = (replace(host, l2_population=True, arp_responder=arp) for host in overlay.hosts)
    return replace(overlay, hosts=tuple(hosts))


def test_an_unknown_bridge_is_an_error():
    with pytest.raises(ModelError) as caught:
        lines(BASE, bridge="br-ex")
    assert str(caught.value) == (
        "host 'h1': bridge 'br-ex'; allowed: br-int, br-tun. "
        "Name one of them; br-tun needs [agent] tunnel_types."
    )


def test_a_mesh_floods_to_every_vtep_of_the_type_and_announces_no_mac():
    text = lines(BASE)
    assert of_table(22, text) == [
        "table=22, priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x6f->tun_id,"
        'output:"vxlan-c0000202",output:"vxlan-c0000203"',
        "table=22, priority=0 actions=drop",
    ]
    assert of_table(20, text) == ["table=20, priority=0 actions=goto_table:22"]
    assert of_table(21, text) == []


def test_l2population_floods_to_members_and_announces_macs():
    text = lines(l2pop(BASE))
    assert of_table(22, text)[0] == (
        'table=22, priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x6f->tun_id,output:"vxlan-c0000202"'
    )
    assert of_table(20, text)[0] == (
        "table=20, priority=2,dl_vlan=1,dl_dst=fa:16:3e:00:01:02 "
        'actions=pop_vlan,set_field:0x6f->tun_id,output:"vxlan-c0000202"'
    )
    assert of_table(21, text) == []
    assert not any("c0000203" in line for line in text)


def test_l2population_separates_two_networks_of_one_type():
    both = small(A, B, port(4, BLUE, "h1"), port(5, BLUE, "h3"))
    text = lines(with_mode(both, parse_mode("vxlan-l2pop")))
    assert of_table(22, text)[:2] == [
        'table=22, priority=1,dl_vlan=1 actions=pop_vlan,set_field:0x6f->tun_id,output:"vxlan-c0000202"',
        'table=22, priority=1,dl_vlan=2 actions=pop_vlan,set_field:0xde->tun_id,output:"vxlan-c0000203"',
    ]


def test_a_network_on_one_host_only_has_no_flood_flow():
    text = lines(l2pop(small(A)))
    assert of_table(22, text) == ["table=22, priority=0 actions=drop"]
    assert len(of_table(4, text)) == 2


def test_the_arp_responder_answers_for_remote_ipv4_addresses_only():
    six = replace(B, fixed_ips=(*B.fixed_ips, ip_address("198.51.1.77"), ip_address("2001:db8::2")))
    subnets = (*BASE.subnets, replace(BASE.subnets[0], id="six", cidr=ip_network("2001:db8::/64")))
    overlay = l2pop(replace(BASE, ports=(A, six), subnets=subnets), arp=True)
    text = lines(overlay)
    assert [line.split(" actions")[0] for line in of_table(21, text)] == [
        "table=21, priority=1,arp,dl_vlan=1,arp_tpa=198.51.1.2",
        "table=21, priority=1,arp,dl_vlan=1,arp_tpa=198.51.1.77",
        "table=21, priority=0",
    ]
    assert "table=2, priority=1,arp,dl_dst=ff:ff:ff:ff:ff:ff actions=goto_table:21" in text


def test_the_arp_responder_needs_l2population():
    alone = replace(BASE, hosts=tuple(replace(host, arp_responder=True) for host in BASE.hosts))
    assert lines(alone) == lines(BASE)


def test_no_flow_outputs_to_a_tunnel_without_a_port():
    binding = new_binding(BASE, "h1")
    kept = {name: n for name, n in binding.ofports["br-tun"].items() if name != "vxlan-c0000203"}
    without = replace(binding, ofports={**binding.ofports, "br-tun": kept})
    text = dump(bridge_flows(BASE, without, "br-tun"))
    assert any("vxlan-c0000202" in line for line in text)
    assert not any("vxlan-c0000203" in line for line in text)


def test_a_guest_may_announce_only_its_own_addresses():
    guest = 'in_port="qvo00000001-00"'
    assert [line for line in lines(BASE, bridge="br-int") if guest in line] == [
        f"priority=10,arp,{guest} actions=goto_table:24",
        f"priority=10,icmp6,{guest},icmp_type=136 actions=goto_table:24",
        f"priority=9,{guest} actions=goto_table:25",
        f"table=24, priority=2,arp,{guest},arp_spa=198.51.1.1 actions=goto_table:25",
        f"table=24, priority=2,icmp6,{guest},icmp_type=136,nd_target=fe80::f816:3eff:fe00:101 "
        "actions=goto_table:60",
        f"table=25, priority=2,{guest},dl_src=fa:16:3e:00:01:01 actions=goto_table:60",
    ]


@pytest.mark.parametrize(
    "off", [{"port_security_enabled": False}, {"status": "DOWN"}, {"host": ""}]
)
def test_a_guest_without_port_security_or_not_there_has_no_flows(off):
    overlay = replace(BASE, ports=(replace(A, **off), B, C))
    assert not any("qvo00000001-00" in line for line in lines(overlay, bridge="br-int"))


def test_frames_from_a_dead_port_with_a_device_are_dropped():
    made = new_binding(BASE, "h1")
    numbers = {**made.ofports, "br-int": {**made.ofports["br-int"], "qvodead": 99}}
    binding = replace(made, dead=frozenset({"qvodead", "qvogone"}), ofports=numbers)
    text = dump(bridge_flows(BASE, binding, "br-int"))
    assert 'priority=2,in_port="qvodead" actions=drop' in text
    assert not [line for line in text if "qvogone" in line]


def test_a_host_without_networks_has_no_segment():
    text = lines(BASE, host="h3")
    assert len(of_table(3, text)) == 2
    assert of_table(4, text) == ["table=4, priority=0 actions=drop"]
    idle = small(A, B)
    assert of_table(22, lines(idle, host="h3")) == ["table=22, priority=0 actions=drop"]


def test_a_vlan_network_gets_its_tag_changed_on_both_sides():
    overlay = with_mode(BASE, next(mode for mode in MODES if str(mode) == "vlan"))
    assert (
        'priority=3,in_port="int-br-vtep",dl_vlan=111 actions=set_field:4097->vlan_vid,goto_table:60'
        in lines(overlay, bridge="br-int")
    )
    assert lines(overlay, bridge="br-vtep") == [
        'priority=4,in_port="phy-br-vtep",dl_vlan=1 actions=set_field:4207->vlan_vid,NORMAL',
        'priority=2,in_port="phy-br-vtep" actions=drop',
        "priority=0 actions=NORMAL",
    ]


PLACES = st.lists(
    st.tuples(st.sampled_from([RED, BLUE]), st.integers(1, 4), st.booleans()), max_size=8
)
WAYS = st.sampled_from(
    [None, *(mode for mode in MODES if str(mode) != "flat" and not mode.is_kernel)]
)


@given(PLACES, WAYS)
def test_properties_of_the_flows_of_any_overlay(places, mode):
    ports = (
        port(number, network, f"h{on}", port_security_enabled=secure)
        for number, (network, on, secure) in enumerate(places, start=1)
    )
    overlay = with_mode(small(*ports, hosts=4), mode)
    for host in overlay.hosts:
        binding = new_binding(overlay, host.name)
        for bridge in bridges(host):
            assert_sound(bridge_flows(overlay, binding, bridge), binding, bridge)


def assert_sound(flows, binding: Binding, bridge: str) -> None:
    keys = [(flow.table, flow.priority, flow.match) for flow in flows]
    assert len(keys) == len(set(keys)), "two flows with one match: the switch would keep one"
    tables = {flow.table for flow in flows}
    known = binding.ofports[bridge]
    for flow in flows:
        gotos = [action for action in flow.actions if isinstance(action, Goto)]
        assert all(goto.table in tables for goto in gotos), f"leads nowhere: {flow_text(flow)}"
        assert gotos == list(flow.actions[-1:]) or not gotos
        outputs = {action.port for action in flow.actions if isinstance(action, Output)}
        assert outputs | {v for k, v in flow.match if k == "in_port"} <= set(known)
        assert len(outputs) == sum(isinstance(action, Output) for action in flow.actions)


@given(PLACES)
def test_tunnel_ids_agree_between_the_two_ends(places):
    overlay = small(
        *(port(n, net, f"h{on}") for n, (net, on, _) in enumerate(places, start=1)), hosts=4
    )
    for network in overlay.networks:
        table = 4 if network.network_type is VXLAN else 3
        wanted = f"tun_id={network.segmentation_id:#x} "
        for host in overlay.hosts:
            received = [
                line for line in of_table(table, lines(overlay, host.name)) if wanted in line
            ]
            assert len(received) == (host in overlay.members(network.id))
