"""The two guests that are measured."""

from dataclasses import replace

import pytest

from controller.model.errors import MeasureError
from controller.model.modes import parse_mode, with_mode
from experiments.core.pairs import beside, guests, narrowed, with_neighbour
from topologies.scenario.load import load

POINT = {"mode": "gre-mesh"}


@pytest.fixture
def overlay():
    return load("article").overlay


def test_the_pair_of_the_article(overlay):
    assert [port.device_id for port in guests(overlay)] == ["ServerA", "ServerB"]


def test_guests_on_one_host_are_not_a_pair(overlay):
    together = replace(overlay, ports=tuple(replace(p, host="computer") for p in overlay.ports))

    with pytest.raises(MeasureError) as caught:
        guests(together)

    assert str(caught.value) == (
        "overlay 'article': no two guests of one network on different hosts; allowed: a network with "
        "IPv4 guests on two hosts. Add a port on another host to the scenario."
    )


def test_narrowed_to_the_network_that_is_measured():
    overlay = narrowed(load("side-by-side").overlay)

    (network,) = overlay.networks
    assert network.name == "red"
    assert {each.network_id for each in (*overlay.ports, *overlay.subnets)} == {network.id}
    assert len(overlay.hosts) == 4
    assert with_mode(overlay, parse_mode("flat"))


def test_a_guest_is_put_beside_the_one_that_pings(overlay):
    started = with_neighbour(overlay, POINT)

    assert started == with_neighbour(overlay, POINT), "the same each time"
    assert guests(started) == guests(overlay)
    (source, _), other = guests(started), beside(started)
    assert (other.host, other.network_id) == (source.host, source.network_id)
    assert other.ipv4[0] in started.subnets[0].cidr
    for column in ("id", "mac_address", "fixed_ips", "device_id", "name"):
        assert len({getattr(port, column) for port in started.ports}) == 3
    assert str(started.networks[0].network_type) == "gre"


def test_an_existing_guest_beside_the_first_is_used(overlay):
    once = with_neighbour(overlay, POINT)

    assert with_neighbour(once, {"mode": "flat"}).ports == once.ports


@pytest.mark.parametrize("taken", ["host", "guest"])
def test_the_name_of_the_added_guest_is_unique(overlay, taken):
    if taken == "host":
        overlay = replace(
            overlay,
            hosts=(
                *overlay.hosts,
                replace(
                    overlay.hosts[1],
                    name="beside-ServerA",
                    local_ip=overlay.hosts[1].local_ip + 1,
                ),
            ),
        )
    else:
        other = replace(
            overlay.ports[1],
            id="x" * 11,
            name="",
            device_id="beside-ServerA",
            mac_address="fa:16:3e:00:00:01",
            fixed_ips=(overlay.ports[1].ipv4[0] + 1,),
        )
        overlay = replace(overlay, ports=(*overlay.ports, other))

    assert beside(with_neighbour(overlay, POINT)).device_id == "beside-ServerA2"


def test_a_long_name_is_shortened_to_the_limit(overlay):
    long = replace(overlay.ports[0], device_id="A" * 40)

    other = beside(with_neighbour(replace(overlay, ports=(long, overlay.ports[1])), POINT))

    assert len(other.device_id) <= 40


def test_a_subnet_without_a_free_address_is_an_error(overlay):
    source, target = (port.ipv4[0] for port in guests(overlay))
    full = replace(overlay.subnets[0], pools=((source, source), (target, target)))

    with pytest.raises(MeasureError, match=r"subnet 'vxlan_subnet': no free address"):
        with_neighbour(replace(overlay, subnets=(full,)), POINT)
