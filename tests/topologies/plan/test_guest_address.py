"""The address that a guest is reached at."""

from dataclasses import replace

import pytest

from controller.model.errors import UsageError
from controller.model.names import derived_id
from topologies.plan.plan import address_of
from topologies.scenario.load import load

OVERLAY = load("article").overlay


def test_a_guest_has_the_first_address_of_its_first_port():
    first = next(port for port in OVERLAY.ports if port.device_id == "ServerA")
    second = replace(
        first,
        id=derived_id("second"),
        mac_address="fa:16:3e:00:00:99",
        fixed_ips=(first.fixed_ips[0] + 50,),
    )
    overlay = replace(OVERLAY, ports=(*OVERLAY.ports, second))

    assert address_of(overlay, "ServerA") == first.fixed_ips[0]


def test_an_address_is_taken_as_it_is():
    assert str(address_of(OVERLAY, "172.16.166.250")) == "172.16.166.250"


def test_another_name_is_an_error_that_lists_the_guests():
    with pytest.raises(UsageError, match=r"'ServerC'; allowed: .*ServerA"):
        address_of(OVERLAY, "ServerC")
