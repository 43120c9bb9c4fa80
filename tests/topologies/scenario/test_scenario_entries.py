"""Errors of networks and ports of a scenario: the full text of each, with its line."""

from pathlib import Path

import pytest

from tests.topologies.scenario.scenario_files import errors_of, with_two_hosts


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # so that errors name the file as `s.yaml`


NET = "networks:\n- {name: n, network_type: vxlan, segmentation_id: 7, subnets: [{cidr: 10.0.0.0/30}]}\n"
PORTS = {
    "no such network": (
        "- {server: a, host: h1, network: m}",
        "s.yaml:7: ports[0].network: 'm' does not exist; allowed: n. Name an existing network.",
    ),
    "no such host": (
        "- {server: a, host: h3, network: n}",
        "s.yaml:7: ports[0].host: 'h3' does not exist; allowed: h1, h2. Name an existing host.",
    ),
    "a guest's second port": (
        "- {server: a, host: h1, network: n}\n- {server: a, host: h1, network: n, fixed_ips: []}",
        "s.yaml:8: ports[1].server: 'a' already has a port; allowed: one port per guest. "
        "Name another guest.",
    ),
    "no address left": (
        "- {server: a, host: h1, network: n}\n- {server: b, host: h2, network: n}",
        "s.yaml:8: ports[1]: no free address for 'b'; allowed: allocation_pools of 10.0.0.0/30. "
        "Widen the pools, or give `fixed_ips`.",
    ),
    "address": (
        "- server: a\n  host: h1\n  network: n\n  fixed_ips: [10.0.0.256]",
        "s.yaml:10: ports[0].fixed_ips[0]: '10.0.0.256'; allowed: an IPv4 or IPv6 address. "
        "Correct the value.",
    ),
    "address outside, at its own line": (
        "- server: a\n  host: h1\n  network: n\n  fixed_ips: [10.0.9.9]",
        "s.yaml:10: port 'a': fixed ip 10.0.9.9; allowed: 10.0.0.0/30. "
        "Pick an address of its network's subnet.",
    ),
    "MAC, at its own line": (
        "- server: a\n  host: h1\n  network: n\n  mac_address: 01:00:5e:00:00:01",
        "s.yaml:10: port 'a': mac_address '01:00:5e:00:00:01'; "
        "allowed: six lower-case octets, the first even (unicast). Write it like fa:16:3e:7a:f5:1d.",
    ),
}


@pytest.mark.parametrize("case", PORTS)
def test_an_invalid_port(case):
    text, error = PORTS[case]
    assert errors_of(with_two_hosts(NET) + f"ports:\n{text}\n") == [error]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("networks:\n- {name: n, network_type: gre, key: 8}\n", "segmentation_id"),
        ("networks:\n- {name: n, type: gre, segmentation_id: 8}\n", "network_type"),
        ("networks:\n- {name: n, type: gre}\n", "network_type"),
        (NET + "ports:\n- {name: a, host: h1, network: n}\n", "server"),
    ],
)
def test_a_key_by_another_name_is_one_error(text, key):
    (error,) = errors_of(with_two_hosts(text))
    assert "unknown key" in error
    assert error.endswith(f"Did you mean `{key}`?")


def test_a_list_without_dashes_says_how_to_begin_an_entry():
    text = "networks:\n- name: n\n  network_type: local\n  subnets:\n    cidr: 10.0.0.0/24\n"
    (error,) = errors_of(with_two_hosts(text))
    assert error.endswith("a list (its subnets). Begin each entry of the list with `- `.")


def test_a_vtep_by_another_name_is_one_error_for_each_host():
    errors = errors_of(with_two_hosts(NET).replace("local_ip", "vtep"))
    assert [error.endswith("Did you mean `local_ip`?") for error in errors] == [True, True]


NETWORKS = {
    "no range for its type": (
        "networks:\n- {name: n, network_type: gre}\n",
        "s.yaml:5: networks[0]: no segmentation_id; "
        "allowed: a free id of [ml2_type_gre] tunnel_id_ranges. Give `segmentation_id`, "
        "or a wider range in ml2_conf: [ml2_type_gre] tunnel_id_ranges.",
    ),
    "no type": (
        "networks:\n- {name: n}\n",
        "s.yaml:5: networks[0]: no network_type; "
        "allowed: one of local, vlan, gre, vxlan, geneve in tenant_network_types. "
        "Give `network_type`, or set tenant_network_types in [ml2].",
    ),
    "an id without a type": (
        "networks:\n- {name: n, segmentation_id: 8}\n",
        "s.yaml:5: networks[0].segmentation_id: segmentation_id without network_type; "
        "allowed: both, or neither. Add `network_type`.",
    ),
    "a type without driver": (
        "networks:\n- {name: n, network_type: gre, segmentation_id: 8}\n"
        "ml2_conf: {ml2: {type_drivers: [vxlan, flat]}}\n",
        "s.yaml:5: networks[0].network_type: gre; allowed: vxlan, flat ([ml2] type_drivers). "
        "Add gre to type_drivers, or use another type.",
    ),
    "a range used up": (
        "networks:\n- {name: n, network_type: vxlan}\n- {name: m, network_type: vxlan}\n"
        "ml2_conf: {ml2_type_vxlan: {vni_ranges: ['5:5']}}\n",
        "s.yaml:6: networks[1]: no segmentation_id; "
        "allowed: a free id of [ml2_type_vxlan] vni_ranges. Give `segmentation_id`, "
        "or a wider range in ml2_conf: [ml2_type_vxlan] vni_ranges.",
    ),
    "a gateway outside": (
        "networks:\n- name: n\n  network_type: vxlan\n  segmentation_id: 8\n  subnets:\n"
        "  - cidr: 10.0.0.0/24\n    gateway_ip: 10.9.0.1\n",
        "s.yaml:10: subnet '10.0.0.0/24': gateway_ip 10.9.0.1; "
        "allowed: an address of 10.0.0.0/24, or null. Correct the address.",
    ),
    "an id too large, at its own line": (
        "networks:\n- name: n\n  network_type: vxlan\n  segmentation_id: 16777216\n",
        "s.yaml:7: network 'n': segmentation_id 16777216; allowed: 1..16777215 (vxlan's VNI). "
        "Pick one in that range, or network_type: gre.",
    ),
    "a descending range": (
        "networks:\n- {name: n, network_type: vxlan}\n"
        "ml2_conf: {ml2_type_vxlan: {vni_ranges: ['9:5']}}\n",
        "s.yaml:6: ml2_conf.ml2_type_vxlan.vni_ranges: '9:5'; "
        "allowed: first:last pairs with commas between, each id 1..16777215. Correct the value.",
    ),
    "a descending pool, at its own line": (
        "networks:\n- name: n\n  network_type: vxlan\n  segmentation_id: 8\n  subnets:\n"
        "  - cidr: 10.0.0.0/24\n    allocation_pools:\n    - {start: 10.0.0.9, end: 10.0.0.8}\n",
        "s.yaml:10: subnet '10.0.0.0/24': allocation pool 10.0.0.9-10.0.0.8; "
        "allowed: an ascending range inside 10.0.0.0/24. Correct `start` and `end`.",
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_an_invalid_network(case):
    text, error = NETWORKS[case]
    assert errors_of(with_two_hosts(text)) == [error]
