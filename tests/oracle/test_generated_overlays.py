"""The generator makes what it promises, the same every time."""

from collections import Counter

import pytest

from controller.flows.pipeline import RELEASES
from controller.model.encap import NetworkType
from tests.oracle.overlays import (
    SEEDS,
    SHARED_MAC,
    SWITCHED_MODES,
    mode_of,
    overlay_of,
    release_of,
)

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def overlays():
    return [overlay_of(seed) for seed in SEEDS]


def test_each_mode_of_switches_comes_twice_under_each_release():
    times = Counter((mode_of(seed), release_of(seed)) for seed in SEEDS)
    assert {times[mode, release] for mode in SWITCHED_MODES for release in RELEASES} == {2}
    assert len(SWITCHED_MODES) >= 14


def test_a_seed_always_makes_the_same_overlay(overlays):
    assert overlays == [overlay_of(seed) for seed in SEEDS]


def test_no_two_seeds_make_the_same_overlay(overlays):
    assert len({str((o.hosts, o.networks, o.ports)) for o in overlays}) == len(SEEDS)


def test_sizes_stay_within_what_was_agreed(overlays):
    for overlay in overlays:
        assert 2 <= len(overlay.hosts) <= 6
        assert 1 <= len(overlay.networks) <= 7
        assert overlay.ports


def hosts_of(overlay, network):
    return [port.host for port in overlay.ports if port.network_id == network.id]


CORNERS = {
    "a host without a member": lambda o: {h.name for h in o.hosts} - {p.host for p in o.ports},
    "a network with one member": lambda o: any(len(set(hosts_of(o, n))) == 1 for n in o.networks),
    "several ports on one host": lambda o: any(
        max(Counter(hosts_of(o, n)).values()) > 1 for n in o.networks
    ),
    "gre and vxlan side by side": lambda o: (
        {NetworkType.GRE, NetworkType.VXLAN} <= {n.network_type for n in o.networks}
    ),
    "geneve by its own choice": lambda o: (
        len({n.network_type for n in o.networks}) > 1
        and any(n.network_type is NetworkType.GENEVE for n in o.networks)
    ),
    "a provider network beside a tunnel": lambda o: (
        {True, False} == {n.network_type.is_tunnel for n in o.networks}
    ),
    "provider networks on two bridges": lambda o: (
        len({n.physical_network for n in o.networks if n.network_type.is_provider}) > 1
    ),
    "a local network with guests on two hosts": lambda o: any(
        n.network_type is NetworkType.LOCAL and len(set(hosts_of(o, n))) > 1 for n in o.networks
    ),
    "a host that does not speak a type in use": lambda o: any(
        n.network_type.is_tunnel and n.network_type not in h.tunnel_types
        for n in o.networks
        for h in o.hosts
    ),
    "two addresses": lambda o: any(len(p.ipv4) > 1 for p in o.ports),
    "IPv6": lambda o: any(p.ipv6 for p in o.ports),
    "no IPv4": lambda o: any(not p.ipv4 for p in o.ports),
    "port security off": lambda o: not all(p.port_security_enabled for p in o.ports),
    "a port switched off": lambda o: not all(p.admin_state_up for p in o.ports),
    "one MAC in two networks": lambda o: sum(p.mac_address == SHARED_MAC for p in o.ports) > 1,
    "one address in two networks": lambda o: (
        max(Counter(ip for p in o.ports for ip in p.fixed_ips).values(), default=0) > 1
    ),
    "IPv6 on the underlay": lambda o: o.hosts[0].local_ip.version == 6,
    "the largest VNI": lambda o: any(n.segmentation_id == 2**24 - 1 for n in o.networks),
}


@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_is_in_at_least_two_overlays(overlays, corner):
    assert sum(bool(CORNERS[corner](overlay)) for overlay in overlays) >= 2
