"""Neutron's rules for subnets: overlay in, overlay out."""

from ipaddress import ip_address

import pytest

from controller.api import resources
from controller.api.errors import NeutronError
from tests.controller.api.resource_requests import OVERLAY, network, pool, refused, subnet


@pytest.mark.parametrize(
    ("requested", "gateway", "pools"),
    [
        ({}, "10.0.0.1", "10.0.0.2-10.0.0.6"),
        ({"gateway_ip": None}, "None", "10.0.0.1-10.0.0.6"),
        ({"gateway_ip": "10.0.0.3"}, "10.0.0.3", "10.0.0.1-10.0.0.2 10.0.0.4-10.0.0.6"),
        ({"gateway_ip": "10.0.0.6"}, "10.0.0.6", "10.0.0.1-10.0.0.5"),
        ({"cidr": "10.0.0.0/31"}, "10.0.0.1", "10.0.0.0-10.0.0.0"),
        ({"cidr": "10.0.0.9/32"}, "None", "10.0.0.9-10.0.0.9"),
        ({"cidr": "2001:db8::/64"}, "2001:db8::1", "2001:db8::2-2001:db8::ffff:ffff:ffff:ffff"),
        (
            {"allocation_pools": [{"start": "10.0.0.4", "end": "10.0.0.5"}]},
            "10.0.0.1",
            "10.0.0.4-10.0.0.5",
        ),
    ],
)
def test_a_subnet_gets_its_gateway_and_pools(requested, gateway, pools):
    made = subnet(**requested).subnets[-1]

    assert str(made.gateway_ip) == gateway
    assert " ".join(f"{low}-{high}" for low, high in made.pools) == pools


@pytest.mark.parametrize(
    ("requested", "status", "type_", "printed"),
    [
        ({"network_id": "no"}, 404, "NetworkNotFound", "Network no could not be found."),
        (
            {"cidr": "172.16.0.0/16"},
            400,
            "InvalidInput",
            (
                "Invalid input for operation: Requested subnet with cidr: 172.16.0.0/16 for network: "
                "net-1 overlaps with another subnet."
            ),
        ),
        (
            {"ip_version": 6},
            400,
            "InvalidInput",
            "Invalid input for operation: ip_version 6 does not match cidr 10.0.0.0/29.",
        ),
        (
            {"cidr": "10.0.0.1/29"},
            400,
            "InvalidInput",
            (
                "Invalid input for operation: subnet.cidr: '10.0.0.1/29' is not a "
                "'CIDR without host bits'."
            ),
        ),
        (
            {"gateway_ip": "10.0.1.1"},
            400,
            "InvalidInput",
            "Invalid input for operation: Gateway 10.0.1.1 is not valid on subnet 10.0.0.0/29.",
        ),
        (
            {"gateway_ip": "10.0.0.7"},
            400,
            "InvalidInput",
            "Invalid input for operation: Gateway 10.0.0.7 is not valid on subnet 10.0.0.0/29.",
        ),
        (
            {"gateway_ip": "::a00:1"},
            400,
            "InvalidInput",
            "Invalid input for operation: Gateway ::a00:1 is not valid on subnet 10.0.0.0/29.",
        ),
        (
            {"allocation_pools": []},
            400,
            "InvalidInput",
            "Invalid input for operation: subnet.allocation_pools: [] should be non-empty.",
        ),
        (
            {"allocation_pools": [pool(5, 4)]},
            400,
            "InvalidAllocationPool",
            "The allocation pool 10.0.0.5-10.0.0.4 is not valid.",
        ),
        (
            {"allocation_pools": [{"start": "10.0.0.5", "end": "2001:db8::"}]},
            400,
            "InvalidAllocationPool",
            "The allocation pool 10.0.0.5-2001:db8:: is not valid.",
        ),
        (
            {"allocation_pools": [pool(4, 7)]},
            400,
            "OutOfBoundsAllocationPool",
            "The allocation pool 10.0.0.4-10.0.0.7 spans beyond the subnet cidr 10.0.0.0/29.",
        ),
        (
            {"allocation_pools": [pool(4, 5), pool(2, 4)]},
            409,
            "OverlappingAllocationPools",
            (
                "Found overlapping allocation pools: 10.0.0.2-10.0.0.4 10.0.0.4-10.0.0.5 "
                "for subnet 10.0.0.0/29."
            ),
        ),
        (
            {"allocation_pools": [pool(1, 4)]},
            409,
            "GatewayConflictWithAllocationPools",
            "Gateway ip 10.0.0.1 conflicts with allocation pool 10.0.0.1-10.0.0.4.",
        ),
    ],
)
def test_a_subnet_is_refused(requested, status, type_, printed):
    assert refused(subnet, **requested) == (status, type_, printed)


@pytest.mark.parametrize("cidr", ["127.0.0.0/8", "224.0.0.0/24", "0.0.0.0/0", "ff05::/64", "::/64"])
def test_no_subnet_has_addresses_that_no_machine_can_have(cidr):
    status, type_, text = refused(subnet, cidr=cidr)

    assert (status, type_) == (400, "InvalidInput")
    assert f"cidr {cidr} is " in text


def test_a_network_below_1280_bytes_has_no_ipv6_subnet():
    conflict = (409, "NetworkMTUSubnetConflict")
    printed = "MTU of net-n is not valid, subnet requires a minimum of 1280 bytes."
    wanted = {"network_id": "net-n", "cidr": "2001:db8::/64"}

    assert refused(subnet, network(mtu=1279), **wanted) == (*conflict, printed)
    large = subnet(network(mtu=1280), **wanted)
    shrunk = {"network": {"mtu": 1279}}
    assert refused(resources.update_network, large, "net-n", shrunk) == (*conflict, printed)


def test_an_error_has_the_models_own_text_as_its_detail():
    with pytest.raises(NeutronError) as error:
        subnet(gateway_ip="10.0.0.7")
    assert error.value.detail == (
        "subnet '10.0.0.0/29': gateway_ip 10.0.0.7; allowed: 10.0.0.1..10.0.0.6, or null. "
        "Correct the address."
    )


def test_subnets_of_other_networks_may_overlap():
    made = subnet(network(), network_id="net-n", cidr="172.16.166.0/24")

    assert made.subnets[-1].cidr == made.subnets[0].cidr


def test_a_subnet_is_updated_by_the_same_rules():
    body = {
        "subnet": {
            "name": "x",
            "allocation_pools": [{"start": "172.16.166.7", "end": "172.16.166.8"}],
        }
    }
    changed = resources.update_subnet(OVERLAY, "sub-1", body).subnets[0]

    assert (changed.name, changed.pools) == (
        "x",
        ((ip_address("172.16.166.7"), ip_address("172.16.166.8")),),
    )
    assert changed.gateway_ip == OVERLAY.subnets[0].gateway_ip
    bad = {"subnet": {"gateway_ip": "172.16.166.101"}}
    assert refused(resources.update_subnet, OVERLAY, "sub-1", bad)[1] == (
        "GatewayConflictWithAllocationPools"
    )


def test_a_subnet_with_addresses_in_use_cannot_be_deleted():
    assert refused(resources.delete_subnet, OVERLAY, "sub-1") == (
        409,
        "SubnetInUse",
        (
            "Unable to complete operation on subnet sub-1: "
            "One or more ports have an IP allocation from this subnet."
        ),
    )
    assert resources.delete_subnet(subnet(), "sub-n") == OVERLAY
