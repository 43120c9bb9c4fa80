"""Addresses that no machine can have: each is an error of its own, at its line."""

import pytest

from controller.model.errors import ModelError, ModelErrors
from tests.topologies.scenario.scenario_files import write
from topologies.scenario.load import load

TEXT = """\
agent: {{tunnel_types: [vxlan]}}
hosts:
- {{name: h1, local_ip: "{local_ip}"}}
- {{name: h2, local_ip: "{other_ip}"}}
networks:
- name: red
  network_type: vxlan
  segmentation_id: 9
  subnets:
  - cidr: 198.51.100.0/24
  - cidr: "{cidr}"
    gateway_ip: {gateway}
    allocation_pools: [{pools}]
ports:
- server: a
  host: h1
  network: red
  mac_address: "{mac}"
  fixed_ips: ["{ip}"]
"""
GOOD = {
    "local_ip": "192.0.2.1",
    "other_ip": "192.0.2.2",
    "cidr": "10.0.0.0/24",
    "gateway": "10.0.0.1",
    "pools": "",
    "mac": "fa:16:3e:00:00:01",
    "ip": "10.0.0.5",
}
LINES = {
    "local_ip": 3,
    "other_ip": 4,
    "cidr": 11,
    "gateway": 12,
    "pools": 13,
    "mac": 18,
    "ip": 19,
}


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def texts(**options: str) -> list[str]:
    """The errors of the scenario with these values, each from its line number on."""
    try:
        load(write("s.yaml", TEXT.format(**{**GOOD, **options})))
    except ModelErrors as several:
        return [str(error).removeprefix("s.yaml:") for error in several.errors]
    except ModelError as error:
        return [str(error).removeprefix("s.yaml:")]
    return []


VTEPS = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "'this network'",
    "127.0.0.1": "loopback",
    "127.255.0.9": "loopback",
    "169.254.3.4": "link-local",
    "224.0.0.5": "multicast",
    "239.1.1.1": "multicast",
    "240.0.0.1": "reserved, class E",
    "255.255.255.255": "limited broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "febf::1": "link-local",
    "ff02::1": "multicast",
    "::ffff:192.0.2.1": "IPv4-mapped",
    "2001:db8::1%eth0": "in a zone",
}


@pytest.mark.parametrize("address", VTEPS)
def test_no_host_can_have_such_a_local_ip(address):
    other = "2001:db8::2" if ":" in address else "192.0.2.2"
    (error,) = texts(local_ip=address, other_ip=other)

    assert error.startswith(f"3: host 'h1': local_ip {address} is {VTEPS[address]} (RFC ")
    assert "allowed: a unicast address that one machine can have." in error


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("mac", "00:00:00:00:00:00", "not all zero"),
        ("mac", "ff:ff:ff:ff:ff:ff", "unicast"),
        ("mac", "01:00:5e:00:00:01", "unicast"),
        ("ip", "10.0.0.0", "fixed ip 10.0.0.0; allowed: 10.0.0.1..10.0.0.254."),
        ("ip", "10.0.0.255", "fixed ip 10.0.0.255; allowed: 10.0.0.1..10.0.0.254."),
        ("ip", "10.0.1.1", "allowed: 198.51.100.0/24, 10.0.0.0/24."),
        ("gateway", "10.0.0.0", "gateway_ip 10.0.0.0; allowed: 10.0.0.1..10.0.0.254, or null"),
        ("gateway", "10.0.0.255", "gateway_ip 10.0.0.255"),
        ("gateway", "10.0.1.1", "allowed: an address of 10.0.0.0/24, or null"),
        ("gateway", '"2001:db8::1"', "allowed: an address of 10.0.0.0/24, or null"),
        ("pools", "{start: 10.0.0.0, end: 10.0.0.9}", "a range in 10.0.0.1..10.0.0.254"),
        ("pools", "{start: 10.0.0.9, end: 10.0.1.9}", "an ascending range inside"),
        ("pools", "{start: 10.0.0.9, end: 10.0.0.2}", "an ascending range inside"),
        ("pools", "{start: 10.0.0.9, end: '2001:db8::'}", "an ascending range inside"),
        ("pools", "{start: 10.0.0.1, end: 10.0.0.9}", "contains the gateway 10.0.0.1"),
        (
            "pools",
            "{start: 10.0.0.4, end: 10.0.0.9}, {start: 10.0.0.2, end: 10.0.0.4}",
            "allocation pool 10.0.0.4-10.0.0.9 overlaps 10.0.0.2-10.0.0.4",
        ),
    ],
)
def test_an_unusable_value_is_an_error_at_its_line(key, value, expected):
    (error,) = texts(**{key: value})

    assert error.startswith(f"{LINES[key]}: ")
    assert expected in error


CIDRS = {
    "0.0.0.0/0": "of prefix length 0",
    "::/0": "of prefix length 0",
    "0.0.0.0/24": "unspecified",
    "0.5.0.0/16": "'this network'",
    "127.0.0.0/8": "loopback",
    "169.254.1.0/24": "link-local",
    "224.0.0.0/4": "multicast",
    "239.5.0.0/16": "multicast",
    "240.0.0.0/24": "reserved, class E",
    "fe80::/64": "link-local",
    "ff05::/64": "multicast",
    "::/64": "unspecified",
    "::ffff:0.0.0.0/96": "IPv4-mapped",
    "198.51.100.0/25": "overlaps 198.51.100.0/24",
    "198.51.0.0/16": "overlaps 198.51.100.0/24",
    "198.51.100.0/24": "overlaps 198.51.100.0/24",
}


@pytest.mark.parametrize("cidr", CIDRS)
def test_no_subnet_can_have_such_a_cidr(cidr):
    errors = texts(cidr=cidr, gateway="null", ip="198.51.100.5")

    assert errors[-1].startswith("11: subnet ")
    assert CIDRS[cidr] in errors[-1]


def test_no_pool_has_a_zone():
    pools = "{start: '2001:db8:1::2%x', end: '2001:db8:1::9%x'}"
    (error,) = texts(cidr="2001:db8:1::/64", gateway="null", ip="198.51.100.5", pools=pools)

    assert error.startswith("13: subnet ")


def test_faults_are_reported_together_each_at_its_line():
    errors = texts(local_ip="0.0.0.0", other_ip="224.0.0.5", ip="10.0.0.0", gateway="10.0.0.255")

    assert [int(error.partition(":")[0]) for error in errors] == [3, 4, 12, 19]


def test_the_same_scenario_without_a_fault_is_valid():
    assert texts() == []
    assert texts(local_ip="2001:db8::1", other_ip="2001:db8::2") == []
    assert texts(cidr="2001:db8:1::/64", gateway="fe80::1", ip="2001:db8:1::5") == []
    assert texts(cidr="2001:db8:1::/64", gateway="'2001:db8:1::'", ip="2001:db8:1::5") == []
