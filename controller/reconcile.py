"""From what a bridge has to what it must have, in one bundle.

Flows that `learn` made are the switch's own: they are left alone, unless their local VLAN
or their tunnel is gone.  Flows under another cookie are not ours and stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller import wire
from controller.pipeline import Flow, Priority, Tun
from controller.ports import BR_TUN

COOKIE_MARK = 0x6F6C << 48  # "ol"; below it the switch's datapath id, so it outlives us


def cookie_of(dpid: int) -> int:
    """The cookie of all our flows on one switch.

    Neutron draws a new one at every start and then rewrites every flow; a lasting one lets
    a restarted controller leave alone what is right.
    """
    return COOKIE_MARK | (dpid & 0xFFFF_FFFF_FFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one bridge must have.

    Attributes:
        ports: ofport of every port that a flow names.
        local_vlans: all that are allotted on the host.
    """

    bridge: str
    flows: tuple[Flow, ...]
    ports: wire.Ports
    local_vlans: frozenset[int]


def changes(datapath: Any, wanted: Wanted, installed: list[Any]) -> list[Any]:
    """The messages that lead from `installed` (OFPFlowStats) to `wanted`; none if all is well."""
    cookie = cookie_of(datapath.id)
    made = (wire.flow_mod(datapath, flow, wanted.ports, cookie) for flow in wanted.flows)
    mods = {wire.key(mod): mod for mod in made}
    there = {wire.key(stats): stats for stats in installed}
    ours = [stats for stats in installed if stats.cookie == cookie]
    learned = [stats for stats in ours if is_learned(wanted.bridge, stats)]
    stale = [stats for stats in ours if stats not in learned and wire.key(stats) not in mods]
    return [
        *(mod for key, mod in mods.items() if not _is_same(mod, there.get(key))),
        *(wire.delete_strict(datapath, stats) for stats in stale),
        *_purges(datapath, wanted, learned, cookie),
    ]


def _is_same(mod: Any, stats: Any | None) -> bool:
    return stats is not None and stats.cookie == mod.cookie and wire.body(stats) == wire.body(mod)


def is_learned(bridge: str, stats: Any) -> bool:
    """True if the switch made this flow itself, by the `learn` of LEARN_FROM_TUN."""
    return (
        bridge == BR_TUN and stats.table_id == Tun.UCAST_TO_TUN and stats.priority == Priority.MATCH
    )


def stale_vlans(installed: Iterable[Any], allotted: Iterable[int]) -> frozenset[int]:
    """Local VLANs that flows of br-tun still speak of, but that no network has any more."""
    return frozenset(filter(None, map(_vlan, installed))) - frozenset(allotted)


def _purges(datapath: Any, wanted: Wanted, learned: list[Any], cookie: int) -> list[Any]:
    """Deletes for learned flows whose local VLAN or whose tunnel is gone."""
    vlans = {vlan for stats in learned if (vlan := _vlan(stats))} - wanted.local_vlans
    ofports = {port for stats in learned for port in _outputs(stats)} - {*wanted.ports.values()}
    table = int(Tun.UCAST_TO_TUN)
    return [
        *(wire.purge(datapath, table, cookie, local_vlan=vlan) for vlan in sorted(vlans)),
        *(wire.purge(datapath, table, cookie, ofport=port) for port in sorted(ofports)),
    ]


def _vlan(flow: Any) -> int | None:
    """The local VLAN that a flow of br-tun matches, or None."""
    for name, value in flow.match.items():
        if name in {"vlan_vid", "vlan_tci"}:
            return int(value[0] if isinstance(value, tuple) else value) & 0x0FFF or None
    return None


def _outputs(stats: Any) -> set[int]:
    actions = [a for i in stats.instructions for a in getattr(i, "actions", ())]
    return {int(action.port) for action in actions if hasattr(action, "port")}
