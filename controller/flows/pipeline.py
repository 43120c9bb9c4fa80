"""The bridges' pipelines as data: one row per OpenFlow table, per release.

Names and numbers are Neutron's (neutron_lib/plugins/ml2/ovs_constants.py), so that a
flow dump from here and one from a real compute node read the same.  Releases differ in
their rows alone: `br_int` and `br_tun` ask the row, never the release.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from controller.flows.actions import Action, Goto, LearnReturnPath, Normal, Output
from controller.flows.ports import BR_INT, BR_TUN, DEAD_VLAN_TAG, PATCH_INT
from controller.model.encap import NetworkType
from controller.model.errors import PipelineError


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
    LOCAL_EGRESS_TABLE = 30
    LOCAL_IP_TABLE = 31
    PACKET_RATE_LIMIT = 58
    BANDWIDTH_RATE_LIMIT = 59
    TRANSIENT_TABLE = 60
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
    "proto", "tun_id", "in_port", "dl_vlan", "vlan_tci", "dl_src", "dl_dst",
    "arp_spa", "arp_tpa", "arp_tha", "icmp_type", "nd_target",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(FIELDS)}
Match = tuple[tuple[str, str | int], ...]


def match(**fields: str | int | None) -> Match:
    """A match in ovs-ofctl's order; fields given as None are left out.

    Raises:
        KeyError: a field that the pipeline does not know.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    return tuple(sorted(given.items(), key=lambda item: _RANK[item[0]]))


Stated = tuple[Priority, Match, tuple[Action, ...]]  # a flow that a table always has


@dataclass(frozen=True, slots=True)
class Row:
    """What one table may look at, where it may send a frame, and what it always has.

    Attributes:
        passed: the table where a guest's or a provider's frame goes on that this one lets pass.
        always: flows that stand there whatever the overlay is.
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
    """A row, with its match fields as words; `passed` is one of `next`."""
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
    Tun.LOCAL_SWITCHING:  row("which side did the frame enter?",
                              _on(Priority.MATCH, match(in_port=PATCH_INT), Goto(Tun.PATCH_LV_TO_TUN)), _miss(),
                              match="in_port", next=(Tun.PATCH_LV_TO_TUN, *TUN_TO_LV.values())),
    Tun.PATCH_LV_TO_TUN:  row("known unicast, ARP request, or other BUM?",
                              _on(Priority.MISS, match(dl_dst=UNICAST), Goto(Tun.UCAST_TO_TUN)),
                              _on(Priority.MISS, match(dl_dst=MULTICAST), Goto(Tun.FLOOD_TO_TUN)),
                              match="proto dl_dst",
                              next=(Tun.UCAST_TO_TUN, Tun.ARP_RESPONDER, Tun.FLOOD_TO_TUN)),
    # All three have their drop, whatever tunnel_types says.
    Tun.GRE_TUN_TO_LV:    row("GRE key to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.VXLAN_TUN_TO_LV:  row("VNI to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.GENEVE_TUN_TO_LV: row("VNI to local VLAN", _miss(), match="tun_id", next=(Tun.LEARN_FROM_TUN,)),
    Tun.LEARN_FROM_TUN:   row("remember which VTEP a source MAC came from, then hand to br-int",
                              _on(Priority.MATCH, (), *_LEARN)),
    Tun.UCAST_TO_TUN:     row("the FDB: one VTEP per (local VLAN, MAC)",
                              _miss(Goto(Tun.FLOOD_TO_TUN)),
                              match="dl_vlan dl_dst", next=(Tun.FLOOD_TO_TUN,)),
    Tun.ARP_RESPONDER:    row("answer ARP for known addresses on the spot",
                              match="proto dl_vlan arp_tpa", next=(Tun.FLOOD_TO_TUN,)),
    Tun.FLOOD_TO_TUN:     row("head-end replication of BUM frames", _miss(), match="dl_vlan"),
}  # fmt: skip
_TUN_CURRENT: Mapping[int, Row] = {
    **_TUN_QUEENS,
    # The copies of the last flow learn what it would; Neutron 28 added them for a guest that
    # announces itself elsewhere (its commit f29de21350).
    Tun.LEARN_FROM_TUN:   row("remember which VTEP a source MAC came from, then hand to br-int; "
                              "announcements (ARP to all, IPv6 router and neighbour) are picked out first",
                              _on(Priority.STATED, match(proto="arp", arp_tha=BROADCAST), *_LEARN),
                              _on(Priority.STATED, match(proto="icmp6", icmp_type=ROUTER_ADVERTISEMENT), *_LEARN),
                              _on(Priority.STATED, match(proto="icmp6", icmp_type=NEIGHBOUR_ADVERTISEMENT), *_LEARN),
                              _on(Priority.MATCH, (), *_LEARN),
                              match="proto arp_tha icmp_type"),
}  # fmt: skip
_CANARY = row("empty after a restart of ovs-vswitchd: that is how it is noticed", _miss())
_ACCEPTED = "accepted: switch by MAC within the local VLAN"
_INT_QUEENS: Mapping[int, Row] = {
    # It matches 4095 without OFPVID_PRESENT, so no tagged frame ever hits the first flow: a
    # known slip, mended in Neutron 20.  The dead VLAN isolates by its tag alone.
    Int.LOCAL_SWITCHING: row("guest, tunnel or provider side; a guest's frames are checked first",
                             _on(Priority.DEAD, match(vlan_tci="0x0fff/0x1fff")), _miss(Goto(Int.TRANSIENT_TABLE)),
                             match="proto in_port dl_vlan vlan_tci icmp_type", passed=Int.TRANSIENT_TABLE,
                             next=(Int.ARP_SPOOF_TABLE, Int.MAC_SPOOF_TABLE)),
    Int.CANARY_TABLE:    _CANARY,
    Int.ARP_SPOOF_TABLE: row("does the guest own the address it speaks for?", _miss(),
                             match="proto in_port icmp_type arp_spa nd_target",
                             next=(Int.MAC_SPOOF_TABLE,), passed=Int.TRANSIENT_TABLE),
    Int.MAC_SPOOF_TABLE: row("does the guest own the MAC it sends from?",
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
    Int.LOCAL_EGRESS_TABLE: row("is it for a local IP? only an extension would say so here",
                             _miss(Goto(Int.PACKET_RATE_LIMIT)), next=(Int.PACKET_RATE_LIMIT,)),
    Int.LOCAL_IP_TABLE:  row("to the guest behind a local IP, which an extension would state",
                             _miss(Goto(Int.PACKET_RATE_LIMIT)), next=(Int.PACKET_RATE_LIMIT,)),
    Int.PACKET_RATE_LIMIT: row("a limit on packets a second would meter here; no guest has one",
                             _miss(Goto(Int.BANDWIDTH_RATE_LIMIT)), next=(Int.BANDWIDTH_RATE_LIMIT,)),
    Int.BANDWIDTH_RATE_LIMIT: row("a limit on bits a second would meter here; no guest has one",
                             _miss(Goto(Int.TRANSIENT_TABLE)), next=(Int.TRANSIENT_TABLE,)),
    Int.TRANSIENT_TABLE: row(_ACCEPTED, _on(Priority.MATCH, (), Normal())),
    Int.TRANSIENT_EGRESS_TABLE: row("accepted by a firewall that is made of flows: switch by MAC", _on(Priority.TRANSLATE, (), Normal())),
}  # fmt: skip
BR_PHYS: Mapping[int, Row] = {
    Phys.LOCAL_SWITCHING: row("local VLAN to what the provider network knows",
                              _miss(Normal()), match="in_port dl_vlan"),
}  # fmt: skip
QUEENS, CURRENT = "queens", "current"  # Neutron 12 (2018) and 29 (2026)
_PIPELINES: Mapping[str, Mapping[str, Mapping[int, Row]]] = {
    QUEENS: {BR_INT: _INT_QUEENS, BR_TUN: _TUN_QUEENS},
    CURRENT: {BR_INT: _INT_CURRENT, BR_TUN: _TUN_CURRENT},
}
RELEASES = tuple(_PIPELINES)


def pipeline_of(bridge: str, release: str = QUEENS) -> Mapping[int, Row]:
    """The tables of `bridge`; any but br-int and br-tun is a provider bridge."""
    return _PIPELINES[release].get(bridge, BR_PHYS)


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
            if isinstance(action, Goto) and action.table not in declared.next:
                raise self._undeclared(f"a jump to {action.table}", map(str, declared.next))

    def _undeclared(self, found: str, allowed: object) -> PipelineError:
        return PipelineError(
            found,
            where=f"{self.bridge} table {self.table}",
            allowed=", ".join(sorted(allowed)) or "none",  # type: ignore[call-overload]
            do="Declare it in controller/flows/pipeline.py, or mend the flow.",
        )

    @property
    def why(self) -> str:
        """The question that its table answers."""
        return pipeline_of(self.bridge, self.release)[self.table].why


def always(bridge: str, release: str) -> Iterator[Flow]:
    """The flows that `bridge` has whatever the overlay is (Neutron's `setup_default_table`)."""
    for table, row in pipeline_of(bridge, release).items():
        for priority, seen, actions in row.always:
            yield Flow(bridge, table, priority, seen, actions, release)
