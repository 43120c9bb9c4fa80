"""Neutron's rules for ports: overlay in, overlay out."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.api import resources
from controller.model.addresses import free_address
from controller.model.errors import ModelError
from controller.model.names import derived_mac
from controller.model.parts import Port
from tests.controller.api.resource_requests import (
    OVERLAY,
    ips,
    network,
    pool,
    port,
    refused,
    subnet,
)


def test_a_port_gets_a_mac_an_address_and_is_down():
    made = port(name="b", device_id="ServerB", **{"binding:host_id": "computer"})

    assert made.ports[-1] == Port(
        id="port-n",
        name="b",
        network_id="net-1",
        mac_address=derived_mac("port-n"),
        fixed_ips=(ip_address("172.16.166.101"),),
        host="computer",
        device_id="ServerB",
        status="DOWN",
    )


def test_a_derived_mac_that_is_taken_is_derived_again():
    squatter = replace(OVERLAY.ports[0], mac_address=derived_mac("port-n"))
    made = port(replace(OVERLAY, ports=(squatter,)))

    assert made.ports[-1].mac_address == derived_mac("port-n/1")


def test_the_gateway_and_the_network_address_are_not_allocated():
    pools = ((ip_address("172.16.166.0"), ip_address("172.16.166.2")),)
    subnet = replace(OVERLAY.subnets[0], pools=pools)

    assert free_address(subnet, ()) == ip_address("172.16.166.2")


def test_a_scenario_subnet_without_pools_allocates_all_addresses_but_the_gateway():
    overlay = replace(OVERLAY, subnets=(replace(OVERLAY.subnets[0], pools=()),))

    assert ips(port(overlay)) == ["172.16.166.2"]


def test_pools_are_used_up_one_after_the_other():
    two = {"allocation_pools": [pool(5, 5), pool(3, 3)]}
    overlay = resources.delete_port(OVERLAY, "port-1")
    overlay = subnet(resources.delete_subnet(overlay, "sub-1"), **two)
    one = port(overlay)
    body = {"port": {"network_id": "net-1"}}
    both = resources.create_port(one, body, new_id="port-2")

    assert (ips(both), ips(both, "port-2")) == (["10.0.0.5"], ["10.0.0.3"])
    assert refused(resources.create_port, both, body, new_id="port-3") == (
        409,
        "IpAddressGenerationFailure",
        "No more IP addresses available on network net-1.",
    )


def test_a_second_subnet_of_the_version_is_used_when_the_first_is_full():
    one = {"allocation_pools": [{"start": "172.16.166.100", "end": "172.16.166.100"}]}
    full = resources.update_subnet(OVERLAY, "sub-1", {"subnet": one})

    assert ips(port(subnet(full))) == ["10.0.0.2"]


def test_a_port_gets_one_address_of_each_version():
    assert ips(port(subnet(cidr="2001:db8::/64"))) == ["172.16.166.101", "2001:db8::2"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ([], []),
        ([{"ip_address": "172.16.166.7"}], ["172.16.166.7"]),
        ([{"subnet_id": "sub-n"}], ["10.0.0.2"]),
        ([{"subnet_id": "sub-n"}, {"subnet_id": "sub-n"}], ["10.0.0.2", "10.0.0.3"]),
        (
            [{"subnet_id": "sub-n"}, {"ip_address": "10.0.0.2"}, {"ip_address": "10.0.0.4"}],
            ["10.0.0.3", "10.0.0.2", "10.0.0.4"],
        ),
    ],
)
def test_a_port_gets_the_addresses_it_asks_for(wanted, given):
    assert ips(port(subnet(), fixed_ips=wanted)) == given


@pytest.mark.parametrize(
    ("wanted", "status", "type_", "printed"),
    [
        (
            [{"ip_address": "172.16.166.100"}],
            409,
            "IpAddressAlreadyAllocated",
            "IP address 172.16.166.100 already allocated in subnet sub-1",
        ),
        (
            [{"ip_address": "172.16.166.9"}, {"ip_address": "172.16.166.9"}],
            409,
            "IpAddressAlreadyAllocated",
            "IP address 172.16.166.9 already allocated in subnet sub-1",
        ),
        (
            [{"ip_address": "10.9.9.9"}],
            400,
            "InvalidIpForNetwork",
            (
                "IP address 10.9.9.9 is not a valid IP for any of the subnets on the specified "
                "network."
            ),
        ),
        (
            [{"ip_address": "172.16.166.255", "subnet_id": "sub-1"}],
            400,
            "InvalidIpForSubnet",
            "IP address 172.16.166.255 is not a valid IP for the specified subnet.",
        ),
        (
            [{}],
            400,
            "InvalidInput",
            "Invalid input for operation: port.fixed_ips.0: {} should be non-empty.",
        ),
        (
            [{"ip_address": "fe80::1%eth0"}],
            400,
            "InvalidInput",
            (
                "Invalid input for operation: port.fixed_ips.0.ip_address: 'fe80::1%eth0' "
                "is not a 'IP address'."
            ),
        ),
        (
            [{"subnet_id": "no"}],
            400,
            "InvalidInput",
            "Invalid input for operation: Subnet no is not one of the port's network.",
        ),
    ],
)
def test_an_address_is_refused(wanted, status, type_, printed):
    assert refused(port, fixed_ips=wanted) == (status, type_, printed)


def test_a_mac_is_unique_regardless_of_case():
    assert refused(port, mac_address="FA:16:3E:7A:F5:1D") == (
        409,
        "MacAddressInUse",
        (
            "Unable to complete operation for network net-1. "
            "The mac address fa:16:3e:7a:f5:1d is in use."
        ),
    )
    elsewhere = port(network(), network_id="net-n", mac_address="FA:16:3E:7A:F5:1D")
    assert elsewhere.ports[-1].mac_address == "fa:16:3e:7a:f5:1d"


def test_a_multicast_mac_and_an_unknown_host_are_model_errors():
    with pytest.raises(ModelError, match="the first even"):
        port(mac_address="01:00:5e:00:00:01")
    with pytest.raises(ModelError, match="host 'nowhere' does not exist"):
        port(**{"binding:host_id": "nowhere"})


def update(overlay=OVERLAY, id_="port-1", **requested):
    return resources.update_port(overlay, id_, {"port": requested})


def test_a_port_that_moves_is_down_until_plugged_there():
    moved = update(**{"binding:host_id": "computer"}).ports[0]
    stayed = update(**{"binding:host_id": "controller", "name": "x"}).ports[0]
    unbound = update(**{"binding:host_id": ""}).ports[0]

    assert (moved.host, moved.status) == ("computer", "DOWN")
    assert (stayed.host, stayed.status, stayed.name) == ("controller", "ACTIVE", "x")
    assert (unbound.host, unbound.status) == ("", "DOWN")


def test_a_port_keeps_what_the_update_does_not_name():
    off = update(admin_state_up=False, port_security_enabled=False).ports[0]

    assert off == replace(OVERLAY.ports[0], admin_state_up=False, port_security_enabled=False)


def test_the_mac_of_a_bound_port_stays():
    assert refused(update, mac_address="fa:16:3e:00:00:01") == (
        409,
        "PortBound",
        (
            "Unable to complete operation on port port-1, port is already bound, port type: ovs, "
            "old_mac fa:16:3e:7a:f5:1d, new_mac fa:16:3e:00:00:01."
        ),
    )
    assert update(mac_address="FA:16:3E:7A:F5:1D") == OVERLAY
    free = update(port(), "port-n", mac_address="fa:16:3e:00:00:01")
    assert free.port_of["port-n"].mac_address == "fa:16:3e:00:00:01"
    assert refused(update, port(), "port-n", mac_address="fa:16:3e:7a:f5:1d")[1] == (
        "MacAddressInUse"
    )


def test_new_addresses_replace_the_old_and_the_ports_own_are_free_to_it():
    mine = {"ip_address": "172.16.166.100"}

    assert ips(update(fixed_ips=[mine, {"subnet_id": "sub-1"}]), "port-1") == [
        "172.16.166.100",
        "172.16.166.101",
    ]
    last = update(fixed_ips=[{"ip_address": "172.16.166.102"}])
    assert ips(update(last, fixed_ips=[{"subnet_id": "sub-1"}]), "port-1") == ["172.16.166.102"]
    assert ips(update(fixed_ips=[]), "port-1") == []
    assert refused(update, port(), fixed_ips=[{"ip_address": "172.16.166.101"}])[0] == 409


@pytest.mark.parametrize("word", ["status", "network_id", "id", "binding:vif_type"])
def test_attributes_that_neutron_sets_cannot_be_set(word):
    status, type_, printed = refused(update, **{word: "x"})

    assert (status, type_) == (400, "InvalidInput")
    assert f"('{word}' was unexpected)" in printed


@pytest.mark.parametrize("body", [None, [], {}, {"port": []}, {"port": {}, "more": 1}])
def test_a_body_that_is_no_port_is_refused(body):
    assert refused(resources.update_port, OVERLAY, "port-1", body)[:2] == (400, "InvalidInput")


def test_an_error_does_not_repeat_a_large_value():
    printed = refused(update, name=["x" * 5000])[2]

    assert len(printed) < 400


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        ({}, ("", "")),
        ({"device_id": "ServerC"}, ("ServerC", "compute:nova")),
        ({"device_id": "ServerC", "device_owner": "compute:nova"}, ("ServerC", "compute:nova")),
        ({"device_id": "", "device_owner": ""}, ("", "")),
    ],
)
def test_device_owner_is_shown_as_it_was_requested(requested, shown):
    made = port(**requested).port_of["port-n"]
    assert (made.device_id, made.device_owner) == shown


@pytest.mark.parametrize(
    ("requested", "printed"),
    [
        (
            {"device_owner": "compute:nova"},
            "device_owner must be '' with device_id '', not 'compute:nova'.",
        ),
        (
            {"device_id": "ServerC", "device_owner": ""},
            "device_owner must be 'compute:nova' with device_id 'ServerC', not ''.",
        ),
    ],
)
def test_a_device_owner_that_contradicts_device_id_is_refused(requested, printed):
    assert refused(port, **requested) == (
        400,
        "InvalidInput",
        f"Invalid input for operation: {printed}",
    )


@pytest.mark.parametrize(
    ("requested", "is_refused"),
    [
        ({"device_owner": "compute:nova"}, False),  # it has a device_id already
        ({"device_owner": ""}, True),
        ({"device_owner": "", "device_id": ""}, False),
        ({"device_owner": "compute:nova", "device_id": ""}, True),
    ],
)
def test_an_update_of_the_device_owner_goes_with_the_device_id(requested, is_refused):
    if is_refused:
        assert refused(resources.update_port, OVERLAY, "port-1", {"port": requested})[0] == 400
    else:
        new = resources.update_port(OVERLAY, "port-1", {"port": requested}).port_of["port-1"]
        assert new.device_owner == requested["device_owner"]
