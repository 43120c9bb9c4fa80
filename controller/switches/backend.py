"""What the API needs from the controller behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from controller.model.overlay import Overlay

Addresses = Mapping[str, str]  # host -> address of its OVSDB, or `netns:PID:START`
NONE: Addresses = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """The state of one host.

    Attributes:
        alive: the last visit succeeded.
        wired: the host matches the current overlay.
        heartbeat: time of the last successful visit, ISO 8601 UTC; empty before the first.
        alarm: what is wrong; empty if nothing is.
        ovsdb: address of its database, such as `tcp:198.18.1.1:6640`.
    """

    host: str
    alive: bool
    wired: bool
    heartbeat: str = ""
    alarm: str = ""
    ovsdb: str = ""
    datapath_type: str = "netdev"


class Backend(Protocol):
    """The overlay behind the API."""

    @property
    def overlay(self) -> Overlay:
        """The overlay as it should be now."""

    def change(self, edit: Callable[[Overlay], Overlay], *, ovsdb: Addresses = NONE) -> Overlay:
        """Replace the overlay by `edit(overlay)` atomically and return the new one.

        Args:
            ovsdb: addresses of hosts that `edit` adds or changes.

        Raises:
            ModelError: `edit` makes an invalid overlay; nothing has changed.
        """

    def agents(self) -> Sequence[AgentState]:
        """The state of each host, in scenario order."""
