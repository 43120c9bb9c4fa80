"""Scenarios with packets that the network between the hosts does not carry: a warning, in bytes."""

import pytest

from controller.model.modes import parse_mode, with_mode
from controller.model.mtu import physnet_mtu_warnings, too_large
from experiments.cli.main import main
from topologies.scenario.load import load

pytestmark = pytest.mark.pure

SCENARIO = """\
underlay: {{{underlay}}}
ml2_conf: {{file: m.ini, ml2: {{path_mtu: {path_mtu}}}}}
agent: {{tunnel_types: [gre, vxlan]}}
hosts:
- {{name: host1, local_ip: {prefix}1}}
- {{name: host2, local_ip: {prefix}2}}
networks:
- {{name: red, network_type: {kind}, segmentation_id: 100, mtu: {mtu}}}
"""
WAN = "mtu: 9000, shape: wan, wan_mtu: 1500"
DEFAULT = {
    "underlay": "mtu: 1500",
    "path_mtu": 0,
    "prefix": "192.0.2.",
    "kind": "vxlan",
    "mtu": 0,
    "ini": "",
}
WAN_WARNING = (
    "s.yaml:1: network 'red' has an MTU of {mtu} bytes, and `wan_mtu` 1500 less {less} bytes of "
    "{kind} is {fits}: IP packets of {first} to {mtu} bytes do not pass the WAN in one piece, and "
    "are dropped there while `dont_fragment` is true. An mtu of {fits} fits"
)
CASES = {
    "a WAN with a smaller MTU": (
        {"underlay": WAN, "mtu": 8950},
        WAN_WARNING.format(mtu=8950, less=50, kind="vxlan", first=1451, fits=1450),
    ),
    "GRE leaves 8 bytes more": (
        {"underlay": WAN, "kind": "gre", "mtu": 8958},
        WAN_WARNING.format(mtu=8958, less=42, kind="gre", first=1459, fits=1458),
    ),
    "path_mtu beyond the underlay": (
        {"path_mtu": 9000},
        "s.yaml:2: path_mtu = 9000 on an underlay of 1500 bytes has no effect: packets over 1500 "
        "bytes, outer headers included, do not pass it",
    ),
    "global_physnet_mtu beyond the underlay": (
        {"ini": "[DEFAULT]\nglobal_physnet_mtu = 9000\n"},
        "m.ini:2: global_physnet_mtu = 9000 on an underlay of 1500 bytes: with it, Neutron gives "
        "network 'red' an MTU of 8950, and IP packets of 1451 to 8950 bytes do not pass the "
        "underlay. 1500 fits; here the network has 1450",
    ),
}
SILENT = {
    "an underlay for all": {},
    "a WAN with room": {"underlay": WAN, "mtu": 1450},
    "path_mtu that limits": {"path_mtu": 1400},
    "a jumbo underlay": {
        "underlay": "mtu: 9000",
        "path_mtu": 9000,
        "ini": "[DEFAULT]\nglobal_physnet_mtu = 9000\n",
    },
}


def written(folder, **changes):
    values = DEFAULT | changes
    (folder / "m.ini").write_text(values["ini"], encoding="utf-8")
    text = SCENARIO.format(**values).replace(", mtu: 0", "")
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return "s.yaml"


def mtu_warnings(scenario):
    return [each for each in load(scenario).warnings if "not modelled" not in each]


@pytest.mark.parametrize("case", CASES)
def test_a_warning_names_the_packets_and_the_mtu_that_fits(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changes, expected = CASES[case]
    assert mtu_warnings(written(tmp_path, **changes)) == [expected]


@pytest.mark.parametrize("case", SILENT)
def test_no_warning_where_every_packet_fits(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mtu_warnings(written(tmp_path, **SILENT[case])) == []


@pytest.mark.parametrize("command", [("up",), ("run", "latency", "--scenario")])
def test_up_and_run_print_it_before_they_need_root(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    main([*command, written(tmp_path, underlay=WAN, mtu=8950)])
    assert "overlaylab: warning: network 'red' has an MTU of 8950" in capsys.readouterr().err


@pytest.mark.parametrize("mtu", [9000, 1500])
def test_global_physnet_mtu_is_not_modelled_only_if_the_underlay_has_another_mtu(
    mtu, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ini = "[DEFAULT]\nglobal_physnet_mtu = 9000\n"
    scenario = load(written(tmp_path, underlay=f"mtu: {mtu}", ini=ini))
    assert ("[DEFAULT] global_physnet_mtu = 9000" in scenario.not_modelled) == (mtu != 9000)
    warned = [each for each in scenario.warnings if "not modelled" in each]
    assert len(warned) == (0 if mtu == 9000 else 1)


def test_a_single_size_is_no_range():
    assert too_large(1451, 1450) == "IP packets of 1451 bytes"
    assert too_large(1452, 1450) == "IP packets of 1451 to 1452 bytes"


def test_a_vlan_has_no_outer_headers_and_no_warning():
    overlay = load("article").overlay
    assert list(physnet_mtu_warnings(overlay, 9000))
    assert list(physnet_mtu_warnings(with_mode(overlay, parse_mode("vlan")), 9000)) == []
