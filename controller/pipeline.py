"""The bridges' pipelines as data: one row per OpenFlow table, per release.

Names and numbers are Neutron's (neutron_lib/plugins/ml2/ovs_constants.py), so that a
flow dump from here and one from a real compute node read the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from controller.actions import Action, Goto
from topologies.encap import NetworkType
from topologies.errors import PipelineError


class Priority(IntEnum):
    """Who wins when several flows of one table match."""

    MISS = 0
    MATCH = 1
    STATED = 2  # said by Neutron's server, so above MATCH, which was learned
    TRANSLATE = 3
    PROVIDER = 4
    GUEST = 9
    GUEST_ADDRESS = 10  # ARP and ND look at addresses first
    DEAD = 65535


class Tun(IntEnum):
    """Tables of br-tun."""

    LOCAL_SWITCHING = 0
    PATCH_LV_TO_TUN = 2
    GRE_TUN_TO_LV = 3
    VXLAN_TUN_TO_LV = 4
    GENEVE_TUN_TO_LV = 6
    LEARN_FROM_TUN = 10
    UCAST_TO_TUN = 20
    ARP_RESPONDER = 21
    FLOOD_TO_TUN = 22


class Int(IntEnum):
    """Tables of br-int."""

    LOCAL_SWITCHING = 0
    CANARY_TABLE = 23
    ARP_SPOOF_TABLE = 24
    MAC_SPOOF_TABLE = 25
    TRANSIENT_TABLE = 60


class Phys(IntEnum):
    """Tables of a provider bridge."""

    LOCAL_SWITCHING = 0


TUN_TO_LV = {
    NetworkType.GRE: Tun.GRE_TUN_TO_LV,
    NetworkType.VXLAN: Tun.VXLAN_TUN_TO_LV,
    NetworkType.GENEVE: Tun.GENEVE_TUN_TO_LV,
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one table may look at, and where it may send a frame."""

    why: str
    match: frozenset[str]
    next: frozenset[int]


def row(why: str, *, match: str = "", next: tuple[int, ...] = ()) -> Row:  # noqa: A002  the table below reads better so
    """A row, with its match fields as words."""
    return Row(why, frozenset(match.split()), frozenset(next))


BR_TUN: Mapping[int, Row] = {
    Tun.LOCAL_SWITCHING:  row("which side did the frame enter?",
                              match="in_port", next=(Tun.PATCH_LV_TO_TUN, *TUN_TO_LV.values())),
    Tun.PATCH_LV_TO_TUN:  row("known unicast, ARP request, or other BUM?", match="proto dl_dst",
                              next=(Tun.UCAST_TO_TUN, Tun.ARP_RESPONDER, Tun.FLOOD_TO_TUN)),
    Tun.GRE_TUN_TO_LV:    row("GRE key to local VLAN", match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.VXLAN_TUN_TO_LV:  row("VNI to local VLAN", match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.GENEVE_TUN_TO_LV: row("VNI to local VLAN", match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.LEARN_FROM_TUN:   row("remember which VTEP a source MAC came from, then hand to br-int"),
    Tun.UCAST_TO_TUN:     row("the FDB: one VTEP per (local VLAN, MAC)",
                              match="dl_vlan dl_dst", next=(Tun.FLOOD_TO_TUN,)),
    Tun.ARP_RESPONDER:    row("answer ARP for known addresses on the spot",
                              match="proto dl_vlan arp_tpa", next=(Tun.FLOOD_TO_TUN,)),
    Tun.FLOOD_TO_TUN:     row("head-end replication of BUM frames", match="dl_vlan"),
}  # fmt: skip
BR_INT: Mapping[int, Row] = {
    Int.LOCAL_SWITCHING: row("guest, tunnel or provider side; a guest's frames are checked first",
                             match="proto in_port dl_vlan vlan_tci icmp_type",
                             next=(Int.ARP_SPOOF_TABLE, Int.MAC_SPOOF_TABLE, Int.TRANSIENT_TABLE)),
    Int.CANARY_TABLE:    row("empty after a restart of ovs-vswitchd: that is how it is noticed"),
    Int.ARP_SPOOF_TABLE: row("does the guest own the address it speaks for?",
                             match="proto in_port icmp_type arp_spa nd_target",
                             next=(Int.MAC_SPOOF_TABLE, Int.TRANSIENT_TABLE)),
    Int.MAC_SPOOF_TABLE: row("does the guest own the MAC it sends from?",
                             match="in_port dl_src", next=(Int.TRANSIENT_TABLE,)),
    Int.TRANSIENT_TABLE: row("accepted: switch by MAC within the local VLAN"),
}  # fmt: skip
BR_PHYS: Mapping[int, Row] = {
    Phys.LOCAL_SWITCHING: row("local VLAN to what the provider network knows",
                              match="in_port dl_vlan"),
}  # fmt: skip
PIPELINES = {"br-int": BR_INT, "br-tun": BR_TUN}  # any other bridge is a provider bridge
RELEASES = ("queens", "current")
FIELDS = (  # in the order in which ovs-ofctl prints them
    "proto", "tun_id", "in_port", "dl_vlan", "vlan_tci", "dl_src", "dl_dst",
    "arp_spa", "arp_tpa", "icmp_type", "nd_target",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(FIELDS)}
Match = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of one bridge; no actions means drop.

    Ports stand by name, so a flow does not depend on the ofports of a host.

    Raises:
        PipelineError: its table's row does not declare a field it matches, or the jump it makes.
    """

    bridge: str
    table: int
    priority: Priority
    match: Match = ()
    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        declared = pipeline_of(self.bridge).get(self.table)
        if declared is None:
            raise self._undeclared(f"table {self.table}", map(str, pipeline_of(self.bridge)))
        for name, _ in self.match:
            if name not in declared.match:
                raise self._undeclared(f"a match on {name}", declared.match)
        for action in self.actions:
            if isinstance(action, Goto) and action.table not in declared.next:
                raise self._undeclared(f"a jump to {action.table}", map(str, declared.next))

    def _undeclared(self, found: str, allowed: object) -> PipelineError:
        return PipelineError(
            found,
            where=f"{self.bridge} table {self.table}",
            allowed=", ".join(sorted(allowed)) or "none",  # type: ignore[call-overload]
            do="Declare it in controller/pipeline.py, or mend the flow.",
        )

    @property
    def why(self) -> str:
        """The question that its table answers."""
        return pipeline_of(self.bridge)[self.table].why


def pipeline_of(bridge: str) -> Mapping[int, Row]:
    """The tables of `bridge`."""
    return PIPELINES.get(bridge, BR_PHYS)


def match(**fields: str | int | None) -> Match:
    """A match in ovs-ofctl's order; fields given as None are left out.

    Raises:
        KeyError: a field that the pipeline does not know.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    return tuple(sorted(given.items(), key=lambda item: _RANK[item[0]]))
