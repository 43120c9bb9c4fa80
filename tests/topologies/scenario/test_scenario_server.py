"""What Neutron's server refuses, for scenarios that configure one; others may have any network."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.model.modes import parse_mode, with_mode
from tests.controller.api.resource_requests import OVERLAY, network, refused
from tests.topologies.scenario.scenario_files import errors_of, with_two_hosts, write
from topologies.scenario.load import load

VLAN = "networks:\n- {name: n, network_type: vlan, physical_network: p, segmentation_id: 300}\n"
FLAT = "networks:\n- {name: n, network_type: flat, physical_network: p}\n"
BOTH = (
    "networks:\n- {name: n, network_type: vlan, physical_network: p, segmentation_id: 9}\n"
    "- {name: m, network_type: flat, physical_network: p}\n"
)
CONF = "ml2_conf: {file: m.ini}\n"


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def is_valid(text: str, ini: str = "") -> bool:
    Path("m.ini").write_text(ini, encoding="utf-8")
    return bool(load(write("s.yaml", with_two_hosts(text))).overlay)


def refusal(text: str, ini: str) -> str:
    Path("m.ini").write_text(ini, encoding="utf-8")
    (error,) = errors_of(with_two_hosts(text))
    return error


@pytest.mark.parametrize(
    ("text", "ini"),
    [
        (VLAN + CONF, "[ml2_type_vlan]\nnetwork_vlan_ranges = p\n"),
        (VLAN + CONF, "[ml2_type_vlan]\nnetwork_vlan_ranges = q:1:9, p:100:199\n"),  # any id
        (FLAT + CONF, ""),  # the default is *
        (FLAT + CONF, "[ml2_type_flat]\nflat_networks = *\n"),
        (FLAT + CONF, "[ml2_type_flat]\nflat_networks = q, p\n"),
        (FLAT + CONF, "[ml2]\nmechanism_drivers = openvswitch, l2population\n"),
        (BOTH, ""),  # no server is configured
    ],
)
def test_a_network_that_the_server_knows_is_valid(text, ini):
    assert is_valid(text, ini)


@pytest.mark.parametrize(
    ("text", "ini", "allowed"),
    [
        (VLAN, "", "none ([ml2_type_vlan] network_vlan_ranges)"),
        (VLAN, "[ml2_type_vlan]\nnetwork_vlan_ranges =\n", "none ([ml2_type_vlan]"),
        (VLAN, "[ml2_type_vlan]\nnetwork_vlan_ranges = q, r:5:6\n", "q, r ([ml2_type_vlan]"),
        (FLAT, "[ml2_type_flat]\nflat_networks =\n", "none ([ml2_type_flat] flat_networks)"),
        (FLAT, "[ml2_type_flat]\nflat_networks = q\n", "q ([ml2_type_flat] flat_networks)"),
    ],
)
def test_a_physical_network_that_the_server_does_not_know_is_an_error(text, ini, allowed):
    error = refusal(text + CONF, ini)

    assert error.startswith(f"s.yaml:5: network 'n': physical_network 'p'; allowed: {allowed}")


@pytest.mark.parametrize("drivers", ["", "linuxbridge", "l2population,sriovnicswitch"])
def test_without_the_hosts_mechanism_no_port_is_bound(drivers):
    error = refusal(FLAT + CONF, f"[ml2]\nmechanism_drivers = {drivers}\n")

    assert error == (
        f"m.ini:2: [ml2] mechanism_drivers: {drivers.replace(',', ', ') or 'none'}; "
        "allowed: a list with openvswitch, the hosts' mechanism. "
        "Add openvswitch: Neutron's server binds no port without it (binding_failed)."
    )


def test_options_of_the_scenario_itself_restrict_as_those_of_a_file():
    conf = "ml2_conf: {ml2_type_flat: {flat_networks: [q]}}\n"
    (error,) = errors_of(with_two_hosts(FLAT + conf))

    assert "physical_network 'p'; allowed: q ([ml2_type_flat] flat_networks)" in error
    assert is_valid(FLAT + conf.replace("[q]", "['*']"))
    assert is_valid(VLAN + conf)  # without a file only the options that are given
    conf = "ml2_conf: {ml2_type_vlan: {network_vlan_ranges: ['q:1:9']}}\n"
    (error,) = errors_of(with_two_hosts(VLAN + conf))
    assert "allowed: q ([ml2_type_vlan] network_vlan_ranges)" in error
    (error,) = errors_of(with_two_hosts(FLAT + "ml2_conf: {ml2: {mechanism_drivers: []}}\n"))
    assert error.startswith("s.yaml:6: [ml2] mechanism_drivers: none; ")


def test_an_mtu_that_the_underlay_has_no_room_for_is_an_error():
    large = "networks:\n- {name: n, network_type: vxlan, segmentation_id: 5, mtu: 1451}\n"

    assert refusal(large, "") == (
        "s.yaml:5: network 'n': mtu 1451: IP packets of 1451 bytes would not pass; "
        "allowed: up to 1450 bytes: the underlay's mtu 1500 less 50 of vxlan. "
        "Set it to 1450, raise the underlay's mtu, or leave it out."
    )
    assert is_valid(large.replace("1451", "1450"))


def test_errors_of_the_server_and_of_the_model_are_reported_together():
    port = "ports:\n- {server: a, host: h1, network: n, mac_address: '00:00:00:00:00:00'}\n"
    Path("m.ini").write_text("", encoding="utf-8")
    first, *others = errors_of(with_two_hosts(VLAN + port + CONF))

    assert "network_vlan_ranges" in first
    assert any("not all zero" in error for error in others)


def test_the_api_refuses_the_same_physical_networks():
    served = replace_server(vlan_networks=("q",), flat_networks=())
    wanted = {"provider__physical_network": "p", "provider__network_type": "vlan"}

    assert refused(network, served, **wanted, provider__segmentation_id=5) == (
        400,
        "InvalidInput",
        "Invalid input for operation: physical_network 'p' unknown for VLAN provider network.",
    )
    wanted["provider__network_type"] = "flat"
    assert refused(network, served, **wanted)[2].endswith("Flat provider networks are disabled.")
    assert refused(network, replace_server(flat_networks=("q",)), **wanted)[2].endswith(
        "physical_network 'p' unknown for flat provider network."
    )
    assert network(replace_server(flat_networks=("p",)), **wanted)


def replace_server(**known):
    return replace(OVERLAY, **known)


@pytest.mark.parametrize("mode", ["flat", "vlan"])
def test_in_a_mode_of_a_provider_network_the_server_knows_its_physical_network(mode):
    text = "networks:\n- {name: n, network_type: vxlan, segmentation_id: 5}\n"
    Path("m.ini").write_text("[ml2_type_flat]\nflat_networks =\n", encoding="utf-8")
    overlay = load(write("s.yaml", with_two_hosts(text + CONF))).overlay
    staged = with_mode(replace(overlay, networks=()), parse_mode(mode))
    wanted = {"provider__physical_network": "physnet1", "provider__network_type": mode}

    assert (overlay.vlan_networks, overlay.flat_networks) == ((), ())
    assert network(staged, **wanted, provider__segmentation_id=5 if mode == "vlan" else None)
