"""Neutron's .ini files as users have them: other mechanism, old options, one file for all, lists."""

from textwrap import dedent

import pytest

from controller.model.parts import Mechanism
from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, write
from topologies.scenario.load import Scenario, load
from topologies.scenario.options import Kind

GUESTS = """\
networks:
  - {name: red, network_type: %s, segmentation_id: 111, subnets: [{cidr: 10.0.0.0/24}]}
ports:
  - {server: a, host: node1, network: red}
  - {server: b, host: node2, network: red}
"""
WITH_FILES = (
    "hosts:\n- {name: node1, agent_file: node1.ini}\n- {name: node2, agent_file: node2.ini}\n"
)


@pytest.fixture(autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("cases"))


def loaded(text: str) -> Scenario:
    return load(write("lab.yaml", text))


def with_agent_files(ini: str) -> None:
    """One file for each host; NUMBER stands for the host's number."""
    for number in "12":
        write(f"node{number}.ini", dedent(ini).replace("NUMBER", number))


# --- the linuxbridge agent's options

LINUXBRIDGE = "agent: {mechanism: linuxbridge, tunnel_types: [vxlan]%s}\n"
BRIDGE_INI = """\
[linux_bridge]
physical_interface_mappings = physnet1:eth1,
[vxlan]
enable_vxlan = True
local_ip = 192.0.2.NUMBER
l2_population = True
arp_responder = True
[agent]
prevent_arp_spoofing = True
[securitygroup]
firewall_driver = iptables
"""
OWN_IPS = "hosts:\n- {name: node1, local_ip: 192.0.2.1%s}\n- {name: node2, local_ip: 192.0.2.2%s}\n"


@pytest.mark.parametrize("release", ["queens", "current"])
@pytest.mark.parametrize("hosts", [WITH_FILES, OWN_IPS], ids=["ip of the file", "ip of the key"])
def test_a_linuxbridge_agents_file_gives_the_same_overlay_as_the_keys(hosts: str, release: str):
    with_agent_files(BRIDGE_INI)
    files = tuple(f", agent_file: node{number}.ini" for number in "12")
    hosts = hosts % files if "%s" in hosts else hosts
    start = f"release: {release}\n"
    given = loaded(start + LINUXBRIDGE % "" + hosts + GUESTS % "vxlan")
    keys = LINUXBRIDGE % ", l2_population: true, arp_responder: true"
    right = loaded(start + keys + OWN_IPS.replace("%s", "") + GUESTS % "vxlan")

    assert given.overlay == right.overlay
    assert [host.arp_responder for host in given.overlay.hosts] == [True, True]
    assert given.overlay.hosts[0].mechanism is Mechanism.LINUXBRIDGE
    shown = [each.partition(": ")[2] for each in given.warnings]
    assert (
        shown
        == [
            f"[agent] prevent_arp_spoofing: Neutron {'12.1.1' if release == 'queens' else '29.0.0'} has no "
            "such option and ignores it; spoofed ARP is always dropped on ports with port security"
        ]
        * 2
    )


def bridge_host(ini: str, agent: str = "{mechanism: linuxbridge}") -> Scenario:
    with_agent_files(f"[vxlan]\nlocal_ip = 192.0.2.NUMBER\n{ini}")
    return loaded(f"agent: {agent}\n{WITH_FILES}networks: []\n")


def test_a_linuxbridge_agent_has_vxlan_unless_its_file_disables_it():
    assert [str(t) for t in bridge_host("").overlay.hosts[0].tunnel_types] == ["vxlan"]
    assert bridge_host("enable_vxlan = False\n").overlay.hosts[0].tunnel_types == ()


def test_the_group_of_a_linuxbridge_agent():
    """Without l2_population its default is 224.0.0.1, which no group of a lab can be."""
    group = "vxlan_group = 239.0.0.0/8\n"
    assert str(bridge_host(group).overlay.hosts[0].vxlan_group) == "239.0.0.0/8"
    assert bridge_host(group).warnings == ()
    unicast = bridge_host(f"{group}l2_population = true\n")
    assert unicast.overlay.hosts[0].vxlan_group is None
    default = bridge_host("")
    assert default.overlay.hosts[0].vxlan_group is None
    assert default.warnings[0].startswith(
        "node1.ini:1: no vxlan_group in [vxlan]: Neutron's agent would flood to 224.0.0.1, "
    )


def test_the_file_of_the_other_mechanism_is_warned_about():
    """The openvswitch agent ignores all of it."""
    with_agent_files(BRIDGE_INI)
    scenario = loaded(
        "agent: {tunnel_types: [vxlan]}\n"
        + OWN_IPS % (", agent_file: node1.ini", ", agent_file: node2.ini")
        + GUESTS % "vxlan"
    )
    assert not scenario.overlay.hosts[0].l2_population
    assert (
        "node1.ini:2: only options of the linuxbridge agent: the openvswitch agent, which this host "
        "has, ignores them; set `mechanism: linuxbridge`, or use an openvswitch_agent.ini"
    ) in scenario.warnings


def test_a_local_ip_of_the_other_mechanism_is_named_in_the_error():
    with_agent_files("[ovs]\nlocal_ip = 192.0.2.NUMBER\n")
    first, *_ = errors_of(f"agent: {{mechanism: linuxbridge}}\n{WITH_FILES}")
    assert first == (
        "node1.ini:1: hosts[0]: no local_ip for 'node1' (that of [ovs] is the openvswitch agent's); "
        "allowed: an IPv4 or IPv6 address. Give `local_ip` here, or in [vxlan] of the host's agent_file."
    )


# --- one file for the server and the agents

ONE_FILE = """\
[DEFAULT]
verbose = True
debug = True
[ml2]
type_drivers = flat,gre
tenant_network_types = gre
mechanism_drivers = openvswitch
[ml2_type_gre]
tunnel_id_ranges = 1:1000
[ml2_type_flat]
flat_networks = external
[securitygroup]
enable_security_group = True
enable_ipset = True
firewall_driver = iptables_hybrid
[ovs]
local_ip = 192.0.2.NUMBER
enable_tunneling = True
bridge_mappings = external:br-ex
[agent]
tunnel_types = gre
"""


def test_one_file_for_server_and_agents():
    with_agent_files(ONE_FILE)
    scenario = loaded("ml2_conf: {file: node1.ini}\n" + WITH_FILES + GUESTS % "gre")
    old = "Neutron 12.1.1 has no such option and ignores it"
    assert scenario.warnings == tuple(
        line
        for file in ("node1.ini", "node2.ini")
        for line in (
            f"{file}:2: [DEFAULT] verbose: {old}; it was removed before Queens; debug remains",
            f"{file}:18: [ovs] enable_tunneling: {old}; tunnel_types in [agent] enables tunnels",
        )
    )
    assert scenario.options_by_kind[Kind.UNKNOWN] == ("[DEFAULT] verbose", "[ovs] enable_tunneling")


def test_an_option_that_is_not_modelled_for_one_program_is_listed_as_such_and_once():
    """The server reads `firewall_driver` too, where it has no effect here."""
    with_agent_files(ONE_FILE.replace("iptables_hybrid", "openvswitch"))
    scenario = loaded("ml2_conf: {file: node1.ini}\n" + WITH_FILES + GUESTS % "gre")

    kinds = [
        kind
        for kind, names in scenario.options_by_kind.items()
        if "[securitygroup] firewall_driver" in names
    ]
    assert kinds == [Kind.NOT_MODELLED]


# --- options of releases before Queens

OLD = """\
[DATABASE]
sql_connection = sqlite:///old.db
[OVS]
tenant_network_type = gre
enable_tunneling = True
tunnel_type = gre
local_ip = 192.0.2.NUMBER
[AGENT]
root_helper = sudo rootwrap /etc/rootwrap.conf
"""


def test_warnings_are_shown_together_with_the_errors_that_they_explain():
    with_agent_files(OLD)
    with pytest.raises(Exception, match="tunnel_types is empty") as caught:
        loaded(WITH_FILES + GUESTS % "gre")
    lines = str(caught.value).splitlines()
    old = "Neutron 12.1.1 has no such option and ignores it"
    places = [
        line.split(": ")[1 if line.startswith("warning: ") else 0].split(":") for line in lines
    ]
    files = ["lab.yaml", "node1.ini", "node2.ini"]
    assert places == sorted(places, key=lambda at: (files.index(at[0]), int(at[1])))
    assert (
        f"warning: node1.ini:5: [ovs] enable_tunneling: {old}; tunnel_types in [agent] enables tunnels"
        in lines
    )
    assert f"warning: node1.ini:6: [ovs] tunnel_type: {old}; use tunnel_types in [agent]" in lines
    assert [line.split("; ")[0] for line in lines if not line.startswith("warning: ")] == [
        f"lab.yaml:{number}: port {guest!r} on host {host!r}: a gre network"
        for number, guest, host in ((7, "a", "node1"), (8, "b", "node2"))
    ]


# --- lists and ranges

LISTS = {
    "[agent]\ntunnel_types = vxlan,": ("agent", "tunnel_types", ("vxlan",)),
    "[agent]\ntunnel_types = vxlan,gre,,,": ("agent", "tunnel_types", ("vxlan", "gre")),
    "[agent]\ntunnel_types = ,": ("agent", "tunnel_types", ()),
    "[ovs]\nbridge_mappings = a:b,,c:d,": ("ovs", "bridge_mappings", (("a", "b"), ("c", "d"))),
    "[ovs]\nbridge_mappings = , a : b": ("ovs", "bridge_mappings", (("a", "b"),)),
    "[ovs]\nbridge_mappings = ,": ("ovs", "bridge_mappings", ()),
}


@pytest.mark.parametrize("ini", LISTS)
def test_lists_with_empty_words_are_read_as_by_neutron(ini: str):
    section, option, expected = LISTS[ini]
    write("a.ini", f"{ini}\n[ovs]\nlocal_ip = 192.0.2.1\n")
    scenario = loaded(
        "hosts: [{name: h1, agent_file: a.ini}, {name: h2, local_ip: 192.0.2.2, tunnel_types: [gre]}]\n"
    )
    assert scenario.programs[1].get(section, option) == expected


def test_an_empty_word_among_the_tunnel_types_is_refused_as_by_the_agent():
    """neutron-openvswitch-agent: Invalid tunnel type specified: ''."""
    write("a.ini", "[agent]\ntunnel_types = vxlan,,gre\n[ovs]\nlocal_ip = 192.0.2.1\n")
    text = "hosts: [{name: h1, agent_file: a.ini}, {name: h2, local_ip: 192.0.2.2}]\n"
    assert errors_of(text) == [
        "a.ini:2: [agent] tunnel_types: 'vxlan,,gre'; allowed: gre, vxlan, geneve. "
        "Name one or more, with commas between."
    ]


FULL = ("physnet1", 1, 4094)
VLANS = {  # text: ranges in queens, and in current
    "physnet1": ((), (FULL,)),
    "physnet1,": ((), (FULL,)),
    "physnet1:5:9": ((("physnet1", 5, 9),), (("physnet1", 5, 9),)),
    "physnet1,physnet1:5:9": ((("physnet1", 5, 9),), (FULL,)),
    "physnet1:5:9,,physnet1": ((("physnet1", 5, 9),), (FULL,)),
    "b:1:2,a:3:4,b:7:8": (
        (("b", 1, 2), ("b", 7, 8), ("a", 3, 4)),
        (("b", 1, 2), ("b", 7, 8), ("a", 3, 4)),
    ),
    ":100:199": (None, None),
    "physnet1:1": (None, None),
    "physnet1:9:5": (None, None),
    "physnet1:a:b": (None, None),
    "physnet1:0:5": (None, None),
    "physnet1:1:2:3": (None, None),
}


@pytest.mark.parametrize("text", VLANS)
@pytest.mark.parametrize("release", ["queens", "current"])
def test_vlan_ranges_are_read_as_by_the_release(text: str, release: str):
    write("m.ini", f"[ml2_type_vlan]\nnetwork_vlan_ranges = {text}\n")
    described = f"release: {release}\n{TWO_HOSTS}ml2_conf: {{file: m.ini}}\n"
    expected = VLANS[text][release == "current"]
    if expected is None:
        (error,) = errors_of(described)
        assert error.startswith(
            f"m.ini:2: [ml2_type_vlan] network_vlan_ranges: {text!r}; allowed: "
        )
    else:
        server = loaded(described).programs[0]
        assert server.get("ml2_type_vlan", "network_vlan_ranges") == expected


def test_a_vlan_network_without_an_id_has_one_of_all_ids_in_current():
    write("m.ini", "[ml2]\ntype_drivers = vlan\n[ml2_type_vlan]\nnetwork_vlan_ranges = physnet1\n")
    text = "%snetworks: [{name: n, network_type: vlan, physical_network: physnet1}]\nml2_conf: {file: m.ini}\n"
    network = loaded("release: current\n" + text % TWO_HOSTS).overlay.networks[0]
    assert (network.physical_network, network.segmentation_id) == ("physnet1", 1)
    (error,) = errors_of(text % TWO_HOSTS)
    assert "no segmentation_id" in error


@pytest.mark.parametrize("text", ["1:10,", " 1 : 10 ", "1:10,,20:30", "10:1", "1", "1:2:3", "a:b"])
def test_tunnel_ranges_are_read_as_by_neutron(text: str):
    write("m.ini", f"[ml2_type_vxlan]\nvni_ranges = {text}\n")
    described = f"{TWO_HOSTS}ml2_conf: {{file: m.ini}}\n"
    if text.replace(" ", "") in {"1:10,", "1:10"}:
        assert loaded(described).programs[0].get("ml2_type_vxlan", "vni_ranges") == (("", 1, 10),)
    else:
        assert len(errors_of(described)) == 1


# --- older names, and options that are not modelled


@pytest.mark.parametrize("release", ["queens", "current"])
def test_the_older_name_of_the_tenant_network_types(release: str):
    """In current it is an alias; Queens does not know the newer one."""
    ini = "[ml2]\nproject_network_types = gre\ntenant_network_types = vxlan\n"
    write("m.ini", ini)
    scenario = loaded(f"release: {release}\n{TWO_HOSTS}ml2_conf: {{file: m.ini}}\n")
    expected = "gre" if release == "current" else "vxlan"
    assert [str(each) for each in scenario.overlay.tenant_network_types] == [expected]
    unknown = (
        "m.ini:2: [ml2] project_network_types: Neutron 12.1.1 has no such option and ignores it; "
        "Neutron 29.0.0 has it"
    )
    assert (unknown in scenario.warnings) == (release == "queens")


CHANGES_FLOWS = {
    "[securitygroup]\nfirewall_driver = openvswitch": "queens",
    "[agent]\nenable_distributed_routing = true": "queens",
    "[agent]\nextensions = qos": "current",
    "[agent]\nbaremetal_smartnic = yes": "current",
    "[ovs]\nuse_veth_interconnection = on": "queens",
}
DEFAULTS = [
    "[securitygroup]\nfirewall_driver = noop",
    "[agent]\nenable_distributed_routing = False",
    "[agent]\nextensions =",
    "[ovs]\nof_request_timeout = 7",
    "[ovs]\nint_peer_patch_port = patch-tun",
]


def with_option(ini: str, release: str) -> Scenario:
    write("a.ini", f"{ini}\n[ovs]\nlocal_ip = 192.0.2.1\n[agent]\ntunnel_types = gre\n")
    hosts = "hosts: [{name: h1, agent_file: a.ini}, {name: h2, local_ip: 192.0.2.2}]\n"
    return loaded(f"release: {release}\n{hosts}")


@pytest.mark.parametrize("ini", CHANGES_FLOWS)
def test_options_that_are_not_modelled_are_named(ini: str):
    scenario = with_option(ini, CHANGES_FLOWS[ini])
    section, line = ini.split("\n")
    assert scenario.not_modelled == (f"{section} {line}",)
    (warning,) = scenario.warnings
    assert warning.startswith(f"a.ini:2: {section} {line}: not modelled: ")


@pytest.mark.parametrize("ini", DEFAULTS)
def test_defaults_and_harmless_values_are_not_named(ini: str):
    scenario = with_option(ini, "queens")
    assert (scenario.not_modelled, scenario.warnings) == ((), ())
