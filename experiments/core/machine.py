"""What must be equal on two machines before runs made on them can be compared.  Pure."""

from collections.abc import Mapping
from typing import Any

# Runs cannot be compared if any of these differ.  Names, memory, load, Python and the drawing
# libraries are recorded too, but they do not affect packets.
COMPARED: Mapping[str, tuple[str, ...]] = {
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


def comparable(about: Mapping[str, Any]) -> dict[str, object]:
    """The values of run.json that must be equal, by name; None: not recorded."""
    return {name: _at(about, path) for name, path in COMPARED.items()}


def _at(value: Any, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
