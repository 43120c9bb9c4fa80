"""The options of each release of Neutron: every one of its own sample files is known, with its type."""

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg, types

from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, write
from topologies.scenario.catalogue import DATA, Known, Role, catalogue, hint, substituted
from topologies.scenario.load import load
from topologies.scenario.neutron_options import FORMER, NOT_MODELLED, USED
from topologies.scenario.options import Kind

RELEASES = tuple(DATA)
# Values for options that are read here and have no default, or whose default is not usable.
VALUES = {
    "local_ip": "192.0.2.1",
    "tunnel_types": "vxlan",
    "bridge_mappings": "physnet1:br-ex",
    "physical_interface_mappings": "physnet1:eth1",
    "network_vlan_ranges": "physnet1:1:9",
    "vni_ranges": "1:9",
    "tunnel_id_ranges": "1:9",
    "mechanism_drivers": "openvswitch",
    "vxlan_group": "239.0.0.0/8",
    "path_mtu": "0",
}
BY_TYPE = {
    "Boolean": "true",
    "IPAddress": "192.0.2.1",
    "Port": "1",
    "Integer": "1",
    "Float": "1",
    "Dict": "a:1",
    "URI": "http://h",
}


@pytest.fixture(autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("catalogue"))


def text_of(known: Known) -> str:
    """The option's default, or another value of its type."""
    if (special := VALUES.get(known.which[1])) is not None:
        return special
    value = known.default
    if value is None:
        choices = known.type.get("choices", ())
        otherwise = BY_TYPE.get(known.type["name"], "x")
        return str(next((each for each in choices if each is not None), otherwise))
    if isinstance(value, dict):
        return ",".join(f"{key}:{each}" for key, each in value.items())
    if isinstance(value, list):
        texts = (text_of(Known(known.which, "", {"name": ""}, each)) for each in value)
        return ",".join(texts)
    return str(value)


def sample(release: str, file: str) -> str:
    """A file with every option that the sample file of that name has."""
    lines = []
    for known in catalogue(release).every:
        if known.file == file:
            lines += [f"[{known.which[0]}]", f"{known.which[1]} = {text_of(known)}"]
    assert len(lines) >= 40
    return "\n".join(lines) + "\n"


def described(release: str, role: Role, ini: str) -> str:
    """A scenario in which that program reads the file."""
    write("a.ini", ini)
    if role is Role.SERVER:
        return f"release: {release}\n{TWO_HOSTS}ml2_conf: {{file: a.ini}}\n"
    mechanism = "linuxbridge" if role is Role.LINUXBRIDGE else "openvswitch"
    hosts = "".join(
        f"  - {{name: h{n}, agent_file: a.ini, local_ip: 192.0.2.{n}}}\n" for n in (1, 2)
    )
    agent = f"agent: {{mechanism: {mechanism}, tunnel_types: [vxlan], bridge_mappings: {{}}}}\n"
    return f"release: {release}\n{agent}hosts:\n{hosts}"


def sample_cases() -> list[tuple[str, Role, str]]:
    return [
        (release, role, file)
        for release in RELEASES
        for role in Role
        for file in ("neutron.conf", role.value)
    ]


@pytest.mark.parametrize(("release", "role", "file"), sample_cases())
def test_every_option_of_the_sample_files_is_known(release: str, role: Role, file: str):
    scenario = load(write("s.yaml", described(release, role, sample(release, file))))
    assert [warning for warning in scenario.warnings if "no such option" in warning] == []
    program = scenario.programs[0 if role is Role.SERVER else 1]
    assert program.role is role
    assert not {Kind.UNKNOWN, Kind.OTHER_PROGRAM} & set(program.kinds.values())


# Examples of Neutron's own reference that were called "no such option".
FROM_THE_REFERENCE = {
    ("DEFAULT", "debug"): ("neutron.conf", RELEASES, "Boolean"),
    ("DEFAULT", "transport_url"): ("neutron.conf", RELEASES, "String"),
    ("DEFAULT", "global_physnet_mtu"): ("neutron.conf", RELEASES, "Integer"),
    ("database", "connection"): ("neutron.conf", RELEASES, "String"),
    ("keystone_authtoken", "auth_type"): ("neutron.conf", RELEASES, "String"),
    ("oslo_concurrency", "lock_path"): ("neutron.conf", RELEASES, "String"),
    ("ovs", "qos_meter_bandwidth"): ("openvswitch_agent.ini", ("current",), "Boolean"),
    ("dhcp", "enable_ipv6"): ("openvswitch_agent.ini", ("current",), "Boolean"),
    ("agent", "polling_interval"): ("openvswitch_agent.ini", RELEASES, "Integer"),
    ("ovs", "of_interface"): ("openvswitch_agent.ini", ("queens",), "String"),
    ("vxlan", "arp_responder"): ("linuxbridge_agent.ini", RELEASES, "Boolean"),
    ("l2pop", "agent_boot_time"): ("ml2_conf.ini", ("queens",), "Integer"),
}


@pytest.mark.parametrize("which", FROM_THE_REFERENCE)
def test_options_of_the_reference(which):
    file, releases, kind = FROM_THE_REFERENCE[which]
    for release in RELEASES:
        found = [
            each
            for each in catalogue(release).every
            if each.which == which and each.file == file and each.type["name"] == kind
        ]
        assert len(found) == (release in releases)


@pytest.mark.parametrize("release", RELEASES)
def test_older_names_are_the_same_option(release: str):
    names = catalogue(release).names[Role.SERVER]
    if release == "queens":
        assert names["ml2", "segment_mtu"].which == ("DEFAULT", "global_physnet_mtu")
        assert names["database", "sql_connection"].which == ("database", "connection")
    renamed = names["ml2", "tenant_network_types"].which
    assert renamed[1] == ("project_" if release == "current" else "tenant_") + "network_types"


@pytest.mark.parametrize("release", RELEASES)
def test_every_type_can_be_made_and_reads_its_default(release: str):
    for known in catalogue(release).every:
        assert known.allowed
        if known.default is not None and not isinstance(known.default, list | dict):
            known.parse(str(known.default))


def test_the_tables_by_hand_name_options_that_exist():
    both = [catalogue(release) for release in RELEASES]
    for role in Role:
        known = set(chain.from_iterable(each.names[role] for each in both))
        own = {("agent", "tunnel_types"), ("ovs", "bridge_mappings")}
        assert set(NOT_MODELLED[role]) <= known
        assert set(USED[role]) - own <= known
        assert not set(USED[role]) & set(NOT_MODELLED[role])
    assert not {each.which for one in both for each in one.every} & set(FORMER)


@pytest.mark.parametrize("role", list(Role))
def test_the_documentation_lists_the_options_that_are_not_modelled(role: Role):
    page = (Path(__file__).parents[3] / "docs" / "neutron.md").read_text(encoding="utf-8")
    program = {Role.SERVER: "server"}.get(role, f"{role.name.lower()} agent")
    rows = [line for line in page.splitlines() if line.startswith(f"| {program} | [")]
    listed = {
        (row.split("[")[1].split("]")[0], name)
        for row in rows
        for name in row.split("|")[2].split("`")[1::2]
    }
    assert set(NOT_MODELLED[role]) == listed


HINTS = {
    ("queens", ("agent", "local_ip")): "it belongs to [ovs] or [vxlan]",
    ("queens", ("ovs", "igmp_snooping_enable")): "Neutron 29.0.0 has it",
    ("current", ("ovs", "of_interface")): "Neutron 12.1.1 has it",
    ("queens", ("agent", "l2_pupolation")): "did you mean [agent] l2_population?",
    ("queens", ("nothing", "like_this_at_all")): "",
}


@pytest.mark.parametrize("case", HINTS)
def test_the_hint_for_an_unknown_option(case):
    release, which = case
    assert hint(release, which, Role.OPENVSWITCH) == HINTS[case]


# --- compared with oslo.config itself

NAMES = ("one", "two", "other.three", "DEFAULT.four", "none")
REFERENCES = st.sampled_from(
    [
        *(f"${name}" for name in NAMES),
        *(f"${{{name}}}" for name in NAMES),
        "$$",
        "\\$one",
        "a",
        "/",
        " ",
        ".",
    ]
)
TEXTS = st.lists(REFERENCES, max_size=4).map("".join)


@given(TEXTS)
def test_references_are_substituted_as_by_oslo_config(text: str):
    values = {
        ("g", "one"): "1",
        ("DEFAULT", "two"): "2",
        ("other", "three"): "3",
        ("DEFAULT", "four"): "4",
    }
    conf = cfg.ConfigOpts()
    for (group, name), value in values.items():
        conf.register_opts([cfg.StrOpt(name, default=value)], None if group == "DEFAULT" else group)
    conf.register_opts([cfg.StrOpt("it", default="")], "g")
    Path("c.ini").write_text(f"[g]\nit = {text}\n", encoding="utf-8")
    conf([], default_config_files=["c.ini"], default_config_dirs=[])
    try:
        expected = conf.g.it
    except (cfg.NoSuchOptError, cfg.NoSuchGroupError):
        expected = None
    try:
        found = substituted(text.strip(), "g", lambda which: values[which])
    except ValueError:
        found = None
    assert found == expected


LISTS = st.text("ab, ", max_size=8)


@given(LISTS)
def test_lists_are_read_as_by_oslo_config(text: str):
    known = Known(("g", "it"), "", {"name": "List"})
    assert known.parse(text) == types.List()(text)


WRONG = {
    "debug = perhaps": "'perhaps'; allowed: true or false. Correct the value.",
    "global_physnet_mtu = big": "'big'; allowed: a whole number. Correct the value.",
    "bind_port = 70000": "'70000'; allowed: a whole number, 0..65535. Correct the value.",
    "state_path = $nowhere/x": "$nowhere refers to no option; allowed: `$name` of an option, or `$$` "
    "for a dollar sign. Correct the value.",
    "state_path = $state_path/x": "$state_path refers to itself; allowed: `$name` of an option, or "
    "`$$` for a dollar sign. Correct the value.",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_value_of_the_wrong_type_is_an_error_with_its_line(line: str):
    text = described(
        "queens", Role.OPENVSWITCH, f"[DEFAULT]\n{line}\n[agent]\ntunnel_types = gre\n"
    )
    name = line.partition(" ")[0]
    assert errors_of(text) == [f"a.ini:2: [DEFAULT] {name}: {WRONG[line]}"]
