"""What the explainer asks of a flow and of names, wherever they come from.  Pure."""

from typing import Protocol

from controller.explain.foreign import Foreign
from controller.flows.actions import Action
from controller.flows.pipeline import Match
from controller.model.encap import NetworkType
from controller.model.parts import Network


class AnyFlow(Protocol):
    """A flow of our controller, or one that was read from a dump."""

    @property
    def bridge(self) -> str: ...
    @property
    def table(self) -> int: ...
    @property
    def priority(self) -> int: ...
    @property
    def match(self) -> Match: ...
    @property
    def actions(self) -> tuple[Action | Foreign, ...]: ...


class Naming(Protocol):
    """Names for the numbers in the flows of one host."""

    def table(self, bridge: str, number: int) -> tuple[str, str]:
        """Neutron's name of a table and its purpose; empty if it has none."""

    def tunnel_types(self, number: int) -> tuple[NetworkType, ...]:
        """The types whose ids this table of br-tun translates to local VLANs."""

    def port(self, bridge: str, name: str) -> str:
        """The guest, tunnel or bridge of a port, by its name or its ofport."""

    def mac(self, mac: str) -> str:
        """A MAC with its owner, if that is known."""

    def address(self, address: str, network: Network | None = None) -> str:
        """An IP address with its owner in `network`, if that is known."""

    def local_vlan(self, number: int) -> str:
        """A local VLAN with its network."""

    def network_in(self, local_vlan: int) -> Network | None:
        """The network that has this local VLAN on the host."""

    def network_of_id(self, kinds: tuple[NetworkType, ...], segmentation_id: int) -> Network | None:
        """The network of one of `kinds` with this id."""

    def network_of_port(self, name: str) -> Network | None:
        """The network of the guest's port `name` on br-int."""
