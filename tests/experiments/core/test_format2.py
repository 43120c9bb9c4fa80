"""Runs of format 2 are converted."""

import json
from pathlib import Path

import polars as pl
import pytest

from experiments.core import format2
from experiments.core.registry import question as question_of
from experiments.core.results import SAMPLES, read
from experiments.show.reports import report_on

REFERENCE = Path(__file__).resolve().parents[3] / "results" / "reference"

COLUMNS = ("block", "order", "mode", "move", "way", "to", "dark_ms", "lost", "censored")
STEPS = ("plugged_ms", "bound_ms", "active_ms", "pause_ms")


@pytest.fixture
def directory(tmp_path):
    """One move of `migration`, as overlaylab 0.1 wrote it."""
    predictions = [
        {"says": f"old {number}", "because": "old", "of": "baseline", "silent_on": []}
        for number in (1, 2)
    ]
    predictions.append(
        {"says": "old", "because": "old", "of": "told silent, unheard", "silent_on": []}
    )
    about = {
        "format": 2,
        "experiment": "migration",
        "question": {
            "name": "migration",
            "asks": "?",
            "unit": "moves",
            "value": "censored",
            "factors": {"mode": ["gre-l2pop"]},
            "columns": {},
            "predictions": [{**each, "low": None, "high": None} for each in predictions],
            "teller": "migration",
            "baseline": {},
            "compared": {},
            "margin": 0.0,
            "margin_because": "",
            "more": {},
        },
        "foretold": [{"mode": "gre-l2pop", "way": "silent, unheard", "censored": 0}],
        "blocks": 1,
        "settings": {},
        "seed": 1,
        "thresholds": {},
    }
    (tmp_path / "run.json").write_text(json.dumps(about))
    cells = ("1", "1", "gre-l2pop", "1", '"silent, unheard"', "computer", "60.5", "60", "0")
    lines = ((*COLUMNS, *STEPS), (*cells, "1", "2", "3", "0"))
    (tmp_path / "samples.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    return tmp_path


def test_columns_cells_and_subjects_of_predictions_have_the_names_of_today(directory):
    run = read(directory)

    (row,) = run.samples.rows(named=True)
    assert (row["repeat"], row["downtime_ms"]) == (1, 60.5)
    assert row["way"] == run.predicted["way"][0] == "without gratuitous ARP, MAC unknown"
    (today,) = (
        each
        for each in question_of("migration").predictions
        if each.about == "l2pop without gratuitous ARP, MAC unknown"
    )
    assert run.question.predictions[-1].claim == today.claim


def test_predictions_with_the_same_subject_and_bounds_keep_their_order(monkeypatch):
    today = question_of("mactable")
    old = [
        {
            "says": str(n),
            "because": "",
            "of": each.about,
            "silent_on": [],
            "low": None,
            "high": None,
        }
        for n, each in enumerate(today.predictions)
    ]
    about = {
        "experiment": "mactable",
        "question": {"name": "mactable", "value": "learned", "more": {}, "predictions": old},
        "foretold": [],
        "settings": {},
        "thresholds": {},
    }

    found = format2.converted(about)["question"]["predictions"]

    assert [each["claim"] for each in found] == [each.claim for each in today.predictions]


@pytest.mark.parametrize("name", sorted(path.name for path in REFERENCE.iterdir() if path.is_dir()))
def test_every_reference_run_is_read(name):
    run = read(REFERENCE / name)

    assert json.loads((REFERENCE / name / "run.json").read_text())["format"] == format2.FORMAT
    assert list(run.tables) == [SAMPLES, *run.question.more]
    for table in run.tables:
        lines = (REFERENCE / name / f"{table}.csv").read_text().count("\n")
        assert run.tables[table].height == lines - 1
    assert report_on(run).findings


def test_columns_of_an_unknown_experiment_have_the_type_of_their_cells(tmp_path):
    about = {
        "format": 2,
        "experiment": "copies",
        "question": {
            "name": "copies",
            "asks": "How many copies?",
            "unit": "packets",
            "value": "copies",
            "factors": {"mode": ["gre-mesh"], "hosts": [2, 4]},
            "columns": {"hosts": "hosts", "copies": "how many", "share": "of all", "note": "text"},
            "predictions": [],
            "teller": "cells",
            "baseline": {},
            "compared": {},
            "margin": 0.0,
            "margin_because": "",
            "more": {},
        },
        "foretold": [{"mode": "gre-mesh", "hosts": n, "copies": n - 1} for n in (2, 4)],
        "blocks": 1,
        "settings": {},
        "thresholds": {},
        "scenario": "article",
        "seed": 1,
    }
    (tmp_path / "run.json").write_text(json.dumps(about))
    (tmp_path / "samples.csv").write_text(
        "block,order,mode,hosts,copies,share,note\n1,1,gre-mesh,2,1,0.5,\n1,2,gre-mesh,4,,1,x\n"
    )

    run = read(tmp_path)

    assert dict(run.samples.schema) == {
        **dict.fromkeys(("repeat", "order"), pl.Int64),
        "mode": pl.String,
        "hosts": pl.Int64,
        "copies": pl.Int64,
        "share": pl.Float64,
        "note": pl.String,
    }
    assert run.predicted.rows() == [("gre-mesh", 2, 1), ("gre-mesh", 4, 3)]
