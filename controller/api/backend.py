"""What the northbound API asks of the engine behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.model.overlay import Overlay
from controller.model.parts import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """How one host is.

    Attributes:
        alive: the last visit to it went through.
        wired: all that the overlay now asks of it is in place.
        heartbeat: when a visit last went through, ISO 8601 UTC; empty if none ever did.
        alarm: what is wrong there; empty if nothing is.
        ovsdb: where its database is, as `tcp:198.18.1.1:6640`.
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

    def change(self, edit: Callable[[Overlay], Overlay]) -> Overlay:
        """Replace the overlay by `edit(overlay)`, atomically; the new one.

        Raises:
            ModelError: what `edit` makes is impossible; nothing has changed.
        """

    def agents(self) -> Sequence[AgentState]:
        """How each host is, in scenario order."""

    def register(self, host: Host, ovsdb: str) -> None:
        """Add a host whose database is at `ovsdb`, or give a known one new options."""

    def forget(self, host: str) -> None:
        """Remove a host that no port is bound to."""
