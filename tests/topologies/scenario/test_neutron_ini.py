"""Neutron's .ini files: read as Neutron reads them, with the line of everything."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg

from controller.model.errors import ModelError
from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, write
from topologies.scenario.file import Problems
from topologies.scenario.load import load
from topologies.scenario.options import read_ini

AGENT = "[ovs]\nlocal_ip = 192.0.2.9\n[agent]\ntunnel_types = gre\n"
SYNTAX = "allowed: [section], option = value, a comment, or an indented continuation"


@pytest.fixture(autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("ini"))


def settings(text: str) -> dict[tuple[str, str], tuple[str, int]]:
    problems = Problems()
    read = read_ini(write("a.ini", text), problems, where="here").settings
    problems.raise_all()
    return {which: (setting.text, setting.place.line) for which, setting in read.items()}


def with_agent(ini: str) -> str:
    write("a.ini", ini)
    return "hosts:\n  - {name: h1, agent_file: a.ini}\n  - {name: h2, local_ip: 192.0.2.2}\n"


def with_server(ini: str) -> str:
    write("m.ini", ini)
    return TWO_HOSTS + "ml2_conf: {file: m.ini}\n"


def test_comments_repeats_and_continuations_as_in_neutron():
    read = settings("""\
        top = 1
        [ovs]
        # 注意这个是本机的ip
        local_ip : "10.0.0.1"
        ; another
        bridge_mappings = a:b,
          c:d
        local_ip = 10.0.0.2
        [OVS]
        empty =
        """)
    assert read == {
        ("DEFAULT", "top"): ("1", 1),
        ("ovs", "local_ip"): ("10.0.0.2", 8),
        ("ovs", "bridge_mappings"): ("a:b,\nc:d", 6),
        ("ovs", "empty"): ("", 10),
    }


WORDS = st.text("abcxyz019.:/", min_size=1, max_size=8)


@given(st.lists(st.tuples(WORDS.filter(lambda word: ":" not in word), WORDS), max_size=8))
def test_of_a_repeated_option_the_value_is_that_of_oslo_config(pairs):
    text = "[agent]\n" + "".join(f"{key} = {value}\n" for key, value in pairs)
    conf = cfg.ConfigOpts()
    names = {key for key, _ in pairs if key.isidentifier()}
    conf.register_opts([cfg.StrOpt(name) for name in names], group="agent")
    conf([], default_config_files=[str(write("a.ini", text))], default_config_dirs=[])
    ours = settings(text)
    assert {name: ours["agent", name][0] for name in names} == {
        name: conf.agent[name] for name in names
    }


def test_all_lines_with_invalid_syntax_are_reported():
    text = with_agent("   x\n[ovs\n[]\nnonsense\n= 5\n" + AGENT)
    assert errors_of(text) == [
        f"a.ini:1: 'x' is indented, but no option is before it; {SYNTAX}. Remove the indentation.",
        f"a.ini:2: '[ovs' has no closing bracket; {SYNTAX}. Write `[section]`.",
        f"a.ini:3: '[]' has no section name; {SYNTAX}. Write `[section]`.",
        f"a.ini:4: 'nonsense' has neither '=' nor ':'; {SYNTAX}. Write `option = value`.",
        f"a.ini:5: '= 5' has no option before the sign; {SYNTAX}. Write `option = value`.",
    ]


VALUES = {
    "[ovs] local_ip": ("here", "an IPv4 or IPv6 address. Give the VTEP's address."),
    "[ovs] bridge_mappings": (
        "physnet1",
        "network:bridge pairs with commas between, each name once. Correct the value.",
    ),
    "[ovs] integration_bridge": ("br0", "br-int. Only br-int is supported; remove the line."),
    "[ovs] tunnel_bridge": ("br0", "br-tun. Only br-tun is supported; remove the line."),
    "[agent] tunnel_types": (
        "gre, vlan",
        "gre, vxlan, geneve. Name one or more, with commas between.",
    ),
    "[agent] l2_population": ("perhaps", "true or false. Correct the value."),
    "[agent] arp_responder": ("2", "true or false. Correct the value."),
    "[agent] dont_fragment": ("maybe", "true or false. Correct the value."),
    "[agent] tunnel_csum": ("2", "true or false. Correct the value."),
}


@pytest.mark.parametrize("option", VALUES)
def test_an_invalid_agent_option(option):
    found, allowed = VALUES[option]
    section, _, name = option.partition(" ")
    text = with_agent(f"{AGENT}{section}\n{name} = {found}\n")
    assert errors_of(text) == [f"a.ini:6: {option}: {found!r}; allowed: {allowed}"]


RANGE = "first:last pairs with commas between, each id 1..{}. Correct the value."
SERVER_VALUES = {
    "[ml2] path_mtu": ("big", "a whole number of bytes; 0 for no limit. Correct the value."),
    "[ml2_type_vxlan] vni_ranges": ("1:16777216", RANGE.format(16777215)),
    "[ml2_type_gre] tunnel_id_ranges": ("0:5", RANGE.format(4294967295)),
    "[ml2_type_geneve] vni_ranges": ("7", RANGE.format(16777215)),
    "[ml2_type_vlan] network_vlan_ranges": (
        "physnet1:4000:4095",
        "network or network:first:last with commas between, each id 1..4094. Correct the value.",
    ),
}


@pytest.mark.parametrize("option", SERVER_VALUES)
def test_an_invalid_server_option(option):
    found, allowed = SERVER_VALUES[option]
    section, _, name = option.partition(" ")
    text = with_server(f"{section}\n{name} = {found}\n")
    assert errors_of(text) == [f"m.ini:2: {option}: {found!r}; allowed: {allowed}"]


def test_explicit_defaults_are_accepted():
    ini = (
        f"{AGENT}vxlan_udp_port = 4789\ndont_fragment = True\n[ovs]\nintegration_bridge = br-int\n"
    )
    scenario = load(write("s.yaml", with_agent(ini)))
    assert scenario.warnings == ()
    assert str(scenario.overlay.hosts[0].local_ip) == "192.0.2.9"


def test_bridge_mappings_are_pairs():
    ini = f"{AGENT}[ovs]\nbridge_mappings = physnet1:br-ex, physnet2 : br-other\n"
    scenario = load(write("s.yaml", with_agent(ini)))
    assert scenario.overlay.hosts[0].bridge_mappings == (
        ("physnet1", "br-ex"),
        ("physnet2", "br-other"),
    )


def test_a_file_that_is_not_utf8():
    Path("m.ini").write_bytes(b"[ml2]\n# \xd6\xd0\n")
    Path("s.yaml").write_text(TWO_HOSTS + "ml2_conf: {file: m.ini}\n", encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load("s.yaml")
    assert str(caught.value) == (
        "s.yaml:4: ml2_conf.file (m.ini): byte 0xd6 at offset 8 is not UTF-8; allowed: text in UTF-8. "
        "Save the file as UTF-8."
    )


AGENT_WARNINGS = {
    "unknown": (
        f"{AGENT}tunel_types = x\n",
        "a.ini:5: [agent] tunel_types: Neutron 12.1.1 has no such option and ignores it; "
        "did you mean [agent] tunnel_types?",
    ),
    "in the wrong section": (
        f"[agent]\nlocal_ip = 192.0.2.7\n{AGENT}",
        "a.ini:2: [agent] local_ip: Neutron 12.1.1 has no such option and ignores it; "
        "it belongs to [ovs] or [vxlan]",
    ),
    "known, and not modelled here": (
        f"{AGENT}[securitygroup]\nfirewall_driver = openvswitch\n",
        "a.ini:6: [securitygroup] firewall_driver = openvswitch: not modelled: Neutron has the "
        "firewall's flows in br-int (tables 71 to 94) and none in tables 24 and 25; here spoofed "
        "frames are dropped in tables 24 and 25, and rules of security groups are absent",
    ),
    "no tunnel types": (
        "[ovs]\nlocal_ip = 192.0.2.9\n[agent]\n",
        "a.ini:3: no tunnel_types in [agent]: Neutron's agent would build no br-tun and no tunnel; "
        "the scenario has none either",
    ),
    "arp_responder alone": (
        f"{AGENT}arp_responder = true\n",
        "a.ini:5: arp_responder without l2_population on host 'h1': Neutron's agent ignores it",
    ),
    "empty bridge_mappings": (
        f"{AGENT}[ovs]\nbridge_mappings =\n",
        "a.ini:6: empty bridge_mappings: harmless, the host has no provider bridge",
    ),
}


@pytest.mark.parametrize("case", AGENT_WARNINGS)
def test_warnings_about_an_agents_file(case):
    ini, warning = AGENT_WARNINGS[case]
    assert load(write("s.yaml", with_agent(ini))).warnings == (warning,)


def test_l2_population_without_the_servers_l2population_is_warned_about():
    write("m.ini", "[ml2]\nmechanism_drivers = openvswitch\n")
    text = TWO_HOSTS + "ml2_conf: {file: m.ini}\nagent: {l2_population: true}\n"
    assert load(write("s.yaml", text)).warnings == (
        "m.ini:2: mechanism_drivers lacks l2population, but agents set l2_population: "
        "Neutron's server would send them no FDB entries, and they would build no tunnel; "
        "here they receive the entries anyway",
    )


@pytest.mark.parametrize("agent", ["{l2_population: true}", "{l2_population: false}"])
def test_no_warning_if_server_and_agents_agree(agent):
    drivers = "openvswitch, l2population" if "true" in agent else "openvswitch"
    write("m.ini", f"[ml2]\nmechanism_drivers = {drivers}\n")
    text = TWO_HOSTS + f"ml2_conf: {{file: m.ini}}\nagent: {agent}\n"
    assert load(write("s.yaml", text)).warnings == ()
