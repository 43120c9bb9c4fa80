"""Folders of results that are nearly right: a report or an error, nothing half-made."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model.errors import OverlayError
from experiments.core.results import read
from experiments.show.reports import report_on
from tests.experiments.made_runs import made, made_cells
from tests.experiments.small_run import write_run
from tests.fuzz.made import changed, edited
from tests.fuzz.tried import answered, count, drafts, tried


@pytest.fixture
def runs(here):
    """A folder with a run of each kind: levels, cells, and an experiment of ours."""
    folder = here / "runs"
    write_run(folder, "levels")
    made(folder, "latency")
    made_cells(folder, "cells")
    return folder


NAMES = ("levels", "latency", "cells")


@st.composite
def damage(draw, folder):
    """A run whose run.json or table is changed: its name, the file, and the new text."""
    name = draw(st.sampled_from(NAMES))
    file = draw(st.sampled_from(("run.json", "run.json", "samples.csv")))
    text = (folder / name / file).read_text("utf-8")
    if file == "run.json" and draw(st.booleans()):
        return name, file, json.dumps(draw(changed(json.loads(text))), allow_nan=True)
    return name, file, draw(edited(text))


def damaged(runs, data):
    """A copy of a run, damaged; the folder is made anew for each input."""
    name, file, text = data.draw(damage(runs))
    folder = runs.parent / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(runs / name, folder)
    (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    return name, folder


@tried(60)
@given(st.data())
def test_a_damaged_run_is_read_or_refused(runs, data):
    _, folder = damaged(runs, data)
    count("results, Python")
    try:
        run = read(folder)
    except OverlayError as error:
        assert str(folder) in str(error)  # noqa: PT017
        return
    assert run.samples.columns
    assert isinstance(run.seed, int)


@tried(6)
@given(st.data())
def test_a_damaged_run_is_drawn_or_refused(runs, data):
    _, folder = damaged(runs, data)
    others = {path for path in runs.parent.rglob("*") if folder not in path.parents}
    status, _, err = answered("results, report", "report", str(folder))
    assert status in {0, 2}
    assert status == 0 or str(folder) in err
    assert not drafts(folder)
    assert {path for path in runs.parent.rglob("*") if folder not in path.parents} == others


@tried(20)
@given(st.data())
def test_a_damaged_run_is_compared_or_refused(runs, data):
    name, folder = damaged(runs, data)
    status, _, _ = answered("results, compare", "compare", str(runs / name), str(folder))
    assert status in {0, 2, 3}


def test_the_runs_are_sound_when_nothing_is_changed(runs):
    for name in ("levels", "latency"):
        assert report_on(read(runs / name)).findings
        assert answered("control", "compare", str(runs / name), str(runs / name))[0] in {0, 2, 3}
