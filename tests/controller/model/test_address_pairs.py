"""Allowed address pairs: what Neutron refuses is refused, with its own answer."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from controller.api.errors import as_neutron
from controller.model.errors import ModelError
from controller.model.parts import AddressPair
from controller.model.serial import from_json, to_json
from tests.controller.small import RED, port, small

pytestmark = pytest.mark.pure

OWN = "fa:16:3e:00:01:01"  # the port's MAC
VRRP = "00:00:5e:00:01:01"


def pair(ip: str, mac: str = "") -> AddressPair:
    return AddressPair(ip_address=ip_network(ip), mac_address=mac)


def with_pairs(*pairs: AddressPair, **options: object):
    return small(port(1, RED, "h1", allowed_address_pairs=pairs, **options))


def refusal(*pairs: AddressPair, **options: object) -> ModelError:
    with pytest.raises(ModelError) as error:
        with_pairs(*pairs, **options)
    return error.value


def test_every_kind_of_pair_is_accepted_and_kept_by_the_state_file():
    pairs = (pair("198.51.1.9"), pair("10.244.0.0/16", VRRP), pair("::/0"), pair("fe80::9", OWN))
    overlay = with_pairs(*pairs)
    assert overlay.ports[0].allowed_address_pairs == pairs
    assert from_json(to_json(overlay), type(overlay)) == overlay


@pytest.mark.parametrize(
    ("ip", "text"), [("10.0.0.5", "10.0.0.5"), ("10.0.0.5/32", "10.0.0.5"), ("::/0", "::/0")]
)
def test_a_pair_is_shown_as_an_address_or_a_subnet(ip, text):
    assert pair(ip).text == text


def test_more_than_ten_pairs_are_refused():
    ten = [pair(f"10.0.0.{number}") for number in range(10)]
    assert len(with_pairs(*ten).ports[0].allowed_address_pairs) == 10
    error = as_neutron(refusal(*ten, pair("10.0.1.1")))
    assert (error.status, error.type) == (400, "AllowedAddressPairExhausted")
    assert str(error) == "The number of allowed address pair exceeds the maximum 10."


@pytest.mark.parametrize("again", ["", OWN])
def test_the_same_pair_twice_is_refused(again):
    error = as_neutron(refusal(pair("10.0.0.1"), pair("10.0.0.1", again)))
    assert (error.status, error.type) == (400, "DuplicateAddressPairInRequest")
    assert f"mac_address {OWN} ip_address 10.0.0.1." in str(error)


def test_one_address_with_two_macs_is_two_pairs():
    assert with_pairs(pair("10.0.0.1"), pair("10.0.0.1", VRRP))


def test_pairs_need_port_security():
    error = as_neutron(refusal(pair("10.0.0.1"), port_security_enabled=False))
    assert (error.status, error.type) == (409, "AddressPairAndPortSecurityRequired")


@pytest.mark.parametrize("ip", ["224.0.0.18", "239.0.0.0/8", "ff02::12"])
def test_multicast_addresses_are_refused(ip):
    assert str(refusal(pair(ip))).startswith(
        f"port 'p1': allowed_address_pairs {ip} {OWN}; allowed: a unicast address or subnet. "
    )


@pytest.mark.parametrize(
    "mac", ["01:00:5e:00:00:12", "00:00:00:00:00:00", "5e:1", "FA:16:3E:0:0:1"]
)
def test_impossible_macs_are_refused(mac):
    assert f"allowed_address_pairs 10.0.0.1 {mac}: the MAC" in str(refusal(pair("10.0.0.1", mac)))


def test_pairs_can_be_removed_with_port_security():
    kept = replace(with_pairs(pair("10.0.0.1")).ports[0], allowed_address_pairs=())
    assert small(replace(kept, port_security_enabled=False))
