"""What of a machine must be alike before two runs made on it may be set side by side.  Pure."""

from collections.abc import Mapping
from typing import Any

# A figure of one run says nothing about the other where any of these differ.  Names, memory,
# load, Python and the drawing libraries are recorded, too, but no packet passes through them.
ALIKE: Mapping[str, tuple[str, ...]] = {
    "CPU": ("machine", "cpu"),
    "processors": ("machine", "cpus"),
    "architecture": ("machine", "machine"),
    "frequency governor": ("machine", "governor"),
    "virtualisation": ("machine", "virtualisation"),
    "processor limit": ("machine", "limits", "cpus"),
    "kernel": ("machine", "kernel"),
    "Open vSwitch": ("machine", "tools", "ovs"),
    "ping": ("machine", "tools", "ping"),
    "datapath": ("lab", "datapath"),
    "controller framework": ("lab", "app"),
}


def comparable(
    machine: Mapping[str, Any], lab: Mapping[str, Any] | None = None
) -> dict[str, object]:
    """The part that must be equal, by the words to tell it with; what is not recorded is None.

    Args:
        machine: run.json's `machine`.
        lab: run.json's `lab`, which names the datapath and the controller's framework.
    """
    about = {"machine": machine, "lab": lab or {}}
    return {name: _at(about, path) for name, path in ALIKE.items()}


def _at(value: Any, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
