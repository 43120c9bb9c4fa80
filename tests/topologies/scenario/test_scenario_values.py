"""Valid scenario files, and the overlay that each describes."""

from pathlib import Path

import pytest

from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from tests.topologies.scenario.scenario_files import TWO_HOSTS, with_two_hosts, write
from topologies.scenario.load import load


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> Overlay:
    return load(write("s.yaml", with_two_hosts(text))).overlay


def test_a_scenario_without_networks_is_two_hosts():
    scenario = load(write("s.yaml", TWO_HOSTS))
    assert (scenario.name, scenario.summary, scenario.warnings) == ("s", "", ())
    assert scenario.overlay.underlay_mtu == 1500
    assert scenario.overlay.release == "queens"
    assert scenario.overlay.ports == ()


def test_macs_are_text_and_become_lower_case():
    # In YAML 1.1 the second is a number to the base of sixty.
    overlay = loaded("""\
        networks: [{name: n, network_type: vxlan, segmentation_id: 7}]
        ports:
          - {server: a, host: h1, network: n, mac_address: FA:16:3E:00:00:0A}
          - {server: b, host: h2, network: n, mac_address: 10:20:30:40:50:10}
        """)
    assert [port.mac_address for port in overlay.ports] == [
        "fa:16:3e:00:00:0a",
        "10:20:30:40:50:10",
    ]


def test_a_hosts_own_option_overrides_the_agents_and_that_the_files():
    write(
        "a.ini",
        "[ovs]\nlocal_ip = 192.0.2.9\n[agent]\ntunnel_types = geneve\nl2_population = True\n",
    )
    overlay = load(
        write(
            "s.yaml",
            """\
        agent: {tunnel_types: [gre]}
        hosts:
          - {name: h1, agent_file: a.ini}
          - {name: h2, agent_file: a.ini, local_ip: 192.0.2.2, tunnel_types: [vxlan, gre], l2_population: false}
        """,
        )
    ).overlay
    assert [str(host.local_ip) for host in overlay.hosts] == ["192.0.2.9", "192.0.2.2"]
    assert [host.tunnel_types for host in overlay.hosts] == [("gre",), ("vxlan", "gre")]
    assert [host.l2_population for host in overlay.hosts] == [True, False]


def test_paths_are_relative_to_the_scenarios_folder(monkeypatch, tmp_path):
    (tmp_path / "deep").mkdir()
    write("deep/a.ini", "[ovs]\nlocal_ip = 192.0.2.9\n[agent]\ntunnel_types = gre\n")
    write(
        "deep/s.yaml",
        "hosts:\n- {name: h1, agent_file: a.ini}\n- {name: h2, local_ip: 192.0.2.2}\n",
    )
    assert str(load("deep/s.yaml").overlay.hosts[0].local_ip) == "192.0.2.9"


def test_the_name_of_a_shipped_scenario_has_precedence_over_a_file():
    write("article", TWO_HOSTS)
    assert load("article").overlay.name == "article"
    assert load(Path("article")).overlay.hosts[0].name == "h1"
    assert load("./article").overlay.hosts[0].name == "h1"


def test_ids_come_from_the_ranges_and_skip_those_that_are_taken():
    overlay = loaded("""\
        ml2_conf:
          ml2: {tenant_network_types: [vxlan, gre]}
          ml2_type_vxlan: {vni_ranges: ["5:6", "9:9"]}
          ml2_type_gre: {tunnel_id_ranges: ["5:100"]}
          ml2_type_vlan: {network_vlan_ranges: [other, "physnet1:7:9"]}
        networks:
          - {name: a}
          - {name: b, network_type: gre}
          - {name: c}
          - {name: d}
          - {name: later, network_type: vxlan, segmentation_id: 6}
          - {name: outside, network_type: vxlan, segmentation_id: 16777215}
          - {name: e, network_type: vlan}
        """)
    assert [(net.name, net.network_type, net.segmentation_id) for net in overlay.networks] == [
        ("a", "vxlan", 5),
        ("b", "gre", 5),
        ("c", "vxlan", 9),
        ("d", "gre", 6),  # the VXLAN ids are used up, so the next type's
        ("later", "vxlan", 6),
        ("outside", "vxlan", 16777215),
        ("e", "vlan", 7),
    ]
    assert overlay.networks[-1].physical_network == "physnet1"


def test_the_newer_name_of_tenant_network_types_has_precedence():
    overlay = loaded("""\
        ml2_conf:
          ml2: {tenant_network_types: [vxlan], project_network_types: [gre]}
          ml2_type_vxlan: {vni_ranges: ["1:9"]}
          ml2_type_gre: {tunnel_id_ranges: ["1:9"]}
        networks: [{name: a}]
        """)
    assert overlay.networks[0].network_type == "gre"


@pytest.mark.parametrize(("path_mtu", "mtu"), [(0, 1450), (1400, 1350), (1500, 1450), (9000, 1450)])
def test_path_mtu_limits_tunnels_and_never_widens(path_mtu, mtu):
    overlay = loaded(f"""\
        ml2_conf: {{ml2: {{path_mtu: {path_mtu}}}}}
        networks: [{{name: a, network_type: vxlan, segmentation_id: 5}}]
        """)
    assert overlay.mtu_of(overlay.networks[0]) == mtu


@pytest.mark.parametrize(
    ("mode", "mtu"), [("gre-mesh", 1358), ("vxlan-mesh", 1350), ("vlan", 1500)]
)
def test_path_mtu_follows_a_change_of_mode(mode, mtu):
    overlay = loaded("""\
        ml2_conf: {ml2: {path_mtu: 1400}}
        networks: [{name: a, network_type: vxlan, segmentation_id: 5}]
        """)
    changed = with_mode(overlay, parse_mode(mode))
    assert changed.mtu_of(changed.networks[0]) == mtu


def test_a_requested_mtu_is_kept():
    overlay = loaded("""\
        ml2_conf: {ml2: {path_mtu: 1400}}
        networks: [{name: a, network_type: vxlan, segmentation_id: 5, mtu: 1300}]
        """)
    assert overlay.networks[0].mtu == overlay.mtu_of(overlay.networks[0]) == 1300


def test_addresses_are_the_first_free_of_the_pools_and_never_the_gateway():
    overlay = loaded("""\
        networks:
          - name: n
            network_type: vxlan
            segmentation_id: 7
            subnets:
              - cidr: 10.0.0.0/24
                allocation_pools: [{start: 10.0.0.2, end: 10.0.0.3}, {start: 10.0.0.9, end: 10.0.0.9}]
              - cidr: 10.1.0.0/24
                gateway_ip: null
              - {cidr: 2001:db8::/64, gateway_ip: 2001:db8::9}
        ports:
          - {server: a, host: h1, network: n}
          - {server: b, host: h1, network: n}
          - {server: c, host: h2, network: n, fixed_ips: [10.0.0.2]}
          - {server: d, host: h2, network: n}
          - {server: e, host: h2, network: n, fixed_ips: []}
        """)
    assert {port.name: [str(ip) for ip in port.fixed_ips] for port in overlay.ports} == {
        "a": ["10.0.0.3", "2001:db8::1"],  # .1 is the gateway, .2 is c's
        "b": ["10.0.0.9", "2001:db8::2"],
        "c": ["10.0.0.2"],
        "d": ["10.1.0.1", "2001:db8::3"],  # the first subnet is used up
        "e": [],
    }


def test_derived_values_are_reproducible_and_differ_between_scenarios():
    text = with_two_hosts("""\
        networks: [{name: n, network_type: vxlan, segmentation_id: 7}]
        ports: [{server: a, host: h1, network: n}, {server: b, host: h2, network: n}]
        """)
    first, again, other = (load(write(f"{name}.yaml", text)).overlay for name in ("s", "s", "t"))
    assert first == again
    assert len({port.id for overlay in (first, other) for port in overlay.ports}) == 4
    assert len({port.mac_address for overlay in (first, other) for port in overlay.ports}) == 4


def test_an_ipv6_vtep_keeps_its_notation():
    overlay = load(
        write(
            "s.yaml",
            """\
        hosts:
          - {name: h1, local_ip: "fd00:150:0::11"}
          - {name: h2, local_ip: "fd00:150::12"}
        """,
        )
    ).overlay
    assert [str(host.local_ip) for host in overlay.hosts] == ["fd00:150::11", "fd00:150::12"]
    assert [host.vtep for host in overlay.hosts] == ["fd00:150:0::11", "fd00:150::12"]
    assert [host.written_ip for host in overlay.hosts] == ["fd00:150:0::11", ""]


def test_a_scenario_names_its_release():
    assert loaded("release: current\n").release == "current"
