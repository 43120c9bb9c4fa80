"""The runner with fake labs: order, files, verdict, interruption."""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from controller.model.errors import LabError, MeasureError, UsageError
from controller.model.modes import parse_mode, with_mode
from experiments.core.experiment import Experiment, Measured
from experiments.core.question import Prediction, Question, integer, text
from experiments.core.results import read
from experiments.core.verdict import Thresholds, Window
from experiments.measure.runner import Request, begin, perform, schedule
from topologies.scenario.load import load

MODES = ("flat", "gre-mesh", "vxlan-l2pop")
QUESTION = Question(
    name="rules",
    question="How many rules?",
    unit="rules",
    value="rules",
    factors={"mode": MODES},
    columns={"mode": text("mode of the overlay"), "rules": integer("how many")},
    margin=2,
    margin_reason="so",
    predictions=(Prediction(claim="few", reason="small"),),
    more={"sizes": {"bytes": integer("size of a rule")}},
)
POINTS = QUESTION.points()


@dataclass(frozen=True)
class Count:
    """Runs one command in the lab, keeps its output, and returns one row for each table."""

    lost: int = 0
    windows: int = 1
    untimed: bool = False

    def __call__(self, lab, point, context):
        for _ in range(self.windows):
            with context.watch():
                context.keep("rules.txt", lab.run("controller", "ovs-ofctl"))
        context.path("wire.pcapng").write_bytes(b"")
        rules = {"rules": context.seed % 100}
        return Measured(
            rows=(rules,),
            more={"sizes": ({"bytes": 8},)},
            facts={"of": dict(point)},
            lost=self.lost,
            untimed=self.untimed,
        )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Count(),
    quick=Count(lost=0),
    repeats=6,
    thresholds=Thresholds(cpu_idle_min=0.5, lost_max=0),
    watches=True,
    predict=lambda overlay, points: tuple(
        {**point, "rules": len(overlay.hosts)} for point in points
    ),
)


@dataclass
class Labs:
    """Starts fake labs, one after the other."""

    made: list = field(default_factory=list)
    up: int = 0
    fail_at: int = 0
    failure: BaseException | None = None

    @contextmanager
    def started(self, overlay):
        assert self.up == 0, "only one lab runs at a time"
        self.made.append(overlay)
        self.up += 1
        try:
            if len(self.made) == self.fail_at:
                raise self.failure
            yield Lab(overlay)
        finally:
            self.up -= 1


@dataclass
class Lab:
    overlay: object

    def run(self, node, *argv, timeout_s=10):
        return "1450" if argv[:1] == ("cat",) else ""

    def attempt(self, node, *argv, timeout_s=10):
        raise NotImplementedError


@dataclass
class Calm:
    """A watcher of a machine with the given idle share."""

    lab: object
    idle: float = 0.9
    windows: list = field(default_factory=list)
    counted: list = field(default_factory=list)

    @contextmanager
    def counting(self):
        yield
        self.counted.append(Window())

    @contextmanager
    def window(self):
        yield
        self.windows.append(Window(cpu_idle=self.idle))


@pytest.fixture(autouse=True)
def _no_lab_to_look_at(monkeypatch):
    monkeypatch.setattr("experiments.measure.environment.lab_facts", lambda lab: {"mtu": 1500})


@pytest.fixture
def request_(tmp_path):
    return Request(
        experiment=EXPERIMENT,
        overlay=load("article").overlay,
        repeats=6,
        seed=7,
        quick=False,
        lab={"datapath": "netdev", "app": "os-ken"},
        parent=tmp_path,
        name="run",
    )


def performed(request, labs, watch=Calm, **options):
    recorder = begin(request)
    perform(request, recorder, labs.started, watch=watch, **options)
    return read(recorder.directory)


def test_each_repeat_has_every_point_once_in_an_order_drawn_from_the_seed():
    rounds = schedule(POINTS, 20, seed=1)

    assert Counter((each.repeat, each.point["mode"]) for each in rounds) == {
        (repeat, mode): 1 for repeat in range(1, 21) for mode in MODES
    }
    assert [each.order for each in rounds] == [1, 2, 3] * 20
    assert rounds == schedule(POINTS, 20, seed=1)
    assert rounds != schedule(POINTS, 20, seed=2)
    # Each mode comes first in some repeats: 20 fair draws miss one of three once in 1,000 seeds.
    assert {each.point["mode"] for each in rounds if each.order == 1} == set(MODES)


def test_each_lab_has_its_own_reproducible_seed(request_):
    seeds = [each.seed(7) for each in schedule(POINTS, 6, seed=7)]

    assert len(set(seeds)) == 18
    assert seeds == [each.seed(7) for each in schedule(POINTS, 6, seed=7)]
    assert seeds != [each.seed(8) for each in schedule(POINTS, 6, seed=7)]


def test_points_are_the_product_of_all_factors():
    question = replace(QUESTION, factors={"mode": ("flat", "vlan"), "hosts": (2, 4)})

    assert question.points() == (
        {"mode": "flat", "hosts": 2},
        {"mode": "flat", "hosts": 4},
        {"mode": "vlan", "hosts": 2},
        {"mode": "vlan", "hosts": 4},
    )


def test_each_point_of_each_repeat_gets_a_new_lab_in_its_mode(request_):
    labs = Labs()

    run = performed(request_, labs)

    ran = [each["mode"] for each in run.about["rounds"]]
    assert labs.made == [with_mode(request_.overlay, parse_mode(mode)) for mode in ran]
    assert (len(labs.made), labs.up) == (18, 0)


def test_rows_of_every_table_have_repeat_and_order(request_):
    run = performed(request_, Labs())

    rounds = [(each["repeat"], each["order"]) for each in run.about["rounds"]]
    for rows in run.tables.values():
        assert rows.select("repeat", "order").rows() == rounds
    assert run.samples["mode"].to_list() == [each["mode"] for each in run.about["rounds"]]
    assert set(run.tables["sizes"]["bytes"]) == {8}


def test_raw_output_is_in_one_folder_per_lab(request_):
    directory = performed(request_, Labs()).directory

    first = read(directory).about["rounds"][0]["mode"]
    assert (directory / f"raw/01-01-{first}/rules.txt").exists()
    assert (directory / f"raw/01-01-{first}/wire.pcapng").exists()
    assert len(list((directory / "raw").iterdir())) == 18


def test_a_calm_run_is_complete_and_trusted(request_):
    about = performed(request_, Labs()).about

    assert (about["status"], about["verdict"]["trusted"]) == ("complete", True)
    assert about["labs"] == {mode: {"mtu": 1500} for mode in MODES}
    assert all(each["of"] == {"mode": each["mode"]} for each in about["measured"])


def test_question_and_predictions_are_on_disk_before_the_first_lab_starts(request_):
    class Watching(Labs):
        def started(self, overlay):
            self.seen = read(request_.parent / "run")
            return super().started(overlay)

    labs = Watching()
    performed(replace(request_, repeats=1), labs)

    assert labs.seen.question == QUESTION
    assert labs.seen.about["status"] == "running"
    assert labs.seen.about["thresholds"]["cpu_idle_min"] == 0.5
    assert labs.seen.about["count_thresholds"]["overflows_max"] == 0
    assert labs.seen.about["predicted"] == [{"mode": mode, "rules": 2} for mode in MODES]
    assert labs.seen.about["settings"] == {"lost": 0, "windows": 1, "untimed": False}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (({"mode": "flat", "rules": 2}, {"mode": "vlan"}), "row 2 without 'rules'"),
        (({"mode": "flat", "rules": 2, "host": 1},), "row 1 with 'host'"),
        ((), "no row"),
    ],
)
def test_a_prediction_without_a_column_of_the_samples_is_refused_before_the_run(
    request_, rows, found
):
    experiment = replace(EXPERIMENT, predict=lambda *_: rows)

    with pytest.raises(UsageError, match=f"'rules', predict: {found}"):
        replace(request_, experiment=experiment)


def test_a_prediction_that_raises_is_refused_with_its_reason(request_):
    experiment = replace(EXPERIMENT, predict=lambda _, points: ({"rules": points[0]["vteps"]},))

    with pytest.raises(UsageError, match="KeyError: 'vteps'"):
        replace(request_, experiment=experiment)


def test_a_run_on_a_busy_machine_is_not_trusted(request_):
    verdict = performed(request_, Labs(), lambda lab: Calm(lab, idle=0.05)).about["verdict"]

    assert not verdict["trusted"]
    assert "CPU idle 5%" in verdict["reasons"][0]


@pytest.mark.parametrize(
    ("watches", "asked", "kept"), [(False, 0, 1), (True, 1, 1), (True, 3, 3), (False, 2, 3)]
)
def test_a_probe_that_does_not_watch_itself_is_watched_as_a_whole(request_, watches, asked, kept):
    experiment = replace(EXPERIMENT, probe=Count(windows=asked), watches=watches)

    about = performed(replace(request_, experiment=experiment), Labs()).about

    assert {len(each["windows"]) for each in about["measured"]} == {kept}


@pytest.mark.parametrize(("untimed", "trusted"), [(False, False), (True, True)])
def test_a_probe_that_watched_nothing_is_not_trusted_unless_nothing_was_timed(
    request_, untimed, trusted
):
    experiment = replace(EXPERIMENT, probe=Count(windows=0, untimed=untimed))

    about = performed(replace(request_, experiment=experiment), Labs()).about

    assert about["verdict"]["trusted"] is trusted
    assert [each["windows"] for each in about["measured"]] == [[]] * 18


def test_a_probe_that_returns_nothing_is_an_error(request_):
    experiment = replace(EXPERIMENT, probe=lambda *_: None)

    with pytest.raises(
        MeasureError, match=r"result of the probe of 'rules': None; allowed: a Meas"
    ):
        performed(replace(request_, experiment=experiment), Labs())


def test_lost_answers_make_a_run_untrusted(request_):
    experiment = replace(EXPERIMENT, probe=Count(lost=2))

    about = performed(replace(request_, experiment=experiment), Labs()).about

    assert about["verdict"]["reasons"] == [
        "36 answers or packets unaccounted for; wanted at most 0"
    ]


def test_too_few_repeats_make_a_full_run_untrusted_but_not_a_quick_run(request_):
    few = replace(request_, repeats=2)

    assert "2 repeats complete; wanted 6" in performed(few, Labs()).about["verdict"]["reasons"][0]
    quick = replace(few, quick=True, repeats=1, name="quick")
    assert performed(quick, Labs()).about["verdict"]["trusted"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (LabError("x", where="lab", allowed="y", do="z."), "failed: lab: x; allowed: y. z."),
    ],
)
def test_results_before_an_interruption_or_a_failure_stay_on_disk(request_, failure, status):
    labs = Labs(fail_at=5, failure=failure)

    with pytest.raises(type(failure)):
        performed(request_, labs)

    run = read(request_.parent / "run")
    assert (run.about["status"], run.about["verdict"]["trusted"]) == (status, False)
    assert run.about["verdict"]["reasons"][0] == status
    assert (len(run.about["measured"]), len(run.samples), labs.up) == (4, 4, 0)


def test_progress_is_shown_lab_by_lab(request_):
    shown = []

    performed(replace(request_, repeats=1), Labs(), say=lambda *now: shown.append(now))

    assert [now[:2] for now in shown] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert shown[0][2].startswith("lab 1 of 3: ")


def test_run_json_has_what_is_needed_to_reproduce_the_run(request_):
    found = performed(request_, Labs()).about

    assert {"argv", "seed", "source", "machine", "start", "end", "lab", "hosts", "release"} <= set(
        found
    )
    json.dumps(found)


def overflowing(lab):
    watcher = Calm(lab)
    watcher.counted.append(Window(overflows=2, overflowed_by=("the packet socket (2)",)))
    return watcher


def test_failed_controls_of_counts_are_recorded_as_doubts(request_):
    about = performed(replace(request_, repeats=1), Labs(), overflowing).about

    (doubt,) = about["verdict"]["doubts"]
    assert doubt.startswith("6 frames found a full buffer, most 2 in repeat 1, ")
    assert all(lab["counted"][0]["overflows"] == 2 for lab in about["measured"])


def test_a_failed_control_of_a_probe_is_a_doubt(request_):
    def probe(*_):
        return Measured(rows=({"rules": 2},), doubts=("an answer after 2 s",))

    request = replace(request_, experiment=replace(EXPERIMENT, probe=probe), repeats=1)
    doubts = performed(request, Labs()).about["verdict"]["doubts"]

    assert sorted(doubts) == sorted(f"an answer after 2 s in repeat 1, {mode}" for mode in MODES)
