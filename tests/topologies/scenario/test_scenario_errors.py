"""Errors of a scenario file: the full text of each, with its line."""

from pathlib import Path

import pytest

from controller.model.errors import ModelError, ModelErrors
from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, with_two_hosts, write
from topologies.scenario.load import available, load


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # so that errors name the file as `s.yaml`


CHECK = "Check indentation, brackets, quotes and colons in this line and the one before."
ROOT_KEYS = "summary, release, underlay, dhcp, ml2_conf, agent, hosts, networks, ports"
FILES = {
    "empty": (
        "",
        "s.yaml:1: no value; allowed: a mapping of keys "
        "(the hosts, networks and ports of a lab, in Neutron's terms). Correct the value.",
    ),
    "a list": (
        "- 1\n",
        "s.yaml:1: a list; allowed: a mapping of keys "
        "(the hosts, networks and ports of a lab, in Neutron's terms). Correct the value.",
    ),
    "no hosts": (
        "summary: x\n",
        "s.yaml:1: no `hosts`; allowed: `hosts`: the compute hosts, 2..16. Add it.",
    ),
    "a key twice": (
        "summary: x\nhosts: []\nsummary: y\n",
        "s.yaml:3: key 'summary' appears twice; allowed: each key once in a mapping. "
        "Remove one of them.",
    ),
    "not YAML": (
        "hosts: [a\nnetworks: b\n",
        f"s.yaml:2: not valid YAML; allowed: one document in YAML 1.2. {CHECK}",
    ),
    "two documents": (
        "hosts: []\n---\nhosts: []\n",
        f"s.yaml:2: not valid YAML; allowed: one document in YAML 1.2. {CHECK}",
    ),
    "too deep": (
        "hosts: " + "[" * 400 + "]" * 400,
        "s.yaml:1: more than 50 lists or mappings inside each other; allowed: at most 50. "
        "Nest less deeply.",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_not_a_scenario(case):
    text, error = FILES[case]
    assert errors_of(text) == [error]


def test_a_file_that_is_not_utf8():
    Path("s.yaml").write_bytes(b"hosts: \xff\n")
    with pytest.raises(ModelError) as caught:
        load("s.yaml")
    assert str(caught.value) == (
        "s.yaml: byte 0xff at offset 7 is not UTF-8; allowed: text in UTF-8. Save the file as UTF-8."
    )


@pytest.mark.parametrize("ref", ["nowhere", "nowhere.yaml", "."])
def test_a_scenario_that_does_not_exist(ref):
    with pytest.raises(ModelError) as caught:
        load(ref)
    assert str(caught.value) == (
        f"scenario {ref!r}: no such name or file; "
        f"allowed: {', '.join(available())}, or the path of a .yaml file. "
        "`overlaylab list` shows the names."
    )


KEYS = {
    "unknown key": (
        "sumary: x\n",
        f"s.yaml:4: sumary: unknown key; allowed: {ROOT_KEYS}. Did you mean `summary`?",
    ),
    "unknown key without a similar one": (
        "xyz: 1\n",
        f"s.yaml:4: xyz: unknown key; allowed: {ROOT_KEYS}. Remove it.",
    ),
    "wrong type": (
        "networks: red\n",
        "s.yaml:4: networks: 'red'; allowed: a list (the tenant networks). Correct the value.",
    ),
    "a number for a text": (
        "summary: 17\n",
        "s.yaml:4: summary: 17; allowed: text (the purpose of the scenario, in one line). "
        "Put it in quotes.",
    ),
    "yes is text in YAML 1.2": (
        "agent:\n  arp_responder: yes\n",
        "s.yaml:5: agent.arp_responder: 'yes'; allowed: true or false "
        "(true: the host answers ARP for known addresses (needs l2_population)). Correct the value.",
    ),
    "release": (
        "release: rocky\n",
        "s.yaml:4: release: 'rocky'; allowed: queens, current. Use one of them.",
    ),
    "network type": (
        "networks:\n  - name: n\n    network_type: vxlam\n",
        "s.yaml:6: networks[0].network_type: 'vxlam'; allowed: flat, vlan, gre, vxlan, geneve, local. "
        "Did you mean `vxlan`?",
    ),
    "missing keys": (
        "ports:\n  - {server: a}\n",
        "s.yaml:5: ports[0]: no `host`; allowed: `host`: the name of the host that runs it. Add it.",
        "s.yaml:5: ports[0]: no `network`; allowed: `network`: the name of its network. Add it.",
    ),
    "tunnel type twice": (
        "agent: {tunnel_types: [gre, gre]}\n",
        "s.yaml:4: agent.tunnel_types: [gre, gre]; allowed: each entry once. Remove the duplicate.",
    ),
    "a negative number": (
        "ml2_conf:\n  ml2:\n    path_mtu: -1\n",
        "s.yaml:6: ml2_conf.ml2.path_mtu: -1; allowed: 0 or more (the largest IP packet of the "
        "underlay in bytes; 0 for no limit). Correct the value.",
    ),
    "empty text": (
        "ml2_conf:\n  file: ''\n",
        "s.yaml:5: ml2_conf.file: empty text; allowed: the path of an ml2_conf.ini, "
        "relative to this file. Add the text or remove the key.",
    ),
    "cidr with host bits": (
        "networks:\n- name: n\n  network_type: vxlan\n  segmentation_id: 7\n  subnets:\n"
        "  - cidr: 10.0.0.1/24\n",
        "s.yaml:9: networks[0].subnets[0].cidr: '10.0.0.1/24'; "
        "allowed: an IPv4 or IPv6 prefix without host bits, such as 10.1.0.0/24. Correct the value.",
    ),
    "id": (
        "networks:\n- {name: n, network_type: vxlan, segmentation_id: 7, id: '7'}\n",
        "s.yaml:5: networks[0].id: '7'; allowed: a UUID in lower case; derived if not given. "
        "Correct the value.",
    ),
    "the underlay's mtu": (
        "underlay:\n  mtu: 100\n",
        "s.yaml:5: underlay: mtu 100; allowed: 576..65521 bytes. "
        "Pick one in that range; 1500 is Ethernet's.",
    ),
    "the path's mtu": (
        "ml2_conf:\n  ml2:\n    path_mtu: 100\n",
        "s.yaml:6: underlay: path_mtu 100; allowed: 576..65521 bytes, or 0 for no limit. "
        "Pick one in that range, or leave [ml2] path_mtu out.",
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_an_invalid_key_or_value(case):
    text, *errors = KEYS[case]
    assert errors_of(with_two_hosts(text)) == errors


HOSTS = {
    "one host": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n",
        "s.yaml:1: hosts: 1 host; allowed: 2..16. Add hosts.",
    ),
    "no address": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n- {name: h2}\n",
        "s.yaml:3: hosts[1]: no local_ip for 'h2'; allowed: an IPv4 or IPv6 address. "
        "Give `local_ip` here, or in [ovs] of the host's agent_file.",
    ),
    "address": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n- name: h2\n  local_ip: 192.0.2.256\n",
        "s.yaml:4: hosts[1].local_ip: '192.0.2.256'; "
        "allowed: its VTEP's IPv4 or IPv6 address, unless agent_file has it. Correct the value.",
    ),
    "name": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n- name: 'h 2'\n  local_ip: 192.0.2.2\n",
        "s.yaml:3: host 'h 2': name 'h 2'; "
        "allowed: a letter, then up to 39 letters, digits, '_', '.' or '-'. Rename it.",
    ),
    "no such file": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n- name: h2\n  agent_file: x/y.ini\n",
        "s.yaml:4: hosts[1].agent_file (x/y.ini): no such file; allowed: a readable regular file of "
        "at most 1000000 bytes. Check its path (in a scenario: relative to the scenario file's "
        "folder), permissions and size.",
    ),
    "one bridge for two networks": (
        "hosts:\n- {name: h1, local_ip: 192.0.2.1}\n- name: h2\n  local_ip: 192.0.2.2\n"
        "  bridge_mappings: {p1: br-ex, p2: br-ex}\n",
        "s.yaml:5: hosts[1].bridge_mappings: 'p1:br-ex,p2:br-ex'; "
        "allowed: network:bridge pairs with commas between, each name once. Correct the value.",
    ),
}


@pytest.mark.parametrize("case", HOSTS)
def test_an_invalid_host(case):
    text, error = HOSTS[case]
    assert errors_of(text) == [error]


def test_an_empty_local_ip_is_refused_as_by_oslo_config():
    """A host was missing from the overlay, without an error."""
    write("a.ini", "[ovs]\nlocal_ip =\n[agent]\ntunnel_types =\n")
    hosts = "hosts:\n- {name: h1, agent_file: a.ini}\n- {name: h2, local_ip: 192.0.2.2}\n"
    assert errors_of(hosts) == [
        "a.ini:2: [ovs] local_ip: ''; allowed: an IPv4 or IPv6 address. Give the VTEP's address."
    ]


def test_seventeen_hosts_are_too_many():
    lines = [f"- {{name: h{number}, local_ip: 192.0.2.{number}}}\n" for number in range(1, 18)]
    assert errors_of("hosts:\n" + "".join(lines)) == [
        "s.yaml:1: overlay 's': 17 hosts; allowed: 1..16. Remove some."
    ]


def test_all_errors_are_reported_together_in_the_order_of_the_files():
    write("b.ini", "[agent]\ntunnel_types = vxlam\nl2_population = maybe\n")
    text = """\
    sumary: x
    hosts:
      - {name: h1, local_ip: 10.0.0.300}
      - {name: h2, local_ip: 10.0.0.2, agent_file: b.ini}
      - {name: h3, local_ip: 10.0.0.3}
    underlay: {mtu: 1}
    networks:
      - {name: n, network_type: vxlan, segmentation_id: 0}
    ports:
      - {server: a, host: h1, network: n}
      - {server: b, host: h4, network: n}
      - {server: c, host: h3, network: m}
    """
    found = [line.split(";")[0] for line in errors_of(text)]
    # Without errors that only follow from another one, such as that `a` has no host.
    assert found == [
        "s.yaml:1: sumary: unknown key",
        "s.yaml:3: hosts[0].local_ip: '10.0.0.300'",
        "s.yaml:6: underlay: mtu 1",
        "s.yaml:8: network 'n': segmentation_id 0",
        "s.yaml:11: ports[1].host: 'h4' does not exist",
        "s.yaml:12: ports[2].network: 'm' does not exist",
        "b.ini:2: [agent] tunnel_types: 'vxlam'",
        "b.ini:3: [agent] l2_population: 'maybe'",
    ]


def test_a_single_error_is_not_a_list():
    with pytest.raises(ModelError) as caught:
        load(write("s.yaml", TWO_HOSTS + "x: 1\n"))
    assert not isinstance(caught.value, ModelErrors)


def test_a_scenario_that_is_refused_without_an_error_is_reported(monkeypatch):
    monkeypatch.setattr("topologies.scenario.load._overlay", lambda *_: (None, ()))
    assert errors_of(TWO_HOSTS) == [
        "s.yaml: refused, but no error was recorded; allowed: a scenario, or an error that names "
        "what is wrong. Report this with the file: it is a bug of overlaylab."
    ]
