"""The commands that need no lab, as a script would call them."""

import json
import sys
from pathlib import Path

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump
from controller.model.errors import HostError
from controller.model.modes import MODES
from controller.system import commands
from experiments.cli.main import main, overlaylab
from experiments.core import registry
from experiments.exercises.exercise import EXERCISES
from topologies.scenario.load import FOLDER, available, load

ROOT = Path(__file__).resolve().parents[3]
FLOWS = ("flows", "article", "--host", "controller", "--bridge", "br-tun")


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = main(argv)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def in_a_shell(script: str) -> "tuple[int, str, str]":
    """Run a shell line in which `overlaylab` is the command."""
    code = "from experiments.cli.main import console; console()"
    function = f"overlaylab() {{ {sys.executable} -c '{code}' \"$@\"; }}; "
    env = {"PYTHONPATH": str(ROOT)}
    done = commands.attempt("bash", "-c", function + script, env=env, timeout_s=60)
    return done.returncode, done.stdout, done.stderr


def test_flows_prints_the_dump(capsys):
    overlay = load("article").overlay
    wanted = dump(bridge_flows(overlay, new_binding(overlay, "controller"), "br-tun"))
    assert said(capsys, *FLOWS) == (0, "\n".join(wanted) + "\n", "")


def test_flows_as_json_is_one_document(capsys):
    status, out, err = said(capsys, *FLOWS, "--mode", "vxlan-l2pop-arp", "--format", "json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    flows = document.pop("flows")
    assert document == {
        "format": 1,
        "scenario": "article",
        "mode": "vxlan-l2pop-arp",
        "release": "queens",
        "host": "controller",
        "bridge": "br-tun",
        "ports": {"patch-int": 1, "vxlan-c0a8960b": 2},
    }
    assert [(flow["table"], -flow["priority"]) for flow in flows] == sorted(
        (flow["table"], -flow["priority"]) for flow in flows
    )
    assert next(flow for flow in flows if flow["table"] == 20) == {
        "table": 20,
        "table_name": "UCAST_TO_TUN",
        "priority": 2,
        "match": {"dl_vlan": 1, "dl_dst": "fa:16:3e:29:99:6a"},
        "actions": ["pop_vlan", "set_field:0x6f->tun_id", 'output:"vxlan-c0a8960b"'],
        "why": "the FDB: one VTEP per (local VLAN, MAC)",
    }


def test_flows_of_a_provider_bridge_have_table_names_too(capsys):
    argv = ("flows", "article", "--host", "computer", "--bridge", "br-vtep", "--mode", "flat")
    _, out, _ = said(capsys, *argv, "--format", "json")
    assert {flow["table_name"] for flow in json.loads(out)["flows"]} == {"LOCAL_SWITCHING"}
    assert said(capsys, *argv[:5], "br-int", "--format", "json")[0] == 0


def test_the_flows_are_those_of_the_given_release(capsys):
    assert said(capsys, *FLOWS, "--release", "queens") == said(capsys, *FLOWS)
    _, out, _ = said(capsys, *FLOWS, "--release", "current")
    assert "table=10, priority=2,arp,arp_tha=ff:ff:ff:ff:ff:ff actions=learn(" in out


def test_the_release_of_the_scenario_is_the_default(capsys, tmp_path):
    text = (FOLDER / "side-by-side.yaml").read_text(encoding="utf-8")
    file = tmp_path / "side-by-side.yaml"
    file.write_text(f"release: current\n{text}", encoding="utf-8")
    argv = ("--host", "host1", "--bridge", "br-int", "--format", "json")
    _, out, _ = said(capsys, "flows", str(file), *argv)
    assert json.loads(out)["release"] == "current"
    names = {flow["table"]: flow["table_name"] for flow in json.loads(out)["flows"]}
    assert names[58] == "PACKET_RATE_LIMIT"
    assert names[62] == "TRANSIENT_EGRESS_TABLE"
    shipped = said(capsys, "flows", "side-by-side", *argv)[1]
    asked = said(capsys, "flows", str(file), *argv, "--release", "queens")[1]
    assert json.loads(asked)["flows"] == json.loads(shipped)["flows"]


WRONG = {
    "release": (
        (*FLOWS, "--release", "rocky"),
        "release: 'rocky'; allowed: queens, current. Pick one of them.",
    ),
    "host": (
        (*FLOWS, "--host", "compute"),
        "overlay 'article': host 'compute'; allowed: controller, computer. Did you mean `computer`?",
    ),
    "bridge": (
        (*FLOWS, "--bridge", "br-ex"),
        "host 'controller': bridge 'br-ex'; allowed: br-int, br-tun. "
        "Name one of them; br-tun needs [agent] tunnel_types.",
    ),
    "scenario": (
        ("validate", "articel"),
        "scenario 'articel': no such name or file; "
        f"allowed: {', '.join(available())}, or the path of a .yaml file. "
        "Did you mean `article`?",
    ),
    "mode that cannot carry it": (
        ("flows", "side-by-side", "--host", "host1", "--bridge", "br-int", "--mode", "flat"),
        "networks: segment flat physnet1 0 is used 2 times; allowed: once. Give each its own segment.",
    ),
    "missing option": (FLOWS[:4], "Missing option '--bridge'."),
    "unknown option": ((*FLOWS, "--colour"), "No such option"),
    "unknown command": (
        ("frobnicate",),
        f"command: 'frobnicate'; allowed: {', '.join(overlaylab.commands)}. "
        "`overlaylab --help` describes them; `overlaylab NAME` runs the experiment NAME.",
    ),
}


MEANT = {
    ("flow",): "`flows`",
    ("lateny",): "`latency`",
    ("deploy", "article"): "`up`",
    ("tcpdump",): "`capture`",
    ("run", "fanut"): "`fanout`",
    ("run", "--mode", "gre-mesh"): "`--modes`",
    ("--quik",): "`--quick`",
    ("list", "--fromat", "json"): "`--format`",
    ("list", "--format", "jsn"): "`json`",
    ("up", "article", "--datapath", "netdv"): "`netdev`",
    ("validate", "leaf_spine.yaml"): "`leaf-spine`",
    (*FLOWS, "--release", "quens"): "`queens`",
    (*FLOWS, "--mode", "vxlan"): "`vxlan-mesh` or `vxlan-l2pop` or `vxlan-l2pop-arp`",
    (*FLOWS[:4], "--bridge", "brtun"): "`br-tun`",
}


@pytest.mark.parametrize("argv", MEANT, ids=" ".join)
def test_a_misspelt_name_gets_the_nearest_one_in_one_line(capsys, argv):
    status, out, err = said(capsys, *argv)
    assert (status, out) == (2, "")
    assert err.endswith(f". Did you mean {MEANT[argv]}?\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "end"),
    [
        (("flows",), "Missing argument 'SCENARIO'. See `overlaylab flows --help`.\n"),
        (("list", "--xyzzy"), "No such option '--xyzzy'. See `overlaylab list --help`.\n"),
        (
            ("run", "--hosts", "x"),
            "'x' is not a valid integer range. See `overlaylab run --help`.\n",
        ),
    ],
    ids=("argument", "option", "value"),
)
def test_where_no_name_is_near_the_help_is_named(capsys, argv, end):
    status, out, err = said(capsys, *argv)
    assert (status, out) == (2, "")
    assert err.endswith(end)


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_one_line_and_status_2(capsys, case):
    argv, line = WRONG[case]
    status, out, err = said(capsys, *argv)
    assert (status, out) == (2, "")
    assert err.startswith(f"overlaylab: {line}")
    assert err.count("\n") == 1


def test_an_unknown_mode_lists_those_there_are(capsys):
    status, _, err = said(capsys, *FLOWS, "--mode", "vxlan")
    assert status == 2
    assert all(str(mode) in err for mode in MODES)


def test_validate_prints_a_line_for_each_error(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("x: 1\nhosts:\n- {name: a}\n- {name: b}\n", encoding="utf-8")
    status, out, err = said(capsys, "validate", "s.yaml")
    assert (status, out) == (2, "")
    assert [line.split(";")[0] for line in err.splitlines()] == [
        "overlaylab: s.yaml:1: x: unknown key",
        "overlaylab: s.yaml:3: hosts[0]: no local_ip for 'a'",
        "overlaylab: s.yaml:4: hosts[1]: no local_ip for 'b'",
    ]


OPTIONS_OF_THE_ARTICLE = [
    "8 options used: [ml2] type_drivers, [ml2] tenant_network_types,",
    "    [ml2] mechanism_drivers, [ml2_type_vxlan] vni_ranges, [ovs] bridge_mappings,",
    "    [ovs] integration_bridge, [ovs] tunnel_bridge, [ovs] local_ip",
    "1 option unknown to Neutron: [ovs] tenant_network_type",
]


def test_validate_prints_warnings_with_status_0(capsys, monkeypatch):
    monkeypatch.chdir(FOLDER)
    status, out, err = said(capsys, "validate", "article")
    assert (status, err) == (0, "")
    expected = [f"warning: {warning}" for warning in load("article").warnings]
    assert out.splitlines()[: len(expected)] == expected
    *options, last = out.splitlines()[len(expected) :]
    assert options == OPTIONS_OF_THE_ARTICLE
    assert last == "article: valid: 2 hosts, 1 network, 2 ports, 7 warnings"


def test_list_shows_experiments_modes_scenarios_and_exercises(capsys):
    status, out, err = said(capsys, "list")
    assert (status, err) == (0, "")
    titles = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert titles == ["experiments", "modes", "scenarios", "exercises"]
    names = [line.split()[0] for line in out.splitlines() if line.startswith(" ")]
    assert names == [
        *registry.names(),
        *map(str, MODES),
        *available(),
        *EXERCISES,
    ]


def test_list_as_json_has_the_same_entries(capsys):
    document = json.loads(said(capsys, "list", "--format", "json")[1])
    assert list(document) == ["format", "experiments", "modes", "scenarios", "exercises"]
    assert document["experiments"] == [
        {"name": name, "summary": registry.question(name).question} for name in registry.names()
    ]
    assert document["modes"][0] == {
        "name": "gre-mesh",
        "summary": "every network over gre; broadcasts go to every VTEP, unicast is learned",
    }
    assert tuple(scenario["name"] for scenario in document["scenarios"]) == available()


def test_a_closed_pipe_is_no_error():
    status, _, err = in_a_shell(f"set -o pipefail; overlaylab {' '.join(FLOWS)} | true")
    assert err == ""
    assert status in {0, 141}  # 0: all was written before the reader ended


def test_a_full_disk_is_an_error():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    status, _, err = in_a_shell(f"overlaylab {' '.join(FLOWS)} > /dev/full")
    assert status not in {0, 3}
    assert "No space left" in err


def test_list_validate_and_flows_import_nothing_slow():
    code = (
        "import sys; from experiments.cli.main import main; "
        "[main(words) for words in (['list'], ['validate', 'article'], "
        "['flows', 'article', '--host', 'computer', '--bridge', 'br-int'])]; "
        "heavy = {'mininet', 'matplotlib', 'numpy', 'scipy', 'os_ken', 'falcon', 'rich', 'requests'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = commands.attempt(sys.executable, "-c", code, env={"PYTHONPATH": str(ROOT)}, timeout_s=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


NOT_MODELLED = """\
hosts:
- {name: h1, agent_file: a.ini}
- {name: h2, local_ip: 192.0.2.2, tunnel_types: [vxlan]}
networks:
- {name: n, network_type: vxlan, segmentation_id: 1, subnets: [{cidr: 10.0.0.0/24}]}
ports:
- {server: a, host: h1, network: n}
- {server: b, host: h2, network: n}
"""


@pytest.fixture
def firewall(tmp_path, monkeypatch) -> str:
    """A scenario whose agent has a firewall that changes flows and is not modelled."""
    monkeypatch.chdir(tmp_path)
    ini = "[ovs]\nlocal_ip = 192.0.2.1\n[agent]\ntunnel_types = vxlan\nextensions = qos\n"
    ini += "[securitygroup]\nfirewall_driver = openvswitch\n"
    Path("a.ini").write_text(ini, encoding="utf-8")
    Path("s.yaml").write_text(NOT_MODELLED, encoding="utf-8")
    return (
        "overlaylab: options with an effect in Neutron and none here: [agent] extensions = qos, "
        "[securitygroup] firewall_driver = openvswitch; see `overlaylab validate s.yaml`\n"
    )


def test_flows_names_options_that_are_not_modelled_in_one_line(capsys, firewall):
    status, out, err = said(capsys, "flows", "s.yaml", "--host", "h1", "--bridge", "br-int")
    assert (status, err) == (0, firewall)
    assert "table=60" in out


def test_run_and_up_name_options_that_are_not_modelled(capsys, firewall, monkeypatch):
    def stop(**_: object) -> None:
        raise HostError("nothing is started", where="this test", allowed="-", do="-")

    monkeypatch.setattr("experiments.cli.doctor.assert_host_ready", stop)
    monkeypatch.setattr("experiments.cli.run.assert_host_ready", stop)
    wanted = ("latency", "fanout", "--scenario", "s.yaml", "--hosts", "2")
    for words in (("up", "s.yaml"), ("run", *wanted)):
        _, out, err = said(capsys, *words)
        first, *others = err.splitlines(keepends=True)
        assert (out, first) == ("", firewall)
        assert "not modelled" not in "".join(others)
        assert "nothing is started" in "".join(others)


def test_validate_names_the_options_and_warns(capsys, firewall):
    status, out, err = said(capsys, "validate", "s.yaml")
    assert (status, err) == (0, "")
    *warnings, used, other, last = out.splitlines()
    assert [line.partition(": not modelled: ")[0] for line in warnings] == [
        "warning: a.ini:5: [agent] extensions = qos",
        "warning: a.ini:7: [securitygroup] firewall_driver = openvswitch",
    ]
    assert used == "2 options used: [ovs] local_ip, [agent] tunnel_types"
    assert other == (
        "2 options not modelled here: [agent] extensions, [securitygroup] firewall_driver"
    )
    assert last == "s: valid: 2 hosts, 1 network, 2 ports, 2 warnings"


def test_a_long_list_of_options_ends_with_their_number(capsys, firewall):
    Path("a.ini").write_text(
        "[ovs]\nlocal_ip = 192.0.2.1\n[agent]\ntunnel_types = vxlan\n"
        + "".join(f"odd{number} = 1\n" for number in range(130))
    )
    status, out, _ = said(capsys, "validate", "s.yaml")
    assert status == 0
    assert "and 30 more" in " ".join(out.split())
    assert max(map(len, out.partition("130 options")[2].splitlines())) <= 80
