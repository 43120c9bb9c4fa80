"""Files that are rare: options outside the samples, wrong names, costly values."""

import time
from itertools import pairwise

import pytest

from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, write
from topologies.scenario.load import Scenario, load

RELEASES = ("queens", "current")
AGENT = "[ovs]\nlocal_ip = 192.0.2.9\n[agent]\ntunnel_types = vxlan\n"
V6_HOSTS = TWO_HOSTS.replace("192.0.2.1", "'2001:db8::1'").replace("192.0.2.2", "'2001:db8::2'")
VLAN = "networks:\n- {name: v, network_type: vlan, physical_network: p1, segmentation_id: 100}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("rare"))


def agent_text(ini: str, release: str = "queens") -> str:
    write("a.ini", ini)
    hosts = "hosts:\n- {name: h1, agent_file: a.ini}\n- {name: h2, local_ip: 192.0.2.2}\n"
    return f"release: {release}\n{hosts}networks: []\n"


def agent(ini: str, release: str = "queens") -> Scenario:
    return load(write("s.yaml", agent_text(ini, release)))


def server_text(ini: str, release: str = "queens", rest: str = "", hosts: str = TWO_HOSTS) -> str:
    write("m.ini", ini)
    return f"release: {release}\nml2_conf: {{file: m.ini}}\n{hosts}{rest}"


def server(ini: str, release: str = "queens", rest: str = "") -> Scenario:
    return load(write("s.yaml", server_text(ini, release, rest)))


@pytest.mark.parametrize("release", RELEASES)
def test_an_empty_firewall_driver_is_noop(release: str):
    ini = f"{AGENT}[securitygroup]\nfirewall_driver = "
    assert agent(f"{ini}\n", release).not_modelled == ()
    assert len(agent(f"{ini}openvswitch\n", release).not_modelled) == 1


@pytest.mark.parametrize("line", ["", "tunnel_types =\n"])
def test_an_agent_without_tunnel_types_has_a_warning(line: str):
    (warning,) = agent(f"[ovs]\nlocal_ip = 192.0.2.9\n[agent]\n{line}").warnings
    assert ": no tunnel_types in [agent]: " in warning


def test_the_address_of_a_machine_is_no_default():
    refers = AGENT.replace("192.0.2.9", "$my_ip")
    (error,) = errors_of(agent_text(refers, "current"))
    assert error.startswith("a.ini:2: [ovs] local_ip: '$my_ip'; ")
    given = agent(f"[DEFAULT]\nmy_ip = 192.0.2.7\n{refers}", "current")
    assert str(given.overlay.hosts[0].local_ip) == "192.0.2.7"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("section", ["keystone_authtoken", "placement", "nova"])
def test_login_options_are_known(section: str, release: str):
    names = ("auth_type", "auth_url", "username", "password", "project_name", "user_domain_name")
    ini = f"[{section}]\n" + "".join(f"{name} = x\n" for name in names)
    assert server(ini, release).warnings == ()


@pytest.mark.parametrize("release", RELEASES)
def test_names_of_mechanism_drivers(release: str):
    drivers = "[ml2]\nmechanism_drivers = "
    assert server(f"{drivers}openvswitch,sriovnicswitch,\n", release).warnings == ()
    (warning,) = server(f"{drivers}openvswitch,foo\n", release).warnings
    assert warning.startswith("m.ini:2: mechanism_drivers has 'foo': Neutron ")
    for words in ("openvswitch,,sriovnicswitch", ",openvswitch"):
        (error,) = errors_of(server_text(f"{drivers}{words}\n", release))
        assert error.startswith("m.ini:2: [ml2] mechanism_drivers: an empty name; ")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("hosts", "ini", "found"),
    [
        (TWO_HOSTS, "", ""),
        (TWO_HOSTS, "[ml2]\noverlay_ip_version = 6\n", "6 with local_ip 192.0.2.1"),
        (TWO_HOSTS, "[ml2]\noverlay_ip_version = 5\n", "'5'"),
        (V6_HOSTS, "", "4, the default, with local_ip 2001:db8::1"),
        (V6_HOSTS, "[ml2]\noverlay_ip_version = 6\n", ""),
    ],
)
def test_the_server_takes_tunnels_of_one_ip_version(hosts: str, ini: str, found: str, release: str):
    """Neutron's `tunnel_sync` refuses the others."""
    text = server_text(ini, release, hosts=hosts)
    if not found:
        load(write("s.yaml", text))
        return
    (error,) = errors_of(text)
    assert f": [ml2] overlay_ip_version: {found}; " in error


def test_without_a_file_no_ip_version_is_required():
    load(write("s.yaml", f"ml2_conf: {{ml2: {{path_mtu: 1400}}}}\n{V6_HOSTS}"))


def test_a_space_before_the_colon_is_part_of_a_physical_networks_name():
    ini = "[ml2_type_vlan]\nnetwork_vlan_ranges = p1%s:100:199\n"
    server(ini % "", rest=VLAN)
    (error,) = errors_of(server_text(ini % " ", rest=VLAN))
    assert "network 'v': physical_network 'p1'; " in error


def test_an_invalid_range_is_one_error():
    (error,) = errors_of(server_text("[ml2_type_vlan]\nnetwork_vlan_ranges = :1:9\n", rest=VLAN))
    assert error.startswith("m.ini:2: [ml2_type_vlan] network_vlan_ranges: ':1:9'; ")


def test_an_address_pair_has_no_zone():
    subnet = "subnets: [{cidr: 10.0.0.0/24}]"
    rest = f"networks: [{{name: r, network_type: vxlan, segmentation_id: 9, {subnet}}}]\n"
    rest += (
        "ports: [{server: a, host: h1, network: r, allowed_address_pairs: [{ip_address: '%s'}]}]\n"
    )
    load(write("s.yaml", TWO_HOSTS + rest % "fe80::1"))
    (error,) = errors_of(TWO_HOSTS + rest % "fe80::1%eth0")
    assert "without a zone (RFC 4007)" in error


# --- costly values: without the limits each takes 8 s or more

NAMES = (
    *("auth_strategy", "core_plugin", "base_mac", "dns_domain", "host", "state_path"),
    *("transport_url", "control_exchange", "log_dir", "log_file", "syslog_log_facility"),
    *("log_date_format", "instance_format", "api_paste_config", "api_extensions_path"),
    *("logging_context_format_string", "logging_default_format_string"),
    "logging_exception_prefix",
)
REFERENCES = "".join(f"{one} = ${two}${two}\n" for one, two in pairwise(NAMES))
COSTLY = {
    "lines without options": (AGENT + "x\n" * 400_000, "a.ini:5: 'x' has neither '=' nor ':'"),
    "a long list": (f"{AGENT}[ovs]\nbridge_mappings = a:b\n" + " ,\n" * 240_000, ": too long; "),
    "references": (
        f"[DEFAULT]\n{REFERENCES}{NAMES[-1]} = {'x' * 99}\n{AGENT}",
        "characters with its references",
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_file(name: str):
    ini, found = COSTLY[name]
    begun = time.process_time()
    errors = errors_of(agent_text(ini))
    assert time.process_time() - begun < 3
    assert found in "\n".join(errors)
    assert len(errors) <= 101


def test_of_many_unknown_options_the_first_are_listed():
    begun = time.process_time()
    warnings = agent(AGENT + "".join(f"o{number} = 1\n" for number in range(20_000))).warnings
    assert time.process_time() - begun < 3
    assert len(warnings) == 101
    assert warnings[0].startswith("a.ini:1: 19900 more options that Neutron does not have")


def test_many_networks_without_an_id():
    networks = "networks:\n" + "".join(f"- {{name: n{number}}}\n" for number in range(3000))
    ranges = "ml2_type_vxlan: {vni_ranges: ['1:9000']}"
    keys = f"ml2_conf: {{ml2: {{tenant_network_types: [vxlan]}}, {ranges}}}\n"
    path = write("s.yaml", f"{keys}{TWO_HOSTS}{networks}")
    begun = time.process_time()
    ids = [network.segmentation_id for network in load(path).overlay.networks]
    assert time.process_time() - begun < 3
    assert ids == list(range(1, 3001))


def test_references_without_text():
    """No text is too long here; each option is read once, not 2 to the power of 15 times."""
    names = [name for name in NAMES if name not in {"base_mac", "dns_domain", "host"}]
    lines = "".join(f"{one} = ${two}${two}\n" for one, two in pairwise(names))
    begun = time.process_time()
    agent(f"[DEFAULT]\n{lines}{names[-1]} =\n{AGENT}")
    assert time.process_time() - begun < 0.8
