"""Ids given to networks that name none: unique, in range, in order, and given back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import resources
from controller.api.errors import NeutronError
from controller.model.allocation import (
    DEFAULT_IDS,
    Segment,
    first_free,
    ranges_of,
    segment_of,
    tenant_segment,
)
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.errors import ModelError
from controller.model.overlay import Overlay
from controller.model.parts import SegmentRange
from tests.controller.small import host

FLAT, VLAN, LOCAL = NetworkType.FLAT, NetworkType.VLAN, NetworkType.LOCAL
GRE, VXLAN, GENEVE = TUNNEL_TYPES
TYPED = [VLAN, *TUNNEL_TYPES]
LAST = {VLAN: 4094, VXLAN: 2**24 - 1, GENEVE: 2**24 - 1, GRE: 2**32 - 1}
NO_MORE = (409, "NoNetworkAvailable")
HOSTS = (host(1, bridge_mappings=(("physnet1", "br-ex"), ("physnet2", "br-two"))), host(2))


def span(kind, first, last):
    physical = "physnet1" if kind is VLAN else ""
    return SegmentRange(network_type=kind, first=first, last=last, physical_network=physical)


def lab(*ranges, tenant=(), **more):
    return Overlay(name="lab", hosts=HOSTS, ranges=ranges, tenant_network_types=tenant, **more)


def create(overlay, name="n", **requested):
    provider = {f"provider:{word}": value for word, value in requested.items()}
    return resources.create_network(overlay, {"network": {"name": name, **provider}}, new_id=name)


def made(overlay, name="n", **requested):
    return segment_of(create(overlay, name, **requested).networks[-1])


def refused(overlay, **requested):
    with pytest.raises(NeutronError) as error:
        create(overlay, **requested)
    return error.value.status, error.value.type


@st.composite
def spans(draw):
    """Ranges of any type, some of them overlapping, near an edge as often as not."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(TYPED))
        first = draw(st.sampled_from([1, 2, 1000, LAST[kind] - 3, LAST[kind]]))
        length = draw(st.integers(0, 3))
        found.append(span(kind, first, min(first + length, LAST[kind])))
    return tuple(found)


@given(ranges=spans(), kind=st.sampled_from(TYPED), requested=st.integers(1, 14))
def test_ids_are_allocated_lowest_first_until_none_is_left(ranges, kind, requested):
    offered = [
        Segment(kind, each.physical_network or None, id_)
        for each in ranges
        if each.network_type is kind
        for id_ in range(each.first, each.last + 1)
    ]
    taken = []
    while len(taken) < requested and (found := first_free(kind, ranges, taken)):
        taken.append(found)

    once = list(dict.fromkeys(offered))
    assert taken == once[:requested]


@given(ranges=spans(), kind=st.sampled_from(TYPED), which=st.randoms(use_true_random=False))
def test_only_a_deleted_networks_id_is_allocated_again(ranges, kind, which):
    overlay = lab(*ranges, span(kind, 50, 55))
    names = [f"n{number}" for number in range(6)]
    for name in names:
        overlay = create(overlay, name, network_type=str(kind))
    gone = which.choice(names)
    freed = segment_of(overlay.network_of[gone])

    again = made(resources.delete_network(overlay, gone), "again", network_type=str(kind))

    assert again == freed
    assert made(overlay, "more", network_type=str(kind)) != freed if _room(overlay, kind) else True


def _room(overlay, kind):
    taken = {segment_of(network) for network in overlay.networks}
    return first_free(kind, ranges_of(overlay), taken) is not None


@pytest.mark.parametrize("kind", TYPED)
def test_the_first_and_the_last_usable_address_are_accepted_and_no_others(kind):
    physical = {"physical_network": "physnet1"} if kind is VLAN else {}
    requested = {"network_type": str(kind), **physical}
    for id_ in (1, LAST[kind]):
        assert made(lab(), **requested, segmentation_id=id_).segmentation_id == id_
        assert made(lab(span(kind, id_, id_)), **requested).segmentation_id == id_
    for id_ in (0, -1, LAST[kind] + 1):
        with pytest.raises(NeutronError) as error:
            create(lab(), **requested, segmentation_id=id_)
        printed = f"segmentation_id out of range (1 through {LAST[kind]})."
        assert str(error.value) == f"Invalid input for operation: {printed}"
        assert error.value.status == 400


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize(("below", "above"), [(1, 0), (0, 1), (5, -5)])
def test_a_pool_outside_the_usable_addresses_is_invalid(kind, below, above):
    first, last = (1 - below, 10) if below else (10, LAST[kind] + above)
    if (below, above) == (5, -5):
        first, last = 9, 8
    with pytest.raises(ModelError, match=rf"ranges of {kind}: range {first}:{last}; allowed: "):
        lab(span(kind, first, last))


def test_a_range_that_is_used_up_is_refused_as_neutron_does():
    full = create(create(lab(span(VXLAN, 7, 8)), "a"), "b")

    assert [network.segmentation_id for network in full.networks] == [1000, 1001]  # gre comes first
    full = create(create(lab(span(VXLAN, 7, 8), tenant=(VXLAN,)), "a"), "b")
    assert [network.segmentation_id for network in full.networks] == [7, 8]
    with pytest.raises(NeutronError) as error:
        create(full, "c")
    assert str(error.value) == (
        "Unable to create the network. No tenant network is available for allocation."
    )
    assert refused(full, network_type="vxlan") == NO_MORE
    assert made(full, network_type="vxlan", segmentation_id=9).segmentation_id == 9


def test_tenant_types_are_tried_in_order():
    overlay = lab(span(VXLAN, 1, 1), span(VLAN, 4094, 4094), tenant=(FLAT, VXLAN, VLAN, LOCAL))
    for name in "abcd":
        overlay = create(overlay, name)

    assert [tuple(segment_of(network)) for network in overlay.networks] == [
        (VXLAN, None, 1),
        (VLAN, "physnet1", 4094),
        (LOCAL, None, None),
        (LOCAL, None, None),
    ]


def test_flat_is_never_allocated_and_local_is_always_free():
    assert tenant_segment((FLAT,), (), ()) is None
    assert refused(lab(tenant=(FLAT,))) == NO_MORE
    assert tenant_segment((FLAT, LOCAL), (), {Segment(LOCAL)}) == Segment(LOCAL)


@pytest.mark.parametrize("kind", list(NetworkType))
def test_type_drivers_limit_the_types_of_new_networks(kind):
    others = tuple(other for other in NetworkType if other is not kind)
    physical = {"physical_network": "physnet1"} if kind.is_provider else {}
    with pytest.raises(NeutronError) as error:
        create(lab(type_drivers=others), network_type=str(kind), **physical)

    assert str(error.value) == (
        f"Invalid input for operation: network_type value '{kind}' not supported."
    )
    assert made(lab(), network_type=str(kind), **physical).network_type is kind
    assert refused(lab(type_drivers=others, tenant=(kind,))) == NO_MORE


def test_a_type_without_a_range_has_the_default_on_every_physical_network():
    ids = ranges_of(lab(span(GENEVE, 5, 6)))

    assert {(r.network_type, r.physical_network, r.first, r.last) for r in ids} == {
        (GENEVE, "", 5, 6),
        (GRE, "", *DEFAULT_IDS),
        (VXLAN, "", *DEFAULT_IDS),
        (VLAN, "physnet1", *DEFAULT_IDS),
        (VLAN, "physnet2", *DEFAULT_IDS),
    }
    assert made(lab(), network_type="vlan") == (VLAN, "physnet1", 1000)
    assert made(lab(), network_type="vlan", physical_network="physnet2") == (VLAN, "physnet2", 1000)
    bare = replace(lab(), hosts=(host(1),))
    assert refused(bare, network_type="vlan") == NO_MORE


@pytest.mark.parametrize(
    ("requested", "printed"),
    [
        (
            {"network_type": "local", "segmentation_id": 1},
            "segmentation_id prohibited for local provider network",
        ),
        (
            {"network_type": "local", "physical_network": "physnet1"},
            "physical_network prohibited for local provider network",
        ),
        ({"network_type": "flat"}, "physical_network required for flat provider network"),
        (
            {"network_type": "flat", "physical_network": "physnet1", "segmentation_id": 0},
            "segmentation_id prohibited for flat provider network",
        ),
        (
            {"network_type": "vlan", "segmentation_id": 5},
            "segmentation_id requires physical_network for VLAN provider network",
        ),
        (
            {"network_type": "vlan", "physical_network": "elsewhere"},
            "physical_network 'elsewhere' unknown for VLAN provider network",
        ),
    ],
)
def test_attributes_that_a_type_does_not_have_are_refused_with_neutrons_errors(requested, printed):
    with pytest.raises(NeutronError) as error:
        create(lab(), **requested)

    assert str(error.value) == f"Invalid input for operation: {printed}."
    assert (error.value.status, error.value.type) == (400, "InvalidInput")


def test_there_may_be_several_local_networks_with_the_mtu_of_the_underlay():
    overlay = create(create(lab(), "a", network_type="local"), "b", network_type="local")

    assert [overlay.mtu_of(network) for network in overlay.networks] == [1500, 1500]
