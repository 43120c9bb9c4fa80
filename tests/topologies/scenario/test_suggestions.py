"""A key by the name that it has elsewhere: the error names the key that is meant at this place."""

import json

import pytest

from controller.model.errors import ModelError
from topologies.scenario.known_elsewhere import KEYS, places_of
from topologies.scenario.load import load
from topologies.scenario.schema import SCHEMA_FILE

pytestmark = pytest.mark.pure

SCENARIO = """\
underlay: {{mtu: 1500{underlay}}}
ml2_conf: {{ml2: {{path_mtu: 0{ml2}}}}}
agent: {{tunnel_types: [vxlan]{agent}}}
hosts:
- {{name: host1, local_ip: 10.0.0.1{hosts}}}
- {{name: host2, local_ip: 10.0.0.2}}
networks:
- name: red
  network_type: vxlan
  segmentation_id: 100
  subnets:
  - {{cidr: 10.1.0.0/24{subnets}}}
{networks}
ports:
- {{server: a, host: host1, network: red{ports}}}
{root}
"""
PLACES = ("root", "underlay", "ml2", "agent", "hosts", "networks", "subnets", "ports")
MEANT = {
    ("hosts", "ip: 10.0.0.9"): "Did you mean `local_ip`?",
    ("hosts", "address: 10.0.0.9"): "Did you mean `local_ip`?",
    ("hosts", "vtep: 10.0.0.9"): "Did you mean `local_ip`?",
    ("hosts", "type: vxlan"): "Did you mean `tunnel_types`?",
    ("hosts", "l2pop: true"): "Did you mean `l2_population`?",
    ("hosts", "bridge_mapping: {}"): "Did you mean `bridge_mappings`?",
    ("hosts", "vni: 3"): "`segmentation_id` is a key of `networks[]`.",
    ("ports", "ip: 10.1.0.9"): "Did you mean `fixed_ips`?",
    ("ports", "address: 10.1.0.9"): "Did you mean `fixed_ips`?",
    ("ports", "fixed_ip: 10.1.0.9"): "Did you mean `fixed_ips`?",
    ("ports", "mac: fa:16:3e:00:00:01"): "Did you mean `mac_address`?",
    ("ports", "name: x"): "Did you mean `server`?",
    ("ports", "vm: x"): "Did you mean `server`?",
    ("ports", "network_id: red"): "Did you mean `network`?",
    ("ports", "binding:host_id: host1"): "Did you mean `host`?",
    ("ports", "mtu: 1400"): "`mtu` is a key of `underlay` and of `networks[]`.",
    ("networks", "vni: 3"): "Did you mean `segmentation_id`?",
    ("networks", "key: 3"): "Did you mean `segmentation_id`?",
    ("networks", "vlan_id: 3"): "Did you mean `segmentation_id`?",
    ("networks", "tag: 3"): "Did you mean `segmentation_id`?",
    ("networks", "type: vxlan"): "Did you mean `network_type`?",
    ("networks", "provider:network_type: vxlan"): "Did you mean `network_type`?",
    ("networks", "subnet: x"): "Did you mean `subnets`?",
    ("networks", "cidr: x"): "`cidr` is a key of `networks[].subnets[]`.",
    ("networks", "physnet: x"): "Did you mean `physical_network`?",
    ("networks", "bridge_mappings: {}"): "`bridge_mappings` is a key of `agent` and of `hosts[]`.",
    ("subnets", "gateway: 10.1.0.1"): "Did you mean `gateway_ip`?",
    ("subnets", "ip: 10.1.0.1"): "Did you mean `gateway_ip`?",
    ("subnets", "allocation_pool: x"): "Did you mean `allocation_pools`?",
    ("underlay", "latency: 3"): "Did you mean `delay_ms`?",
    ("underlay", "loss: 3"): "Did you mean `loss_percent`?",
    ("underlay", "topology: wan"): "Did you mean `shape`?",
    ("underlay", "spine: 2"): "Did you mean `spines`?",
    ("underlay", "ip: 10.0.0.0"): "`local_ip` is a key of `hosts[]`.",
    ("ml2", "global_physnet_mtu: 1500"): "Did you mean `path_mtu`?",
    ("ml2", "mechanism_driver: [x]"): "Did you mean `mechanism_drivers`?",
    ("agent", "type: x"): "Did you mean `tunnel_types`?",
    ("agent", "udp_port: 8472"): "Did you mean `vxlan_udp_port`?",
    ("agent", "local_ip: x"): "`local_ip` is a key of `hosts[]`.",
    ("root", "servers: []"): "Did you mean `ports`?",
    ("root", "nodes: []"): "Did you mean `hosts`?",
    ("root", "name: lab"): "Did you mean `summary`?",
    ("root", "mtu: 1500"): "`mtu` is a key of `underlay` and of `networks[]`.",
    ("root", "frobnicate: 1"): "Remove it.",
    ("ports", "wibble: 1"): "Remove it.",
    ("ports", "7: 1"): "Remove it.",
}


@pytest.mark.parametrize("case", MEANT, ids=" ".join)
def test_the_error_names_the_key_that_is_meant_here(case, tmp_path):
    place, written = case
    inside = {"root": f"{written}", "networks": f"  {written}"}.get(place, f", {written}")
    filled = dict.fromkeys(PLACES, "") | {place: inside}
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO.format(**filled), encoding="utf-8")
    with pytest.raises(ModelError) as refused:
        load(file)
    (line,) = str(refused.value).splitlines()
    assert "unknown key" in line
    assert line.endswith(f". {MEANT[case]}")


def test_the_scenario_of_these_cases_is_valid_without_them(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO.format(**dict.fromkeys(PLACES, "")), encoding="utf-8")
    assert load(file).overlay.ports


def test_each_suggested_key_is_one_of_a_scenario():
    schemas = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in (SCHEMA_FILE, SCHEMA_FILE.with_name("sites.schema.json"))
    ]
    for key in {each for keys in KEYS.values() for each in keys}:
        at_root = any(key in schema["properties"] for schema in schemas)
        assert at_root or any(list(places_of(key, schema)) for schema in schemas), key
