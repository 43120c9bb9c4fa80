"""Neutron's rules for networks: overlay in, overlay out."""

from dataclasses import replace

import pytest

from controller.api import resources
from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from tests.controller.api.resource_requests import OVERLAY, network, refused


def test_a_network_has_the_first_free_id_by_default():
    first = network()
    second = resources.create_network(first, {"network": {"name": "b"}}, new_id="net-b")

    assert first.networks[-1].network_type is NetworkType.VXLAN
    assert [net.segmentation_id for net in second.networks] == [111, 1000, 1001]
    assert second.networks[:1] == OVERLAY.networks


@pytest.mark.parametrize(
    ("tunnel_types", "used", "chosen"),
    [
        ("gre vxlan", ["vxlan"], "vxlan"),  # the article: both spoken, one in use
        ("gre vxlan", ["gre", "vxlan"], "gre"),
        ("gre vxlan", [], "gre"),
        ("geneve", [], "geneve"),
        ("gre", ["vxlan"], "gre"),  # in use, but not spoken by the first host
    ],
)
def test_the_default_type_is_a_tunnel_type_of_the_first_host(tunnel_types, used, chosen):
    types = tuple(map(NetworkType, tunnel_types.split()))
    lab = replace(
        OVERLAY,
        hosts=tuple(replace(host, tunnel_types=types) for host in OVERLAY.hosts),
        networks=tuple(
            replace(OVERLAY.networks[0], id=kind, name=kind, network_type=NetworkType(kind))
            for kind in used
        ),
        subnets=(),
        ports=(),
    )

    made = network(lab).networks[-1]

    assert (made.network_type, made.segmentation_id) == (chosen, 1000)


@pytest.mark.parametrize(
    ("requested", "printed"),
    [
        (
            {},
            "provider:network_type and provider:physical_network required: "
            "the hosts have no tunnel types.",
        ),
        (
            {"provider__network_type": "flat"},
            "physical_network required for flat provider network.",
        ),
    ],
)
def test_without_tunnel_types_a_network_needs_a_segment(requested, printed):
    hosts = tuple(replace(host, tunnel_types=()) for host in OVERLAY.hosts)
    lab = replace(OVERLAY, hosts=hosts, networks=(), subnets=(), ports=())

    assert refused(network, lab, **requested) == (
        400,
        "InvalidInput",
        f"Invalid input for operation: {printed}",
    )


def test_a_freed_id_is_used_again_and_gre_has_its_own_ids():
    taken = network()
    gre = resources.create_network(
        taken, {"network": {"name": "g", "provider:network_type": "gre"}}, new_id="net-g"
    )

    assert gre.network_of["net-g"].segmentation_id == 1000
    assert network(resources.delete_network(taken, "net-n")).networks[-1].segmentation_id == 1000


def test_the_range_ends_at_2000():
    full = tuple(
        replace(OVERLAY.networks[0], id=f"n{id_}", name=f"n{id_}", segmentation_id=id_)
        for id_ in range(1000, 2000)
    )
    almost = replace(OVERLAY, networks=(*OVERLAY.networks, *full))
    last = network(almost)

    assert last.networks[-1].segmentation_id == 2000
    assert refused(resources.create_network, last, {"network": {"name": "more"}}, new_id="net-m")[
        :2
    ] == (409, "NoNetworkAvailable")


def test_an_explicit_id_may_be_outside_the_range():
    made = network(provider__network_type="gre", provider__segmentation_id=2**32 - 1)

    assert made.networks[-1].segmentation_id == 2**32 - 1


def test_a_whole_number_in_json_is_an_integer_in_the_model():
    made = network(provider__network_type="vxlan", provider__segmentation_id=7.0, mtu=1400.0)

    assert type(made.networks[-1].segmentation_id) is int
    assert type(made.networks[-1].mtu) is int


@pytest.mark.parametrize(
    ("requested", "printed"),
    [
        (
            {"provider__network_type": "vxlan", "provider__segmentation_id": 111},
            (
                409,
                "TunnelIdInUse",
                "Unable to create the network. The tunnel ID 111 is in use.",
            ),
        ),
        (
            {"provider__segmentation_id": 5},
            (
                400,
                "InvalidInput",
                "Invalid input for operation: provider:network_type required.",
            ),
        ),
        (
            {"provider__network_type": "gre", "provider__physical_network": "physnet1"},
            (
                400,
                "InvalidInput",
                "Invalid input for operation: provider:physical_network specified for gre network.",
            ),
        ),
        (
            {"mtu": 1451},
            (
                400,
                "InvalidInput",
                "Invalid input for operation: Requested MTU is too big, maximum is 1450.",
            ),
        ),
        (
            {"mtu": "big", "colour": "red", "shared": True},
            (
                400,
                "InvalidInput",
                (
                    "Invalid input for operation: network: Additional properties are not allowed "
                    "('colour' was unexpected); network.mtu: 'big' is not of type 'integer'; "
                    "network.shared: False was expected."
                ),
            ),
        ),
    ],
)
def test_a_network_is_refused(requested, printed):
    assert refused(network, **requested) == printed


@pytest.mark.parametrize(
    ("type_", "id_", "printed"),
    [
        (
            "vlan",
            5,
            (
                "VlanIdInUse: Unable to create the network. The VLAN 5 on physical network "
                "physnet1 is in use."
            ),
        ),
        (
            "flat",
            None,
            (
                "FlatNetworkInUse: Unable to create the flat network. Physical network "
                "physnet1 is in use."
            ),
        ),
    ],
)
def test_a_provider_segment_can_be_used_once(type_, id_, printed):
    requested = {
        "provider__network_type": type_,
        "provider__segmentation_id": id_,
        "provider__physical_network": "physnet1",
    }
    made = network(**requested)

    status, kind, text = refused(network, made, **requested)

    assert (status, f"{kind}: {text}") == (409, printed)
    body = {word.replace("__", ":"): value for word, value in requested.items()}
    body |= {"name": "b", "provider:physical_network": "physnet2"}
    both = resources.create_network(made, {"network": body}, new_id="net-b")
    assert both.networks[-1].segmentation_id == id_


def test_the_model_checks_the_result_of_a_request():
    with pytest.raises(ModelError, match="networks: name red is used 2 times"):
        network(name=OVERLAY.networks[0].name)


def test_a_network_can_be_renamed_but_not_moved():
    renamed = resources.update_network(OVERLAY, "net-1", {"network": {"name": "blue", "mtu": 1300}})

    assert (renamed.networks[0].name, renamed.networks[0].mtu) == ("blue", 1300)
    assert renamed.networks[0].segmentation_id == 111
    assert refused(
        resources.update_network,
        OVERLAY,
        "net-1",
        {"network": {"provider:segmentation_id": 5}},
    ) == (
        400,
        "InvalidInput",
        (
            "Invalid input for operation: network: Additional properties are not allowed "
            "('provider:segmentation_id' was unexpected)."
        ),
    )
    assert refused(resources.update_network, OVERLAY, "net-1", {"network": {"mtu": 1500}})[0] == 400


def test_a_network_with_ports_cannot_be_deleted():
    assert refused(resources.delete_network, OVERLAY, "net-1") == (
        409,
        "NetworkInUse",
        (
            "Unable to complete operation on network net-1. "
            "There are one or more ports still in use on the network."
        ),
    )


def test_a_network_goes_with_its_subnets():
    empty = resources.delete_port(OVERLAY, "port-1")

    gone = resources.delete_network(empty, "net-1")

    assert (gone.networks, gone.subnets) == ((), ())


@pytest.mark.parametrize(
    ("function", "args", "type_", "printed"),
    [
        (resources.delete_network, (), "NetworkNotFound", "Network no could not be found."),
        (resources.delete_subnet, (), "SubnetNotFound", "Subnet no could not be found."),
        (resources.delete_port, (), "PortNotFound", "Port no could not be found."),
        (resources.update_network, ({},), "NetworkNotFound", "Network no could not be found."),
        (resources.update_subnet, ({},), "SubnetNotFound", "Subnet no could not be found."),
        (resources.update_port, ({},), "PortNotFound", "Port no could not be found."),
    ],
)
def test_an_unknown_resource_is_404(function, args, type_, printed):
    assert refused(function, OVERLAY, "no", *args) == (404, type_, printed)
