"""docs/extend.md: its experiments load, run on fake labs, and print what the document shows."""

import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import CompletedProcess

import pytest

import experiments
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.text import dump
from controller.model.errors import UsageError
from experiments.cli.loader import find
from experiments.cli.request import experiments_of
from experiments.core import registry
from experiments.core.results import read
from experiments.core.verdict import Window
from experiments.measure.runner import Request, begin, perform
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.text import terminal_lines
from experiments.show.reports import report_on
from tests.docs.extend_examples import CONSOLES, EXAMPLES, TEXT, written
from tests.labs import ROOT
from topologies.scenario.load import load

LEARNED = (
    " cookie=0x1, table=20, hard_timeout=300, priority=1,dl_dst=fa:16:3e:00:00:01 actions=drop"
)
LONGEST = 25  # lines with something in them: "about 20"


@dataclass
class Lab:
    """Answers as a lab would: br-tun has the rules that the controller would state."""

    overlay: object
    extra: int = 0  # rules that nobody expects
    asked: list = field(default_factory=list)

    def run(self, node, *argv, timeout_s=10):
        return self.attempt(node, *argv).stdout

    def attempt(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        answers = {"ovs-ofctl": self._dumped, "ping": self._pinged}
        return CompletedProcess(argv, 0, answers.get(argv[0], str)(), "")

    def _dumped(self):
        host = self.overlay.hosts[0].name
        rules = dump(bridge_flows(self.overlay, new_binding(self.overlay, host), "br-tun"))
        more = [" table=0, priority=7 actions=drop"] * self.extra
        return "\n".join(["NXST_FLOW reply (xid=0x4):", *rules, LEARNED, *more])

    def _pinged(self):
        pings = sum(asked[1] == "ping" for asked in self.asked)
        if pings == 3:
            return "1 packets transmitted, 0 received, 100% packet loss, time 0ms"
        rtt_ms = 0.5 if self.overlay.hosts[0].arp_responder else 0.7
        return f"64 bytes from 172.16.166.125: icmp_seq=1 ttl=64 time={rtt_ms} ms\n"


@dataclass
class Calm:
    lab: object
    windows: list = field(default_factory=list)
    counted: list = field(default_factory=list)

    @contextmanager
    def counting(self):
        yield
        self.counted.append(Window())

    @contextmanager
    def window(self):
        yield
        self.windows.append(Window(cpu_idle=0.9, cpu_steal=0.0))


@pytest.fixture(autouse=True)
def _no_lab_to_look_at(monkeypatch):
    for name in ("lab_facts", "machine", "source"):
        monkeypatch.setattr(f"experiments.measure.environment.{name}", lambda *_: {})


@pytest.fixture
def run(tmp_path):
    """Runs one repeat of an example; returns its report."""

    def run(name, **options):
        experiment = find(str(written(tmp_path, name)))
        request = Request(
            experiment=experiment.with_levels(**experiment.quick_factors),
            overlay=load("article").overlay,
            repeats=1,
            seed=1,
            quick=True,
            lab={},
            parent=tmp_path,
            name="run",
        )
        recorder = begin(request)

        @contextmanager
        def started(overlay):
            yield Lab(overlay, **options)

        perform(request, recorder, started, watch=Calm)
        return report_on(read(recorder.directory))

    return run


def console_of(command):
    (found,) = (console for console in CONSOLES if command in console)
    return found


@pytest.mark.parametrize("name", ["rules.py", "first_ping.py"])
def test_an_experiment_takes_about_twenty_lines(name):
    assert sum(bool(line.strip()) for line in EXAMPLES[name].splitlines()) <= LONGEST


def test_every_rule_is_as_predicted(run):
    found = run("rules.py")

    assert found.findings == ("4 of 4 cells match their prediction",)
    assert [each.outcome for each in found.outcomes] == ["confirmed"]
    assert not found.is_refuted


def test_the_document_shows_the_output(run):
    found = run("rules.py")

    printed = "\n".join(terminal_lines(Chapter(name="rules", report=found)))
    assert f"--quick\n{printed}\nReport: " in console_of("overlaylab run")


def test_an_additional_rule_refutes_the_prediction(run):
    found = run("rules.py", extra=1)

    assert found.is_refuted
    assert [each.outcome for each in found.outcomes] == ["refuted"]


def test_the_second_example_has_a_sample_for_every_ping(run):
    found = run("first_ping.py")

    assert [row["first_ms"] for row in found.run.rows_of() if row["mode"] == "vxlan-l2pop"] == [
        0.7,
        0.7,
        None,
        *[0.7] * 17,
    ]
    assert found.run.about["verdict"]["reasons"] == [
        "2 answers or packets unaccounted for; wanted at most 0"
    ]
    assert [each["median"] for each in found.data] == [0.7, 0.5]


def test_the_scenario_is_one_without_warnings_and_counts_as_printed(tmp_path):
    scenario = load(written(tmp_path, "tenants.yaml"))
    overlay = scenario.overlay
    counts = (
        f"{len(overlay.hosts)} hosts, {len(overlay.networks)} networks, {len(overlay.ports)} ports"
    )

    assert scenario.warnings == ()
    assert f"tenants: valid: {counts}\n" in console_of("validate")
    red1, _, blue2, _ = overlay.ports
    assert red1.fixed_ips == blue2.fixed_ips


def test_an_experiment_can_use_the_topology_of_the_class(tmp_path):
    own = re.findall(r"^    (stage=.*)$", TEXT, re.MULTILINE)[-1]
    rules = re.sub(r"stage=.*,", lambda _: f"{own},", EXAMPLES["rules.py"])
    path = tmp_path / "stars.py"
    path.write_text(f"{EXAMPLES['star.py']}\n{rules}", encoding="utf-8")

    overlay = find(str(path)).stage(load("article").overlay, {"hosts": 5})

    assert [host.name for host in overlay.hosts] == ["node1", "node2", "node3", "node4", "node5"]


def test_a_renamed_copy_of_fanout_is_an_experiment_with_the_files_that_the_document_lists(
    tmp_path, monkeypatch
):
    copy = console_of("cp -r").replace("$ ", "")
    shutil.copytree(ROOT / "experiments/fanout", tmp_path / "experiments/fanout")
    shutil.copytree(ROOT / "tests/experiments/fanout", tmp_path / "tests/experiments/fanout")
    subprocess.run(["sh", "-e", "-c", copy], cwd=tmp_path, check=True, timeout=20)
    monkeypatch.setattr(
        experiments, "__path__", [*experiments.__path__, str(tmp_path / "experiments")]
    )
    registry.names.cache_clear()
    try:
        assert "mycopies" in registry.names()
        assert registry.question("mycopies").name == "mycopies"
        assert registry.experiment("mycopies").probe.__module__ == "experiments.mycopies.probe"
    finally:
        registry.names.cache_clear()
    listed = set(re.findall(r"^\| `(\w+\.py)` \|", TEXT, re.MULTILINE))
    assert {path.name for path in (ROOT / "experiments/fanout").glob("[!_]*.py")} == listed


def test_a_path_is_an_experiment_and_a_wrong_name_is_refused(tmp_path):
    path = str(written(tmp_path, "rules.py"))

    assert [each.question.name for each in experiments_of((path, path))] == ["rules"]
    with pytest.raises(
        UsageError, match=r"'rulse'; allowed: .*latency.*, or the path of a \.py file"
    ):
        experiments_of(("rulse",))


def test_nothing_is_left_beside_the_file(tmp_path):
    find(str(written(tmp_path, "rules.py")))
    assert [path.name for path in tmp_path.iterdir()] == ["rules.py"]


RULES = EXAMPLES["rules.py"]
WRONG = {
    "none.py": (
        "x = 1",
        "experiment '{path}': defines none; allowed: one value of type Experiment",
    ),
    "two.py": (
        f"{RULES}\nfrom dataclasses import replace\nB = replace(RULES, repeats=2)",
        "experiment '{path}': defines RULES, B; allowed: one value",
    ),
    "fails.py": (
        f"import json\n\ndef f():\n    return json.loads('{{')\n\nf()\n{RULES}",
        "{path}, line 4: JSONDecodeError: Expecting property name",
    ),
    "syntax.py": ("x = 1\ny = = 2", "{path}, line 2: SyntaxError: invalid syntax; allowed:"),
    "null.py": ("x = 1\0", "{path}, line 1: "),
    "ends.py": ("import sys\nsys.exit(3)", "{path}, line 2: SystemExit: 3; allowed:"),
    "name.py": (
        RULES.replace('name="rules"', 'name="a/b"'),
        "{path}: Question 'a/b': name 'a/b'; allowed: lower-case letters, digits and -",
    ),
    "report.py": (
        RULES.replace('report="cells"', 'report="cell"'),
        "{path}: Question 'rules': report 'cell'; allowed: levels, cells",
    ),
    "unpredicted.py": (
        f"{RULES}\nfrom dataclasses import replace\nRULES = replace(RULES, predict=None)",
        "{path}: Question 'rules': no `predict`; allowed: one",
    ),
    "value.py": (
        RULES.replace('value="rules"', 'value="rule"'),
        "{path}: Question 'rules': value 'rule'; allowed: one of its columns: rules",
    ),
    "baseline.py": (
        RULES.replace('report="cells"', 'baseline={"mode": "flat"}'),
        "{path}: Question 'rules': baseline {{'mode': 'flat'}}; allowed: a level of each",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_run_is_refused_with_its_error(tmp_path, name):
    text, message = WRONG[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match=f"^{re.escape(message.format(path=path))}") as caught:
        find(str(path))
    assert "docs/extend.md" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"nothing\.py': No such file or directory; allowed: a Python"
    ):
        find(str(tmp_path / "nothing.py"))


def test_one_experiment_by_two_names_is_one_and_helpers_do_not_count(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(
        f"{RULES}\nfrom dataclasses import replace\n_HELP = replace(RULES, repeats=2)\nSAME = RULES"
    )
    assert find(str(path)).question.name == "rules"


def test_a_probe_may_be_a_dataclass_of_the_file(tmp_path):
    """Where annotations are texts, dataclasses look their module up."""
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    probe = "@dataclass(frozen=True, slots=True)\nclass Own:\n    times: int = 3\n"
    path = tmp_path / "own.py"
    path.write_text(f"{head}{RULES}\n{probe}", encoding="utf-8")
    assert find(str(path)).question.name == "rules"
