"""The actions of a flow, as values; `str` writes each as ovs-ofctl does.

The text is that of `ovs-ofctl -O OpenFlow13 --names dump-flows`, so that it can be compared
with a live switch by `diff`.
"""

from dataclasses import dataclass

OFPVID_PRESENT = 0x1000  # OpenFlow 1.3, 7.2.3.7: set in vlan_vid if there is a tag
TPID = 0x8100  # IEEE 802.1Q


@dataclass(frozen=True, slots=True)
class Goto:
    """Continue in another table; always the last action."""

    table: int

    def __str__(self) -> str:
        return f"goto_table:{self.table}"


@dataclass(frozen=True, slots=True)
class Resubmit:
    """Look the frame up in another table, then go on with the next action.

    A later table with a lower number could not be reached by `Goto`; Neutron uses it there, too.
    """

    table: int

    def __str__(self) -> str:
        return f"resubmit(,{self.table})"


@dataclass(frozen=True, slots=True)
class Output:
    """Send a copy of the frame, as it is at this point, to a port of this bridge."""

    port: str

    def __str__(self) -> str:
        return f'output:"{self.port}"'


@dataclass(frozen=True, slots=True)
class Normal:
    """Forward by MAC and VLAN like a learning switch."""

    def __str__(self) -> str:
        return "NORMAL"


@dataclass(frozen=True, slots=True)
class InPort:
    """Send the frame out of the port it came in by; `Output` to that port drops it."""

    def __str__(self) -> str:
        return "IN_PORT"


@dataclass(frozen=True, slots=True)
class PopVlan:
    """Remove the VLAN tag."""

    def __str__(self) -> str:
        return "pop_vlan"


@dataclass(frozen=True, slots=True)
class PushVlan:
    """Add an 802.1Q tag; a `SetField` sets its VLAN id."""

    def __str__(self) -> str:
        return f"push_vlan:{TPID:#x}"


@dataclass(frozen=True, slots=True)
class SetField:
    """Write `value` into `field` (vlan_vid, tun_id, reg6, arp_op, arp_sha, arp_spa, eth_src)."""

    field: str
    value: int | str

    def __str__(self) -> str:
        is_hex = self.field in {"tun_id", "reg6"} and isinstance(self.value, int)
        return f"set_field:{f'{self.value:#x}' if is_hex else self.value}->{self.field}"


@dataclass(frozen=True, slots=True)
class Move:
    """Copy one header field to another; both are `bits` wide."""

    source: str
    to: str
    bits: int

    def __str__(self) -> str:
        return f"move:{self.source}[]->{self.to}[]"


@dataclass(frozen=True, slots=True)
class LearnReturnPath:
    """Learn a flow that sends unicast for this frame's source MAC back through its tunnel.

    Source: Neutron `OVSTunnelBridge.setup_default_table` (the `learn` of LEARN_FROM_TUN).
    """

    table: int
    hard_timeout_s: int
    priority: int

    def __str__(self) -> str:
        return (
            f"learn(table={self.table},hard_timeout={self.hard_timeout_s},"
            f"priority={self.priority},NXM_OF_VLAN_TCI[0..11],"
            "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],"
            "load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[])"
        )


Action = (
    Goto
    | Resubmit
    | Output
    | Normal
    | InPort
    | PopVlan
    | PushVlan
    | SetField
    | Move
    | LearnReturnPath
)


def tag(local_vlan: int) -> tuple[PushVlan, SetField]:
    """Tag an untagged frame with the local VLAN."""
    return PushVlan(), SetField("vlan_vid", local_vlan | OFPVID_PRESENT)
