"""Experiments of one command line, on labs that are simulated."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from controller.model.errors import MeasureError
from experiments.cli.main import main
from experiments.core.experiment import Experiment, Measured
from experiments.core.verdict import Thresholds, Window
from experiments.measure import runner
from tests.experiments.running import without_progress
from tests.experiments.small_run import QUESTION

NAMES = ("toll", "reach", "copies")


@dataclass(frozen=True)
class Probe:
    """Six samples of each level, without a lab."""

    lost: int = 0
    fails: bool = False

    def __call__(self, lab, point, context):
        if self.fails:
            raise MeasureError("silence", where="ping", allowed="an answer", do="Look.")
        base = {"flat": 0.4}.get(point["mode"], 0.6)
        rows = tuple({"rtt_ms": round(base + (context.seed % 97 + n) / 1000, 3)} for n in range(6))
        return Measured(rows=rows, lost=self.lost)


@dataclass
class Calm:
    """A watcher of a machine that is 90% idle."""

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
        self.windows.append(Window(cpu_idle=0.9))


@dataclass
class Labs:
    """Starts simulated labs; number `fail_at` raises `failure` instead."""

    made: list = field(default_factory=list)
    up: int = 0
    fail_at: int = 0
    failure: BaseException | None = None

    @contextmanager
    def started(self, overlay, **_):
        assert self.up == 0, "labs are started one at a time"
        self.made.append(overlay)
        self.up += 1
        try:
            if len(self.made) == self.fail_at:
                raise self.failure
            yield overlay
        finally:
            self.up -= 1


def known_to(monkeypatch):
    """Three experiments, by name; all are run by default."""
    known = {
        name: Experiment(
            question=replace(QUESTION, name=name),
            probe=Probe(),
            quick=Probe(),
            repeats=6,
            thresholds=Thresholds(cpu_idle_min=0.5, lost_max=0),
        )
        for name in NAMES
    }
    monkeypatch.setattr("experiments.core.registry.names", lambda: NAMES)
    monkeypatch.setattr("experiments.core.registry.DEFAULT", NAMES)
    monkeypatch.setattr("experiments.cli.loader.find", known.__getitem__)
    return known


def played(monkeypatch):
    """Simulated labs: no root is needed, no lab is started, no figure is drawn."""
    labs = Labs()
    monkeypatch.setattr("topologies.lab.started", labs.started)
    monkeypatch.setattr("experiments.cli.run.assert_host_ready", lambda **_: None)
    for name in ("lab_facts", "machine", "source"):  # they run programs each time
        monkeypatch.setattr(f"experiments.measure.environment.{name}", lambda *_: {})
    monkeypatch.setattr("experiments.measure.runner.perform", partial(runner.perform, watch=Calm))
    monkeypatch.setattr("experiments.show.pages.redraw._drawn", _drawn)
    return labs


def _drawn(directory, report, picture):
    path = directory / f"{picture.name}.svg"
    path.write_text("<svg/>")
    return {path.name: path}


def run(capsys, *argv):
    status = main(["run", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, without_progress(err)


def about(directory):
    return json.loads((directory / "run.json").read_text())
