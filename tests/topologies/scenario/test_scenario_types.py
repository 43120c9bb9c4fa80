"""Network types and their ids as a scenario and its ml2_conf.ini name them: exact at the edges."""

import pytest

from controller.model.encap import NetworkType
from tests.topologies.scenario.scenario_files import errors_of, with_two_hosts, write
from topologies.scenario.load import load

MOST = {"vlan": 4094, "vxlan": 2**24 - 1, "geneve": 2**24 - 1, "gre": 2**32 - 1}
WORDS = {"vlan": "VLAN id", "vxlan": "VNI", "geneve": "VNI", "gre": "key"}
RANGES = {
    "vlan": "ml2_type_vlan: {network_vlan_ranges",
    "vxlan": "ml2_type_vxlan: {vni_ranges",
    "geneve": "ml2_type_geneve: {vni_ranges",
    "gre": "ml2_type_gre: {tunnel_id_ranges",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def networks(text):
    return load(write("s.yaml", with_two_hosts(text))).overlay.networks


def segments(text):
    return [(str(n.network_type), n.physical_network, n.segmentation_id) for n in networks(text)]


def explicit(kind, id_):
    physical = ", physical_network: p" if kind == "vlan" else ""
    return f"networks:\n- {{name: n, network_type: {kind}, segmentation_id: {id_}{physical}}}\n"


def ranged(kind, first, last):
    physical = "p:" if kind == "vlan" else ""
    return (
        f"networks:\n- {{name: n, network_type: {kind}}}\n"
        f"ml2_conf: {{{RANGES[kind]}: ['{physical}{first}:{last}']}}}}\n"
    )


@pytest.mark.parametrize("kind", MOST)
def test_both_limits_are_accepted_by_id_and_by_range(kind):
    for id_ in (1, MOST[kind]):
        assert [id_ for *_, id_ in segments(explicit(kind, id_))] == [id_]
        assert [id_ for *_, id_ in segments(ranged(kind, id_, id_))] == [id_]
    overlay = load(write("s.yaml", with_two_hosts(ranged(kind, 1, MOST[kind])))).overlay
    assert [(str(r.network_type), r.first, r.last) for r in overlay.ranges] == [
        (kind, 1, MOST[kind])
    ]


@pytest.mark.parametrize("kind", MOST)
def test_ids_outside_the_limits_are_refused_by_id_and_by_range(kind):
    for id_ in (0, MOST[kind] + 1):
        (error,) = errors_of(with_two_hosts(explicit(kind, id_)))
        assert f"segmentation_id {id_}; allowed: 1..{MOST[kind]} ({kind}'s {WORDS[kind]})" in error
        assert error.startswith("s.yaml:5: network 'n': ")
    for first, last in ((0, 5), (5, MOST[kind] + 1)):
        (error,) = errors_of(with_two_hosts(ranged(kind, first, last)))
        assert f"each id 1..{MOST[kind]}" in error
        assert error.startswith("s.yaml:6: ml2_conf.")


def test_an_ini_file_has_the_same_limits():
    write("m.ini", "[ml2_type_gre]\ntunnel_id_ranges = 4294967295:4294967295\n")
    text = "networks:\n- {name: n, network_type: gre}\nml2_conf: {file: m.ini}\n"
    assert segments(text) == [("gre", None, 2**32 - 1)]
    write("m.ini", "[ml2_type_gre]\ntunnel_id_ranges = 4294967295:4294967296\n")
    assert errors_of(with_two_hosts(text)) == [
        "m.ini:2: [ml2_type_gre] tunnel_id_ranges: '4294967295:4294967296'; allowed: first:last "
        "pairs with commas between, each id 1..4294967295. Correct the value."
    ]


def test_tenant_types_are_tried_in_order_and_local_is_never_used_up():
    nets = "".join(f"- {{name: n{number}}}\n" for number in range(6))
    conf = (
        "ml2_conf:\n  ml2: {tenant_network_types: [flat, vxlan, vlan, local, gre]}\n"
        "  ml2_type_vxlan: {vni_ranges: ['7:7', '9:9']}\n"
        "  ml2_type_vlan: {network_vlan_ranges: ['p:4094:4094', 'q:1:1']}\n"
    )
    assert segments(f"networks:\n{nets}{conf}") == [
        ("vxlan", None, 7),
        ("vxlan", None, 9),
        ("vlan", "p", 4094),
        ("vlan", "q", 1),
        ("local", None, None),
        ("local", None, None),
    ]


def test_a_vlan_network_may_name_its_physical_network_alone():
    conf = "ml2_conf: {ml2_type_vlan: {network_vlan_ranges: ['p:5:6', 'q:5:6']}}\n"
    text = (
        "networks:\n- {name: a, network_type: vlan, physical_network: q}\n"
        "- {name: b, network_type: vlan}\n- {name: c, network_type: vlan, physical_network: q}\n"
    )
    assert segments(text + conf) == [("vlan", "q", 5), ("vlan", "p", 5), ("vlan", "q", 6)]


def test_a_requested_id_is_given_to_no_other_network():
    conf = "ml2_conf: {ml2_type_vxlan: {vni_ranges: ['5:6']}}\n"
    text = "networks:\n- {name: a, network_type: vxlan}\n- {name: b, network_type: vxlan, segmentation_id: 5}\n"
    assert [id_ for *_, id_ in segments(text + conf)] == [6, 5]


@pytest.mark.parametrize("option", ["tenant_network_types", "project_network_types"])
@pytest.mark.parametrize("word", ["gre", "stt"])
def test_a_tenant_type_without_driver_ends_neutron_and_is_an_error_here(option, word):
    conf = f"ml2_conf:\n  ml2:\n    type_drivers: [vxlan, local]\n    {option}: [vxlan, {word}]\n"
    assert errors_of(with_two_hosts(f"networks: []\n{conf}")) == [
        f"s.yaml:8: [ml2] {option}: '{word}'; allowed: vxlan, local (type_drivers). "
        "Add it to type_drivers, or remove it here."
    ]


@pytest.mark.parametrize("kind", list(NetworkType))
def test_type_drivers_limit_what_a_scenario_may_have(kind):
    others = ", ".join(other for other in NetworkType if other is not kind)
    conf = f"ml2_conf: {{ml2: {{type_drivers: [{others}]}}}}\n"
    given = {"segmentation_id": 5} if kind.kind.id_max else {}
    given |= {"physical_network": "p"} if kind.is_provider else {}
    more = "".join(f", {key}: {value}" for key, value in given.items())
    text = f"networks:\n- {{name: n, network_type: {kind}{more}}}\n"

    assert segments(text) == [(kind, given.get("physical_network"), given.get("segmentation_id"))]
    (error,) = errors_of(with_two_hosts(text + conf))
    assert f"Add {kind} to type_drivers, or use another type." in error


def test_the_types_that_the_api_allows_are_part_of_the_overlay():
    conf = "ml2_conf: {ml2: {type_drivers: [vxlan, local, other], tenant_network_types: [local]}}\n"
    scenario = load(write("s.yaml", with_two_hosts(f"networks: []\n{conf}")))
    overlay = scenario.overlay

    assert scenario.warnings == (
        "s.yaml:5: type_drivers has 'other': unknown network type, ignored",
    )
    assert overlay.type_drivers == (NetworkType.VXLAN, NetworkType.LOCAL)
    assert overlay.tenant_network_types == (NetworkType.LOCAL,)
    assert load("article").overlay.type_drivers == tuple(
        map(NetworkType, ("flat", "vlan", "vxlan", "gre", "local"))
    )


def test_a_local_network_has_neither_id_nor_physical_network():
    text = "networks:\n- {name: n, network_type: local, segmentation_id: 1, physical_network: p}\n"
    errors = errors_of(with_two_hosts(text))

    assert errors == [
        "s.yaml:5: network 'n': segmentation_id 1; allowed: none (local has no id). Remove it.",
        "s.yaml:5: network 'n': physical_network 'p'; allowed: none (local never leaves its host). "
        "Remove it.",
    ]
