"""Loads a scenario for a command that shows or installs flows."""

from typing import TYPE_CHECKING

import click

from controller.model.mtu import mtu_warnings

if TYPE_CHECKING:
    from controller.model.overlay import Overlay
    from topologies.scenario.load import Scenario


def loaded(ref: str) -> "Scenario":
    """The scenario; a line on stderr names its options that have an effect in Neutron and none here.

    Raises:
        ModelError: it cannot be read, or has an error.
    """
    from topologies.scenario.load import load

    scenario = load(ref)
    if scenario.not_modelled:
        options = ", ".join(scenario.not_modelled)
        see = f"see `overlaylab validate {ref}`"
        _print_once(
            f"overlaylab: options with an effect in Neutron and none here: {options}; {see}"
        )
    return scenario


def print_mtu_warnings(overlay: "Overlay") -> None:
    """A line on stderr for each network with packets that the underlay does not carry."""
    for text in mtu_warnings(overlay):
        _print_once(f"overlaylab: warning: {text}")


def _print_once(line: str) -> None:
    """Print `line` on stderr, once for a command: `run` loads a scenario for each experiment."""
    context = click.get_current_context(silent=True)
    printed = context.meta.setdefault(__name__, set()) if context else set()
    if line not in printed:
        click.echo(line, err=True)
    printed.add(line)
