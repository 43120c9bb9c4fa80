"""Two releases of Neutron: they differ in their rows, and in nothing else."""

from dataclasses import replace

import pytest

from controller.flows.actions import Goto
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.pipeline import (
    CURRENT,
    QUEENS,
    RELEASES,
    Bridge,
    Flow,
    Int,
    Priority,
    Tun,
    pipeline_of,
)
from controller.flows.text import dump
from controller.model.encap import NetworkType
from controller.model.errors import PipelineError
from controller.model.overlay import Overlay
from tests.controller.small import RED, port, small

NAMES = {  # neutron_lib/plugins/ml2/ovs_constants.py
    0: "LOCAL_SWITCHING",
    23: "CANARY_TABLE",
    24: "ARP_SPOOF_TABLE",
    25: "MAC_SPOOF_TABLE",
    30: "LOCAL_EGRESS_TABLE",
    31: "LOCAL_IP_TABLE",
    58: "PACKET_RATE_LIMIT",
    59: "BANDWIDTH_RATE_LIMIT",
    60: "TRANSIENT_TABLE",
    61: "LOCAL_MAC_DIRECT",
    62: "TRANSIENT_EGRESS_TABLE",
}
BOTH = (port(1, RED, "h1"), port(2, RED, "h2"))


def flows(overlay: Overlay, bridge: str, release: str) -> list[str]:
    requested = replace(overlay, release=release)
    return dump(bridge_flows(requested, new_binding(requested, "h1"), bridge))


def test_tables_of_br_int_are_neutrons():
    assert {int(table): table.name for table in Int} == NAMES
    assert set(pipeline_of("br-int", CURRENT)) == set(NAMES)
    assert set(pipeline_of("br-int", QUEENS)) == {0, 23, 24, 25, 60}


def test_br_tun_differs_only_in_the_table_that_learns():
    queens, current = (pipeline_of("br-tun", release) for release in (QUEENS, CURRENT))
    assert {table for table in queens if queens[table] != current[table]} == {Tun.LEARN_FROM_TUN}
    added = set(flows(small(*BOTH), "br-tun", CURRENT)) - set(flows(small(*BOTH), "br-tun", QUEENS))
    assert sorted(line.partition(" actions")[0] for line in added) == [
        "table=10, priority=2,arp,arp_tha=ff:ff:ff:ff:ff:ff",
        "table=10, priority=2,icmp6,icmp_type=134",
        "table=10, priority=2,icmp6,icmp_type=136",
    ]


def test_the_flows_for_announcements_learn_the_same_as_the_general_one():
    learning = [flow.actions for flow in Bridge("br-tun", CURRENT).always() if flow.table == 10]
    assert len(learning) == 4
    assert len(set(learning)) == 1


def test_provider_bridges_are_the_same():
    overlay = small(tunnel_types=(), bridge_mappings=(("physnet1", "br-ex"),))
    assert flows(overlay, "br-ex", QUEENS) == flows(overlay, "br-ex", CURRENT)


@pytest.mark.parametrize(("release", "tables"), [(QUEENS, [0, 60]), (CURRENT, [0, 58, 59, 60])])
def test_an_accepted_frame_passes_these_tables(release, tables):
    """From the tunnel bridge: no flow of table 0 knows it, so it goes where the miss leads."""
    missed = {
        flow.table: flow.actions[0]
        for flow in Bridge("br-int", release).always()
        if not flow.match
        if flow.actions
    }
    passed = [0]
    while isinstance(action := missed[passed[-1]], Goto):
        passed.append(action.table)
    assert passed == tables
    assert str(missed[passed[-1]]) == "NORMAL"


def test_a_flow_is_checked_with_the_tables_of_its_own_release():
    with pytest.raises(PipelineError, match="table 58; allowed: 0, 23, 24, 25, 60"):
        Flow("br-int", Int.PACKET_RATE_LIMIT, Priority.MISS)
    flow = Flow("br-int", Int.PACKET_RATE_LIMIT, Priority.MISS, release=CURRENT)
    assert "packet rate limits" in flow.why


@pytest.mark.parametrize("release", RELEASES)
def test_every_table_has_its_purpose(release):
    for bridge in ("br-int", "br-tun", "br-ex"):
        assert all(len(row.why) > 10 for row in pipeline_of(bridge, release).values())


@pytest.mark.parametrize("release", RELEASES)
def test_a_local_network_has_a_local_vlan_and_only_the_flows_of_its_guests(release):
    base = small(*BOTH)
    local = replace(base.network_of[RED], network_type=NetworkType.LOCAL, segmentation_id=None)
    others = tuple(network for network in base.networks if network.id != RED)
    overlay = replace(base, networks=(local, *others), release=release)
    assert new_binding(overlay, "h1").local_vlans == {RED: 1}
    empty = replace(base, ports=())
    assert flows(overlay, "br-tun", release) == flows(empty, "br-tun", release)
    assert flows(overlay, "br-int", release) == flows(base, "br-int", release)


@pytest.mark.parametrize("release", RELEASES)
def test_a_dhcp_servers_port_is_trusted(release):
    base = small(*BOTH)
    served = replace(BOTH[0], is_dhcp_server=True)
    overlay = replace(base, ports=(served, BOTH[1]))
    unsecured = replace(base, ports=(replace(BOTH[0], port_security_enabled=False), BOTH[1]))
    assert flows(overlay, "br-int", release) == flows(unsecured, "br-int", release)
    assert flows(overlay, "br-int", release) != flows(base, "br-int", release)


@pytest.mark.parametrize("release", RELEASES)
def test_a_guest_without_an_address_is_not_announced_by_l2population(release):
    base = small(*BOTH, l2_population=True)
    silent = replace(base, ports=(BOTH[0], replace(BOTH[1], fixed_ips=())))
    stated = [line for line in flows(base, "br-tun", release) if "table=20, priority=2" in line]
    assert len(stated) == 1
    assert set(flows(base, "br-tun", release)) - set(flows(silent, "br-tun", release)) == {*stated}
