"""The shipped scenarios."""

import hashlib
import json
from ipaddress import ip_address

import pytest
from jsonschema import Draft202012Validator

from controller.model.enlarge import enlarge
from controller.model.errors import UsageError
from topologies.scenario.load import FOLDER, available, load, summaries
from topologies.scenario.schema import SCHEMA_FILE

ARTICLE = load("article").overlay
PRINTED = {  # the files as the article prints them, comments in Chinese included
    "ml2_conf.ini": "6905aeaed6e0e436",
    "openvswitch_agent.controller.ini": "089a0c03dfb37239",
    "openvswitch_agent.computer.ini": "c107d010eb5bdb84",
}


def test_the_article_is_what_its_commands_made():
    assert [(host.name, str(host.local_ip)) for host in ARTICLE.hosts] == [
        ("controller", "192.168.150.10"),
        ("computer", "192.168.150.11"),
    ]
    assert {host.tunnel_types for host in ARTICLE.hosts} == {("gre", "vxlan")}
    assert not any(host.l2_population or host.bridge_mappings for host in ARTICLE.hosts)
    (network,) = ARTICLE.networks
    assert network.id == "2175ed07-99c9-4821-8cd8-3fd7148ab9f5"
    assert (network.name, network.network_type, network.segmentation_id) == (
        "vxlan_net",
        "vxlan",
        111,
    )
    assert ARTICLE.mtu_of(network) == 1450
    (subnet,) = ARTICLE.subnets
    assert (subnet.name, str(subnet.cidr)) == ("vxlan_subnet", "172.16.166.0/24")
    assert subnet.pools == ((ip_address("172.16.166.100"), ip_address("172.16.166.200")),)
    assert str(subnet.gateway_ip) == "172.16.166.1"


def test_the_articles_guests_are_on_its_hosts():
    a, b = ARTICLE.ports
    assert a.id.startswith("00a1bde0-be")
    assert [(p.device_id, p.host, p.mac_address, *map(str, p.fixed_ips)) for p in (a, b)] == [
        ("ServerA", "controller", "fa:16:3e:7a:f5:1d", "172.16.166.117"),
        ("ServerB", "computer", "fa:16:3e:29:99:6a", "172.16.166.125"),
    ]


@pytest.mark.parametrize("name", PRINTED)
def test_the_articles_files_are_verbatim(name):
    content = (FOLDER / "article" / name).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:16] == PRINTED[name]


def test_the_articles_warnings(monkeypatch):
    monkeypatch.chdir(FOLDER)
    ignored = (
        "[ovs] tenant_network_type: Neutron 12.1.1 has no such option and ignores it; "
        "use tenant_network_types in [ml2] of ml2_conf.ini"
    )
    no_types = (
        "no tunnel_types in [agent]: Neutron's agent would build no br-tun and no tunnel; "
        "the scenario's own value is used: gre, vxlan"
    )
    empty = "empty bridge_mappings: harmless, the host has no provider bridge"
    controller, computer = (
        f"article/openvswitch_agent.{host}.ini" for host in ("controller", "computer")
    )
    assert load("article").warnings == (
        "article/ml2_conf.ini:4: mechanism_drivers has l2population, but no agent sets "
        "l2_population: Neutron's server sends FDB entries and the agents ignore them; "
        "they flood to every VTEP and learn",
        f"{controller}:1: {no_types}",
        f"{controller}:2: {ignored}",
        f"{controller}:4: {empty}",
        f"{computer}:1: {no_types}",
        f"{computer}:2: {ignored}",
        f"{computer}:3: {empty}",
    )


def test_side_by_side_shows_what_is_derived():
    scenario = load("side-by-side")
    overlay = scenario.overlay
    assert scenario.warnings == ()
    assert [(net.name, net.segmentation_id) for net in overlay.networks] == [
        ("red", 1000),
        ("blue", 222),
    ]
    assert {port.name: [str(ip) for ip in port.fixed_ips] for port in overlay.ports} == {
        "red1": ["10.1.0.2", "2001:db8:1::2"],
        "red2": ["10.1.0.3", "2001:db8:1::3"],
        "red3": ["10.1.0.4", "2001:db8:1::4"],
        "blue2": ["10.2.0.7"],
        "blue3": ["10.2.0.100"],
        "blue4": ["10.2.0.101"],
    }
    assert [host.l2_population for host in overlay.hosts] == [True, True, True, False]
    assert load("side-by-side").overlay == overlay


def test_every_shipped_scenario_loads_and_has_a_summary():
    assert {"article", "article-dhcp", "ipv6-underlay", "side-by-side"} <= set(available())
    assert dict(summaries()) == {name: load(name).summary for name in available()}
    assert all(line for _, line in summaries())


def test_the_schema_is_valid_and_describes_every_key():
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert list(undescribed(schema, schema)) == []


def undescribed(node, schema, at=""):
    """Keys whose schema, or the one it points to, has no description."""
    for key, value in node.get("properties", {}).items():
        target = schema["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value
        if "description" not in {**target, **value}:
            yield f"{at}.{key}"
        yield from undescribed(value, schema, f"{at}.{key}")
    if "items" in node:
        yield from undescribed(node["items"], schema, f"{at}[]")


def test_added_hosts_continue_the_names_and_addresses_of_the_last():
    larger = enlarge(ARTICLE, 4)
    assert larger.hosts[:2] == ARTICLE.hosts
    assert [(host.name, str(host.local_ip)) for host in larger.hosts[2:]] == [
        ("computer2", "192.168.150.12"),
        ("computer3", "192.168.150.13"),
    ]
    assert {host.tunnel_types for host in larger.hosts} == {("gre", "vxlan")}
    assert larger.ports == ARTICLE.ports
    assert enlarge(ARTICLE, 2) == ARTICLE
    assert [host.name for host in enlarge(load("side-by-side").overlay, 6).hosts[4:]] == [
        "host5",
        "host6",
    ]
    assert len(enlarge(ARTICLE, 16).hosts) == 16


@pytest.mark.parametrize("hosts", [1, 17])
def test_an_invalid_number_of_hosts_is_refused(hosts):
    with pytest.raises(UsageError) as caught:
        enlarge(ARTICLE, hosts)
    assert str(caught.value) == (
        f"overlay 'article': {hosts} hosts; allowed: 2..16 (it has 2). Pick a number in that range."
    )
