"""Loads an experiment by its name, or from a file of the user."""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from controller.model.errors import UsageError
from experiments.core import registry
from experiments.core.experiment import Experiment
from experiments.core.run_schema import NAME, TABLE
from experiments.show import reports

SEE_DOCS = "docs/extend.md has examples."


def is_own(name: str) -> bool:
    """True if it is the path of a file, not a name."""
    return name.endswith(".py")


def find(name_or_path: str) -> Experiment:
    """The experiment with this name, or the one in this file.

    Raises:
        UsageError: there is no such file, it fails, or it does not define one usable experiment.
    """
    if is_own(name_or_path):
        return _of_file(Path(name_or_path))
    return registry.experiment(name_or_path)


def _of_file(path: Path) -> Experiment:
    names = _experiments(_run(path))
    if len(names) != 1:
        raise UsageError(
            f"defines {', '.join(names)}" if names else "defines none",
            where=f"experiment {str(path)!r}",
            allowed="one value of type Experiment in the file",
            do=f"Name those that only help with a leading _. {SEE_DOCS}" if names else SEE_DOCS,
        )
    (found,) = names.values()
    # What would otherwise fail only after every lab has run.
    for fault, allowed in _faults(found):
        where = f"{path}: Question {found.question.name!r}"
        raise UsageError(fault, where=where, allowed=allowed, do=SEE_DOCS)
    return found


def _experiments(module: ModuleType) -> dict[str, Experiment]:
    """Each once, under the first of its names; names that begin with _ are ignored."""
    found: dict[int, tuple[str, Experiment]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Experiment) and not name.startswith("_"):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _run(path: Path) -> ModuleType:
    """The file as a module; not imported, since root would leave a __pycache__ beside it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            error.strerror or str(error),
            where=f"experiment {str(path)!r}",
            allowed="a Python file that can be read",
            do=SEE_DOCS,
        ) from error
    module = ModuleType(f"own_experiment_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look their module up
    try:
        exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102  it is the user's program
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}",
            where=f"{path}, line {_line(error, path)}",
            allowed="a file that Python runs to its end",
            do=f"Correct that line. {SEE_DOCS}",
        ) from error
    return module


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file in the traceback."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return (lines[-1] if lines else None) or 1


def _faults(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """What was found, and what is allowed."""
    question = experiment.question
    if not NAME.fullmatch(question.name):
        yield f"name {question.name!r}", "lower-case letters, digits and -, at most 40"
    if wrong := [name for name in question.more if not TABLE.fullmatch(name)]:
        yield f"table {wrong[0]!r}", "letters, digits, _ and -, at most 40"
    if question.report not in reports.names():
        yield f"report {question.report!r}", ", ".join(reports.names())
    if question.value not in question.columns:
        yield f"value {question.value!r}", f"one of its columns: {', '.join(question.columns)}"
    if not question.points():
        yield "a factor without levels", "at least one level of each"
    if question.baseline and question.baseline not in question.points():
        yield f"baseline {dict(question.baseline)}", "a level of each factor"
    if question.report == "cells" and experiment.predict is None:
        yield "no `predict`", "one, since the report 'cells' compares cells with it"
