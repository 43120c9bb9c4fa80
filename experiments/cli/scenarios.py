"""Loads a scenario for a command that shows or installs flows."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from topologies.scenario.load import Scenario


def loaded(ref: str) -> "Scenario":
    """The scenario; one line on stderr names the options that Neutron obeys and that are not modelled.

    Raises:
        ModelError: it cannot be read, or has an error.
    """
    from topologies.scenario.load import load

    scenario = load(ref)
    if scenario.not_modelled:
        options = ", ".join(scenario.not_modelled)
        see = f"see `overlaylab validate {ref}`"
        _say_once(f"overlaylab: not modelled, unlike in Neutron: {options}; {see}")
    return scenario


def _say_once(line: str) -> None:
    """Print `line` on stderr, once for a command: `run` loads a scenario for each experiment."""
    context = click.get_current_context(silent=True)
    said = context.meta.setdefault(__name__, set()) if context else set()
    if line not in said:
        click.echo(line, err=True)
    said.add(line)
