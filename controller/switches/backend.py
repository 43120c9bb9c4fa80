"""What the API needs from the controller behind it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from posixpath import normpath
from types import MappingProxyType
from typing import Protocol

from controller.model.errors import ModelError
from controller.model.overlay import Overlay

Addresses = Mapping[str, str]  # host -> address of its OVSDB, or `netns:PID:START`
OPTION = "ovsdb_connection"
OVSDB_PORT = 6640  # of `tcp:IP` without a port (ovsdb(7), "Connection Methods")
NONE: Addresses = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """The state of one host.

    Attributes:
        alive: the last visit succeeded.
        wired: the host matches the current overlay.
        heartbeat: time of the last successful visit, ISO 8601 UTC; empty before the first.
        alarm: what is wrong; empty if nothing is.
        corrected: the last changes by others on the host that the controller has corrected,
            oldest first, each with its time.
        ovsdb: address of its database, such as `tcp:198.18.1.1:6640`.
    """

    host: str
    alive: bool
    wired: bool
    heartbeat: str = ""
    alarm: str = ""
    corrected: tuple[str, ...] = ()
    ovsdb: str = ""
    datapath_type: str = "netdev"


class Backend(Protocol):
    """The overlay behind the API."""

    @property
    def overlay(self) -> Overlay:
        """The overlay as it should be now."""

    def change(
        self,
        edit: Callable[[Overlay], Overlay],
        *,
        ovsdb: Addresses = NONE,
        is_new: bool = False,
    ) -> Overlay:
        """Replace the overlay by `edit(overlay)` atomically and return the new one.

        Args:
            ovsdb: addresses of hosts that `edit` adds or changes.
            is_new: a host of `ovsdb` must not have another address already.

        Raises:
            ModelError: `edit` makes an invalid overlay, or an address of `ovsdb` is taken; nothing
                has changed.
            LabError: the new state could not be saved; nothing has changed.
        """

    def agents(self) -> Sequence[AgentState]:
        """The state of each host, in scenario order."""


def joined(known: Addresses, given: Addresses, *, is_new: bool) -> Addresses:
    """The addresses of all hosts; two hosts must not have one OVSDB, since both would write there.

    Raises:
        ModelError: an address is that of another host, or with `is_new` the host has another one.
    """
    for host, address in given.items():
        if is_new and known.get(host, address) != address:
            raise _taken(host, address, ("AgentExists", {"host": host, "names": OPTION}))
        for other, theirs in known.items():
            if other != host and _place(theirs) == _place(address):
                values = {"host": host, "name": OPTION, "value": address, "other": other}
                raise _taken(host, address, ("AgentAddressInUse", values))
    return {**known, **given}


def _place(address: str) -> tuple[str, ...]:
    """The endpoint of an address, the same for every spelling: IP address and port, or a path."""
    scheme, _, rest = address.partition(":")
    if scheme == "unix":
        return "unix", normpath(rest)
    if scheme == "netns":
        return "netns", rest
    ip, _, port = rest.rpartition(":") if rest.rfind(":") > rest.rfind("]") else (rest, "", "")
    with suppress(ValueError):
        ip = str(ip_address(ip.strip("[]")))
    with suppress(ValueError):
        port = str(int(port or OVSDB_PORT))
    return "ip", ip, port


def _taken(host: str, address: str, neutron: tuple[str, Mapping[str, object]]) -> ModelError:
    return ModelError(
        f"{OPTION} {address!r}",
        where=f"host {host!r}",
        allowed="an address that no other host has, and one address for each host",
        do="Give every host its own OVSDB.",
        neutron=neutron,
    )
