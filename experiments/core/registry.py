"""The experiments that come with overlaylab: one folder each, found by its files.

A folder with `question.py` (QUESTION), `probe.py` (EXPERIMENT) and, unless the question names a
shared report, `report.py` (build_report) is an experiment.  Nothing else registers it.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import experiments

if TYPE_CHECKING:
    from experiments.core.experiment import Experiment
    from experiments.core.question import Question

DEFAULT = ("latency", "mtu", "fanout")  # what `overlaylab run` measures without a name


@cache
def names() -> tuple[str, ...]:
    """Every experiment, the default ones first."""
    found = sorted(
        module.name
        for module in iter_modules(experiments.__path__)
        if module.ispkg and find_spec(f"experiments.{module.name}.probe")
    )
    return (*DEFAULT, *(name for name in found if name not in DEFAULT))


def question(name: str) -> "Question":
    """The question of the experiment `name`."""
    found: Question = import_module(f"experiments.{name}.question").QUESTION
    return found


def experiment(name: str) -> "Experiment":
    """The experiment `name`, with its probe."""
    found: Experiment = import_module(f"experiments.{name}.probe").EXPERIMENT
    return found
