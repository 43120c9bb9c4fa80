"""A scenario with another number of hosts, or on another underlay MTU, as `up --hosts --mtu` has it."""

from dataclasses import replace

import pytest

from controller.model.enlarge import resized, varied, with_underlay_mtu
from controller.model.errors import ModelError, UsageError
from topologies.scenario.load import load

ARTICLE = load("article").overlay


def servers(overlay):
    return [(port.device_id, port.host, str(port.fixed_ips[0])) for port in overlay.ports]


def test_each_added_host_has_a_server_on_the_first_network():
    larger = resized(ARTICLE, 4)
    assert larger.ports[:2] == ARTICLE.ports
    assert servers(larger)[2:] == [
        ("server3", "computer2", "172.16.166.100"),
        ("server4", "computer3", "172.16.166.101"),
    ]
    assert resized(ARTICLE, 2) == ARTICLE


def test_a_server_is_on_the_first_network_that_its_host_can_have():
    overlay = load("side-by-side").overlay
    kinds = [each.network_type for each in overlay.networks]
    last = replace(overlay.hosts[-1], tunnel_types=(kinds[-1],))
    networks = {each.id: each.network_type for each in overlay.networks}
    kept = tuple(
        port
        for port in overlay.ports
        if port.host != last.name or networks[port.network_id] is kinds[-1]
    )
    assert kinds[0] is not kinds[-1]
    changed = replace(overlay, hosts=(*overlay.hosts[:-1], last), ports=kept)
    (new,) = resized(changed, len(overlay.hosts) + 1).ports[len(kept) :]
    assert networks[new.network_id] is kinds[-1]


def test_hosts_that_are_removed_take_their_ports_with_them():
    four = resized(load("leaf-spine").overlay, 4)
    two = resized(four, 2)
    assert two.hosts == four.hosts[:2]
    assert two.ports == tuple(port for port in four.ports if port.host in two.host_of)
    assert two.networks == four.networks


def test_a_dhcp_server_moves_to_a_host_that_is_kept():
    three = resized(load("article-dhcp").overlay, 3)
    hosts = (three.hosts[2], *three.hosts[:2])  # the server is on the host that goes
    moved = tuple(
        replace(port, host="computer2") if port.is_dhcp_server else port for port in three.ports
    )
    (server,) = [
        port
        for port in resized(replace(three, hosts=hosts[1:] + hosts[:1], ports=moved), 2).ports
        if port.is_dhcp_server
    ]
    assert server.host in {"controller", "computer"}


@pytest.mark.parametrize("hosts", [-1, 0, 1, 17, 10**9])
def test_an_invalid_number_of_hosts_is_refused(hosts):
    with pytest.raises(UsageError, match=rf"{hosts} hosts; allowed: 2\.\.16 \(it has 2\)"):
        resized(ARTICLE, hosts)


def test_networks_follow_the_mtu_of_the_underlay():
    assert [ARTICLE.mtu_of(each) for each in ARTICLE.networks] == [1450]
    jumbo = with_underlay_mtu(ARTICLE, 9000)
    assert [jumbo.mtu_of(each) for each in jumbo.networks] == [8950]
    assert jumbo.mtu_of(varied(ARTICLE, mode="gre-mesh", mtu=9000).networks[0]) == 8958


@pytest.mark.parametrize(
    ("mtu", "error"),
    [
        (0, r"underlay: mtu 0; allowed: 576\.\.65521"),
        (575, "underlay: mtu 575; allowed"),
        (65522, "underlay: mtu 65522; allowed"),
        (1449, "network 'vxlan_net': mtu 1400.*; allowed: up to 1399 bytes"),
    ],
)
def test_an_mtu_that_does_not_fit_is_refused(mtu, error):
    fixed = replace(ARTICLE, networks=(replace(ARTICLE.networks[0], mtu=1400),))
    assert with_underlay_mtu(fixed, 1450).mtu_of(fixed.networks[0]) == 1400
    with pytest.raises(ModelError, match=error):
        with_underlay_mtu(fixed, mtu)
