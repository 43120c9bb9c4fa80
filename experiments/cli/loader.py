"""The experiment of a name, or in a file of the user's own; imported when it is asked for."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from controller.model.errors import UsageError
from experiments.core import registry
from experiments.core.experiment import Experiment
from experiments.core.question import Question
from experiments.show import reports

OWN = ".py"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # it names the run's folder and its figures
TOLD = "docs/extend.md has examples."


def is_own(name: str) -> bool:
    """True if an experiment is named by the path of its file."""
    return name.endswith(OWN)


def find(name_or_path: str) -> Experiment:
    """The experiment `latency` is in its folder; one of a path is in that file.

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
            do=f"Name those that only help with a leading _. {TOLD}" if names else TOLD,
        )
    (found,) = names.values()
    _assert_usable(found, path)
    return found


def _experiments(module: ModuleType) -> dict[str, Experiment]:
    """Each once, under the first of its names; those that begin with _ are the file's own matter."""
    found: dict[int, tuple[str, Experiment]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Experiment) and not name.startswith("_"):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _run(path: Path) -> ModuleType:
    """The file as a module; not by import, which would leave a __pycache__ of root's beside it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            error.strerror or str(error),
            where=f"experiment {str(path)!r}",
            allowed="a Python file that can be read",
            do=TOLD,
        ) from error
    module = ModuleType(f"own_experiment_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look their module up
    try:
        exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102  it is the user's program
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{type(error).__name__}: {_said(error)}",
            where=f"{path}, line {_line(error, path)}",
            allowed="a file that Python runs to its end",
            do=f"Mend that line. {TOLD}",
        ) from error
    return module


def _said(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file itself that the error came through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _assert_usable(experiment: Experiment, path: Path) -> None:
    """Refuse what would otherwise fail only after every lab has run."""
    question = experiment.question
    is_mute = question.report == "cells" and experiment.predict is None
    nothing = (is_mute, "no `predict`", "one, since the report 'cells' compares cells with it")
    for is_wrong, found, allowed in (*_faults(question), nothing):
        if is_wrong:
            raise UsageError(
                found, where=f"{path}: Question {question.name!r}", allowed=allowed, do=TOLD
            )


def _faults(question: Question) -> tuple[tuple[Any, str, str], ...]:
    """What may be wrong: whether it is, what was found, and what is allowed."""
    measured = tuple(question.columns)
    return (
        (
            not NAME.fullmatch(question.name),
            f"name {question.name!r}",
            "lower-case letters, digits and -, at most 40",
        ),
        (
            question.report not in reports.names(),
            f"report {question.report!r}",
            ", ".join(reports.names()),
        ),
        (
            question.value not in measured,
            f"value {question.value!r}",
            f"one of its columns: {', '.join(measured)}",
        ),
        (not question.points(), "a factor without levels", "at least one level of each"),
        (
            question.baseline and question.baseline not in question.points(),
            f"baseline {dict(question.baseline)}",
            "a level of each factor",
        ),
    )
