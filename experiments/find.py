"""The experiment of a name, imported when it is asked for: the module called like it has it."""

from importlib import import_module

from experiments.experiment import Experiment


def find(name: str) -> Experiment:
    """The experiment `name` of the catalogue: `latency` is `experiments.probes.latency.LATENCY`."""
    found: Experiment = getattr(import_module(f"experiments.probes.{name}"), name.upper())
    return found
