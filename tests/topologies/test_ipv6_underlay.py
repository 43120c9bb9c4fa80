"""VTEPs with IPv6 addresses, as values: MTUs, names of tunnels, and copies by their outer header."""

from dataclasses import replace

import pytest

from controller.flows.ports import tunnels
from controller.model.modes import parse_mode, with_mode
from experiments.fanout.count import counted, frame_rows
from experiments.fanout.labs import staged
from tests.experiments.fanout.ideal_lab import all_seen, packet, sent
from topologies.scenario.load import load

SIX = load("ipv6-underlay").overlay


def test_the_shipped_scenario_leaves_its_guests_20_bytes_less():
    assert {net.name: SIX.mtu_of(net) for net in SIX.networks} == {
        "red": 1430,
        "green": 1438,
        "blue": 1430,
    }
    jumbo = replace(SIX, underlay_mtu=9000)
    assert [jumbo.mtu_of(net) for net in SIX.networks] == [8930, 8938, 8930]
    bare = with_mode(SIX, parse_mode("vlan"))
    assert {bare.mtu_of(net) for net in bare.networks} == {1500}


@pytest.mark.parametrize(
    ("release", "names"),
    [
        ("queens", ["vxlan-fr2u5y6xu", "vxlan-x5ijdsc5i", "gre-fr2u5y6xuxm"]),
        ("current", ["vxlan-evm7o3p2p", "vxlan-unzit5ohp", "gre-evm7o3p2pbv"]),
    ],
)
def test_tunnels_are_named_by_the_releases_hash(release, names):
    overlay = replace(SIX, release=release)
    assert [tunnel.name for tunnel in tunnels(overlay, overlay.hosts[0])] == names


def six(found):
    """The same packet with the tunnel's header in IPv6."""
    outer = {"ipv6.src": found["ip.src"], "ipv6.dst": found["ip.dst"]}
    return {**found, "ip.src": "", "ip.dst": "", **outer}


def test_copies_are_counted_by_their_ipv6_header():
    overlay = staged(SIX, {"mode": "vxlan-mesh", "hosts": 4})
    frames = sent(overlay)
    counts = counted(overlay, frames, map(six, all_seen(overlay, "vxlan-mesh")))
    rows = frame_rows(overlay, counts)
    assert {row["copies_sent"] for row in rows} == {3}
    assert {row["arrived"] for row in rows} == {3}
    assert {row["misdelivered"] for row in rows} == {0}


def test_a_copy_from_or_to_an_unknown_address_is_misdelivered():
    overlay = staged(SIX, {"mode": "vxlan-mesh", "hosts": 4})
    frame, one, other = sent(overlay)[0], overlay.hosts[1], overlay.hosts[2]
    from_stranger = six(packet(one.name, "underlay", frame, outer=("fd00::1", str(one.local_ip))))
    misled = (str(overlay.hosts[0].local_ip), str(other.local_ip))
    to_another = six(packet(one.name, "underlay", frame, outer=misled))
    (row,) = frame_rows(overlay, counted(overlay, [frame], [from_stranger, to_another]))
    assert (row["misdelivered"], row["arrived"]) == (2, 0)
