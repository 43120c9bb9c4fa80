"""One more host or server of an overlay: what is derived, and what is refused."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.additions import new_host, new_server, next_vtep
from controller.model.errors import ModelError
from topologies.scenario.load import load

ARTICLE = load("article").overlay


def added(overlay, *servers, host="computer", network="vxlan_net"):
    for name in servers:
        port = new_server(overlay, name, host=host, network=network)
        overlay = replace(overlay, ports=(*overlay.ports, port))
    return overlay


def with_vteps(*texts):
    """The article with as many hosts as addresses."""
    hosts = [
        replace(ARTICLE.hosts[0], name=f"h{at}", local_ip=ip_address(text), written_ip="")
        for at, text in enumerate(texts)
    ]
    return replace(ARTICLE, hosts=tuple(hosts), ports=())


# --- servers


def test_a_server_is_what_a_scenario_would_make_of_its_name(tmp_path):
    text = (
        "hosts: [{name: n1, local_ip: 192.0.2.1}, {name: n2, local_ip: 192.0.2.2}]\n"
        "agent: {tunnel_types: [vxlan]}\n"
        "networks: [{name: red, network_type: vxlan, segmentation_id: 1,\n"
        "  subnets: [{cidr: 10.0.0.0/24}, {cidr: 'fd00::/64'}]}]\n"
        "ports: [{server: a, host: n1, network: red}"
    )
    file = tmp_path / "lab.yaml"
    file.write_text(text + ", {server: late, host: n2, network: red}]\n")
    written = load(file).overlay
    file.write_text(text + "]\n")
    without = load(file).overlay

    assert new_server(without, "late", host="n2", network="red") == written.ports[1]
    assert len(written.ports[1].fixed_ips) == 2


def test_what_is_given_is_used():
    port = new_server(
        ARTICLE,
        "new",
        host="controller",
        network=ARTICLE.networks[0].id,
        fixed_ips=["172.16.166.5"],
        mac_address="02:00:00:00:00:AA",
    )
    assert (port.host, port.network_id) == ("controller", ARTICLE.networks[0].id)
    assert [*map(str, port.fixed_ips)] == ["172.16.166.5"]
    assert port.mac_address == "02:00:00:00:00:aa"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": "ServerA"}, "server 'ServerA': there is a server with this name"),
        ({"name": "computer"}, "server 'computer': there is a host with this name"),
        ({"name": "neutron"}, "name 'neutron' is taken"),
        ({"name": "-x"}, "name '-x'; allowed: a letter"),
        ({"name": ""}, "name ''; allowed: a letter"),
        ({"host": "nova"}, "host 'nova'; allowed: controller, computer"),
        ({"network": "blue"}, "network 'blue'; allowed: vxlan_net"),
        ({"fixed_ips": ["x"]}, "address 'x'; allowed: an IPv4 or IPv6 address"),
        ({"fixed_ips": ["172.16.166.117"]}, "address 172.16.166.117 is that of 'ServerA'"),
        ({"fixed_ips": ["172.16.166.255"]}, "fixed ip 172.16.166.255; allowed: 172.16.166.1..172"),
        ({"fixed_ips": ["10.0.0.1"]}, "fixed ip 10.0.0.1; allowed: 172.16.166.0/24"),
        (
            {"fixed_ips": ["172.16.166.9", "172.16.166.9"]},
            "172.16.166.9 of network 'vxlan_net' is used 2 times",
        ),
        ({"mac_address": "FA:16:3E:7A:F5:1D"}, "MAC fa:16:3e:7a:f5:1d is that of 'ServerA'"),
        ({"mac_address": "01:00:00:00:00:01"}, "mac_address '01:00:00:00:00:01'"),
        ({"mac_address": "nonsense"}, "mac_address 'nonsense'"),
    ],
)
def test_a_server_that_does_not_fit_is_refused(given, error):
    asked = {"name": "new", "host": "computer", "network": "vxlan_net", **given}
    with pytest.raises(ModelError) as caught:
        new_server(ARTICLE, **asked)
    assert error in str(caught.value)


def test_the_allocation_pool_is_used_up_and_then_named():
    small = replace(
        ARTICLE.subnets[0], pools=((ip_address("172.16.166.124"), ip_address("172.16.166.127")),)
    )
    full = added(replace(ARTICLE, subnets=(small,)), "s1", "s2", "s3")
    assert [str(port.fixed_ips[0])[-3:] for port in full.ports[2:]] == ["124", "126", "127"]
    with pytest.raises(ModelError, match=r"no free IPv4 address on network 'vxlan_net'; .*\.0/24"):
        added(full, "s4")


def test_a_network_without_a_subnet_gives_no_address():
    bare = replace(ARTICLE, subnets=(), ports=())
    assert new_server(bare, "new", host="computer", network="vxlan_net").fixed_ips == ()


def test_a_host_without_the_tunnel_type_is_refused():
    only_gre = replace(ARTICLE.hosts[1], tunnel_types=ARTICLE.hosts[1].tunnel_types[:1])
    overlay = replace(ARTICLE, hosts=(ARTICLE.hosts[0], only_gre), ports=ARTICLE.ports[:1])
    with pytest.raises(ModelError, match=r"a vxlan network; allowed: gre"):
        added(overlay, "new")


# --- hosts


@pytest.mark.parametrize(
    ("vteps", "expected"),
    [
        (("192.168.150.10", "192.168.150.11"), "192.168.150.12"),
        (("192.168.150.11", "192.168.150.3"), "192.168.150.12"),
        (("192.168.150.254", "192.168.150.1"), "192.168.150.2"),  # .255 is the broadcast address
        (("10.0.0.9", "192.168.150.254"), "192.168.150.1"),
        (("fd00::1", "fd00::ffff"), "fd00::1:0"),
    ],
)
def test_the_next_vtep_is_free_and_in_the_underlays_network(vteps, expected):
    assert str(next_vtep(with_vteps(*vteps))) == expected


def test_a_host_is_a_copy_of_the_last_one_or_of_the_one_named():
    first = replace(ARTICLE.hosts[0], l2_population=True)
    overlay = replace(ARTICLE, hosts=(first, ARTICLE.hosts[1]))
    last = new_host(overlay, "new")
    assert last == replace(ARTICLE.hosts[1], name="new", local_ip=ip_address("192.168.150.12"))
    assert new_host(overlay, "new", like="controller").l2_population
    assert str(new_host(overlay, "new", local_ip="192.168.9.9").local_ip) == "192.168.9.9"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": "computer"}, "host 'computer': there is a host with this name"),
        (
            {"name": "ServerA"},
            "host 'ServerA': there is a server with this name",
        ),
        ({"name": "underlay"}, "name 'underlay' is taken"),
        ({"name": "a b"}, "name 'a b'; allowed: a letter"),
        ({"local_ip": "192.168.150.10"}, "local_ip 192.168.150.10 is that of host 'controller'"),
        ({"local_ip": "x"}, "local_ip 'x'; allowed: an IPv4 or IPv6 address"),
        ({"local_ip": "224.0.0.1"}, "multicast"),
        ({"local_ip": "198.18.0.9"}, "any address outside 198.18.0.0/16"),
        ({"local_ip": "fd00::1"}, "IPv4 and IPv6 `local_ip` mixed"),
        ({"like": "nova"}, "host 'nova'; allowed: controller, computer"),
    ],
)
def test_a_host_that_does_not_fit_is_refused(given, error):
    with pytest.raises(ModelError) as caught:
        new_host(ARTICLE, **{"name": "new", **given})
    assert error in str(caught.value)


def test_more_hosts_than_a_lab_can_have_are_refused():
    full = with_vteps(*(f"192.168.150.{number}" for number in range(1, 17)))
    with pytest.raises(ModelError, match=r"one more than 16 hosts; allowed: up to 16"):
        new_host(full, "new")
