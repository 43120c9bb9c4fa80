"""The bridges' pipelines as data: one row per OpenFlow table, per release.

Names and numbers are Neutron's (neutron_lib/plugins/ml2/ovs_constants.py), so that a
flow dump of this project can be compared with one of a real compute node.  All differences
between releases are in these rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from controller.flows.actions import Action, Goto, LearnReturnPath, Normal, Output, Resubmit
from controller.flows.ports import BR_INT, BR_TUN, DEAD_VLAN_TAG
from controller.model.agent import PATCH_INT
from controller.model.encap import NetworkType
from controller.model.errors import PipelineError


class Priority(IntEnum):
    """Priorities of flows within a table."""

    MISS = 0
    MATCH = 1
    STATED = 2  # announced by Neutron's server; above MATCH, which learned flows have
    TRANSLATE = 3
    PROVIDER = 4
    GUEST = 9
    GUEST_ADDRESS = 10  # ARP and ND, whose addresses are checked first
    DIRECT_OUT = 10  # `explicitly_egress_direct`: to other hosts
    DIRECT = 12  # and to guests of this host
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
    LOCAL_EGRESS_TABLE = 30
    LOCAL_IP_TABLE = 31
    PACKET_RATE_LIMIT = 58
    BANDWIDTH_RATE_LIMIT = 59
    TRANSIENT_TABLE = 60
    LOCAL_MAC_DIRECT = 61
    TRANSIENT_EGRESS_TABLE = 62


class Phys(IntEnum):
    """Tables of a provider bridge."""

    LOCAL_SWITCHING = 0


TUN_TO_LV = {
    NetworkType.GRE: Tun.GRE_TUN_TO_LV,
    NetworkType.VXLAN: Tun.VXLAN_TUN_TO_LV,
    NetworkType.GENEVE: Tun.GENEVE_TUN_TO_LV,
}


FIELDS = (  # in the order in which ovs-ofctl prints them
    "proto", "reg6", "tun_id", "in_port", "dl_vlan", "vlan_tci", "dl_src", "dl_dst",
    "arp_spa", "arp_tpa", "arp_tha", "icmp_type", "nd_target",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(FIELDS)}
Match = tuple[tuple[str, str | int], ...]


def match(**fields: str | int | None) -> Match:
    """A match in ovs-ofctl's order; fields with None are left out.

    Raises:
        KeyError: the pipeline does not know a field.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    return tuple(sorted(given.items(), key=lambda item: _RANK[item[0]]))


Stated = tuple[Priority, Match, tuple[Action, ...]]  # a flow that a table always has


@dataclass(frozen=True, slots=True)
class Row:
    """The fields that a table may match, the tables it may jump to, and its constant flows.

    Attributes:
        why: the purpose of the table.
        passed: the next table of accepted frames from guests or provider networks.
        always: flows that do not depend on the overlay.
    """

    why: str
    match: frozenset[str]
    next: frozenset[int]
    passed: int | None = None
    always: tuple[Stated, ...] = ()


def row(  # the table below reads better with `match` and `next`
    why: str,
    *always: Stated,
    match: str = "",
    next: tuple[int, ...] = (),  # noqa: A002
    passed: int | None = None,
) -> Row:
    """A row; `match` has the names of fields, `passed` is added to `next`."""
    onward = frozenset(next) | ({passed} if passed is not None else frozenset())
    return Row(why, frozenset(match.split()), onward, passed, always)


def _on(priority: Priority, match: Match, *actions: Action) -> Stated:
    return priority, match, actions


def _miss(*actions: Action) -> Stated:
    return Priority.MISS, (), actions


UNICAST = "00:00:00:00:00:00/01:00:00:00:00:00"
MULTICAST = "01:00:00:00:00:00/01:00:00:00:00:00"
BROADCAST = "ff:ff:ff:ff:ff:ff"
LEARNED_S = 300  # a learned flow's hard_timeout
ROUTER_ADVERTISEMENT, NEIGHBOUR_ADVERTISEMENT = 134, 136  # RFC 4861, 4.2 and 4.4
_LEARN = (LearnReturnPath(Tun.UCAST_TO_TUN, LEARNED_S, Priority.MATCH), Output(PATCH_INT))

_TUN_QUEENS: Mapping[int, Row] = {
    Tun.LOCAL_SWITCHING:  row("did the frame come from br-int or from a tunnel?",
                              _on(Priority.MATCH, match(in_port=PATCH_INT), Goto(Tun.PATCH_LV_TO_TUN)), _miss(),
                              match="in_port", next=(Tun.PATCH_LV_TO_TUN, *TUN_TO_LV.values())),
    Tun.PATCH_LV_TO_TUN:  row("known unicast, ARP request, or other BUM?",
                              _on(Priority.MISS, match(dl_dst=UNICAST), Goto(Tun.UCAST_TO_TUN)),
                              _on(Priority.MISS, match(dl_dst=MULTICAST), Goto(Tun.FLOOD_TO_TUN)),
                              match="proto dl_dst",
                              next=(Tun.UCAST_TO_TUN, Tun.ARP_RESPONDER, Tun.FLOOD_TO_TUN)),
    # All three tables drop unknown ids, whatever tunnel_types has.
    Tun.GRE_TUN_TO_LV:    row("GRE key to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.VXLAN_TUN_TO_LV:  row("VNI to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.GENEVE_TUN_TO_LV: row("VNI to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.LEARN_FROM_TUN:   row("remember which VTEP a source MAC came from, then send to br-int",
                              _on(Priority.MATCH, (), *_LEARN)),
    Tun.UCAST_TO_TUN:     row("the FDB: one VTEP per (local VLAN, MAC)",
                              _miss(Goto(Tun.FLOOD_TO_TUN)),
                              match="dl_vlan dl_dst", next=(Tun.FLOOD_TO_TUN,)),
    Tun.ARP_RESPONDER:    row("answer ARP requests for known addresses on this host",
                              match="proto dl_vlan arp_tpa", next=(Tun.FLOOD_TO_TUN,)),
    Tun.FLOOD_TO_TUN:     row("head-end replication of BUM frames", _miss(), match="dl_vlan"),
}  # fmt: skip
_TUN_CURRENT: Mapping[int, Row] = {
    **_TUN_QUEENS,
    # The first three flows learn what the last one would; Neutron 28 added them for guests that
    # announce a new location (its commit f29de21350).
    Tun.LEARN_FROM_TUN:   row("remember which VTEP a source MAC came from, then send to br-int; "
                              "announcements (broadcast ARP, IPv6 router and neighbour) are matched first",
                              _on(Priority.STATED, match(proto="arp", arp_tha=BROADCAST), *_LEARN),
                              _on(Priority.STATED, match(proto="icmp6", icmp_type=ROUTER_ADVERTISEMENT), *_LEARN),
                              _on(Priority.STATED, match(proto="icmp6", icmp_type=NEIGHBOUR_ADVERTISEMENT), *_LEARN),
                              _on(Priority.MATCH, (), *_LEARN),
                              match="proto arp_tha icmp_type"),
}  # fmt: skip
_CANARY = row("empty after a restart of ovs-vswitchd, which shows that the flows are lost", _miss())
_ACCEPTED = "accepted: switch by MAC within the local VLAN"
_INT_QUEENS: Mapping[int, Row] = {
    # The first flow matches 4095 without OFPVID_PRESENT, so no tagged frame ever hits it: a known
    # bug, fixed in Neutron 20.  The tag alone isolates the dead VLAN.
    Int.LOCAL_SWITCHING: row("did the frame come from a guest, br-tun or a provider network? guests' frames are checked first",
                             _on(Priority.DEAD, match(vlan_tci="0x0fff/0x1fff")), _miss(Goto(Int.TRANSIENT_TABLE)),
                             match="proto in_port dl_vlan vlan_tci icmp_type", passed=Int.TRANSIENT_TABLE,
                             next=(Int.ARP_SPOOF_TABLE, Int.MAC_SPOOF_TABLE)),
    Int.CANARY_TABLE:    _CANARY,
    Int.ARP_SPOOF_TABLE: row("does the guest own the address in its ARP packet or neighbour advertisement?", _miss(),
                             match="proto in_port icmp_type arp_spa nd_target",
                             next=(Int.MAC_SPOOF_TABLE,), passed=Int.TRANSIENT_TABLE),
    Int.MAC_SPOOF_TABLE: row("does the guest own the source MAC?",
                             match="in_port dl_src", passed=Int.TRANSIENT_TABLE),
    Int.TRANSIENT_TABLE: row(_ACCEPTED, _on(Priority.TRANSLATE, (), Normal())),
}  # fmt: skip
_INT_CURRENT: Mapping[int, Row] = {
    Int.LOCAL_SWITCHING: row(_INT_QUEENS[Int.LOCAL_SWITCHING].why,
                             _on(Priority.DEAD, match(dl_vlan=DEAD_VLAN_TAG)), _miss(Goto(Int.PACKET_RATE_LIMIT)),
                             match="proto in_port dl_vlan vlan_tci icmp_type", passed=Int.PACKET_RATE_LIMIT,
                             next=(Int.ARP_SPOOF_TABLE, Int.MAC_SPOOF_TABLE)),
    Int.CANARY_TABLE:    _CANARY,
    Int.ARP_SPOOF_TABLE: row(_INT_QUEENS[Int.ARP_SPOOF_TABLE].why, _miss(),
                             match="proto in_port icmp_type arp_spa nd_target",
                             next=(Int.MAC_SPOOF_TABLE,), passed=Int.PACKET_RATE_LIMIT),
    Int.MAC_SPOOF_TABLE: row(_INT_QUEENS[Int.MAC_SPOOF_TABLE].why,
                             match="in_port dl_src", passed=Int.LOCAL_EGRESS_TABLE),
    Int.LOCAL_EGRESS_TABLE: row("traffic to a local IP; unused without the local IP extension",
                             _miss(Goto(Int.PACKET_RATE_LIMIT)), next=(Int.PACKET_RATE_LIMIT,)),
    Int.LOCAL_IP_TABLE:  row("traffic to the guest behind a local IP; unused without the local IP extension",
                             _miss(Goto(Int.PACKET_RATE_LIMIT)), next=(Int.PACKET_RATE_LIMIT,)),
    Int.PACKET_RATE_LIMIT: row("packet rate limits of guests; no guest has one",
                             _miss(Goto(Int.BANDWIDTH_RATE_LIMIT)), next=(Int.BANDWIDTH_RATE_LIMIT,)),
    Int.BANDWIDTH_RATE_LIMIT: row("bandwidth limits of guests; no guest has one",
                             _miss(Goto(Int.TRANSIENT_TABLE)), next=(Int.TRANSIENT_TABLE,)),
    Int.TRANSIENT_TABLE: row(_ACCEPTED, _on(Priority.MATCH, (), Normal()),
                             match="in_port dl_src", next=(Int.LOCAL_MAC_DIRECT,)),
    Int.LOCAL_MAC_DIRECT: row("with explicitly_egress_direct: is the destination a guest of this host?",
                             match="reg6 dl_vlan dl_dst", next=(Int.TRANSIENT_EGRESS_TABLE,)),
    Int.TRANSIENT_EGRESS_TABLE: row("accepted: unicast of guests goes straight to the patch port with explicitly_egress_direct; "
                             "all else is switched by MAC", _on(Priority.TRANSLATE, (), Normal()),
                             match="in_port dl_src dl_dst"),
}  # fmt: skip
BR_PHYS: Mapping[int, Row] = {
    Phys.LOCAL_SWITCHING: row("local VLAN to the VLAN of the provider network",
                              _miss(Normal()), match="in_port dl_vlan"),
}  # fmt: skip
QUEENS, CURRENT = "queens", "current"  # Neutron 12 (2018) and 29 (2026)
_PIPELINES: Mapping[str, Mapping[str, Mapping[int, Row]]] = {
    QUEENS: {BR_INT: _INT_QUEENS, BR_TUN: _TUN_QUEENS},
    CURRENT: {BR_INT: _INT_CURRENT, BR_TUN: _TUN_CURRENT},
}
RELEASES = tuple(_PIPELINES)


def pipeline_of(bridge: str, release: str = QUEENS) -> Mapping[int, Row]:
    """The tables of `bridge`; a bridge other than br-int and br-tun is a provider bridge."""
    return _PIPELINES[release].get(bridge, BR_PHYS)


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of one bridge; no actions means drop.

    Ports are given by name, so a flow does not depend on the ofports of a host.

    Raises:
        PipelineError: the row of its table does not declare a matched field or a jump.
    """

    bridge: str
    table: int
    priority: Priority
    match: Match = ()
    actions: tuple[Action, ...] = ()
    release: str = field(default=QUEENS, compare=False)

    def __post_init__(self) -> None:
        tables = pipeline_of(self.bridge, self.release)
        declared = tables.get(self.table)
        if declared is None:
            raise self._undeclared(f"table {self.table}", map(str, map(int, tables)))
        for name, _ in self.match:
            if name not in declared.match:
                raise self._undeclared(f"a match on {name}", declared.match)
        for action in self.actions:
            if isinstance(action, Goto | Resubmit) and action.table not in declared.next:
                raise self._undeclared(f"a jump to {action.table}", map(str, declared.next))

    def _undeclared(self, found: str, allowed: object) -> PipelineError:
        return PipelineError(
            found,
            where=f"{self.bridge} table {self.table}",
            allowed=", ".join(sorted(allowed)) or "none",  # type: ignore[call-overload]
            do="Declare it in controller/flows/pipeline.py, or correct the flow.",
        )

    @property
    def why(self) -> str:
        """The purpose of its table."""
        return pipeline_of(self.bridge, self.release)[self.table].why


@dataclass(frozen=True, slots=True)
class Bridge:
    """Builds the flows of one bridge, with the tables of one release."""

    name: str
    release: str
    patch_int: str = PATCH_INT  # the port of br-tun that leads to br-int

    def flow(self, table: int, priority: Priority, match: Match, *actions: Action) -> Flow:
        """A flow of this bridge."""
        return Flow(self.name, table, priority, match, actions, self.release)

    def always(self) -> Iterator[Flow]:
        """The flows that do not depend on the overlay (Neutron's `setup_default_table`)."""
        for table, row in pipeline_of(self.name, self.release).items():
            for priority, matched, actions in row.always:
                named = ((field, self._named(value)) for field, value in matched)
                yield self.flow(table, priority, tuple(named), *map(self._renamed, actions))

    def _named(self, value: str | int) -> str | int:
        return self.patch_int if value == PATCH_INT else value

    def _renamed(self, action: Action) -> Action:
        return Output(self.patch_int) if action == Output(PATCH_INT) else action

    def accept(self, table: int) -> Goto:
        """The jump for frames that `table` accepts.

        Raises:
            PipelineError: the table's row declares no such jump.
        """
        passed = pipeline_of(self.name, self.release)[table].passed
        if passed is None:
            raise PipelineError(
                "no `passed`",
                where=f"{self.name} table {table}",
                allowed="a table for accepted frames",
                do="Declare it in controller/flows/pipeline.py.",
            )
        return Goto(passed)
