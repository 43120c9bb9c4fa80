"""The runner, on labs that only answer: order, files, verdict, and what an interruption leaves."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from experiments.draw import levels_of, redraw, tell
from experiments.latency import LATENCY
from experiments.report import headline
from experiments.results import read
from experiments.runner import Request, begin, perform, schedule
from tests.pure.fake_bench import FakeLabs
from topologies.errors import LabError, MeasureError
from topologies.scenario import load

MODES = ("flat", "gre-mesh", "vxlan-l2pop")
POINTS = tuple({"mode": mode} for mode in MODES)
SETTINGS = replace(LATENCY.full, pings=5, warmup_pings=2)


class Meter:
    idle = 0.9

    def stop(self):
        return {"idle": self.idle, "steal": 0.0}


@pytest.fixture
def request_(tmp_path):
    return Request(
        experiment=LATENCY, overlay=load("article").overlay, modes=MODES, settings=SETTINGS, seed=7,
        quick=False, lab={"datapath": "netdev", "app": "os-ken"}, parent=tmp_path,
    )  # fmt: skip


def performed(request, labs, meter=Meter):
    recorder = begin(request)
    perform(request, recorder, labs.raised, meter=meter)
    return recorder.directory


def about(parent):
    (directory,) = parent.iterdir()
    return read(directory).about


def test_every_mode_once_in_each_block_in_an_order_the_seed_draws():
    rounds = schedule(POINTS, 20, seed=1)

    assert Counter((each.block, each.point["mode"]) for each in rounds) == {
        (block, mode): 1 for block in range(1, 21) for mode in MODES
    }
    assert [each.order for each in rounds] == [1, 2, 3] * 20
    assert rounds == schedule(POINTS, 20, seed=1)
    assert rounds != schedule(POINTS, 20, seed=2)
    # Each mode comes first in some blocks: 20 fair draws miss one of three once in 1,000 seeds.
    assert {each.point["mode"] for each in rounds if each.order == 1} == set(MODES)


def test_every_round_has_a_lab_of_its_own_in_its_mode(request_):
    labs = FakeLabs()

    directory = performed(request_, labs)

    ran = [str(each["mode"]).partition("-")[0] for each in read(directory).about["rounds"]]
    assert [str(lab.overlay.networks[0].network_type) for lab in labs.made] == ran
    assert len(labs.made) == 18
    assert labs.up == 0


def test_a_calm_run_is_complete_and_trusted(request_):
    run = read(performed(request_, FakeLabs()))

    assert run.about["status"] == "complete"
    assert run.about["verdict"]["trusted"] is True
    assert len(run.rows) == 18 * (1 + 2 + 5)
    assert run.about["modes_found"]["gre-mesh"] == {
        "underlay_mtu": 1500, "guest_mtu": 1450, "from": "ServerA", "to": "ServerB",
        "guest_offloads": {"rx-checksumming": True, "tx-checksumming": False},
    }  # fmt: skip


def test_prediction_and_thresholds_are_on_disk_before_the_first_lab(request_):
    class Watching(FakeLabs):
        def raised(self, overlay):
            self.seen = about(request_.parent)
            return super().raised(overlay)

    labs = Watching()
    performed(replace(request_, settings=replace(SETTINGS, blocks=1), modes=("flat",)), labs)

    assert labs.seen["status"] == "running"
    assert labs.seen["prediction"]["high"] == LATENCY.prediction.high
    assert labs.seen["thresholds"]["cpu_idle_min"] == LATENCY.thresholds.cpu_idle_min
    assert labs.seen["margin"]["value"] == LATENCY.margin


def test_a_busy_machine_is_not_trusted(request_):
    class Busy(Meter):
        idle = 0.05

    verdict = read(performed(request_, FakeLabs(), Busy)).about["verdict"]

    assert not verdict["trusted"]
    assert verdict["reasons"][0].startswith("CPU idle 5% in block 1, ")


def test_a_lost_ping_turns_the_verdict(request_):
    labs = FakeLabs(options={"lose": (3,), "warm_pings": 5})

    assert read(performed(request_, labs)).about["verdict"]["reasons"] == [
        "18 pings lost; wanted at most 0"
    ]


def test_a_first_look_is_trusted_for_what_it_claims(request_):
    quick = replace(request_, quick=True, settings=replace(SETTINGS, blocks=1))

    directory = performed(quick, FakeLabs())
    told = tell(read(directory), LATENCY)

    assert told.trusted
    assert told.about["claims"] == "no interval, a first look"
    assert all(each.interval is None for each in told.summaries)
    assert headline(told) == "A first look at 3 modes in 1 block: no interval, no claim"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (LabError("x", where="lab", allowed="y", do="z."), "failed: lab: x; allowed: y. z."),
    ],
)
def test_what_was_measured_before_the_end_stays_and_is_marked(request_, failure, status):
    labs = FakeLabs(fail_at=5, failure=failure)

    with pytest.raises(type(failure)):
        performed(request_, labs)

    found = about(request_.parent)
    assert (found["status"], found["verdict"]["trusted"]) == (status, False)
    assert found["verdict"]["reasons"][0] == status
    assert len(found["measured"]) == 4
    (directory,) = request_.parent.iterdir()
    assert len(read(directory).rows) == 4 * (1 + 2 + 5)
    assert labs.up == 0


def test_a_partial_run_can_still_be_drawn(request_):
    with pytest.raises(KeyboardInterrupt):
        performed(request_, FakeLabs(fail_at=5, failure=KeyboardInterrupt()))
    (directory,) = request_.parent.iterdir()

    told, files = redraw(directory, LATENCY)

    assert not told.trusted
    assert files["png"].endswith("latency.png")


def test_one_changed_sample_changes_the_table_and_the_figure(request_):
    directory = performed(request_, FakeLabs())
    redraw(directory, LATENCY)
    before = {name: (directory / name).read_bytes() for name in ("report.md", "latency.svg")}
    redraw(directory, LATENCY)
    assert {name: (directory / name).read_bytes() for name in before} == before, "it repeats"

    samples = directory / "samples.csv"
    lines = samples.read_text().splitlines(keepends=True)
    last = lines[-1].split(",")
    last[-2] = "0.01"
    samples.write_text("".join([*lines[:-1], ",".join(last)]))
    redraw(directory, LATENCY)

    assert all((directory / name).read_bytes() != before[name] for name in before)


def test_intervals_are_never_mixed(request_):
    directory = performed(request_, FakeLabs())
    rows = read(directory).rows
    mixed = [*rows, {**rows[-1], "interval_ms": 200}]

    with pytest.raises(MeasureError, match=r"samples.csv: interval_ms 10, 200; allowed: one"):
        levels_of(mixed, LATENCY)


def test_run_json_holds_what_a_referee_asks_for(request_):
    found = read(performed(request_, FakeLabs())).about

    assert {"argv", "seed", "source", "machine", "start", "end", "lab", "hosts", "release"} <= set(
        found
    )
    assert {"kernel", "cpu", "cpus", "python", "packages", "tools"} <= set(found["machine"])
    assert {"ovs", "mininet", "ping"} == set(found["machine"]["tools"])
    json.dumps(found)
