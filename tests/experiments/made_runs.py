"""Runs that were never measured: made-up samples in the files of a run."""

import numpy as np

from experiments.core.question import Question, integer, number, text
from experiments.core.results import Recorder, read

LEVELS = {"flat": 0.30, "gre-mesh": 0.36}
QUESTION = Question(
    name="latency",
    question="What does a tunnel cost?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": tuple(LEVELS)},
    baseline={"mode": "flat"},
    compared={"phase": "warm"},
    columns={"phase": text("warm: compared"), "rtt_ms": number("round trip")},
    predictions=(),
    margin=0.02,
)
CELLS = Question(
    name="copies",
    question="How many copies?",
    unit="packets",
    value="copies",
    report="cells",
    factors={"mode": ("gre-mesh",), "hosts": (2, 4, 8)},
    columns={"copies": integer("how many")},
    predictions=(),
)
MACHINE = {"cpu": "a cpu", "cpus": 2, "kernel": "6.1", "tools": {"ovs": "3.1.0"}}
ABOUT = {
    "status": "complete",
    "scenario": "article",
    "hosts": ["one", "two"],
    "release": "queens",
    "settings": {"pings": 40, "interval_ms": 10},
    "lab": {"datapath": "netdev", "app": "os-ken"},
    "machine": MACHINE,
    "verdict": {"trusted": True, "reasons": []},
    "seed": 1,
    "repeats": 6,
    "start": "2026-01-01T00:00:00Z",
    "source": {"git_revision": "abcdef0123456", "git_dirty": True},
}


def made(
    parent, name="run", *, question=QUESTION, seed=1, repeats=6, more=0.0, levels=LEVELS, **about
):
    """A run of a question with a spread; `more` is added to every level's median, or to some."""
    recorder = Recorder(parent, name, question.tables())
    recorder.about(
        {
            **ABOUT,
            "question": question.to_json(),
            "predicted": [],
            "seed": seed,
            "repeats": repeats,
            **about,
        }
    )
    draw, rows = np.random.default_rng(seed), []
    for repeat in range(1, repeats + 1):
        for order, (level, median) in enumerate(levels.items(), start=1):
            shift = more.get(level, 0.0) if isinstance(more, dict) else more
            off = median + shift + draw.normal(0, 0.004)
            warm = (
                {"phase": "warm", "rtt_ms": round(off + e, 6)} for e in draw.normal(0, 0.02, 40)
            )
            cold = [{"phase": "cold", "rtt_ms": 50.0 * seed}] * 50
            place = {"repeat": repeat, "order": order, "mode": level}
            rows += [{**place, **each} for each in (*warm, *cold)]
    recorder.samples(rows)
    return recorder.directory


def made_cells(parent, name="run", *, values=None, question=CELLS, unneeded=None, **about):
    """A run of exact cells: hosts - 1 unless `values` has another."""
    recorder = Recorder(parent, name, question.tables())
    predicted = [{**point, "copies": point["hosts"] - 1} for point in question.points()]
    recorder.about({**ABOUT, "question": question.to_json(), "predicted": predicted, **about})
    further = {} if unneeded is None else {"unneeded": unneeded}
    values = {cell["hosts"]: cell["copies"] for cell in predicted} | (values or {})
    recorder.samples(
        {"repeat": repeat, "order": order, **cell, "copies": values[cell["hosts"]], **further}
        for repeat in (1, 2)
        for order, cell in enumerate(question.points(), start=1)
    )
    return recorder.directory


def pair(parent, **of_b):
    """The same run twice; `of_b` changes the second."""
    return read(made(parent, "a", seed=1)), read(made(parent, "b", **{"seed": 2, **of_b}))
