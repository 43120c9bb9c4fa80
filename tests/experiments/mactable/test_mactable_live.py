"""The MAC table of the underlay in real labs: as predicted, and with learning switched off."""

from contextlib import contextmanager, nullcontext

import pytest

from controller.model.errors import HostError
from experiments.core.experiment import Context
from experiments.mactable import bridges
from experiments.mactable import labs as stage
from experiments.mactable.probe import BRIDGE, measure
from experiments.mactable.words import MISDELIVERED
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

STEPS = ((12, 0), (12, 6))  # four guests a host
COUNTS = ("learned", "sent", "arrived", MISDELIVERED)
PORTS = ("host1", "host2", "host3")


@contextmanager
def lab_of(mode, tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    monkeypatch.setattr(stage, "STEPS", STEPS)
    with started(stage.staged(load("article").overlay, {"mode": mode, "hosts": 3})) as lab:
        yield lab


def found(lab, point, tmp_path):
    context = Context(
        keep=lambda *_: None,
        path=lambda name: tmp_path / name,
        watch=nullcontext,
        say=lambda _: None,
        seed=1,
    )
    measured = measure(lab, point, context)
    assert measured.facts == {"capture_dropped": 0, "steps_that_differ_from_kernel_count": 0}
    return [tuple(row[name] for name in COUNTS) for row in measured.rows]


def test_flat_fills_the_table_and_without_learning_every_frame_is_misdelivered(
    tmp_path, monkeypatch
):
    point = {"mode": "flat", "hosts": 3}
    with lab_of("flat", tmp_path, monkeypatch) as lab:
        ideal = [tuple(row[n] for n in COUNTS) for row in stage.predicted(lab.overlay, (point,))]
        assert ideal == [(12, 8, 8, 0), (6, 8, 8, 6)]
        assert found(lab, point, tmp_path) == ideal

        for port in PORTS:  # positive control: the counts are those of the switch
            lab.run("underlay", "bridge", "link", "set", "dev", port, "learning", "off")
        assert found(lab, point, tmp_path) == [(0, 8, 8, 8), (0, 8, 8, 8)]


def test_the_kernel_limits_learned_addresses_and_a_missing_bridge_is_an_error(
    tmp_path, monkeypatch
):
    with lab_of("flat", tmp_path, monkeypatch) as lab:
        pid = lab.pid("underlay")
        bridges.limit_learned(pid, BRIDGE, 5)
        assert bridges.learned(pid, BRIDGE).most == 5
        for name in ("host1", "nothing"):
            with pytest.raises(HostError, match="fdb_max_learned"):
                bridges.limit_learned(pid, name, 5)
