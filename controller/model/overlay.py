"""An overlay whose parts are checked against each other.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.model.check import overlay_errors
from controller.model.errors import ModelError, raise_all
from controller.model.names import int_port_name
from controller.model.near import did_you_mean
from controller.model.parts import Host, Network, OverlayParts, Port


@dataclass(frozen=True, kw_only=True)
class Overlay(OverlayParts):
    """Hosts, networks and ports that belong together.

    Raises:
        ModelError: the parts contradict each other; `ModelErrors` if in several ways.
    """

    def __post_init__(self) -> None:
        raise_all(overlay_errors(self))

    def host(self, name: str) -> Host:
        """The host called `name`.

        Raises:
            ModelError: there is none; the message lists all.
        """
        if name not in self.host_of:
            raise ModelError(
                f"host {name!r}",
                where=f"overlay {self.name!r}",
                allowed=", ".join(self.host_of),
                do=did_you_mean(name, self.host_of, "Name one of them."),
            )
        return self.host_of[name]

    def active_ports(self, network_id: str) -> Iterator[Port]:
        """The network's ports that carry traffic, in scenario order."""
        return (port for port in self.ports if port.network_id == network_id and port.is_active)

    def networks_on(self, host: str) -> tuple[Network, ...]:
        """Networks with an active port on `host`, in the order of their first port there."""
        ids = dict.fromkeys(p.network_id for p in self.ports if p.host == host and p.is_active)
        return tuple(self.network_of[id_] for id_ in ids)

    def device_of(self, port: Port) -> str:
        """The interface on the port's host through which its frames enter the switch there."""
        host = self.host_of.get(port.host)
        return host.device_of(port.id) if host else int_port_name(port.id)

    def members(self, network_id: str) -> tuple[Host, ...]:
        """Hosts with an active port on the network, in scenario order."""
        names = {port.host for port in self.active_ports(network_id)}
        return tuple(host for host in self.hosts if host.name in names)
