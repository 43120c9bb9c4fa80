"""Runs of format 2 (overlaylab 0.1), read as runs of format 3.

Format 2 had other names for the same things, no types of columns, and its texts in other words.
Bounds, factors and every figure are those of the file; the texts of an experiment that comes with
overlaylab are today's.
"""

from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from experiments.core import registry
from experiments.core.question import Question

FORMAT = 2
COLUMNS: Mapping[str, str] = {"block": "repeat"}  # of every table; an experiment may have more
KEYS = {"foretold": "predicted", "blocks": "repeats"}  # of run.json
QUESTION = {"asks": "question", "teller": "report", "margin_because": "margin_reason"}
PREDICTION = {"says": "claim", "because": "reason", "of": "about", "silent_on": "excludes"}
THRESHOLDS = {"blocks_min": "repeats_min"}


def columns_renamed(about: Mapping[str, Any]) -> Mapping[str, str]:
    """Today's names of columns and settings: `FORMAT_2` in the words.py of an experiment."""
    return {**COLUMNS, **_own(str(about.get("experiment")))}


def converted(about: Mapping[str, Any]) -> dict[str, Any]:
    """run.json as format 3 has it.

    Raises:
        KeyError, TypeError: it is not what format 2 wrote.
    """
    columns = columns_renamed(about)
    new = _renamed(about, KEYS)
    new["predicted"] = [_renamed(row, columns) for row in new["predicted"]]
    new["settings"] = _renamed(new["settings"], columns)
    for name in ("rounds", "measured"):
        new[name] = [_renamed(row, columns) for row in new.get(name, ())]
    new["thresholds"] = _renamed(new["thresholds"], THRESHOLDS)
    if isinstance(new.get("verdict"), dict):
        verdict = new["verdict"]
        new["verdict"] = {**verdict, "thresholds": _renamed(verdict["thresholds"], THRESHOLDS)}
    new["question"] = _question(new["question"], columns)
    return new


def _question(recorded: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    question = _renamed(recorded, QUESTION)
    question["value"] = columns.get(question["value"], question["value"])
    question["predictions"] = [_renamed(each, PREDICTION) for each in question["predictions"]]
    if question["name"] in registry.names():
        return _in_words_of(registry.question(question["name"]), question)
    for table in (question["columns"], *question["more"].values()):
        for name, meaning in table.items():
            table[name] = {"kind": "text", "meaning": meaning}
    return question


def _in_words_of(today: Question, question: dict[str, Any]) -> dict[str, Any]:
    """Texts and columns of today's question; factors, margins and bounds of the run."""
    now = asdict(today)
    texts = {(each["about"], each["low"], each["high"]): each for each in now["predictions"]}
    predictions = [
        {**each, **{key: text[key] for key in ("claim", "reason")}}
        if (text := texts.get((each["about"], each["low"], each["high"])))
        else each
        for each in question["predictions"]
    ]
    kept = ("question", "columns", "more", "margin_reason", "unit")
    return {**question, **{key: now[key] for key in kept}, "predictions": predictions}


def _own(name: str) -> Mapping[str, str]:
    if name not in registry.names():
        return {}
    try:
        words = import_module(f"experiments.{name}.words")
    except ModuleNotFoundError:
        return {}
    found: Mapping[str, str] = getattr(words, "FORMAT_2", {})
    return found


def _renamed(recorded: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in recorded.items()}
