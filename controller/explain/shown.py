"""What the flows of a bridge show, as values.  Pure."""

from dataclasses import dataclass

from controller.explain.reading import DumpFlow
from controller.flows.actions import Goto, Resubmit, SetField
from controller.model.encap import NetworkType

PRESENT = 0x1000  # OpenFlow 1.3: OFPVID_PRESENT


@dataclass(frozen=True, slots=True)
class TunnelPort:
    """A tunnel port of br-tun; a part that the text does not show is empty or None."""

    port: str  # the name if the text has it, else the ofport
    kind: NetworkType | None
    remote: str

    @property
    def has_name(self) -> bool:
        """Whether the text has the port's name."""
        return not self.port.isdecimal()


@dataclass(frozen=True, slots=True)
class Inbound:
    """A flow that gives frames from tunnels their local VLAN."""

    tunnel_id: int
    local_vlan: int
    kinds: tuple[NetworkType, ...]
    flow: DumpFlow


@dataclass(frozen=True, slots=True)
class Flood:
    """A flow that copies a local VLAN's broadcasts to tunnels."""

    local_vlan: int
    tunnel_id: int | None
    ports: tuple[str, ...]
    flow: DumpFlow


@dataclass(frozen=True, slots=True)
class Entry:
    """A MAC behind a tunnel port, in a local VLAN."""

    local_vlan: int
    mac: str
    ports: tuple[str, ...]
    tunnel_id: int | None
    is_learned: bool
    flow: DumpFlow


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry of the ARP responder."""

    local_vlan: int
    address: str
    mac: str
    flow: DumpFlow


@dataclass(frozen=True, slots=True)
class Translation:
    """A VLAN of a provider network and its local VLAN; None: untagged."""

    port: str
    outside: int | None
    local_vlan: int | None
    flow: DumpFlow


@dataclass(frozen=True, slots=True)
class Guest:
    """A port of br-int whose frames are checked, with what it may use as a sender."""

    port: str
    macs: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    local_vlan: int | None = None
    number: int | None = None  # in register 5


def set_value(flow: DumpFlow, name: str) -> int | None:
    """The number that a flow writes into a field, if it does."""
    found = (a.value for a in flow.actions if isinstance(a, SetField) and a.field == name)
    return next((value for value in found if isinstance(value, int)), None)


def set_text(flow: DumpFlow, name: str) -> str:
    """The text that a flow writes into a field; empty if it writes none."""
    found = (str(a.value) for a in flow.actions if isinstance(a, SetField) and a.field == name)
    return next(found, "")


def set_vlan(flow: DumpFlow) -> int | None:
    """The VLAN id that a flow writes, if it does."""
    value = set_value(flow, "vlan_vid")
    return None if value is None else value & ~PRESENT


def jumps(flow: DumpFlow) -> tuple[int, ...]:
    """The tables that a flow leads to."""
    return tuple(int(a.table) for a in flow.actions if isinstance(a, Goto | Resubmit))
